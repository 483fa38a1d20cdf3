/* main returns while a server with connected clients runs and messages flow: the exit code is main's, at once. */
#include "hazard.h"

enum { CLIENTS = 8, MESSAGES = 2000 };

static hazard_counter exchanged = HAZARD_COUNTER_INIT;

static void serve_first(void* userdata, netsys_session session) {
    (void)userdata;
    netsys_session_send(session, NETSYS_MESSAGE_TEXT, "ball", 4);
}

int main(void) {
    netsys_callbacks server_callbacks = hazard_callbacks(&exchanged);
    netsys_callbacks client_callbacks = hazard_callbacks(NULL);
    netsys_context context;
    uint16_t port;
    int i;

    REQUIRE_OK(netsys_context_create(NULL, &context));
    server_callbacks.on_message = hazard_echo;
    client_callbacks.on_open = serve_first;
    client_callbacks.on_message = hazard_echo;
    hazard_start_server(context, NETSYS_FRAMING_FRAMED, &server_callbacks, &port);
    for (i = 0; i < CLIENTS; ++i) {
        hazard_start_client(context, NETSYS_FRAMING_FRAMED, port, &client_callbacks);
    }
    REQUIRE(hazard_await(&exchanged, MESSAGES));
    return 42;
}
