/* callbacks: everything that ends, sends or waits, called in each callback of servers and clients, in each mode of
 * dispatch (reliability row 11). Nothing deadlocks, what cannot wait says so, and each release runs exactly once. */
#include <arpa/inet.h>
#include <sys/socket.h>

#include "executors.h"

enum { ACCEPT, OPEN, MESSAGE, STATE, CLOSE, END, ERROR, STOPPED, RELEASE, SLOTS };
enum { MODES = 4, LIMIT_NS = 1000000000 };

static const char* const slot_names[SLOTS] = {"accept", "open",  "message", "state",  "close",
                                              "end",    "error", "stopped", "release"};

/* The case that is being tried. */
static int slot, at_client, mode, action;
static netsys_context context;
static netsys_server server;
static netsys_client client;
static uint64_t last_session;
static int acted;
static unsigned long cases;
static hazard_workers workers = HAZARD_WORKERS_INIT;
static hazard_counter handles_known, progress, server_released, client_released, context_released;

/* --- what is called inside the callbacks -----------------------------------------------------------------------------
 */

/* Main may have destroyed it before. */
static void require_ended(netsys_status status) {
    REQUIRE(status == NETSYS_OK || status == NETSYS_ERR_INVALID_HANDLE);
}
static void stop_server(netsys_session session) {
    (void)session;
    netsys_server_stop(server, 0);
}
static void stop_client(netsys_session session) {
    (void)session;
    netsys_client_stop(client, NETSYS_INFINITE);
}
static void destroy_server(netsys_session session) {
    (void)session;
    require_ended(netsys_server_destroy(server));
    REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, netsys_server_stop(server, 0));
}
static void destroy_client(netsys_session session) {
    (void)session;
    require_ended(netsys_client_destroy(client));
    REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, netsys_client_stop(client, 0));
}
static void destroy_both(netsys_session session) {
    destroy_client(session);
    destroy_server(session);
}
static void shut_context_down(netsys_session session) {
    (void)session;
    REQUIRE_OK(netsys_context_shutdown(context, NETSYS_INFINITE));
    REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, netsys_context_poll(context, NETSYS_INFINITE, NULL));
}
static void end_all(netsys_session session) {
    shut_context_down(session);
    destroy_both(session);
}
static void close_session(netsys_session session) {
    netsys_session_close(session, NETSYS_OK, hazard_str("in a callback"));
}
static void abort_session(netsys_session session) {
    netsys_session_abort(session);
}
static void send_some(netsys_session session) {
    int i;
    for (i = 0; i < 10; ++i) {
        netsys_session_send(session, NETSYS_MESSAGE_TEXT, "from a callback", 15);
    }
}
static void broadcast(netsys_session session) {
    (void)session;
    netsys_server_broadcast(server, NETSYS_MESSAGE_TEXT, "to all", 6, NULL, NULL);
    netsys_server_disconnect_all(server, hazard_str("enough"));
}
/* Where a callback concerns no session, the session is one of the other side, which may end meanwhile. */
static int still_there(netsys_status status) {
    REQUIRE(status == NETSYS_OK || status == NETSYS_ERR_SESSION_NOT_FOUND);
    return status == NETSYS_OK;
}
static void set_userdata(netsys_session session) {
    void* kept = NULL;
    char* text = strdup("kept");
    if (netsys_session_set_userdata(session, text, free) != NETSYS_OK) {
        free(text);
    } else if (still_there(netsys_session_userdata(session, &kept))) {
        REQUIRE(kept == text);
        still_there(netsys_session_set_userdata(session, NULL, NULL));
    }
}
static void pause_session(netsys_session session) {
    netsys_session_pause(session, true);
    netsys_session_pause(session, false);
}
/* Nothing may wait here; main may be at the destroy, and what has happened need not be waited for. */
static void refuse_to_wait(netsys_status status) {
    REQUIRE(status == NETSYS_ERR_WOULD_DEADLOCK || status == NETSYS_ERR_INVALID_HANDLE || status == NETSYS_OK);
}
static void wait_for_all(netsys_session session) {
    (void)session;
    refuse_to_wait(netsys_server_wait(server, NETSYS_INFINITE));
    refuse_to_wait(netsys_client_wait(client, NETSYS_INFINITE));
    netsys_client_wait_connected(client, NETSYS_INFINITE);
    REQUIRE_STATUS(NETSYS_ERR_WOULD_DEADLOCK, netsys_context_poll(context, NETSYS_INFINITE, NULL));
}

static const struct {
    const char* name;
    void (*act)(netsys_session session);
} actions[] = {
    {"netsys_server_stop", stop_server},
    {"netsys_client_stop", stop_client},
    {"netsys_server_destroy", destroy_server},
    {"netsys_client_destroy", destroy_client},
    {"the destroy of both", destroy_both},
    {"netsys_context_shutdown", shut_context_down},
    {"the end of all", end_all},
    {"netsys_session_close", close_session},
    {"netsys_session_abort", abort_session},
    {"netsys_session_send", send_some},
    {"netsys_server_broadcast", broadcast},
    {"netsys_session_set_userdata", set_userdata},
    {"netsys_session_pause", pause_session},
    {"what waits", wait_for_all},
};
enum { ACTIONS = sizeof actions / sizeof actions[0] };

static void fail_case(const char* why) {
    static const char* const mode_names[MODES] = {"inline", "pool", "manual", "executor"};
    fprintf(stderr, "%s in on_%s of the %s, %s: %s\n", actions[action].name, slot_names[slot],
            at_client ? "client" : "server", mode_names[mode], why);
    _exit(99);
}

/* Called first in every callback. */
static void reached(int here, int client_side, netsys_session session) {
    REQUIRE(hazard_await(&handles_known, 1)); /* a callback may run before the start has returned */
    if (session.id != 0) {
        __atomic_store_n(&last_session, session.id, __ATOMIC_SEQ_CST);
    }
    if (here == slot && client_side == at_client && __atomic_exchange_n(&acted, 1, __ATOMIC_SEQ_CST) == 0) {
        const uint64_t begun = hazard_now_ns();
        netsys_session some;
        some.id = session.id != 0 ? session.id : __atomic_load_n(&last_session, __ATOMIC_SEQ_CST);
        actions[action].act(some);
        if (hazard_now_ns() - begun > LIMIT_NS) {
            fail_case("it took more than a second");
        }
    }
}

/* --- the callbacks: those of the client get a userdata ---------------------------------------------------------------
 */

static int of_client(const void* userdata) {
    return userdata != NULL;
}
static const netsys_session no_session = {0};

static void on_accept(void* userdata, netsys_session session) {
    reached(ACCEPT, of_client(userdata), session);
}
static void on_open(void* userdata, netsys_session session) {
    reached(OPEN, of_client(userdata), session);
    if (of_client(userdata)) {
        netsys_session_send(session, NETSYS_MESSAGE_TEXT, "hello", 5);
    }
}
static void on_message(void* userdata, netsys_session session, const netsys_message* message) {
    reached(MESSAGE, of_client(userdata), session);
    if (of_client(userdata)) {
        hazard_count(&progress);
    } else {
        netsys_session_send(session, message->kind, message->data, message->len);
    }
}
static void on_state(void* userdata, netsys_session session, uint32_t old_state, uint32_t new_state) {
    REQUIRE(old_state != new_state);
    reached(STATE, of_client(userdata), session);
}
static void on_close(void* userdata, netsys_session session, const netsys_close_info* why) {
    (void)why;
    reached(CLOSE, of_client(userdata), session);
}
static void on_end(void* userdata, netsys_session session, const netsys_close_info* why) {
    (void)why;
    reached(END, of_client(userdata), session);
}
static void on_error(void* userdata, netsys_session session, const netsys_error_info* error) {
    (void)error;
    reached(ERROR, of_client(userdata), session);
}
static void on_stopped(void* userdata) {
    reached(STOPPED, of_client(userdata), no_session);
}
static void on_release(void* userdata) {
    reached(RELEASE, of_client(userdata), no_session);
    hazard_count(of_client(userdata) ? &client_released : &server_released);
    hazard_count(&progress);
}
static void on_context_release(void* userdata) {
    (void)userdata;
    hazard_count(&context_released);
}

/* --- a case ----------------------------------------------------------------------------------------------------------
 */

static void reset(hazard_counter* counter) {
    pthread_mutex_lock(&counter->mutex);
    counter->value = 0;
    pthread_mutex_unlock(&counter->mutex);
}

/* Somebody polls until the context has ended. */
static void* keep_polling(void* unused) {
    (void)unused;
    while (netsys_context_poll(context, NETSYS_INFINITE, NULL) == NETSYS_OK) {
    }
    return NULL;
}

/* A peer that does not speak the framed protocol: an error at the server. */
static void intrude(uint16_t port) {
    const int peer = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address;
    char byte;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(peer >= 0);
    if (connect(peer, (struct sockaddr*)&address, sizeof address) == 0 && send(peer, "????", 4, MSG_NOSIGNAL) == 4) {
        while (recv(peer, &byte, 1, 0) > 0) {
        }
    }
    close(peer);
}

static netsys_executor executor_of_case(void) {
    netsys_executor none;
    memset(&none, 0, sizeof none);
    return mode == NETSYS_DISPATCH_EXECUTOR ? hazard_workers_executor(&workers) : none;
}

static void await_release(hazard_counter* counter, const char* whose) {
    if (!hazard_await(counter, 1)) {
        fail_case(whose);
    }
}

static void try_case(void) {
    netsys_context_config context_config;
    netsys_server_config server_config;
    netsys_client_config client_config;
    netsys_callbacks callbacks = hazard_callbacks(NULL);
    const unsigned long executors = hazard_value(&workers.released);
    netsys_context polled;
    pthread_t poller;
    reset(&handles_known);
    reset(&progress);
    reset(&server_released);
    reset(&client_released);
    reset(&context_released);
    acted = 0;
    last_session = 0;
    ++cases;

    callbacks.on_accept = on_accept;
    callbacks.on_open = on_open;
    callbacks.on_message = on_message;
    callbacks.on_state = on_state;
    callbacks.on_close = on_close;
    callbacks.on_end = on_end;
    callbacks.on_error = on_error;
    callbacks.on_stopped = on_stopped;
    callbacks.release = on_release;
    REQUIRE_OK(netsys_context_config_init(&context_config, sizeof context_config));
    context_config.release = on_context_release;
    context_config.pool_threads = 2;
    REQUIRE_OK(netsys_context_create(&context_config, &context));
    polled = context;
    REQUIRE_OK(netsys_server_config_init(&server_config, sizeof server_config));
    server_config.host = hazard_str("127.0.0.1");
    server_config.framing = NETSYS_FRAMING_FRAMED;
    server_config.dispatch = (uint32_t)mode;
    server_config.executor = executor_of_case();
    server_config.io_threads = 1 + (uint32_t)cases % 2;
    REQUIRE_OK(netsys_server_start(context, &server_config, &callbacks, &server));
    REQUIRE_OK(netsys_client_config_init(&client_config, sizeof client_config));
    client_config.host = hazard_str("127.0.0.1");
    client_config.framing = NETSYS_FRAMING_FRAMED;
    client_config.dispatch = (uint32_t)mode;
    client_config.executor = executor_of_case();
    REQUIRE_OK(netsys_server_port(server, &client_config.port));
    if (slot == ERROR && at_client) {
        client_config.port = 9; /* nobody listens there */
    }
    callbacks.userdata = &client;
    REQUIRE_OK(netsys_client_start(context, &client_config, &callbacks, &client));
    if (mode == NETSYS_DISPATCH_MANUAL) {
        REQUIRE(pthread_create(&poller, NULL, keep_polling, NULL) == 0);
    }
    hazard_count(&handles_known);
    if (slot == ERROR && !at_client) {
        intrude(client_config.port);
    }
    if (!hazard_await(&progress, 1)) {
        fail_case("the client was neither answered nor stopped");
    }
    netsys_client_destroy(client);
    netsys_server_destroy(server);
    await_release(&client_released, "the client was not released");
    await_release(&server_released, "the server was not released");
    netsys_context_shutdown(polled, NETSYS_INFINITE);
    await_release(&context_released, "the context was not released");
    if (mode == NETSYS_DISPATCH_MANUAL) {
        REQUIRE(pthread_join(poller, NULL) == 0);
    }
    if (mode == NETSYS_DISPATCH_EXECUTOR) {
        REQUIRE(hazard_await(&workers.released, executors + 2));
    }
    REQUIRE(hazard_value(&workers.released) == executors + (mode == NETSYS_DISPATCH_EXECUTOR ? 2 : 0));
    REQUIRE(hazard_value(&client_released) == 1 && hazard_value(&server_released) == 1);
    REQUIRE(hazard_value(&context_released) == 1);
    if (!acted) {
        fail_case("the callback was not called");
    }
}

int main(void) {
    const unsigned descriptors = hazard_descriptors();
    static const hazard_counter fresh = HAZARD_COUNTER_INIT;
    handles_known = progress = server_released = client_released = context_released = fresh;
    hazard_workers_start(&workers);
    for (mode = 0; mode < MODES; ++mode) {
        for (at_client = 0; at_client < 2; ++at_client) {
            for (slot = 0; slot < SLOTS; ++slot) {
                if (at_client && (slot == ACCEPT || slot == END)) {
                    continue; /* a server's only */
                }
                for (action = 0; action < ACTIONS; ++action) {
                    try_case();
                }
            }
        }
    }
    hazard_workers_end(&workers);
    REQUIRE(hazard_settles(1, descriptors));
    printf("%lu cases\n", cases);
    return 0;
}
