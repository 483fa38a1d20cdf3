/* What the short examples share: they end at the first call that fails, since there is nothing for them to do then. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <network_system.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline netsys_str str(const char* text) {
    netsys_str view = {text, strlen(text)};
    return view;
}

/* Prints why and ends the program unless the call has succeeded. */
static inline void must(const char* what, netsys_status status) {
    netsys_error_info info = {.struct_size = sizeof info};
    const char* detail = netsys_status_message(status);

    if (status == NETSYS_OK) {
        return;
    }
    if (netsys_last_error(&info) == NETSYS_OK && info.status == status && info.message[0] != '\0') {
        detail = info.message;
    }
    fprintf(stderr, "%s: %s (%s)\n", what, detail, netsys_status_name(status));
    exit(EXIT_FAILURE);
}

/* A server on a free port of this host, which it gives back. */
static inline uint16_t start_server(netsys_context context, netsys_server_config* config,
                                    const netsys_callbacks* callbacks, netsys_server* server) {
    uint16_t port = 0;

    config->host = str("127.0.0.1");
    must("start the server", netsys_server_start(context, config, callbacks, server));
    must("ask for the port", netsys_server_port(*server, &port));
    return port;
}

/* A client of that server. */
static inline void start_client(netsys_context context, uint16_t port, uint32_t dispatch,
                                const netsys_callbacks* callbacks, netsys_client* client) {
    netsys_client_config config;

    must("make a configuration", netsys_client_config_init(&config, sizeof config));
    config.host = str("127.0.0.1");
    config.port = port;
    config.framing = NETSYS_FRAMING_FRAMED;
    config.dispatch = dispatch;
    must("start a client", netsys_client_start(context, &config, callbacks, client));
}

/* Sends a text on the connection of a client. */
static inline void send_text(netsys_client client, const char* text) {
    netsys_session session;

    must("find the session", netsys_client_session(client, &session));
    must("send", netsys_session_send(session, NETSYS_MESSAGE_TEXT, text, strlen(text)));
}

#endif
