/* A server whose accept() fails goes on accepting: run under strace, which makes the first calls fail with the error
 * that the argument names. Eight raw peers connect one after the other, and each is answered. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "hazard.h"

static hazard_counter errors = HAZARD_COUNTER_INIT;

static void on_message(void* userdata, netsys_session session, const netsys_message* message) {
    (void)userdata;
    REQUIRE_OK(netsys_session_send(session, message->kind, message->data, message->len));
}

static void on_error(void* userdata, netsys_session session, const netsys_error_info* error) {
    (void)userdata;
    if (session.id == 0) {
        REQUIRE(error->status == NETSYS_ERR_IO);
        hazard_count(&errors);
    }
}

static void exchange(uint16_t port) {
    struct timeval patience;
    struct sockaddr_in address;
    char answer = 0;
    const int peer = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(peer >= 0);
    memset(&patience, 0, sizeof patience);
    patience.tv_sec = HAZARD_PATIENCE_S;
    REQUIRE(setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(peer, (const struct sockaddr*)&address, sizeof address) == 0);
    REQUIRE(send(peer, "x", 1, 0) == 1);
    REQUIRE(recv(peer, &answer, 1, 0) == 1 && answer == 'x');
    close(peer);
}

int main(int argc, char** argv) {
    netsys_context context;
    netsys_server server;
    netsys_server_config config;
    netsys_callbacks callbacks;
    uint16_t port = 0;
    int number;
    REQUIRE(argc == 2);
    memset(&config, 0, sizeof config);
    config.struct_size = sizeof config;
    memset(&callbacks, 0, sizeof callbacks);
    callbacks.struct_size = sizeof callbacks;
    callbacks.on_message = on_message;
    callbacks.on_error = on_error;
    REQUIRE_OK(netsys_context_create(NULL, &context));
    REQUIRE_OK(netsys_server_start(context, &config, &callbacks, &server));
    REQUIRE_OK(netsys_server_port(server, &port));
    for (number = 0; number < 8; ++number) {
        exchange(port);
    }
    REQUIRE(hazard_value(&errors) > 0);
    REQUIRE_OK(netsys_context_shutdown(context, 1000));
    printf("%s", argv[1]);
    return 0;
}
