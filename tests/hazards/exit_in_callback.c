/* exit() is called on a library thread, in the callback that the argument names, while an atexit handler of the
 * application takes its server and clients down: the exit code is the callback's, and nothing hangs. */
#include "hazard.h"

static const char* where;
static netsys_context context;
static netsys_server server;
static netsys_client client;

static void clean_up(void) {
    netsys_client_destroy(client);
    netsys_server_destroy(server);
    netsys_context_shutdown(context, 100);
}

static void reached(const char* callback) {
    if (strcmp(where, callback) == 0) {
        exit(43);
    }
}

static void on_accept(void* userdata, netsys_session session) {
    (void)userdata;
    (void)session;
    reached("accept");
}

static void on_open(void* userdata, netsys_session session) {
    (void)userdata;
    reached("open");
    netsys_session_send(session, NETSYS_MESSAGE_TEXT, "hello", 5);
}

static void on_message(void* userdata, netsys_session session, const netsys_message* message) {
    (void)userdata;
    (void)message;
    reached("message");
    netsys_session_close(session, NETSYS_OK, hazard_str("enough"));
}

static void on_close(void* userdata, netsys_session session, const netsys_close_info* why) {
    (void)userdata;
    (void)session;
    (void)why;
    reached("close");
    netsys_server_stop(server, 100);
}

static void on_end(void* userdata, netsys_session session, const netsys_close_info* why) {
    (void)userdata;
    (void)session;
    (void)why;
    reached("end");
}

static void on_stopped(void* userdata) {
    (void)userdata;
    reached("stopped");
}

static void release(void* userdata) {
    (void)userdata;
    reached("release");
}

int main(int argc, char** argv) {
    netsys_callbacks callbacks = hazard_callbacks(NULL);
    netsys_callbacks client_callbacks = hazard_callbacks(NULL);
    uint16_t port;

    REQUIRE(argc == 2);
    where = argv[1];
    callbacks.on_accept = on_accept;
    callbacks.on_open = on_open;
    callbacks.on_message = on_message;
    callbacks.on_close = on_close;
    callbacks.on_end = on_end;
    callbacks.on_stopped = on_stopped;
    callbacks.release = release;
    client_callbacks.on_open = on_open;
    client_callbacks.on_message = on_message;

    REQUIRE(atexit(clean_up) == 0);
    REQUIRE_OK(netsys_context_create(NULL, &context));
    server = hazard_start_server(context, NETSYS_FRAMING_FRAMED, &callbacks, &port);
    client = hazard_start_client(context, NETSYS_FRAMING_FRAMED, port, &client_callbacks);
    if (strcmp(where, "release") == 0) {
        netsys_server_destroy(server);
    }
    for (;;) {
        pause();
    }
}
