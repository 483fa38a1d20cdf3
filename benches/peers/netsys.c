/* The library under measurement: the same workloads through the public C ABI and nothing else.
 *
 * Everything runs in callbacks on the endpoint's loop, except with --sender thread or wait: then the main thread sends
 * the stream, and waits in on_writable's condition, or inside the library, when the queue is full. With --dispatch pool
 * callbacks run on the context's pool; of one thread, since the workloads are one thread's: what is measured is the way
 * there and back, not how much several threads get done. */
#define _POSIX_C_SOURCE 200809L
#include <network_system.h>
#include <pthread.h>
#include <unistd.h>

#include "workload.h"

#define ANSWERS "answers"        /* the group of the session that is answered, and of no other */
#define GROUPS_OF_A_SESSION 100u /* besides that; it may be in 128 */

struct connection {
    struct workload_peer peer; /* first: a peer is its connection */
    netsys_session session;
    netsys_client client;
    bool is_answered; /* is in the group of answers */
};

/* What the main thread waits for; the loop's thread reports it. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    netsys_server server;
    bool finished;
    bool writable;
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static netsys_server own_server; /* the loop's copy */

static void require(netsys_status status, const char* what) {
    if (status == NETSYS_OK) return;
    netsys_error_info info = {.struct_size = sizeof info};
    netsys_last_error(&info);
    fprintf(stderr, "bench: %s: %s: %s\n", what, netsys_status_name(status), info.message);
    exit(2);
}

static netsys_str text(const char* chars) {
    netsys_str out = {chars, strlen(chars)};
    return out;
}

static uint32_t message_kind(void) {
    return work.options.raw ? NETSYS_MESSAGE_STREAM : NETSYS_MESSAGE_BINARY;
}

static uint32_t dispatch(void) {
    return work.options.dispatch == DISPATCH_POOL ? NETSYS_DISPATCH_POOL : NETSYS_DISPATCH_INLINE;
}

static bool transport_send(struct workload_peer* peer, const uint8_t* data, size_t len) {
    struct connection* connection = (struct connection*)peer;
    netsys_status status = netsys_session_send(connection->session, message_kind(), data, len);
    if (status == NETSYS_ERR_WOULD_BLOCK) return false;
    require(status, "send");
    return true;
}

static size_t transport_broadcast(const uint8_t* data, size_t len) {
    size_t queued = 0, refused = 0;
    require(netsys_server_broadcast(own_server, message_kind(), data, len, &queued, &refused), "broadcast");
    return queued;
}

/* Fills a new session's share of the groups that are only there. */
static void join_other_groups(netsys_session session) {
    static uint32_t groups = 1; /* that of the answers */
    for (uint32_t joined = 0; joined < GROUPS_OF_A_SESSION && groups < work.options.groups; joined++, groups++) {
        char name[32];
        snprintf(name, sizeof name, "group %u", (unsigned)groups);
        require(netsys_session_join_group(session, text(name)), "join_group");
    }
}

static void transport_finished(void) {
    pthread_mutex_lock(&shared.lock);
    shared.finished = true;
    pthread_cond_signal(&shared.changed);
    pthread_mutex_unlock(&shared.lock);
}

static void on_server_open(void* userdata, netsys_session session) {
    (void)userdata;
    struct connection* connection = calloc(1, sizeof *connection);
    if (connection == NULL) bench_fail("out of memory");
    connection->session = session;
    require(netsys_session_set_userdata(session, connection, free), "set_userdata");
    if (own_server.id == 0) {
        pthread_mutex_lock(&shared.lock);
        own_server = shared.server;
        pthread_mutex_unlock(&shared.lock);
    }
    join_other_groups(session);
    workload_opened(&connection->peer);
}

/* With --groups, instead of the workload's answer, whose path, which is measured, stays as it is: not inlined. */
__attribute__((noinline)) static void answer_through_group(struct connection* connection,
                                                           const netsys_message* message) {
    size_t queued = 0, refused = 0;
    if (!connection->is_answered) require(netsys_session_join_group(connection->session, text(ANSWERS)), "join_group");
    connection->is_answered = true;
    work.messages++;
    work.bytes += message->len;
    require(netsys_server_broadcast_group(own_server, text(ANSWERS), message_kind(), message->data, message->len,
                                          &queued, &refused),
            "broadcast_group");
    if (queued != 1) work.errors++;
}

static void on_server_message(void* userdata, netsys_session session, const netsys_message* message) {
    (void)userdata;
    (void)session;
    struct connection* connection = message->session_userdata;
    if (work.options.groups > 0) {
        answer_through_group(connection, message);
    } else {
        workload_data(&connection->peer, message->data, message->len);
    }
}

static void on_server_close(void* userdata, netsys_session session, const netsys_close_info* why) {
    (void)userdata;
    (void)session;
    (void)why;
    workload_closed();
}

static void on_error(void* userdata, netsys_session session, const netsys_error_info* error) {
    (void)userdata;
    (void)session;
    fprintf(stderr, "bench: %s: %s: %s\n", work.options.server ? "server" : "client", netsys_status_name(error->status),
            error->message);
    work.errors++;
}

static void on_client_open(void* userdata, netsys_session session) {
    struct connection* connection = userdata;
    if (work.options.sender != SENDER_CALLBACK) return; /* the main thread asks for the session itself */
    connection->session = session;
    workload_opened(&connection->peer);
}

static void on_client_message(void* userdata, netsys_session session, const netsys_message* message) {
    (void)session;
    struct connection* connection = userdata;
    workload_data(&connection->peer, message->data, message->len);
}

static void on_client_writable(void* userdata, netsys_session session) {
    (void)session;
    struct connection* connection = userdata;
    if (work.options.sender == SENDER_CALLBACK) {
        workload_writable(&connection->peer);
        return;
    }
    pthread_mutex_lock(&shared.lock);
    shared.writable = true;
    pthread_cond_signal(&shared.changed);
    pthread_mutex_unlock(&shared.lock);
}

static void on_client_stopped(void* userdata) {
    (void)userdata;
    workload_closed();
}

static void serve(netsys_context context) {
    netsys_callbacks callbacks = {.struct_size = sizeof callbacks,
                                  .on_open = on_server_open,
                                  .on_message = on_server_message,
                                  .on_close = on_server_close,
                                  .on_error = on_error};
    netsys_server_config config;
    require(netsys_server_config_init(&config, sizeof config), "config");
    config.framing = work.options.raw ? NETSYS_FRAMING_RAW : NETSYS_FRAMING_FRAMED;
    config.dispatch = dispatch();
    config.server_id = text("bench");
    config.host = text("127.0.0.1");
    config.max_connections = NETSYS_UNLIMITED_U32;
    netsys_tls_config tls;
    if (work.options.certificate != NULL) {
        if (work.options.key == NULL) bench_fail("a server's certificate needs its --key");
        require(netsys_tls_config_init(&tls, sizeof tls), "TLS config");
        tls.certificate_file = text(work.options.certificate);
        tls.key_file = text(work.options.key);
        config.tls = &tls;
    }
    netsys_server server;
    uint16_t port = 0;
    pthread_mutex_lock(&shared.lock);
    require(netsys_server_start(context, &config, &callbacks, &server), "server start");
    shared.server = server;
    pthread_mutex_unlock(&shared.lock);
    require(netsys_server_port(server, &port), "port");
    printf("%u\n", (unsigned)port);
    fflush(stdout);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) continue; /* the runner closes it when the client has ended */
    require(netsys_server_destroy(server), "server destroy");
    workload_end();
}

/* False: the run has ended early. */
static bool wait_until_writable(void) {
    pthread_mutex_lock(&shared.lock);
    while (!shared.writable && !shared.finished) pthread_cond_wait(&shared.changed, &shared.lock);
    bool writable = shared.writable;
    shared.writable = false;
    pthread_mutex_unlock(&shared.lock);
    return writable;
}

static void send_from_this_thread(struct connection* connection) {
    require(netsys_client_wait_connected(connection->client, NETSYS_INFINITE), "connect");
    require(netsys_client_session(connection->client, &connection->session), "session");
    workload_begin();
    do {
        workload_pump(&connection->peer);
    } while (connection->peer.sent < work.options.messages && wait_until_writable());
}

static void drive(netsys_context context) {
    netsys_callbacks callbacks = {.struct_size = sizeof callbacks,
                                  .on_open = on_client_open,
                                  .on_message = on_client_message,
                                  .on_writable = on_client_writable,
                                  .on_error = on_error,
                                  .on_stopped = on_client_stopped};
    netsys_client_config config;
    require(netsys_client_config_init(&config, sizeof config), "config");
    config.framing = work.options.raw ? NETSYS_FRAMING_RAW : NETSYS_FRAMING_FRAMED;
    config.dispatch = dispatch();
    config.client_id = text("bench");
    config.host = text("127.0.0.1");
    config.port = work.options.port;
    netsys_tls_config tls;
    if (work.options.certificate != NULL) {
        require(netsys_tls_config_init(&tls, sizeof tls), "TLS config");
        tls.ca_file = text(work.options.certificate);
        config.tls = &tls;
    }
    config.send_policy = work.options.sender == SENDER_WAIT ? NETSYS_SEND_WAIT : NETSYS_SEND_WOULD_BLOCK;

    struct connection* connections = calloc(work.options.connections, sizeof *connections);
    if (connections == NULL) bench_fail("out of memory");
    for (uint32_t i = 0; i < work.options.connections; i++) work.peers[i] = &connections[i].peer;
    for (uint32_t i = 0; i < work.options.connections; i++) {
        callbacks.userdata = &connections[i];
        require(netsys_client_start(context, &config, &callbacks, &connections[i].client), "client start");
    }
    if (work.options.sender != SENDER_CALLBACK) send_from_this_thread(&connections[0]);

    pthread_mutex_lock(&shared.lock);
    while (!shared.finished) pthread_cond_wait(&shared.changed, &shared.lock);
    pthread_mutex_unlock(&shared.lock);
    workload_hold();
    for (uint32_t i = 0; i < work.options.connections; i++) {
        require(netsys_client_destroy(connections[i].client), "client destroy");
    }
    free(connections);
}

int main(int argc, char** argv) {
    struct bench_options options = bench_parse(argc, argv);
    if (options.sender != SENDER_CALLBACK && (options.work != WORK_STREAM || options.connections != 1)) {
        bench_fail("only a stream on one connection is sent from another thread");
    }
    workload_init(options);
    bench_raise_descriptor_limit();

    /* One loop, one thread: all connections of a client share it, as they do in the epoll program. */
    netsys_context_config config;
    netsys_context context;
    require(netsys_context_config_init(&config, sizeof config), "config");
    config.max_loops = 1;
    config.busy_poll_us = work.options.busy_poll_us;
    config.pool_threads = 1;
    require(netsys_context_create(&config, &context), "context");
    if (options.server) {
        serve(context);
    } else {
        drive(context);
    }
    require(netsys_context_shutdown(context, 0), "context shutdown");
    workload_report();
    workload_release();
    return 0;
}
