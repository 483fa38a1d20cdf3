/* A peer that does not read, and what a server makes of it on the C ABI.
 *
 *   slow_peer
 *
 * A server sends numbered messages to a client that does not read for a while. The queue of its session fills, and the
 * policy says what then: here the oldest messages that wait are dropped, as for prices, of which only the latest count.
 * Every send succeeds. The report at the end says how many were accepted and how many did not arrive, and this program
 * checks it against what the client got.
 */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <network_system.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_SIZE = 1000, ENOUGH_DROPPED = 1000 };

/* What the callbacks tell main. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static netsys_session slow;
static uint64_t received;
static uint64_t last_received;
static int ended;
static netsys_close_info report;

static void check(const char* what, netsys_status status) {
    if (status != NETSYS_OK) {
        fprintf(stderr, "slow_peer: %s: %s\n", what, netsys_status_message(status));
        exit(1);
    }
}

static netsys_str str(const char* text) {
    netsys_str view = {text, strlen(text)};
    return view;
}

static void on_server_open(void* userdata, netsys_session session) {
    (void)userdata;
    check("retain", netsys_session_retain(session)); /* main sends on it, and it may end at any time */
    pthread_mutex_lock(&lock);
    slow = session;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void on_server_close(void* userdata, netsys_session session, const netsys_close_info* why) {
    (void)userdata;
    (void)session;
    pthread_mutex_lock(&lock);
    report = *why; /* but for its text, which is valid only here */
    ended = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void on_client_open(void* userdata, netsys_session session) {
    (void)userdata;
    check("pause", netsys_session_pause(session, true)); /* this is what makes it slow */
}

static void on_client_message(void* userdata, netsys_session session, const netsys_message* message) {
    (void)userdata;
    (void)session;
    received++;
    memcpy(&last_received, message->data, sizeof last_received);
}

int main(void) {
    netsys_context context;
    netsys_server server;
    netsys_client client;
    netsys_session at_client;
    netsys_server_config server_config;
    netsys_client_config client_config;
    netsys_callbacks at_server = {.struct_size = sizeof at_server};
    netsys_callbacks of_client = {.struct_size = sizeof of_client};
    netsys_stats stats = {.struct_size = sizeof stats};
    unsigned char message[MESSAGE_SIZE] = {0};
    uint64_t sent = 0;
    uint16_t port;

    check("context", netsys_context_create(NULL, &context));

    check("config", netsys_server_config_init(&server_config, sizeof server_config));
    server_config.host = str("127.0.0.1");
    server_config.send_queue_bytes = 64 * 1024;
    server_config.send_policy = NETSYS_SEND_DROP_OLDEST; /* or for one session: netsys_session_set_send_policy */
    at_server.on_open = on_server_open;
    at_server.on_close = on_server_close;
    check("server", netsys_server_start(context, &server_config, &at_server, &server));
    check("port", netsys_server_port(server, &port));

    check("config", netsys_client_config_init(&client_config, sizeof client_config));
    client_config.host = str("127.0.0.1");
    client_config.port = port;
    client_config.framing = NETSYS_FRAMING_FRAMED;
    of_client.on_open = on_client_open;
    of_client.on_message = on_client_message;
    check("client", netsys_client_start(context, &client_config, &of_client, &client));
    check("connect", netsys_client_wait_connected(client, 10000));
    check("session", netsys_client_session(client, &at_client));

    pthread_mutex_lock(&lock);
    while (slow.id == 0) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);

    while (stats.messages_dropped < ENOUGH_DROPPED) {
        memcpy(message, &sent, sizeof sent);
        check("send", netsys_session_send(slow, NETSYS_MESSAGE_BINARY, message, sizeof message));
        sent++;
        check("stats", netsys_session_stats(slow, &stats));
    }
    printf("%" PRIu64 " messages were accepted while the peer did not read; %" PRIu64 " bytes wait\n", sent,
           stats.queued_bytes);

    /* The peer reads again; the close delivers what waits, and learns what arrived. */
    check("resume", netsys_session_pause(at_client, false));
    check("close", netsys_session_close(slow, NETSYS_OK, str("enough")));
    pthread_mutex_lock(&lock);
    while (!ended) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
    check("release", netsys_session_release(slow));
    check("client", netsys_client_destroy(client)); /* waits: from here on no callback of it runs */
    check("server", netsys_server_destroy(server));
    check("context", netsys_context_shutdown(context, 0));

    printf("accepted %" PRIu64 ", received %" PRIu64 ", undelivered %" PRIu64 ", of these dropped %" PRIu64 "\n",
           report.accepted, received, report.undelivered, report.dropped);
    if (!report.exact || report.accepted != sent || received + report.undelivered != sent) {
        fprintf(stderr, "slow_peer: the report is not true\n");
        return 1;
    }
    if (last_received != sent - 1) {
        fprintf(stderr, "slow_peer: the latest message did not arrive\n");
        return 1;
    }
    printf("the latest message arrived, and every other one is accounted for\n");
    return 0;
}
