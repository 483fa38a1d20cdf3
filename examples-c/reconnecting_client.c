/* A client that connects again by itself: its server goes away and comes back, and no message is lost.
 *
 *   reconnecting_client
 *
 * The server runs in the same process, so that the example can stop it and start it again on the same port. While it is
 * away, what the client sends waits in a bounded backlog. Ends with 0 only if every message arrived, once and in order.
 */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <network_system.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { outages = 3, messages_each = 4, messages_in_all = outages * messages_each };

/* What arrived at the servers, one after the other. Their loop threads write it, and main waits for it. */
struct inbox {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int count;
    int out_of_order;
};

static void print_failure(const char* what, netsys_status status) {
    netsys_error_info info = {.struct_size = sizeof info};
    const char* detail = netsys_status_message(status);

    if (netsys_last_error(&info) == NETSYS_OK && info.status == status && info.message[0] != '\0') {
        detail = info.message;
    }
    fprintf(stderr, "reconnecting_client: %s: %s (%s)\n", what, detail, netsys_status_name(status));
}

static netsys_str str(const char* text) {
    netsys_str view = {text, strlen(text)};
    return view;
}

static void on_message(void* userdata, netsys_session session, const netsys_message* message) {
    struct inbox* inbox = userdata;
    int number = -1;

    (void)session;
    if (message->len == sizeof number) {
        memcpy(&number, message->data, sizeof number);
    }
    pthread_mutex_lock(&inbox->mutex);
    inbox->out_of_order += number != inbox->count;
    inbox->count++;
    pthread_cond_signal(&inbox->changed);
    pthread_mutex_unlock(&inbox->mutex);
}

/* The events of the client: each connection has its own on_open and on_close. */
static void on_open(void* userdata, netsys_session session) {
    (void)userdata;
    (void)session;
    printf("client: connected\n");
}

static void on_close(void* userdata, netsys_session session, const netsys_close_info* why) {
    (void)userdata;
    (void)session;
    printf("client: lost the connection (%.*s); %" PRIu64 " messages undelivered, %" PRIu64 " go to the next one\n",
           (int)why->text.len, why->text.data, why->undelivered, why->requeued);
}

/* A failed attempt; or, at the end, messages that are lost with the client. */
static void on_error(void* userdata, netsys_session session, const netsys_error_info* error) {
    (void)userdata;
    (void)session;
    printf("client: %s\n", error->message);
}

static netsys_status start_server(netsys_context context, struct inbox* inbox, uint16_t port, netsys_server* server) {
    netsys_server_config config;
    netsys_callbacks callbacks = {.struct_size = sizeof callbacks, .userdata = inbox, .on_message = on_message};

    netsys_server_config_init(&config, sizeof config);
    config.server_id = str("server");
    config.host = str("127.0.0.1");
    config.port = port;
    return netsys_server_start(context, &config, &callbacks, server);
}

static netsys_status start_client(netsys_context context, uint16_t port, netsys_client* client) {
    netsys_client_config config;
    netsys_callbacks callbacks = {
        .struct_size = sizeof callbacks, .on_open = on_open, .on_close = on_close, .on_error = on_error};

    netsys_client_config_init(&config, sizeof config);
    config.framing = NETSYS_FRAMING_FRAMED;
    config.client_id = str("client");
    config.host = str("127.0.0.1");
    config.port = port;
    config.send_policy = NETSYS_SEND_WAIT; /* a full backlog holds the sender, for as long as send_timeout_ms */
    config.reconnect = 1;
    config.reconnect_first_ms = 10; /* short waits, since this server is never away for long; 0: 100 */
    config.reconnect_max_ms = 100;  /* 0: 5000 */
    return netsys_client_start(context, &config, &callbacks, client);
}

static void await_messages(struct inbox* inbox, int count) {
    pthread_mutex_lock(&inbox->mutex);
    while (inbox->count < count) {
        pthread_cond_wait(&inbox->changed, &inbox->mutex);
    }
    pthread_mutex_unlock(&inbox->mutex);
}

/* The server is away while the client sends, and gets everything when it is back. */
static netsys_status one_outage(netsys_context context, struct inbox* inbox, uint16_t port, netsys_client client,
                                int first, netsys_server* server) {
    netsys_status status = netsys_server_destroy(*server);
    server->id = 0;
    for (int number = first; status == NETSYS_OK && number < first + messages_each; number++) {
        status = netsys_client_send(client, NETSYS_MESSAGE_BINARY, &number, sizeof number);
    }
    printf("main: sent %d messages while there was no server\n", messages_each);
    if (status == NETSYS_OK) {
        status = start_server(context, inbox, port, server);
    }
    if (status == NETSYS_OK) {
        await_messages(inbox, first + messages_each);
        printf("main: they have arrived\n");
    }
    return status;
}

int main(void) {
    struct inbox inbox = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    netsys_stats stats = {.struct_size = sizeof stats};
    netsys_context context;
    netsys_server server = {0};
    netsys_client client = {0};
    uint16_t port = 0;

    netsys_status status = netsys_context_create(NULL, &context);
    if (status != NETSYS_OK) {
        print_failure("create a context", status);
        return EXIT_FAILURE;
    }
    if ((status = start_server(context, &inbox, 0, &server)) != NETSYS_OK ||
        (status = netsys_server_port(server, &port)) != NETSYS_OK) {
        print_failure("start the server", status);
        goto end;
    }
    if ((status = start_client(context, port, &client)) != NETSYS_OK ||
        (status = netsys_client_wait_connected(client, NETSYS_INFINITE)) != NETSYS_OK) {
        print_failure("start the client", status);
        goto end;
    }
    for (int outage = 0; outage < outages; outage++) {
        status = one_outage(context, &inbox, port, client, outage * messages_each, &server);
        if (status != NETSYS_OK) {
            print_failure("an outage", status);
            goto end;
        }
    }
    netsys_client_stop(client, NETSYS_INFINITE);
    netsys_client_wait(client, NETSYS_INFINITE);
    netsys_client_stats(client, &stats);

end:
    netsys_client_destroy(client);
    netsys_server_destroy(server);
    netsys_context_shutdown(context, NETSYS_INFINITE);
    printf("%d of %d messages, %d out of order, %" PRIu64 " reconnects, %" PRIu64 " left unsent\n", inbox.count,
           messages_in_all, inbox.out_of_order, stats.reconnects, stats.messages_unsent);
    const int right = status == NETSYS_OK && inbox.count == messages_in_all && inbox.out_of_order == 0 &&
                      stats.reconnects == outages && stats.messages_unsent == 0;
    return right ? EXIT_SUCCESS : EXIT_FAILURE;
}
