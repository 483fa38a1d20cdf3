/* fork while a server and a client are at work: the child is told NETSYS_ERR_FORKED at once by every function that
 * works on an object, and ends cleanly; the parent goes on; a program that the child executes inherits no descriptor.
 * Jobs and what is due in a context that the program polls stay the parent's too.
 */
#include <poll.h>
#include <sys/wait.h>

#include "calls.h"
#include "executors.h"

enum { ROUNDS = 20, LIMIT_NS = 1000000 };

static hazard_counter exchanged = HAZARD_COUNTER_INIT;
static uint64_t live[HANDLE_KINDS];
static int32_t due; /* the descriptor of what the parent is to run */

/* The fastest of three, so that the scheduler's delays do not count. */
static void call_in_child(const call_entry* entry) {
    uint64_t best = UINT64_MAX;
    int i;
    for (i = 0; i < 3; ++i) {
        const uint64_t start = hazard_now_ns();
        const netsys_status status = entry->call(live[entry->handle], 0);
        const uint64_t elapsed = hazard_now_ns() - start;
        if (status != NETSYS_ERR_FORKED) {
            fprintf(stderr, "%s in a child: %s\n", entry->name, netsys_status_name(status));
            _exit(99);
        }
        best = elapsed < best ? elapsed : best;
    }
    if (best > LIMIT_NS) {
        fprintf(stderr, "%s in a child took %lu us\n", entry->name, (unsigned long)(best / 1000));
        _exit(99);
    }
}

static void count_release(void* userdata) {
    ++*(int*)userdata;
}

static netsys_status open_none(void* userdata, netsys_client* client) {
    (void)userdata;
    (void)client;
    return NETSYS_ERR_NOT_FOUND;
}

/* What a function is given that refuses to make anything of it is released all the same. */
static void require_releases(void) {
    netsys_context_config context_config;
    netsys_pool_config pool_config;
    netsys_pool_source source;
    netsys_context context = {live[HANDLE_CONTEXT]}, made;
    netsys_pool pool;
    int released = 0;
    memset(&context_config, 0, sizeof context_config);
    context_config.struct_size = sizeof context_config;
    context_config.userdata = &released;
    context_config.release = count_release;
    REQUIRE_STATUS(NETSYS_ERR_FORKED, netsys_context_create(&context_config, &made));
    REQUIRE(released == 1);
    memset(&pool_config, 0, sizeof pool_config);
    pool_config.struct_size = sizeof pool_config;
    memset(&source, 0, sizeof source);
    source.struct_size = sizeof source;
    source.userdata = &released;
    source.open = open_none;
    source.release = count_release;
    REQUIRE_STATUS(NETSYS_ERR_FORKED, netsys_pool_start_with(context, &pool_config, &source, &pool));
    REQUIRE(released == 2);
}

static int is_readable(int32_t descriptor) {
    struct pollfd readable = {descriptor, POLLIN, 0};
    return poll(&readable, 1, 0) == 1;
}

static void be_child(int round) {
    unsigned i;
    REQUIRE(is_readable(due)); /* it may look, but has nothing to run */
    for (i = 0; i < CALLS; ++i) {
        if (calls[i].handle != HANDLE_NONE || (calls[i].flags & CALL_CREATES) != 0) {
            call_in_child(&calls[i]);
        }
    }
    require_releases();
    REQUIRE(is_readable(due));
    if (round % 2 == 0) {
        exit(0); /* with what the library and the C library do at exit */
    }
    _exit(0);
}

static void await_child(pid_t child) {
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void serve_first(void* userdata, netsys_session session) {
    (void)userdata;
    netsys_session_send(session, NETSYS_MESSAGE_TEXT, "ball", 4);
}

/* A client whose callbacks are due at once, since nobody listens on its port. */
static netsys_client start_failing_client(netsys_context context, uint32_t dispatch, hazard_shelf* shelf) {
    const netsys_callbacks callbacks = hazard_callbacks(NULL);
    netsys_client_config config;
    netsys_client client;
    REQUIRE_OK(netsys_client_config_init(&config, sizeof config));
    config.host = hazard_str("127.0.0.1");
    config.port = 9;
    config.dispatch = dispatch;
    if (dispatch == NETSYS_DISPATCH_EXECUTOR) {
        config.executor = hazard_shelf_executor(shelf);
    }
    REQUIRE_OK(netsys_client_start(context, &config, &callbacks, &client));
    return client;
}

static int list_descriptors(void) {
    if (hazard_descriptors() != 3) {
        fprintf(stderr, "%u descriptors after exec, expected 3\n", hazard_descriptors());
        return 1;
    }
    return 0;
}

int main(int argc, char** argv) {
    netsys_callbacks server_callbacks = hazard_callbacks(&exchanged);
    netsys_callbacks client_callbacks = hazard_callbacks(NULL);
    netsys_context context;
    netsys_server server;
    static hazard_shelf shelf = HAZARD_SHELF_INIT;
    netsys_client client, polled, held;
    netsys_resolver resolver;
    struct pollfd readable = {-1, POLLIN, 0};
    size_t turns = 0;
    netsys_config settings;
    uint16_t port;
    int round, inherited;

    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        return list_descriptors();
    }
    for (inherited = 3; inherited < 1024; ++inherited) {
        close(inherited);
    }
    server_callbacks.on_message = hazard_echo;
    client_callbacks.on_open = serve_first;
    client_callbacks.on_message = hazard_echo;
    REQUIRE_OK(netsys_context_create(NULL, &context));
    server = hazard_start_server(context, NETSYS_FRAMING_FRAMED, &server_callbacks, &port);
    client = hazard_start_client(context, NETSYS_FRAMING_FRAMED, port, &client_callbacks);
    REQUIRE_OK(netsys_config_create(NETSYS_PRESET_DEFAULT, &settings));
    live[HANDLE_CONTEXT] = context.id;
    live[HANDLE_SERVER] = server.id;
    live[HANDLE_CLIENT] = client.id;
    live[HANDLE_SESSION] = hazard_connected(client).id;
    REQUIRE_OK(netsys_resolver_create(NULL, &resolver));
    live[HANDLE_RESOLVER] = resolver.id;
    held = start_failing_client(context, NETSYS_DISPATCH_EXECUTOR, &shelf);
    live[HANDLE_JOB] = hazard_job(&shelf, 0).id;
    polled = start_failing_client(context, NETSYS_DISPATCH_MANUAL, NULL);
    REQUIRE_OK(netsys_context_poll_descriptor(context, &due));
    readable.fd = due;
    REQUIRE(poll(&readable, 1, HAZARD_PATIENCE_S * 1000) == 1);
    live[HANDLE_CONFIG] = settings.id;

    for (round = 0; round < ROUNDS; ++round) {
        pid_t child;
        REQUIRE(hazard_await(&exchanged, hazard_value(&exchanged) + 100));
        child = fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            be_child(round);
        }
        await_child(child);
        child = fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            execl("/proc/self/exe", "fork_child", "list", (char*)NULL);
            _exit(98);
        }
        await_child(child);
    }
    REQUIRE(hazard_await(&exchanged, hazard_value(&exchanged) + 100));
    REQUIRE(is_readable(due));
    REQUIRE_OK(netsys_context_poll(context, 0, &turns));
    REQUIRE(turns == 1 && !is_readable(due));
    REQUIRE_OK(netsys_client_destroy(polled));
    REQUIRE_OK(netsys_job_run(hazard_job(&shelf, 0)));
    REQUIRE_OK(netsys_client_destroy(held));
    REQUIRE_OK(netsys_resolver_destroy(resolver));
    REQUIRE_OK(netsys_config_destroy(settings));
    REQUIRE_OK(netsys_client_destroy(client));
    REQUIRE_OK(netsys_server_destroy(server));
    REQUIRE_OK(netsys_context_shutdown(context, NETSYS_INFINITE));
    printf("%d children\n", 2 * ROUNDS);
    return 0;
}
