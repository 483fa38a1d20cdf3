/* A process that forks before it uses the library, as a daemon does: parent and child can both use it. */
#include <sys/wait.h>

#include "hazard.h"

static void send_hello(void* userdata, netsys_session session) {
    (void)userdata;
    netsys_session_send(session, NETSYS_MESSAGE_TEXT, "hello", 5);
}

static void use_library(void) {
    hazard_counter received = HAZARD_COUNTER_INIT;
    netsys_callbacks server_callbacks = hazard_callbacks(&received);
    netsys_callbacks client_callbacks = hazard_callbacks(NULL);
    netsys_context context;
    uint16_t port;

    server_callbacks.on_message = hazard_count_message;
    client_callbacks.on_open = send_hello;
    REQUIRE_OK(netsys_context_create(NULL, &context));
    hazard_start_server(context, NETSYS_FRAMING_FRAMED, &server_callbacks, &port);
    hazard_start_client(context, NETSYS_FRAMING_FRAMED, port, &client_callbacks);
    REQUIRE(hazard_await(&received, 1));
    REQUIRE_OK(netsys_context_shutdown(context, NETSYS_INFINITE));
}

int main(void) {
    int status = -1;
    pid_t child;

    REQUIRE(netsys_version() == NETSYS_VERSION_NUMBER); /* touches no object, so it does not count as use */
    child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        use_library();
        return 0;
    }
    use_library();
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return 0;
}
