/* A whole life 1000 times: context, server, client, one exchange, shutdown. Threads, descriptors and heap end where
 * they were after the first rounds. */
#include <malloc.h>

#include "hazard.h"

enum { ROUNDS = 1000, WARM_UP = 100, HEAP_SLACK = 64 * 1024 };

static void send_hello(void* userdata, netsys_session session) {
    (void)userdata;
    netsys_session_send(session, NETSYS_MESSAGE_TEXT, "hello", 5);
}

static void live_once(void) {
    hazard_counter answered = HAZARD_COUNTER_INIT;
    netsys_callbacks server_callbacks = hazard_callbacks(NULL);
    netsys_callbacks client_callbacks = hazard_callbacks(&answered);
    netsys_context context;
    netsys_server server;
    netsys_client client;
    uint32_t state;
    uint16_t port;

    server_callbacks.on_message = hazard_echo;
    client_callbacks.on_open = send_hello;
    client_callbacks.on_message = hazard_count_message;
    REQUIRE_OK(netsys_context_create(NULL, &context));
    server = hazard_start_server(context, NETSYS_FRAMING_AUTO, &server_callbacks, &port);
    client = hazard_start_client(context, NETSYS_FRAMING_FRAMED, port, &client_callbacks);
    REQUIRE(hazard_await(&answered, 1));
    REQUIRE_OK(netsys_context_shutdown(context, NETSYS_INFINITE));
    REQUIRE(netsys_server_state(server, &state) == NETSYS_ERR_INVALID_HANDLE || state == NETSYS_ENDPOINT_STOPPED);
    netsys_server_destroy(server);
    netsys_client_destroy(client);
    REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, netsys_server_state(server, &state));
    REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, netsys_client_state(client, &state));
    REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, netsys_context_shutdown(context, 0));
}

int main(void) {
    unsigned threads, descriptors;
    size_t heap;
    int round;

    for (round = 0; round < WARM_UP; ++round) {
        live_once();
        if (round == 0) {
            threads = hazard_threads();
            descriptors = hazard_descriptors();
        }
    }
    heap = mallinfo2().uordblks;
    for (; round < ROUNDS; ++round) {
        live_once();
    }
    REQUIRE(hazard_settles(threads, descriptors));
    if (mallinfo2().uordblks > heap + HEAP_SLACK) {
        fprintf(stderr, "the heap grew by %zu bytes\n", mallinfo2().uordblks - heap);
        return 1;
    }
    printf("%d rounds\n", ROUNDS);
    return 0;
}
