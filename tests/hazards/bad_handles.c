/* Every function with null pointers and with handles that are zero, stale, of another kind, or made up: always the
 * error status that it promises, never a crash, and what is alive goes on working. */
#include "calls.h"
#include "executors.h"

enum { FORGERIES = 1000000 };

static hazard_counter answered = HAZARD_COUNTER_INIT;
static uint64_t live[HANDLE_KINDS], stale[HANDLE_KINDS];

static void fail(const call_entry* entry, uint64_t handle, unsigned nulls, netsys_status status) {
    fprintf(stderr, "%s, handle %#llx, nulls %#x: %s\n", entry->name, (unsigned long long)handle, nulls,
            netsys_status_name(status));
    _exit(99);
}

static int names_no_object(const call_entry* entry, netsys_status status) {
    if (entry->handle == HANDLE_SESSION) {
        return status == NETSYS_ERR_SESSION_NOT_FOUND || status == NETSYS_ERR_INVALID_SESSION ||
               status == NETSYS_ERR_INVALID_HANDLE;
    }
    return status == NETSYS_ERR_INVALID_HANDLE;
}

/* The call must fail for its handle; or for an argument, where that may be looked at first. */
static netsys_status refuse(const call_entry* entry, uint64_t handle, unsigned nulls) {
    const int bad_argument = nulls != 0 || (entry->flags & CALL_FAILS) != 0;
    const netsys_status status = entry->call(handle, nulls);
    netsys_error_info detail;
    if (!names_no_object(entry, status) && !(bad_argument && status == NETSYS_ERR_INVALID_ARGUMENT)) {
        fail(entry, handle, nulls, status);
    }
    detail.struct_size = sizeof detail;
    REQUIRE_OK(netsys_last_error(&detail));
    REQUIRE(detail.status == status && detail.message[0] != '\0');
    return status;
}

static void refuse_bad_handles(const call_entry* entry) {
    const uint64_t none[] = {0, 1, UINT64_MAX, UINT64_C(1) << 63, 0xFFFFFFFFu};
    unsigned nulls, i;
    int kind;
    for (nulls = 0; nulls <= entry->nullable; ++nulls) {
        if ((nulls & ~entry->nullable) != 0) {
            continue;
        }
        refuse(entry, stale[entry->handle], nulls);
        for (i = 0; i < sizeof none / sizeof none[0]; ++i) {
            refuse(entry, none[i], nulls);
        }
    }
    if ((entry->flags & CALL_FAILS) != 0) {
        return;
    }
    if (refuse(entry, stale[entry->handle], 0) !=
        (entry->handle == HANDLE_SESSION ? NETSYS_ERR_SESSION_NOT_FOUND : NETSYS_ERR_INVALID_HANDLE)) {
        fail(entry, stale[entry->handle], 0, entry->call(stale[entry->handle], 0));
    }
    for (kind = HANDLE_NONE + 1; kind < HANDLE_KINDS; ++kind) {
        if (kind != entry->handle &&
            refuse(entry, live[kind], 0) !=
                (entry->handle == HANDLE_SESSION ? NETSYS_ERR_INVALID_SESSION : NETSYS_ERR_INVALID_HANDLE)) {
            fail(entry, live[kind], 0, entry->call(live[kind], 0));
        }
    }
}

static void refuse_null_pointers(const call_entry* entry) {
    const uint64_t handle = live[entry->handle];
    unsigned nulls;
    for (nulls = 1; nulls <= entry->nullable; ++nulls) {
        netsys_status status;
        if ((nulls & ~entry->nullable) != 0) {
            continue;
        }
        if ((nulls & entry->required) == 0 && (entry->flags & CALL_ENDS) != 0) {
            continue; /* allowed, and would end what the next calls need */
        }
        status = entry->call(handle, nulls);
        if ((nulls & entry->required) != 0 && status != NETSYS_ERR_INVALID_ARGUMENT) {
            fail(entry, handle, nulls, status);
        }
    }
}

static void forge_handles(void) {
    uint64_t random = UINT64_C(0x9E3779B97F4A7C15);
    unsigned i;
    for (i = 0; i < FORGERIES; ++i) {
        const call_entry* entry = &calls[i % CALLS];
        if (entry->handle != HANDLE_NONE) {
            const uint64_t handle = next_random(&random);
            const netsys_status status = entry->call(handle, 0);
            if (!names_no_object(entry, status) &&
                !((entry->flags & CALL_FAILS) != 0 && status == NETSYS_ERR_INVALID_ARGUMENT)) {
                fail(entry, handle, 0, status);
            }
        }
    }
}

/* The first job of a client, which has stopped when the job has run: nobody listens on its port. */
static netsys_job make_job(netsys_context context, hazard_shelf* shelf, netsys_client* client) {
    const netsys_callbacks callbacks = hazard_callbacks(NULL);
    netsys_client_config config;
    REQUIRE_OK(netsys_client_config_init(&config, sizeof config));
    config.host = hazard_str("127.0.0.1");
    config.port = 9;
    config.dispatch = NETSYS_DISPATCH_EXECUTOR;
    config.executor = hazard_shelf_executor(shelf);
    REQUIRE_OK(netsys_client_start(context, &config, &callbacks, client));
    return hazard_job(shelf, 0);
}

static void make_stale(netsys_context context) {
    const netsys_callbacks callbacks = hazard_callbacks(NULL);
    netsys_context other;
    netsys_server server;
    netsys_client client;
    netsys_session session;
    netsys_resolver resolver;
    netsys_pool pool;
    netsys_lease lease;
    netsys_session_manager manager;
    static hazard_shelf shelf = HAZARD_SHELF_INIT;
    netsys_config config;
    netsys_bridge bridge;
    uint16_t port;
    stale[HANDLE_JOB] = make_job(context, &shelf, &client).id;
    REQUIRE_OK(netsys_job_run(hazard_job(&shelf, 0)));
    REQUIRE_OK(netsys_client_destroy(client));
    server = hazard_start_server(context, NETSYS_FRAMING_FRAMED, &callbacks, &port);
    manager = hazard_manager(context);
    REQUIRE_OK(netsys_session_manager_destroy(manager));
    hazard_lease(context, port, &callbacks, &pool, &lease);
    REQUIRE_OK(netsys_lease_discard(lease));
    REQUIRE_OK(netsys_pool_destroy(pool));
    client = hazard_start_client(context, NETSYS_FRAMING_FRAMED, port, &callbacks);
    hazard_connected(client);
    REQUIRE_OK(netsys_client_destroy(client));
    REQUIRE_OK(netsys_server_destroy(server));
    REQUIRE_OK(netsys_session_create(hazard_str("detached"), hazard_str(""), &session));
    REQUIRE_OK(netsys_session_release(session));
    REQUIRE_OK(netsys_resolver_create(NULL, &resolver));
    REQUIRE_OK(netsys_resolver_destroy(resolver));
    REQUIRE_OK(netsys_context_create(NULL, &other));
    REQUIRE_OK(netsys_context_shutdown(other, 0));
    REQUIRE_OK(netsys_config_create(NETSYS_PRESET_DEFAULT, &config));
    REQUIRE_OK(netsys_config_destroy(config));
    bridge = hazard_bridge(NULL);
    REQUIRE_OK(netsys_bridge_destroy(bridge));
    stale[HANDLE_BRIDGE] = bridge.id;
    stale[HANDLE_CONTEXT] = other.id;
    stale[HANDLE_SERVER] = server.id;
    stale[HANDLE_CLIENT] = client.id;
    stale[HANDLE_SESSION] = session.id;
    stale[HANDLE_RESOLVER] = resolver.id;
    stale[HANDLE_POOL] = pool.id;
    stale[HANDLE_LEASE] = lease.id;
    stale[HANDLE_SESSION_MANAGER] = manager.id;
    stale[HANDLE_CONFIG] = config.id;
}

int main(void) {
    netsys_callbacks server_callbacks = hazard_callbacks(NULL);
    netsys_callbacks client_callbacks = hazard_callbacks(&answered);
    netsys_context context;
    netsys_server server;
    netsys_client client;
    netsys_session session;
    netsys_resolver resolver;
    netsys_pool pool;
    netsys_lease lease;
    netsys_job job;
    static hazard_shelf shelf = HAZARD_SHELF_INIT;
    netsys_client held;
    netsys_config config;
    netsys_bridge bridge;
    uint16_t port;
    unsigned i;

    server_callbacks.on_message = hazard_echo;
    client_callbacks.on_message = hazard_count_message;
    REQUIRE_OK(netsys_context_create(NULL, &context));
    server = hazard_start_server(context, NETSYS_FRAMING_FRAMED, &server_callbacks, &port);
    client = hazard_start_client(context, NETSYS_FRAMING_FRAMED, port, &client_callbacks);
    session = hazard_connected(client);
    hazard_lease(context, port, &server_callbacks, &pool, &lease);
    live[HANDLE_POOL] = pool.id;
    live[HANDLE_LEASE] = lease.id;
    live[HANDLE_SESSION_MANAGER] = hazard_manager(context).id;
    REQUIRE_OK(netsys_config_create(NETSYS_PRESET_DEFAULT, &config));
    live[HANDLE_CONTEXT] = context.id;
    live[HANDLE_SERVER] = server.id;
    live[HANDLE_CLIENT] = client.id;
    live[HANDLE_SESSION] = session.id;
    REQUIRE_OK(netsys_resolver_create(NULL, &resolver));
    live[HANDLE_RESOLVER] = resolver.id;
    job = make_job(context, &shelf, &held);
    live[HANDLE_JOB] = job.id;
    live[HANDLE_CONFIG] = config.id;
    bridge = hazard_bridge(NULL);
    live[HANDLE_BRIDGE] = bridge.id;
    make_stale(context);
    REQUIRE_OK(netsys_session_set_data(session, text_of(0), text_of(0))); /* for the calls that look a value up */

    for (i = 0; i < CALLS; ++i) {
        if (calls[i].handle != HANDLE_NONE) {
            refuse_bad_handles(&calls[i]);
        }
        refuse_null_pointers(&calls[i]);
    }
    forge_handles();

    REQUIRE_OK(netsys_session_send(session, NETSYS_MESSAGE_TEXT, "alive", 5));
    REQUIRE(hazard_await(&answered, 1));
    REQUIRE_OK(netsys_resolver_destroy(resolver));
    REQUIRE_OK(netsys_job_run(job));
    REQUIRE_OK(netsys_client_destroy(held));
    REQUIRE_OK(netsys_config_destroy(config));
    REQUIRE_OK(netsys_bridge_destroy(bridge));
    REQUIRE_OK(netsys_context_shutdown(context, NETSYS_INFINITE));
    printf("%d functions, %d forged handles\n", (int)CALLS, (int)FORGERIES);
    return 0;
}
