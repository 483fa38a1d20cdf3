/* bridges: what only C can get wrong with them. Each bridge releases its callbacks exactly once, after the last of
 * them, whether it could not be made, is destroyed in one of its callbacks or in those of what it has, or while clients
 * connect; a stale one is refused by all that name it. */
#include <sys/wait.h>

#include "hazard.h"

enum { CONNECTED, DISCONNECTED, ERROR, BRIDGE_RELEASE, OPEN, MESSAGE, CLOSE, STOPPED, RELEASE, SLOTS };
enum { STARTERS = 4, ROUNDS = 30 };

/* What a bridge has told, and where it is to be destroyed. */
typedef struct told {
    netsys_bridge bridge;
    int slot; /* -1: nowhere */
    int acted, inside;
    hazard_counter known; /* the handle is stored: a callback may come before */
    hazard_counter begun, ended, errors, released;
} told;

static netsys_context context;
static hazard_counter handlers_released = HAZARD_COUNTER_INIT;

static void expect_nothing(told* events) {
    static const hazard_counter fresh = HAZARD_COUNTER_INIT;
    memset(events, 0, sizeof *events);
    events->slot = -1;
    events->known = events->begun = events->ended = events->errors = events->released = fresh;
}

/* --- callbacks -----------------------------------------------------------------------------------------------------
 */

static void reached(told* events, int slot) {
    if (slot == events->slot && __atomic_exchange_n(&events->acted, 1, __ATOMIC_SEQ_CST) == 0) {
        REQUIRE(hazard_await(&events->known, 1));
        /* In its own release it is gone already, or being destroyed. */
        const netsys_status status = netsys_bridge_destroy(events->bridge);
        REQUIRE(status == NETSYS_OK || (slot == BRIDGE_RELEASE && status == NETSYS_ERR_INVALID_HANDLE));
        REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, netsys_bridge_destroy(events->bridge));
        REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, netsys_bridge_wait(events->bridge, NETSYS_INFINITE));
    }
}

/* The bridge's own come one at a time, and none after the release. */
static void enter(told* events) {
    REQUIRE(__atomic_exchange_n(&events->inside, 1, __ATOMIC_SEQ_CST) == 0);
    REQUIRE(hazard_value(&events->released) == 0);
}
static void leave(told* events) {
    __atomic_store_n(&events->inside, 0, __ATOMIC_SEQ_CST);
}

static void on_connection(void* userdata, netsys_str endpoint, uint32_t connected) {
    told* events = userdata;
    enter(events);
    REQUIRE(endpoint.len > 0 && connected <= 1);
    hazard_count(connected ? &events->begun : &events->ended);
    reached(events, connected ? CONNECTED : DISCONNECTED);
    leave(events);
}
static void on_bridge_error(void* userdata, const netsys_error_info* error) {
    told* events = userdata;
    enter(events);
    REQUIRE(error->status != NETSYS_OK);
    hazard_count(&events->errors);
    reached(events, ERROR);
    leave(events);
}
static void on_bridge_release(void* userdata) {
    told* events = userdata;
    enter(events);
    reached(events, BRIDGE_RELEASE);
    leave(events);
    hazard_count(&events->released);
}
static void on_open(void* userdata, netsys_session session) {
    reached(userdata, OPEN);
    netsys_session_send(session, NETSYS_MESSAGE_TEXT, "hello", 5);
}
static void on_message(void* userdata, netsys_session session, const netsys_message* message) {
    (void)message;
    reached(userdata, MESSAGE);
    netsys_session_close(session, NETSYS_OK, hazard_str("enough"));
}
static void on_close(void* userdata, netsys_session session, const netsys_close_info* why) {
    (void)session;
    (void)why;
    reached(userdata, CLOSE);
}
static void on_stopped(void* userdata) {
    reached(userdata, STOPPED);
}
static void on_release(void* userdata) {
    if (userdata != NULL) {
        reached(userdata, RELEASE);
    }
    hazard_count(&handlers_released);
}

static netsys_bridge_callbacks bridge_callbacks(told* events) {
    netsys_bridge_callbacks callbacks;
    memset(&callbacks, 0, sizeof callbacks);
    callbacks.struct_size = sizeof callbacks;
    callbacks.userdata = events;
    callbacks.on_connection = on_connection;
    callbacks.on_error = on_bridge_error;
    callbacks.release = on_bridge_release;
    return callbacks;
}

static void make_bridge(told* events) {
    const netsys_bridge_callbacks callbacks = bridge_callbacks(events);
    events->bridge = hazard_bridge(&callbacks);
    hazard_count(&events->known);
}

static netsys_callbacks handlers(void* userdata) {
    netsys_callbacks callbacks = hazard_callbacks(userdata);
    callbacks.release = on_release;
    return callbacks;
}

/* --- starting what belongs to a bridge -----------------------------------------------------------------------------
 */

static netsys_status start_server(netsys_bridge bridge, const netsys_callbacks* callbacks, netsys_server* server) {
    netsys_server_config config;
    REQUIRE_OK(netsys_server_config_init(&config, sizeof config));
    config.host = hazard_str("127.0.0.1");
    config.bridge = bridge;
    return netsys_server_start(context, &config, callbacks, server);
}

static netsys_client_config client_config(netsys_bridge bridge, uint16_t port) {
    netsys_client_config config;
    REQUIRE_OK(netsys_client_config_init(&config, sizeof config));
    config.host = hazard_str("127.0.0.1");
    config.port = port;
    config.framing = NETSYS_FRAMING_FRAMED;
    config.bridge = bridge;
    return config;
}

static netsys_status start_client(netsys_bridge bridge, uint16_t port, const netsys_callbacks* callbacks,
                                  netsys_client* client) {
    const netsys_client_config config = client_config(bridge, port);
    return netsys_client_start(context, &config, callbacks, client);
}

static netsys_status start_pool(netsys_bridge bridge, uint16_t port, const netsys_callbacks* callbacks,
                                netsys_pool* pool) {
    const netsys_client_config client = client_config(bridge, port);
    netsys_pool_config config;
    REQUIRE_OK(netsys_pool_config_init(&config, sizeof config));
    return netsys_pool_start(context, &config, &client, callbacks, pool);
}

/* --- what is tried -------------------------------------------------------------------------------------------------
 */

static void bad_arguments_release_once(void) {
    static char long_id[300];
    netsys_bridge_config config, unknown;
    netsys_bridge bridge;
    netsys_str id = hazard_str("id"), too_long, no_text;
    size_t i;
    REQUIRE_OK(netsys_bridge_config_init(&config, sizeof config));
    unknown = config;
    unknown.flags = 1u << 31;
    memset(long_id, 'x', sizeof long_id);
    too_long.data = long_id;
    too_long.len = sizeof long_id;
    no_text = hazard_str("\xff\xfe");
    {
        const struct {
            netsys_str id;
            const netsys_bridge_config* config;
            netsys_bridge* out;
        } bad[] = {{id, &config, NULL},
                   {id, NULL, &bridge},
                   {id, &unknown, &bridge},
                   {too_long, &config, &bridge},
                   {no_text, &config, &bridge}};
        for (i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
            told events;
            netsys_bridge_callbacks callbacks;
            expect_nothing(&events);
            callbacks = bridge_callbacks(&events);
            bridge.id = 7;
            REQUIRE_STATUS(NETSYS_ERR_INVALID_ARGUMENT,
                           netsys_bridge_create(bad[i].id, bad[i].config, &callbacks, bad[i].out));
            REQUIRE(hazard_value(&events.released) == 1 && bridge.id == 7);
        }
    }
    {
        /* A table that cannot be read is not called. */
        told events;
        netsys_bridge_callbacks callbacks;
        expect_nothing(&events);
        callbacks = bridge_callbacks(&events);
        callbacks.reserved = 1;
        REQUIRE_STATUS(NETSYS_ERR_INVALID_ARGUMENT, netsys_bridge_create(id, &config, &callbacks, &bridge));
        callbacks = bridge_callbacks(&events);
        callbacks.struct_size = 3;
        REQUIRE_STATUS(NETSYS_ERR_INVALID_ARGUMENT, netsys_bridge_create(id, &config, &callbacks, &bridge));
        REQUIRE(hazard_value(&events.released) == 0);
    }
    REQUIRE_OK(netsys_bridge_create(id, &config, NULL, &bridge)); /* nobody need listen */
    REQUIRE_OK(netsys_bridge_destroy(bridge));
}

/* Nothing is made in a child of fork, and what it gave is released there too. */
static void fork_children_release_once(void) {
    const pid_t child = fork();
    int status = -1;
    REQUIRE(child >= 0);
    if (child == 0) {
        told events;
        netsys_bridge bridge;
        netsys_bridge_config config;
        netsys_bridge_callbacks callbacks;
        expect_nothing(&events);
        memset(&config, 0, sizeof config);
        config.struct_size = sizeof config;
        callbacks = bridge_callbacks(&events);
        REQUIRE_STATUS(NETSYS_ERR_FORKED, netsys_bridge_create(hazard_str("id"), &config, &callbacks, &bridge));
        _exit(hazard_value(&events.released) == 1 ? 0 : 99);
    }
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* A server that answers nothing and a client that says hello, which the other ends, or nobody to connect with. */
static void destroy_in(int slot, uint32_t dispatch) {
    told events;
    netsys_callbacks callbacks;
    netsys_client_config config;
    netsys_server server;
    netsys_client client;
    netsys_status status;
    uint16_t port;
    const unsigned long released = hazard_value(&handlers_released);
    expect_nothing(&events);
    make_bridge(&events);
    events.slot = slot;
    callbacks = handlers(&events);
    callbacks.on_open = on_open;
    callbacks.on_message = on_message;
    callbacks.on_close = on_close;
    callbacks.on_stopped = on_stopped;
    REQUIRE_OK(start_server(events.bridge, &callbacks, &server));
    REQUIRE_OK(netsys_server_port(server, &port));
    config = client_config(events.bridge, slot == ERROR ? 9 : port);
    config.dispatch = dispatch;
    REQUIRE_OK(netsys_client_start(context, &config, &callbacks, &client));
    netsys_client_wait(client, HAZARD_PATIENCE_S * 1000);
    if (slot == BRIDGE_RELEASE) {
        REQUIRE_OK(netsys_bridge_destroy(events.bridge));
    }
    if (slot == STOPPED || slot == RELEASE) {
        netsys_server_stop(server, 0);
    }
    REQUIRE(hazard_await(&events.released, 1));
    status = netsys_bridge_destroy(events.bridge);
    REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, status);
    REQUIRE(events.acted);
    REQUIRE(hazard_value(&handlers_released) == released + 2); /* the bridge's is the last of all */
    REQUIRE(hazard_value(&events.begun) == hazard_value(&events.ended));
    REQUIRE_OK(netsys_client_destroy(client));
    REQUIRE_OK(netsys_server_destroy(server));
    REQUIRE(hazard_value(&events.released) == 1);
}

/* Nobody polls but the destroy itself. */
static void destroy_runs_what_nobody_polls(void) {
    netsys_callbacks callbacks;
    netsys_client_config config;
    netsys_server server;
    netsys_client client;
    uint16_t port;
    told events;
    const unsigned long released = hazard_value(&handlers_released);
    expect_nothing(&events);
    make_bridge(&events);
    callbacks = handlers(&events);
    callbacks.on_open = on_open;
    REQUIRE_OK(start_server(events.bridge, &callbacks, &server));
    REQUIRE_OK(netsys_server_port(server, &port));
    config = client_config(events.bridge, port);
    config.dispatch = NETSYS_DISPATCH_MANUAL;
    REQUIRE_OK(netsys_client_start(context, &config, &callbacks, &client));
    REQUIRE_OK(netsys_client_wait_connected(client, HAZARD_PATIENCE_S * 1000));
    REQUIRE_OK(netsys_bridge_destroy(events.bridge));
    REQUIRE(hazard_value(&events.released) == 1 && hazard_value(&handlers_released) == released + 2);
    REQUIRE(hazard_value(&events.begun) == 2 && hazard_value(&events.ended) == 2);
    REQUIRE_OK(netsys_client_destroy(client));
    REQUIRE_OK(netsys_server_destroy(server));
}

typedef struct starter {
    pthread_t thread;
    const told* events;
    uint16_t port;
    hazard_counter* started;
} starter;

/* Starts clients, some of which cannot connect, until the bridge is gone. */
static void* start_clients(void* argument) {
    const starter* self = argument;
    const netsys_callbacks callbacks = handlers(NULL);
    unsigned i;
    for (i = 0;; ++i) {
        netsys_client client;
        const netsys_status status =
            start_client(self->events->bridge, i % 4 == 3 ? 9 : self->port, &callbacks, &client);
        if (status != NETSYS_OK) {
            REQUIRE(status == NETSYS_ERR_CANCELLED || status == NETSYS_ERR_INVALID_HANDLE);
            return NULL;
        }
        hazard_count(self->started);
        if (i % 2 == 0) {
            netsys_client_wait_connected(client, HAZARD_PATIENCE_S * 1000);
        }
        REQUIRE_OK(netsys_client_destroy(client));
    }
}

static void destroy_while_clients_connect(void) {
    hazard_counter started = HAZARD_COUNTER_INIT;
    starter starters[STARTERS];
    netsys_server server;
    uint16_t port;
    told events;
    unsigned i;
    const netsys_callbacks callbacks = handlers(NULL);
    expect_nothing(&events);
    make_bridge(&events);
    REQUIRE_OK(start_server(events.bridge, &callbacks, &server));
    REQUIRE_OK(netsys_server_port(server, &port));
    for (i = 0; i < STARTERS; ++i) {
        starters[i].events = &events;
        starters[i].port = port;
        starters[i].started = &started;
        REQUIRE(pthread_create(&starters[i].thread, NULL, start_clients, &starters[i]) == 0);
    }
    REQUIRE(hazard_await(&started, 2 * STARTERS));
    REQUIRE_OK(netsys_bridge_destroy(events.bridge));
    REQUIRE(hazard_value(&events.released) == 1); /* not sooner or later than this */
    for (i = 0; i < STARTERS; ++i) {
        REQUIRE(pthread_join(starters[i].thread, NULL) == 0);
    }
    REQUIRE(hazard_value(&events.begun) == hazard_value(&events.ended));
    REQUIRE_OK(netsys_server_destroy(server));
}

/* Handles that name no bridge: all that take one refuse them, and release the callbacks that they were given once. */
static void stale_bridges_are_refused(void) {
    const netsys_callbacks callbacks = handlers(NULL);
    netsys_bridge none[3];
    netsys_server server, other;
    netsys_client client;
    netsys_pool pool;
    uint16_t port;
    told events;
    size_t i;
    expect_nothing(&events);
    make_bridge(&events);
    REQUIRE_OK(netsys_bridge_destroy(events.bridge));
    none[0] = events.bridge;
    none[1].id = UINT64_MAX;
    none[2].id = 0;
    REQUIRE_OK(start_server(none[2], &callbacks, &server));
    REQUIRE_OK(netsys_server_port(server, &port));
    none[2].id = server.id;
    for (i = 0; i < sizeof none / sizeof none[0]; ++i) {
        const unsigned long released = hazard_value(&handlers_released);
        REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, start_server(none[i], &callbacks, &other));
        REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, start_client(none[i], port, &callbacks, &client));
        REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, start_pool(none[i], port, &callbacks, &pool));
        REQUIRE(hazard_value(&handlers_released) == released + 3);
    }
    REQUIRE_OK(netsys_server_destroy(server));
}

static void pools_are_as_the_bridge_says(void) {
    const netsys_callbacks callbacks = handlers(NULL);
    netsys_bridge_config config;
    netsys_pool_info info;
    netsys_metrics metrics;
    netsys_server server;
    netsys_pool pool;
    netsys_lease lease;
    uint16_t port;
    told events;
    unsigned long released;
    expect_nothing(&events);
    make_bridge(&events);
    memset(&config, 0, sizeof config);
    config.struct_size = sizeof config;
    config.max_connections_per_client = 3;
    REQUIRE_OK(netsys_bridge_set_config(events.bridge, &config));
    REQUIRE_OK(start_server(events.bridge, &callbacks, &server));
    REQUIRE_OK(netsys_server_port(server, &port));
    REQUIRE_OK(start_pool(events.bridge, port, &callbacks, &pool));
    REQUIRE_OK(netsys_pool_acquire(pool, HAZARD_PATIENCE_S * 1000, &lease));
    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    REQUIRE_OK(netsys_pool_stats(pool, &info));
    REQUIRE(info.max_connections == 3);
    REQUIRE(hazard_await(&events.begun, 2)); /* both ends are of the bridge */
    memset(&metrics, 0, sizeof metrics);
    metrics.struct_size = sizeof metrics;
    REQUIRE_OK(netsys_bridge_metrics(events.bridge, &metrics));
    REQUIRE(metrics.connections_total == 2 && metrics.connections_current == 2);

    config.flags = NETSYS_BRIDGE_NO_POOLING | NETSYS_BRIDGE_NO_MONITORING;
    REQUIRE_OK(netsys_bridge_set_config(events.bridge, &config));
    released = hazard_value(&handlers_released);
    {
        netsys_pool refused;
        REQUIRE_STATUS(NETSYS_ERR_UNSUPPORTED, start_pool(events.bridge, port, &callbacks, &refused));
    }
    REQUIRE(hazard_value(&handlers_released) == released + 1);
    /* What is set afterwards is not for a pool that was started before: its connections are still counted. */
    REQUIRE_OK(netsys_lease_discard(lease));
    REQUIRE_OK(netsys_pool_acquire(pool, HAZARD_PATIENCE_S * 1000, &lease));
    REQUIRE(hazard_await(&events.begun, 4));
    REQUIRE_OK(netsys_bridge_metrics(events.bridge, &metrics));
    REQUIRE(metrics.connections_total == 4);

    /* The bridge goes first: the pool has no connections any more, and gets none. */
    REQUIRE_OK(netsys_bridge_destroy(events.bridge));
    REQUIRE(hazard_value(&events.released) == 1);
    REQUIRE_OK(netsys_lease_release(lease));
    REQUIRE_STATUS(NETSYS_ERR_CANCELLED, netsys_pool_acquire(pool, HAZARD_PATIENCE_S * 1000, &lease));
    REQUIRE_OK(netsys_pool_destroy(pool));
    REQUIRE_OK(netsys_server_destroy(server));
}

int main(void) {
    const unsigned descriptors = hazard_descriptors();
    netsys_context_config config;
    int slot, round;
    REQUIRE_OK(netsys_context_config_init(&config, sizeof config));
    config.pool_threads = 2;
    REQUIRE_OK(netsys_context_create(&config, &context));
    bad_arguments_release_once();
    fork_children_release_once();
    for (slot = 0; slot < SLOTS; ++slot) {
        destroy_in(slot, NETSYS_DISPATCH_INLINE);
        destroy_in(slot, NETSYS_DISPATCH_POOL);
    }
    destroy_runs_what_nobody_polls();
    for (round = 0; round < ROUNDS; ++round) {
        destroy_while_clients_connect();
    }
    stale_bridges_are_refused();
    pools_are_as_the_bridge_says();
    REQUIRE_OK(netsys_context_shutdown(context, NETSYS_INFINITE));
    REQUIRE(hazard_settles(1, descriptors));
    return 0;
}
