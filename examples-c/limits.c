/* What one address may have of a server, and what becomes of who is silent, on the C ABI.
 *
 *   limits
 *
 * The server takes two connections from one address and ends sessions that are silent for a second. Three clients
 * connect: the third learns why it is refused. Then the two fall silent, and the server ends them and says why.
 */
#include <network_system.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 2 };

static void check(const char* what, netsys_status status) {
    if (status != NETSYS_OK) {
        fprintf(stderr, "limits: %s: %s\n", what, netsys_status_message(status));
        exit(1);
    }
}

static netsys_str str(const char* text) {
    netsys_str view = {text, strlen(text)};
    return view;
}

/* All handlers of a server run on its loop, one at a time; main reads the count after the server has stopped. */
static void on_close(void* userdata, netsys_session session, const netsys_close_info* why) {
    int* expired = userdata;

    (void)session;
    printf("ended: %.*s\n", (int)why->text.len, why->text.data);
    *expired += why->reason == NETSYS_ERR_SESSION_EXPIRED;
}

static void on_error(void* userdata, netsys_session session, const netsys_error_info* error) {
    (void)userdata;
    if (session.id == 0) { /* it concerns no session: a connection that did not become one */
        printf("refused: %s\n", error->message);
    }
}

int main(void) {
    netsys_context context;
    netsys_server server;
    netsys_client clients[PLACES + 1];
    netsys_server_config server_config;
    netsys_client_config client_config;
    netsys_callbacks at_server = {.struct_size = sizeof at_server};
    netsys_callbacks of_client = {.struct_size = sizeof of_client};
    netsys_stats stats = {.struct_size = sizeof stats};
    netsys_status refusal;
    uint16_t port;
    int expired = 0;
    int i;

    check("context", netsys_context_create(NULL, &context));
    check("config", netsys_server_config_init(&server_config, sizeof server_config));
    server_config.host = str("127.0.0.1");
    server_config.max_connections_per_address = PLACES;           /* unless it is set, loopback has no such limit */
    server_config.exempt_addresses = str("10.0.0.0/8, fd00::/8"); /* our own proxies, say */
    server_config.idle_timeout_ms = 1000;
    at_server.userdata = &expired;
    at_server.on_close = on_close;
    at_server.on_error = on_error;
    check("server", netsys_server_start(context, &server_config, &at_server, &server));
    check("port", netsys_server_port(server, &port));

    check("config", netsys_client_config_init(&client_config, sizeof client_config));
    client_config.host = str("127.0.0.1");
    client_config.port = port;
    client_config.framing = NETSYS_FRAMING_FRAMED;
    client_config.heartbeat_ms = NETSYS_INFINITE; /* else it would not be silent */
    for (i = 0; i < PLACES; i++) {
        check("client", netsys_client_start(context, &client_config, &of_client, &clients[i]));
        check("connect", netsys_client_wait_connected(clients[i], 10000));
    }
    check("client", netsys_client_start(context, &client_config, &of_client, &clients[PLACES]));
    refusal = netsys_client_wait_connected(clients[PLACES], 10000);
    printf("the third client: %s\n", netsys_status_name(refusal));

    /* A client's end is that of its connection. */
    for (i = 0; i <= PLACES; i++) {
        check("wait", netsys_client_wait(clients[i], 20000));
        check("client", netsys_client_destroy(clients[i]));
    }
    check("stop", netsys_server_stop(server, 1000));
    check("wait", netsys_server_wait(server, 20000));
    check("stats", netsys_server_stats(server, &stats));
    check("server", netsys_server_destroy(server));
    check("context", netsys_context_shutdown(context, 0));

    if (refusal != NETSYS_ERR_SERVER_BUSY || stats.connections_rejected != 1 || expired != PLACES) {
        fprintf(stderr, "limits: expected one refusal and %d ends of silent sessions\n", PLACES);
        return 1;
    }
    printf("one was refused, two were ended for their silence\n");
    return 0;
}
