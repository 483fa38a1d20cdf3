/* bridge: a server, two clients and a pool of connections under one configuration, counted and stopped together.
 *
 * Each names the bridge in its configuration. What that leaves at its default is as the bridge says; what happens is
 * told and counted in one place. Ends with 0 only if both agree with what was done. */
#include "example.h"

enum { CLIENTS = 2, MESSAGES = 100, POOLED = 3 };

/* Only counted by the bridge's callbacks, which come one at a time, and read when they have been released. */
typedef struct tally {
    int begun, ended, errors, released;
} tally;

static void on_connection(void* userdata, netsys_str endpoint, uint32_t connected) {
    tally* const told = userdata;

    printf("%s %.*s\n", connected ? "connected with" : "disconnected from", (int)endpoint.len, endpoint.data);
    *(connected ? &told->begun : &told->ended) += 1;
}

static void on_error(void* userdata, const netsys_error_info* error) {
    tally* const told = userdata;

    printf("error: %s\n", error->message);
    told->errors += 1;
}

static void on_release(void* userdata) {
    tally* const told = userdata;

    told->released += 1;
}

static void echo(void* userdata, netsys_session session, const netsys_message* message) {
    (void)userdata;
    netsys_session_send(session, message->kind, message->data, message->len);
}

/* A client's: it closes when the last answer is here. */
static void on_answer(void* userdata, netsys_session session, const netsys_message* message) {
    int* const answers = userdata;

    (void)message;
    if (++*answers == MESSAGES) {
        netsys_session_close(session, NETSYS_OK, str("done"));
    }
}

static netsys_client_config client_of(netsys_bridge bridge, uint16_t port) {
    netsys_client_config config;

    must("make a configuration", netsys_client_config_init(&config, sizeof config));
    config.client_id = str("asker");
    config.host = str("127.0.0.1");
    config.port = port;
    config.framing = NETSYS_FRAMING_FRAMED;
    config.bridge = bridge;
    return config;
}

static void converse(netsys_context context, netsys_bridge bridge, uint16_t port) {
    const netsys_client_config config = client_of(bridge, port);
    netsys_client clients[CLIENTS];
    int answers[CLIENTS] = {0};

    for (int i = 0; i < CLIENTS; i++) {
        const netsys_callbacks callbacks = {
            .struct_size = sizeof callbacks, .userdata = &answers[i], .on_message = on_answer};
        must("start a client", netsys_client_start(context, &config, &callbacks, &clients[i]));
        must("connect", netsys_client_wait_connected(clients[i], NETSYS_INFINITE));
    }
    for (int sent = 0; sent < MESSAGES; sent++) {
        for (int i = 0; i < CLIENTS; i++) {
            send_text(clients[i], "0123456789");
        }
    }
    for (int i = 0; i < CLIENTS; i++) {
        must("wait for the answers", netsys_client_wait(clients[i], NETSYS_INFINITE));
        must("destroy a client", netsys_client_destroy(clients[i]));
    }
}

/* A pool has as many connections as the bridge says; the next one who asks has to wait. */
static netsys_pool use_up_pool(netsys_context context, netsys_bridge bridge, uint16_t port) {
    const netsys_client_config client = client_of(bridge, port);
    const netsys_callbacks callbacks = {.struct_size = sizeof callbacks};
    netsys_pool_config config;
    netsys_pool pool;
    netsys_lease leases[POOLED], none;

    must("make a configuration", netsys_pool_config_init(&config, sizeof config));
    must("start a pool", netsys_pool_start(context, &config, &client, &callbacks, &pool));
    for (int i = 0; i < POOLED; i++) {
        must("borrow a connection", netsys_pool_acquire(pool, NETSYS_INFINITE, &leases[i]));
    }
    if (netsys_pool_acquire(pool, 0, &none) == NETSYS_OK) {
        fprintf(stderr, "there are more than %d connections\n", POOLED);
        exit(EXIT_FAILURE);
    }
    for (int i = 0; i < POOLED; i++) {
        must("give it back", netsys_lease_release(leases[i]));
    }
    return pool;
}

static void print_status(netsys_bridge bridge) {
    char report[4096];

    must("report", netsys_bridge_status_report(bridge, report, sizeof report, NULL));
    printf("\n%s\n", report);
}

int main(void) {
    tally told = {0, 0, 0, 0};
    netsys_context context;
    netsys_bridge bridge;
    netsys_bridge_config bridge_config;
    netsys_server_config server_config;
    netsys_server server;
    netsys_metrics metrics = {.struct_size = sizeof metrics};
    const netsys_callbacks callbacks = {.struct_size = sizeof callbacks, .on_message = echo};
    const netsys_bridge_callbacks events = {.struct_size = sizeof events,
                                            .userdata = &told,
                                            .on_connection = on_connection,
                                            .on_error = on_error,
                                            .release = on_release};

    must("create a context", netsys_context_create(NULL, &context));
    must("make a configuration", netsys_bridge_config_init(&bridge_config, sizeof bridge_config));
    bridge_config.max_connections_per_client = POOLED;
    bridge_config.connection_timeout_ms = 5000;
    must("create a bridge", netsys_bridge_create(str("example"), &bridge_config, &events, &bridge));
    must("make a configuration", netsys_server_config_init(&server_config, sizeof server_config));
    server_config.server_id = str("echo");
    server_config.bridge = bridge;
    const uint16_t port = start_server(context, &server_config, &callbacks, &server);

    converse(context, bridge, port);
    const netsys_pool pool = use_up_pool(context, bridge, port);
    print_status(bridge);

    /* First the pool, which would make new connections. Then one call for all. */
    must("destroy the pool", netsys_pool_destroy(pool));
    must("stop all", netsys_bridge_stop(bridge, NETSYS_INFINITE));
    must("wait for all", netsys_bridge_wait(bridge, NETSYS_INFINITE));
    must("ask for the figures", netsys_bridge_metrics(bridge, &metrics));
    must("destroy the bridge", netsys_bridge_destroy(bridge));
    must("destroy the server", netsys_server_destroy(server));
    must("end the context", netsys_context_shutdown(context, NETSYS_INFINITE));

    /* Each connection has two ends, and both are of the bridge; each message was sent and received twice. */
    const int ends = 2 * (CLIENTS + POOLED), passed = 2 * CLIENTS * MESSAGES;
    printf("%llu connections, %llu messages sent, %llu received\n", (unsigned long long)metrics.connections_total,
           (unsigned long long)metrics.messages_sent, (unsigned long long)metrics.messages_received);
    return metrics.connections_total == (uint64_t)ends && metrics.connections_current == 0 &&
                   metrics.messages_sent == (uint64_t)passed && metrics.messages_received == (uint64_t)passed &&
                   metrics.bytes_sent == 10 * (uint64_t)passed && told.begun == ends && told.ended == ends &&
                   told.errors == 0 && told.released == 1
               ? EXIT_SUCCESS
               : EXIT_FAILURE;
}
