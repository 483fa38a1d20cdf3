/* Many threads poll one context while servers and clients come and go in it: one callback at a time, and the shutdown
 * ends all who poll. Then descriptors and numbers of threads that are not as they should be. */
#include <fcntl.h>
#include <poll.h>

#include "hazard.h"

enum { POLLERS = 8, ROUNDS = 40, CLIENTS = 3 };

static netsys_context context;
static hazard_counter heard = HAZARD_COUNTER_INIT, released = HAZARD_COUNTER_INIT;
static int inside;

static void enter(void) {
    REQUIRE(__atomic_exchange_n(&inside, 1, __ATOMIC_SEQ_CST) == 0);
    REQUIRE_STATUS(NETSYS_ERR_WOULD_DEADLOCK, netsys_context_poll(context, 0, NULL));
}

static void leave(void) {
    __atomic_store_n(&inside, 0, __ATOMIC_SEQ_CST);
}

static void on_open(void* userdata, netsys_session session) {
    (void)userdata;
    enter();
    netsys_session_send(session, NETSYS_MESSAGE_TEXT, "hello", 5);
    leave();
}

static void on_message(void* userdata, netsys_session session, const netsys_message* message) {
    (void)userdata;
    (void)session;
    (void)message;
    enter();
    leave();
    hazard_count(&heard);
}

static void on_end(void* userdata, netsys_session session, const netsys_close_info* why) {
    (void)userdata;
    (void)session;
    (void)why;
    enter();
    leave();
}

static void release(void* userdata) {
    (void)userdata;
    enter();
    leave();
    hazard_count(&released);
}

static void* poll_until_the_end(void* timeout) {
    const uint32_t timeout_ms = *(const uint32_t*)timeout;
    netsys_status status = NETSYS_OK;
    while (status == NETSYS_OK) {
        size_t turns = 12345;
        status = netsys_context_poll(context, timeout_ms, &turns);
        REQUIRE(status != NETSYS_OK || turns != 12345);
        REQUIRE(timeout_ms != NETSYS_INFINITE || turns != 0);
    }
    REQUIRE(status == NETSYS_ERR_CANCELLED || status == NETSYS_ERR_INVALID_HANDLE);
    return NULL;
}

/* A server with clients, which end in an order that depends on the round. */
static void come_and_go(int round) {
    netsys_callbacks callbacks = hazard_callbacks(NULL);
    netsys_server_config server_config;
    netsys_client_config client_config;
    netsys_server server;
    netsys_client clients[CLIENTS];
    const unsigned long heard_before = hazard_value(&heard);
    int i;
    callbacks.on_open = on_open;
    callbacks.on_message = on_message;
    callbacks.on_close = on_end;
    callbacks.release = release;
    REQUIRE_OK(netsys_server_config_init(&server_config, sizeof server_config));
    server_config.host = hazard_str("127.0.0.1");
    server_config.dispatch = NETSYS_DISPATCH_MANUAL;
    server_config.io_threads = 1 + (uint32_t)round % 3;
    REQUIRE_OK(netsys_server_start(context, &server_config, &callbacks, &server));
    REQUIRE_OK(netsys_client_config_init(&client_config, sizeof client_config));
    client_config.host = hazard_str("127.0.0.1");
    REQUIRE_OK(netsys_server_port(server, &client_config.port));
    client_config.framing = NETSYS_FRAMING_FRAMED;
    client_config.dispatch = NETSYS_DISPATCH_MANUAL;
    for (i = 0; i < CLIENTS; ++i) {
        REQUIRE_OK(netsys_client_start(context, &client_config, &callbacks, &clients[i]));
    }
    if (round % 2 == 0) {
        REQUIRE(hazard_await(&heard, heard_before + 2 * CLIENTS));
    }
    if (round % 3 == 0) {
        REQUIRE_OK(netsys_server_destroy(server));
    }
    for (i = 0; i < CLIENTS; ++i) {
        REQUIRE_OK(netsys_client_destroy(clients[i]));
    }
    if (round % 3 != 0) {
        REQUIRE_OK(netsys_server_destroy(server));
    }
}

static void poll_on_many_threads(void) {
    static const uint32_t timeouts[4] = {0, 1, 50, NETSYS_INFINITE};
    pthread_t pollers[POLLERS];
    int32_t descriptor, again;
    netsys_context ended;
    int round, i;
    REQUIRE_OK(netsys_context_create(NULL, &context));
    ended = context;
    REQUIRE_OK(netsys_context_poll_descriptor(context, &descriptor));
    for (i = 0; i < POLLERS; ++i) {
        REQUIRE(pthread_create(&pollers[i], NULL, poll_until_the_end, (void*)&timeouts[i % 4]) == 0);
    }
    for (round = 0; round < ROUNDS; ++round) {
        come_and_go(round);
    }
    REQUIRE_OK(netsys_context_poll_descriptor(context, &again));
    REQUIRE(again == descriptor && fcntl(descriptor, F_GETFD) == FD_CLOEXEC);
    REQUIRE_OK(netsys_context_shutdown(context, NETSYS_INFINITE));
    for (i = 0; i < POLLERS; ++i) {
        REQUIRE(pthread_join(pollers[i], NULL) == 0);
    }
    REQUIRE(hazard_value(&released) == ROUNDS * (CLIENTS + 1));
    REQUIRE(fcntl(descriptor, F_GETFD) == -1 && errno == EBADF);
    REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, netsys_context_poll_descriptor(ended, &again));
    REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, netsys_context_poll(ended, NETSYS_INFINITE, NULL));
}

/* Whoever reads the descriptor, which nobody should, delays what is due at worst until somebody polls. */
static void read_the_descriptor(void) {
    const netsys_callbacks callbacks = hazard_callbacks(NULL);
    struct pollfd readable = {-1, POLLIN, 0};
    netsys_client_config config;
    netsys_client client;
    uint64_t count;
    size_t turns = 0;
    REQUIRE_OK(netsys_context_create(NULL, &context));
    REQUIRE_OK(netsys_context_poll_descriptor(context, &readable.fd));
    REQUIRE(poll(&readable, 1, 0) == 0);
    REQUIRE_OK(netsys_client_config_init(&config, sizeof config));
    config.host = hazard_str("127.0.0.1");
    config.port = 9; /* nobody listens there */
    config.dispatch = NETSYS_DISPATCH_MANUAL;
    REQUIRE_OK(netsys_client_start(context, &config, &callbacks, &client));
    REQUIRE(poll(&readable, 1, HAZARD_PATIENCE_S * 1000) == 1);
    REQUIRE(read(readable.fd, &count, sizeof count) == sizeof count);
    REQUIRE(poll(&readable, 1, 0) == 0);
    REQUIRE_OK(netsys_context_poll(context, 0, &turns));
    REQUIRE(turns == 1 && poll(&readable, 1, 0) == 0);
    REQUIRE_OK(netsys_client_destroy(client));
    REQUIRE_OK(netsys_context_shutdown(context, NETSYS_INFINITE));
}

/* As many threads as can be asked for. */
static void ask_for_many_threads(void) {
    netsys_callbacks callbacks = hazard_callbacks(&heard);
    netsys_callbacks none = hazard_callbacks(NULL);
    netsys_context_config context_config;
    netsys_server_config config;
    netsys_server server;
    netsys_client clients[CLIENTS];
    const unsigned long before = hazard_value(&heard);
    const unsigned threads = hazard_threads();
    uint16_t port;
    int i;
    callbacks.on_message = hazard_count_message;
    REQUIRE_OK(netsys_context_config_init(&context_config, sizeof context_config));
    context_config.pool_threads = UINT32_MAX;
    REQUIRE_STATUS(NETSYS_ERR_INVALID_ARGUMENT, netsys_context_create(&context_config, &context));
    context_config.pool_threads = 2;
    context_config.max_loops = 3;
    REQUIRE_OK(netsys_context_create(&context_config, &context));
    REQUIRE_OK(netsys_server_config_init(&config, sizeof config));
    config.host = hazard_str("127.0.0.1");
    config.dispatch = NETSYS_DISPATCH_POOL;
    config.io_threads = UINT32_MAX;
    REQUIRE_OK(netsys_server_start(context, &config, &callbacks, &server));
    REQUIRE_OK(netsys_server_port(server, &port));
    for (i = 0; i < CLIENTS; ++i) {
        clients[i] = hazard_start_client(context, NETSYS_FRAMING_FRAMED, port, &none);
    }
    for (i = 0; i < CLIENTS; ++i) {
        REQUIRE_OK(netsys_session_send(hazard_connected(clients[i]), NETSYS_MESSAGE_TEXT, "hello", 5));
    }
    REQUIRE(hazard_await(&heard, before + CLIENTS));
    REQUIRE(hazard_threads() == threads + 3 + 2 + 1); /* the loops, the pool, and the clock */
    REQUIRE_OK(netsys_context_shutdown(context, NETSYS_INFINITE));
    for (i = 0; i < CLIENTS; ++i) {
        REQUIRE_OK(netsys_client_destroy(clients[i]));
    }
    REQUIRE_OK(netsys_server_destroy(server));
}

int main(void) {
    const unsigned descriptors = hazard_descriptors();
    poll_on_many_threads();
    read_the_descriptor();
    ask_for_many_threads();
    REQUIRE(hazard_settles(1, descriptors));
    printf("%d rounds, %d pollers\n", (int)ROUNDS, (int)POLLERS);
    return 0;
}
