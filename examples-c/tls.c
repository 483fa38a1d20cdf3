/* Encryption on the C ABI: a server that asks its clients for certificates, who they are, and a change of certificates
 * while it serves.
 *
 *   tls FOLDER
 *
 * The folder holds PEM files: ca.pem, of the issuer of all certificates; server.pem and server.key, for 127.0.0.1;
 * alice.pem and alice.key, of a client. Three clients connect: one with Alice's certificate, which the server greets by
 * her name; one without a certificate, which is refused; and one that trusts another issuer, and refuses the server.
 */
#include <network_system.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "example.h"

enum { PATIENCE_MS = 10000 };

static char paths[5][4096];

static netsys_str in_folder(const char* folder, const char* name, char* path) {
    if (snprintf(path, sizeof paths[0], "%s/%s", folder, name) >= (int)sizeof paths[0]) {
        fprintf(stderr, "the name of the folder is too long\n");
        exit(EXIT_FAILURE);
    }
    return str(path);
}

static void text_of(netsys_session session, uint32_t what, char* text, size_t size) {
    must("ask for a text of TLS", netsys_session_tls_text(session, what, text, size, NULL));
}

/* The peer was known before this is called: who has no certificate of our issuer comes no further than TLS. */
static void greet(void* userdata, netsys_session session) {
    char name[256], version[16], greeting[300];
    int length;

    (void)userdata;
    text_of(session, NETSYS_TLS_TEXT_PEER_COMMON_NAME, name, sizeof name);
    text_of(session, NETSYS_TLS_TEXT_VERSION, version, sizeof version);
    printf("%s is here, by %s\n", name, version);
    length = snprintf(greeting, sizeof greeting, "hello %s", name);
    must("greet", netsys_session_send(session, NETSYS_MESSAGE_TEXT, greeting, (size_t)length));
}

static void on_error(void* userdata, netsys_session session, const netsys_error_info* error) {
    (void)userdata;
    (void)session;
    printf("refused: %s\n", error->message);
}

/* Runs on the client's loop; main looks at it when the client is gone. */
static void keep(void* userdata, netsys_session session, const netsys_message* message) {
    char* greeting = userdata;

    if (message->len < 300) {
        memcpy(greeting, message->data, message->len);
        greeting[message->len] = '\0';
    }
    must("close", netsys_session_close(session, NETSYS_OK, str("thank you")));
}

/* Connects, waits for the end, and gives back how the connecting went. */
static netsys_status visit(netsys_context context, uint16_t port, const netsys_tls_config* tls, char* greeting) {
    netsys_client_config config;
    netsys_callbacks callbacks = {.struct_size = sizeof callbacks, .userdata = greeting, .on_message = keep};
    netsys_client client;
    netsys_status connected;

    must("make a configuration", netsys_client_config_init(&config, sizeof config));
    config.host = str("127.0.0.1");
    config.port = port;
    config.framing = NETSYS_FRAMING_FRAMED;
    config.tls = tls;
    must("start a client", netsys_client_start(context, &config, &callbacks, &client));
    connected = netsys_client_wait_connected(client, PATIENCE_MS);
    must("wait for the client's end", netsys_client_wait(client, PATIENCE_MS));
    must("end the client", netsys_client_destroy(client));
    return connected;
}

int main(int argc, char** argv) {
    netsys_context context;
    netsys_server server;
    netsys_server_config config;
    netsys_tls_config of_server, of_client;
    netsys_callbacks callbacks = {.struct_size = sizeof callbacks, .on_open = greet, .on_error = on_error};
    netsys_status alice, nobody, stranger;
    char greeting[300] = "", none[300] = "";
    uint16_t port;

    if (argc != 2) {
        fprintf(stderr, "usage: tls FOLDER\n");
        return 2;
    }
    must("make a context", netsys_context_create(NULL, &context));
    must("make a configuration", netsys_tls_config_init(&of_server, sizeof of_server));
    of_server.certificate_file = in_folder(argv[1], "server.pem", paths[0]);
    of_server.key_file = in_folder(argv[1], "server.key", paths[1]);
    of_server.ca_file = in_folder(argv[1], "ca.pem", paths[2]);
    of_server.client_certificate = NETSYS_CLIENT_CERTIFICATE_REQUIRED;
    must("make a configuration", netsys_server_config_init(&config, sizeof config));
    config.tls = &of_server;
    port = start_server(context, &config, &callbacks, &server);

    must("make a configuration", netsys_tls_config_init(&of_client, sizeof of_client));
    of_client.ca_file = of_server.ca_file;
    of_client.certificate_file = in_folder(argv[1], "alice.pem", paths[3]);
    of_client.key_file = in_folder(argv[1], "alice.key", paths[4]);
    alice = visit(context, port, &of_client, greeting);
    printf("Alice was told: %s\n", greeting);

    /* The files may have been replaced: connections to come get what is in them now. */
    must("read the certificates again", netsys_server_reload_tls(server, NULL));

    of_client.certificate_file = of_client.key_file = str("");
    nobody = visit(context, port, &of_client, none);
    printf("without a certificate: %s\n", netsys_status_name(nobody));

    of_client.ca_file = str(paths[3]); /* Alice issues no certificates */
    stranger = visit(context, port, &of_client, none);
    printf("with another issuer: %s\n", netsys_status_name(stranger));

    must("end the server", netsys_server_destroy(server));
    must("end the context", netsys_context_shutdown(context, 0));
    if (alice != NETSYS_OK || strcmp(greeting, "hello alice") != 0 || nobody != NETSYS_ERR_CERTIFICATE_REFUSED ||
        stranger != NETSYS_ERR_CERTIFICATE_UNTRUSTED) {
        fprintf(stderr, "tls: expected a greeting and two refusals\n");
        return EXIT_FAILURE;
    }
    printf("one was greeted by name, two came no further than TLS\n");
    return 0;
}
