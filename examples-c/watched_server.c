/* What a server does, as an operator sees it: the library's log through a callback, and statistics.
 *
 *   watched_server
 *
 * The server and its client run in one process. Both belong to a context that was created with a log callback; the
 * process-wide default context has none. Ends with 0 only if the log told of both and the statistics are true.
 */
#include <inttypes.h>
#include <network_system.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { messages = 10 };
static const char text[] = "watch me";

/* Log callbacks run on the library's threads, several at a time: what they share would need a lock. stdio has its own.
 */
static void on_log(void* userdata, const netsys_log_record* record) {
    static const char* const names[] = {"?", "ERROR", "WARN", "INFO", "DEBUG", "TRACE"};

    fprintf(userdata, "%" PRIu64 " %s %.*s: %.*s\n", record->unix_ms, names[record->level <= 5 ? record->level : 0],
            (int)record->target.len, record->target.data, (int)record->message.len, record->message.data);
}

static netsys_str str(const char* characters) {
    netsys_str view = {characters, strlen(characters)};
    return view;
}

static void on_message(void* userdata, netsys_session session, const netsys_message* message) {
    (void)userdata;
    netsys_session_send(session, message->kind, message->data, message->len);
}

/* The client's: it closes when the last echo is here. */
static void on_echo(void* userdata, netsys_session session, const netsys_message* message) {
    int* const echoes = userdata;

    (void)message;
    if (++*echoes == messages) {
        netsys_session_close(session, NETSYS_OK, str("done"));
    }
}

static netsys_status exchange(netsys_context context, netsys_server server, netsys_stats* stats) {
    uint16_t port = 0;
    int echoes = 0;
    netsys_client client;
    netsys_session session;
    netsys_client_config config;
    netsys_callbacks callbacks = {.struct_size = sizeof callbacks, .userdata = &echoes, .on_message = on_echo};

    netsys_server_port(server, &port);
    netsys_client_config_init(&config, sizeof config);
    config.framing = NETSYS_FRAMING_FRAMED;
    config.client_id = str("watched-client");
    config.host = str("127.0.0.1");
    config.port = port;
    netsys_status status = netsys_client_start(context, &config, &callbacks, &client);
    if (status != NETSYS_OK) {
        return status;
    }
    status = netsys_client_wait_connected(client, NETSYS_INFINITE);
    if (status == NETSYS_OK) {
        status = netsys_client_session(client, &session);
    }
    for (int sent = 0; status == NETSYS_OK && sent < messages; sent++) {
        status = netsys_session_send(session, NETSYS_MESSAGE_TEXT, text, strlen(text));
    }
    if (status == NETSYS_OK) {
        status = netsys_client_wait(client, NETSYS_INFINITE); /* until on_echo has closed the connection */
    }
    netsys_client_destroy(client);

    netsys_server_stop(server, NETSYS_INFINITE);
    netsys_server_wait(server, NETSYS_INFINITE);
    return status == NETSYS_OK ? netsys_server_stats(server, stats) : status;
}

/* Whether the log has a line of a level with something in it. */
static int has_line(FILE* log, const char* level, const char* part) {
    char line[1024];

    rewind(log);
    while (fgets(line, sizeof line, log) != NULL) {
        if (strstr(line, level) != NULL && strstr(line, part) != NULL) {
            return 1;
        }
    }
    return 0;
}

int main(void) {
    netsys_context context;
    netsys_server server;
    netsys_server_config server_config;
    netsys_context_config context_config;
    netsys_callbacks callbacks = {.struct_size = sizeof callbacks, .on_message = on_message};
    netsys_stats stats = {.struct_size = sizeof stats};
    FILE* const log = tmpfile();

    if (log == NULL) {
        return EXIT_FAILURE;
    }
    netsys_context_config_init(&context_config, sizeof context_config);
    context_config.log_level = 4; /* 1 errors only .. 5 everything */
    context_config.on_log = on_log;
    context_config.userdata = log;
    netsys_status status = netsys_context_create(&context_config, &context);
    if (status != NETSYS_OK) {
        fprintf(stderr, "watched_server: %s\n", netsys_status_message(status));
        return EXIT_FAILURE;
    }

    netsys_server_config_init(&server_config, sizeof server_config);
    server_config.server_id = str("watched-server");
    server_config.host = str("127.0.0.1");
    status = netsys_server_start(context, &server_config, &callbacks, &server);
    if (status == NETSYS_OK) {
        status = exchange(context, server, &stats);
        netsys_server_destroy(server);
    }
    netsys_context_shutdown(context, NETSYS_INFINITE); /* no callback runs any more, so the log is ours alone */

    const int log_is_right = has_line(log, " INFO ", "watched-server") && has_line(log, " DEBUG ", " is open");
    const int figures_are_right = stats.connections_total == 1 && stats.connections_current == 0 &&
                                  stats.messages_received == messages && stats.messages_sent == messages &&
                                  stats.bytes_received == messages * strlen(text);
    fclose(log);
    printf("log %s; %" PRIu64 " connection, %" PRIu64 " messages in, %" PRIu64 " out\n",
           log_is_right ? "complete" : "incomplete", stats.connections_total, stats.messages_received,
           stats.messages_sent);
    return status == NETSYS_OK && log_is_right && figures_are_right ? EXIT_SUCCESS : EXIT_FAILURE;
}
