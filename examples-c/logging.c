/* The log of a context: a callback, a filter by target, and what a peer that misbehaves can make of it.
 *
 *   logging
 *
 * A peer that does not speak the protocol connects a thousand times. Few of the lines about it come, and they tell of
 * the rest. Then the filter is changed, and nothing is said of peers any more.
 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "example.h"

enum { VISITS = 1000, UNSEEN = 50 };

typedef struct journal {
    pthread_mutex_t mutex;
    int informed; /* lines of the server */
    int warned;   /* lines of the peer, */
    long spared;  /* and those that were left out */
} journal;

/* How many lines before this one were left out. */
static long left_out(const char* message) {
    const char* const note = strrchr(message, '(');
    char* end = NULL;
    const long count = note == NULL ? 0 : strtol(note + 1, &end, 10);

    return count != 0 && strcmp(end, " more like it were left out)") == 0 ? count : 0;
}

/* Runs on several threads at a time. */
static void on_log(void* userdata, const netsys_log_record* record) {
    journal* const log = userdata;
    char message[256];

    snprintf(message, sizeof message, "%.*s", (int)record->message.len, record->message.data);
    pthread_mutex_lock(&log->mutex);
    printf("%s %.*s: %s\n", record->level <= 2 ? "!" : " ", (int)record->target.len, record->target.data, message);
    if (record->level == 2) {
        log->warned++;
        log->spared += left_out(message);
    } else {
        log->informed++;
    }
    pthread_mutex_unlock(&log->mutex);
}

/* Says something that is not the protocol, and waits until it is told off. */
static void misbehave(uint16_t port) {
    static const char request[] = "GET / HTTP/1.1\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    const int peer = socket(AF_INET, SOCK_STREAM, 0);
    char answer[64];

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (peer < 0 || connect(peer, (const struct sockaddr*)&address, sizeof address) != 0 ||
        send(peer, request, sizeof request - 1, MSG_NOSIGNAL) < 0) {
        perror("logging: the peer");
        exit(EXIT_FAILURE);
    }
    while (recv(peer, answer, sizeof answer, 0) > 0) {
    }
    close(peer);
}

int main(void) {
    journal log = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    netsys_context context;
    netsys_server server;
    netsys_context_config config;
    netsys_server_config server_config;
    netsys_callbacks callbacks = {.struct_size = sizeof callbacks};
    int i;

    must("make a configuration", netsys_context_config_init(&config, sizeof config));
    config.on_log = on_log;
    config.userdata = &log;
    config.log_filter = str("info,network_system::session=warn"); /* config.log_to_stderr = 1 needs no callback */
    must("create a context", netsys_context_create(&config, &context));
    must("make a configuration", netsys_server_config_init(&server_config, sizeof server_config));
    server_config.framing = NETSYS_FRAMING_FRAMED;
    const uint16_t port = start_server(context, &server_config, &callbacks, &server);
    for (i = 0; i < VISITS; i++) {
        misbehave(port);
    }

    must("change the filter", netsys_context_set_log_filter(context, str("info,network_system::session=off")));
    for (i = 0; i < UNSEEN; i++) {
        misbehave(port);
    }

    must("stop the server", netsys_server_stop(server, NETSYS_INFINITE));
    must("wait for the server", netsys_server_wait(server, NETSYS_INFINITE));
    must("destroy the server", netsys_server_destroy(server));
    must("shut the context down",
         netsys_context_shutdown(context, NETSYS_INFINITE)); /* tells of what was left out last */

    printf("%d visits: %d lines, which tell of %ld more; %d of the server\n", VISITS, log.warned, log.spared,
           log.informed);
    return log.warned + log.spared == VISITS && log.warned < VISITS / 2 && log.informed == 2 ? EXIT_SUCCESS
                                                                                             : EXIT_FAILURE;
}
