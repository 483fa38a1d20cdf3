/* storm [CALLS]: sixteen threads call everything on the same servers, clients, pools, sessions, bridges and jobs, in
 * all modes of dispatch, while they and the callbacks destroy and recreate them: no crash, no hang, and at the end
 * every beginning has had exactly one end. */
#include "calls.h"

enum {
    THREADS = 16,
    SERVERS = 4,
    CLIENTS = 8,
    POOLS = 2,
    SESSIONS = 64,
    JOBS = 16,
    CONFIGS = 4,
    BRIDGES = 2,
    CALLBACK_CALLS = 16,
    MODES = 4
};

static netsys_context context;
static netsys_resolver resolver;
static long calls_per_thread = 100000;
static uint64_t servers[SERVERS], clients[CLIENTS], sessions[SESSIONS], pools[POOLS], leases[POOLS], jobs[JOBS];
static uint64_t configs[CONFIGS], bridges[BRIDGES];
static uint32_t ports[SERVERS];
static netsys_session_manager manager;
static unsigned long bridges_made, bridges_released, connections, disconnections;
static unsigned long accepts, ends, opens, closes, starts, releases, messages, given, outcomes[2];
static int over;

#define ADD(counter) __atomic_add_fetch(&(counter), 1, __ATOMIC_SEQ_CST)
#define LOAD(value) __atomic_load_n(&(value), __ATOMIC_SEQ_CST)
#define SWAP(slot, value) __atomic_exchange_n(&(slot), (value), __ATOMIC_SEQ_CST)

static void call_something(uint64_t* random);

static void on_accept(void* userdata, netsys_session session) {
    (void)userdata;
    (void)session;
    ADD(accepts);
}

static void on_end(void* userdata, netsys_session session, const netsys_close_info* why) {
    (void)userdata;
    (void)session;
    (void)why;
    ADD(ends);
}

static void on_open(void* userdata, netsys_session session) {
    (void)userdata;
    SWAP(sessions[ADD(opens) % SESSIONS], session.id);
    netsys_session_send(session, NETSYS_MESSAGE_TEXT, "hello", 5);
}

static void on_close(void* userdata, netsys_session session, const netsys_close_info* why) {
    (void)userdata;
    (void)session;
    (void)why;
    ADD(closes);
}

static void on_message(void* userdata, netsys_session session, const netsys_message* message) {
    uint64_t random = ADD(messages);
    (void)userdata;
    if (random % CALLBACK_CALLS == 0) {
        random *= UINT64_C(0x9E3779B97F4A7C15);
        call_something(&random);
    } else if (random % CALLBACK_CALLS == 1) {
        netsys_session_send(session, message->kind, message->data, message->len);
    }
}

static void release(void* userdata) {
    (void)userdata;
    ADD(releases);
}

/* A job waits in its slot until somebody calls it, the next one takes its place, or the janitor comes by. */
static netsys_status execute(void* userdata, netsys_job job) {
    const unsigned long number = ADD(given);
    netsys_job displaced;
    (void)userdata;
    displaced.id = SWAP(jobs[number % JOBS], job.id);
    netsys_job_refuse(displaced);
    return number % 7 == 0 ? NETSYS_ERR_CANCELLED : NETSYS_OK; /* which of the two comes first runs it */
}

static netsys_executor some_executor(uint32_t dispatch) {
    netsys_executor executor;
    memset(&executor, 0, sizeof executor);
    executor.execute = dispatch == NETSYS_DISPATCH_EXECUTOR ? execute : NULL;
    return executor;
}

/* Goes on with what waits for the program: the jobs that nobody has called yet, and what is to be polled. */
static void* be_janitor(void* unused) {
    unsigned slot = 0;
    (void)unused;
    while (!LOAD(over)) {
        netsys_job job;
        job.id = SWAP(jobs[slot++ % JOBS], 0);
        netsys_job_run(job);
        netsys_context_poll(context, slot % JOBS == 0, NULL);
    }
    return NULL;
}

static netsys_callbacks counting_callbacks(void) {
    netsys_callbacks callbacks = hazard_callbacks(NULL);
    callbacks.on_accept = on_accept;
    callbacks.on_open = on_open;
    callbacks.on_message = on_message;
    callbacks.on_close = on_close;
    callbacks.on_end = on_end;
    callbacks.release = release;
    return callbacks;
}

/* The bridge of every other slot. It may be gone: then what is started in it fails. */
static netsys_bridge some_bridge(unsigned slot) {
    netsys_bridge bridge;
    bridge.id = slot % 2 == 0 ? 0 : LOAD(bridges[slot / 2 % BRIDGES]);
    return bridge;
}

static void require_started(netsys_status status, netsys_bridge bridge) {
    REQUIRE(status == NETSYS_OK ||
            (bridge.id != 0 && (status == NETSYS_ERR_INVALID_HANDLE || status == NETSYS_ERR_CANCELLED)));
}

static void recreate_server(unsigned slot) {
    const netsys_callbacks callbacks = counting_callbacks();
    netsys_server_config config;
    netsys_server server;
    netsys_status status;
    uint16_t port;
    REQUIRE_OK(netsys_server_config_init(&config, sizeof config));
    config.host = hazard_str("127.0.0.1");
    config.drain_ms = 20;
    config.dispatch = slot % MODES;
    config.executor = some_executor(config.dispatch);
    config.io_threads = 1 + slot % 3;
    config.bridge = some_bridge(slot);
    ADD(starts);
    status = netsys_server_start(context, &config, &callbacks, &server);
    require_started(status, config.bridge);
    if (status != NETSYS_OK) {
        return;
    }
    if (netsys_server_port(server, &port) == NETSYS_OK) {
        SWAP(ports[slot], port);
    }
    server.id = SWAP(servers[slot], server.id);
    netsys_server_destroy(server);
}

static void recreate_client(unsigned slot) {
    const netsys_callbacks callbacks = counting_callbacks();
    netsys_client_config config;
    netsys_client client;
    netsys_status status;
    REQUIRE_OK(netsys_client_config_init(&config, sizeof config));
    config.host = hazard_str("127.0.0.1");
    config.port = (uint16_t)LOAD(ports[slot % SERVERS]);
    config.framing = slot % 2 == 0 ? NETSYS_FRAMING_FRAMED : NETSYS_FRAMING_AUTO;
    config.drain_ms = 20;
    config.dispatch = slot / 2 % MODES;
    config.executor = some_executor(config.dispatch);
    config.bridge = some_bridge(slot / 3);
    ADD(starts);
    status = netsys_client_start(context, &config, &callbacks, &client);
    require_started(status, config.bridge);
    if (status != NETSYS_OK) {
        return;
    }
    client.id = SWAP(clients[slot], client.id);
    netsys_client_destroy(client);
}

static void recreate_resolver(void) {
    netsys_resolver made;
    REQUIRE_OK(netsys_resolver_create(NULL, &made));
    made.id = SWAP(resolver.id, made.id);
    netsys_resolver_destroy(made);
}

/* With a lease of it, if there is one soon: in callbacks there is none. */
static void recreate_pool(unsigned slot) {
    const netsys_callbacks callbacks = counting_callbacks();
    netsys_pool_config config;
    netsys_client_config client;
    netsys_pool pool;
    netsys_lease lease;
    netsys_status status;
    REQUIRE_OK(netsys_pool_config_init(&config, sizeof config));
    REQUIRE_OK(netsys_client_config_init(&client, sizeof client));
    config.min_idle = 1;
    client.host = hazard_str("127.0.0.1");
    client.port = (uint16_t)LOAD(ports[slot % SERVERS]);
    client.drain_ms = 20;
    client.bridge = some_bridge(slot);
    ADD(starts);
    status = netsys_pool_start(context, &config, &client, &callbacks, &pool);
    require_started(status, client.bridge);
    if (status != NETSYS_OK) {
        return;
    }
    if (netsys_pool_acquire(pool, 20, &lease) == NETSYS_OK) {
        lease.id = SWAP(leases[slot], lease.id);
        netsys_lease_discard(lease);
    }
    pool.id = SWAP(pools[slot], pool.id);
    netsys_pool_destroy(pool);
}

static void recreate_config(unsigned slot) {
    netsys_config config;
    REQUIRE_OK(netsys_config_create(NETSYS_PRESET_DEFAULT, &config));
    config.id = SWAP(configs[slot], config.id);
    netsys_config_destroy(config);
}

static void on_connection(void* userdata, netsys_str endpoint, uint32_t connected) {
    (void)userdata;
    (void)endpoint;
    ADD(*(connected ? &connections : &disconnections));
}

static void on_bridge_released(void* userdata) {
    (void)userdata;
    ADD(bridges_released);
}

static void recreate_bridge(unsigned slot) {
    netsys_bridge_callbacks callbacks;
    netsys_bridge bridge;
    memset(&callbacks, 0, sizeof callbacks);
    callbacks.struct_size = sizeof callbacks;
    callbacks.on_connection = on_connection;
    callbacks.release = on_bridge_released;
    ADD(bridges_made);
    bridge = hazard_bridge(&callbacks);
    bridge.id = SWAP(bridges[slot], bridge.id);
    netsys_bridge_destroy(bridge);
}

static uint64_t some_handle(int kind, unsigned choice) {
    switch (kind) {
        case HANDLE_CONTEXT:
            return context.id;
        case HANDLE_SERVER:
            return LOAD(servers[choice % SERVERS]);
        case HANDLE_CLIENT:
            return LOAD(clients[choice % CLIENTS]);
        case HANDLE_SESSION:
            return LOAD(sessions[choice % SESSIONS]);
        case HANDLE_RESOLVER:
            return LOAD(resolver.id);
        case HANDLE_POOL:
            return LOAD(pools[choice % POOLS]);
        case HANDLE_LEASE:
            return LOAD(leases[choice % POOLS]);
        case HANDLE_SESSION_MANAGER:
            return manager.id;
        case HANDLE_JOB:
            return LOAD(jobs[choice % JOBS]);
        case HANDLE_CONFIG:
            return LOAD(configs[choice % CONFIGS]);
        case HANDLE_BRIDGE:
            return LOAD(bridges[choice % BRIDGES]);
        default:
            return 0;
    }
}

/* Whether a call is due that ends something or makes something new: rare enough that there is life between them. */
static int is_due(const call_entry* entry, unsigned chance) {
    if ((entry->flags & CALL_ENDS) != 0 && entry->handle != HANDLE_JOB) {
        return entry->handle == HANDLE_SESSION
                   ? chance % 64 == 0
                   : entry->handle != HANDLE_CONTEXT && entry->handle != HANDLE_SESSION_MANAGER && chance < 4;
    }
    return (entry->flags & CALL_CREATES) == 0 || chance < 16;
}

static void call_something(uint64_t* random) {
    const uint64_t dice = next_random(random);
    const call_entry* entry = &calls[(dice & 0xFFFF) % CALLS];
    const unsigned choice = (unsigned)(dice >> 16) & 0xFF;
    const unsigned chance = (unsigned)(dice >> 24) & 0xFFF;
    const unsigned nulls = ((dice >> 36) & 15) == 0 ? entry->nullable & (unsigned)(dice >> 40) : 0;
    netsys_status status;
    if ((dice >> 52) == 2) {
        recreate_resolver();
    } else if ((dice >> 52) % 2048 == 0) {
        recreate_client(choice % CLIENTS);
    } else if ((dice >> 52) % 2048 == 2) {
        recreate_pool(choice % POOLS);
    } else if ((dice >> 52) == 1) {
        recreate_server(choice % SERVERS);
    } else if ((dice >> 52) == 3) {
        recreate_config(choice % CONFIGS);
    } else if ((dice >> 52) == 5) {
        recreate_bridge(choice % BRIDGES);
    } else if (is_due(entry, chance)) {
        status = entry->call(some_handle(entry->handle, choice), nulls);
        if (status == NETSYS_ERR_INTERNAL || status > 0) {
            fprintf(stderr, "%s: %s\n", entry->name, netsys_status_name(status));
            _exit(99);
        }
        ADD(outcomes[status == NETSYS_OK]);
    }
}

static void* call_many(void* seed) {
    uint64_t random = *(const uint64_t*)seed;
    long i;
    for (i = 0; i < calls_per_thread; ++i) {
        call_something(&random);
    }
    return NULL;
}

int main(int argc, char** argv) {
    pthread_t threads[THREADS], janitor;
    uint64_t seeds[THREADS];
    netsys_context_config config;
    unsigned i;

    if (argc == 2) {
        calls_per_thread = atol(argv[1]);
    }
    REQUIRE_OK(netsys_context_config_init(&config, sizeof config));
    config.max_loops = 4;
    config.pool_threads = 2;
    config.log_level = 1;
    REQUIRE_OK(netsys_context_create(&config, &context));
    REQUIRE(pthread_create(&janitor, NULL, be_janitor, NULL) == 0);
    recreate_resolver();
    for (i = 0; i < BRIDGES; ++i) {
        recreate_bridge(i);
    }
    for (i = 0; i < SERVERS; ++i) {
        recreate_server(i);
    }
    for (i = 0; i < CLIENTS; ++i) {
        recreate_client(i);
    }
    manager = hazard_manager(context);
    for (i = 0; i < POOLS; ++i) {
        recreate_pool(i);
    }
    for (i = 0; i < CONFIGS; ++i) {
        recreate_config(i);
    }
    for (i = 0; i < THREADS; ++i) {
        seeds[i] = UINT64_C(0x9E3779B97F4A7C15) * (i + 1);
        REQUIRE(pthread_create(&threads[i], NULL, call_many, &seeds[i]) == 0);
    }
    for (i = 0; i < THREADS; ++i) {
        REQUIRE(pthread_join(threads[i], NULL) == 0);
    }
    netsys_resolver_destroy(resolver);
    for (i = 0; i < CONFIGS; ++i) {
        netsys_config_destroy((netsys_config){configs[i]});
    }
    for (i = 0; i < BRIDGES; ++i) {
        netsys_bridge_stop((netsys_bridge){bridges[i]}, 0);
        netsys_bridge_destroy((netsys_bridge){bridges[i]});
    }
    REQUIRE_OK(netsys_context_shutdown(context, 200));
    SWAP(over, 1);
    REQUIRE(pthread_join(janitor, NULL) == 0);
    printf("%lu calls succeeded, %lu failed; %lu starts, %lu sessions, %lu messages, %lu jobs\n", LOAD(outcomes[1]),
           LOAD(outcomes[0]), LOAD(starts), LOAD(opens), LOAD(messages), LOAD(given));
    REQUIRE(LOAD(opens) > CLIENTS && LOAD(messages) > CLIENTS && LOAD(outcomes[1]) > THREADS);
    REQUIRE(LOAD(accepts) == LOAD(ends));
    REQUIRE(LOAD(opens) == LOAD(closes));
    REQUIRE(LOAD(starts) == LOAD(releases));
    REQUIRE(LOAD(connections) == LOAD(disconnections) && LOAD(connections) > 0);
    REQUIRE(LOAD(bridges_made) == LOAD(bridges_released));
    return 0;
}
