/* The C side of the interop tests: an echo server or a client, led by lines on its standard input, that prints each
 * event as a line.
 *
 *   c_peer server PORT [OPTION=VALUE]...     c_peer client PORT [OPTION=VALUE]...
 *
 * Commands: "text CHARACTERS", "close CODE REASON", "abort"; for a server "reload"; the end of the input stops the
 * peer. The options certificate, key, ca and crl name files of PEM; with a certificate or ca the peer speaks TLS. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network_system.h"

/* Longer than any test waits: a close that only this deadline brings to its end is noticed. */
#define DRAIN_MS 60000

static netsys_str view(const char* text) {
    netsys_str result = {text, strlen(text)};
    return result;
}

static void check(netsys_status status, const char* what) {
    if (status != NETSYS_OK) {
        netsys_error_info error = {0};
        error.struct_size = sizeof error;
        netsys_last_error(&error);
        printf("failed %s status=%" PRId32 " message=%s\n", what, status, error.message);
        exit(1);
    }
}

/* What was agreed on, before the line that the session is open; nothing for one that is not encrypted. */
static void print_tls(netsys_session session) {
    netsys_tls_info info = {0};
    char texts[7][256];
    uint32_t what;
    netsys_status status;
    info.struct_size = sizeof info;
    status = netsys_session_tls_info(session, &info);
    if (status == NETSYS_ERR_NOT_FOUND) {
        return;
    }
    check(status, "tls_info");
    for (what = NETSYS_TLS_TEXT_VERSION; what <= NETSYS_TLS_TEXT_PEER_FINGERPRINT; ++what) {
        check(netsys_session_tls_text(session, what, texts[what - 1], sizeof texts[0], NULL), "tls_text");
    }
    printf("tls resumed=%" PRIu32 " verified=%" PRIu32 " version=%s suite=%s alpn=%s sni=%s cn=%s san=%s sha256=%s\n",
           info.resumed, info.peer_verified, texts[0], texts[1], texts[2], texts[3], texts[4], texts[5], texts[6]);
}

static void on_open(void* userdata, netsys_session session) {
    char client[256], server[256];
    uint32_t framing = 0;
    (void)userdata;
    check(netsys_session_client_id(session, client, sizeof client, NULL), "client_id");
    check(netsys_session_server_id(session, server, sizeof server, NULL), "server_id");
    check(netsys_session_framing(session, &framing), "framing");
    print_tls(session);
    printf("open framing=%" PRIu32 " client=%s server=%s\n", framing, client, server);
}

static void echo(void* userdata, netsys_session session, const netsys_message* message) {
    netsys_status status = netsys_session_send(session, message->kind, message->data, message->len);
    (void)userdata;
    if (status != NETSYS_OK) {
        printf("not echoed status=%" PRId32 "\n", status);
    }
}

static void print(void* userdata, netsys_session session, const netsys_message* message) {
    (void)userdata;
    (void)session;
    printf("message kind=%" PRIu32 " len=%zu data=%.*s\n", message->kind, message->len,
           (int)(message->len < 64 ? message->len : 64), (const char*)message->data);
}

static void on_close(void* userdata, netsys_session session, const netsys_close_info* why) {
    (void)userdata;
    (void)session;
    printf("close reason=%" PRId32 " by_peer=%" PRIu32 " accepted=%" PRIu64 " undelivered=%" PRIu64
           " discarded=%" PRIu64 " exact=%" PRIu32 " text=%.*s\n",
           why->reason, why->by_peer, why->accepted, why->undelivered, why->discarded, why->exact, (int)why->text.len,
           why->text.data);
}

static void on_end(void* userdata, netsys_session session, const netsys_close_info* why) {
    (void)userdata;
    (void)session;
    printf("end reason=%" PRId32 " text=%.*s\n", why->reason, (int)why->text.len, why->text.data);
}

static void on_error(void* userdata, netsys_session session, const netsys_error_info* error) {
    (void)userdata;
    (void)session;
    printf("error status=%" PRId32 " message=%s\n", error->status, error->message);
}

static void on_stopped(void* userdata) {
    (void)userdata;
    printf("stopped\n");
}

static netsys_callbacks callbacks(void (*on_message)(void*, netsys_session, const netsys_message*)) {
    netsys_callbacks table = {0};
    table.struct_size = sizeof table;
    table.on_open = on_open;
    table.on_message = on_message;
    table.on_close = on_close;
    table.on_end = on_end;
    table.on_error = on_error;
    table.on_stopped = on_stopped;
    return table;
}

/* The number of an option on the command line, or 0, the library's default. */
static uint32_t option(char** arguments, const char* name) {
    size_t length = strlen(name);
    for (; *arguments != NULL; ++arguments) {
        if (strncmp(*arguments, name, length) == 0 && (*arguments)[length] == '=') {
            return (uint32_t)strtoul(*arguments + length + 1, NULL, 10);
        }
    }
    return 0;
}

/* The text of an option on the command line, or an empty one. */
static netsys_str text_option(char** arguments, const char* name) {
    size_t length = strlen(name);
    for (; *arguments != NULL; ++arguments) {
        if (strncmp(*arguments, name, length) == 0 && (*arguments)[length] == '=') {
            return view(*arguments + length + 1);
        }
    }
    return view("");
}

/* Fills in the configuration of TLS; NULL if the command line has none. */
static const netsys_tls_config* tls_options(char** arguments, netsys_tls_config* tls) {
    check(netsys_tls_config_init(tls, sizeof *tls), "tls_config_init");
    tls->certificate_file = text_option(arguments, "certificate");
    tls->key_file = text_option(arguments, "key");
    tls->ca_file = text_option(arguments, "ca");
    tls->crl_file = text_option(arguments, "crl");
    tls->server_name = text_option(arguments, "server_name");
    tls->alpn = text_option(arguments, "alpn");
    tls->min_version = option(arguments, "min_version");
    tls->client_certificate = option(arguments, "client_certificate");
    tls->flags = option(arguments, "tls_flags");
    if (option(arguments, "take_anybody") != 0) {
        tls->dangerously_disable_verification = NETSYS_TLS_DANGEROUSLY_DISABLE_VERIFICATION;
    } else if (tls->certificate_file.len == 0 && tls->ca_file.len == 0) {
        return NULL;
    }
    return tls;
}

/* Obeys one command for one session. A session that has ended meanwhile is no fault. */
static void obey(netsys_session session, const char* line) {
    if (strncmp(line, "text ", 5) == 0) {
        check(netsys_session_send(session, NETSYS_MESSAGE_TEXT, line + 5, strlen(line + 5)), "send");
    } else if (strncmp(line, "close ", 6) == 0) {
        char* reason = NULL;
        netsys_status code = (netsys_status)strtol(line + 6, &reason, 10);
        check(netsys_session_close(session, code, view(reason + (*reason == ' '))), "close");
    } else if (strcmp(line, "abort") == 0) {
        check(netsys_session_abort(session), "abort");
    } else {
        printf("failed command: %s\n", line);
        exit(1);
    }
}

static int next_line(char* line, size_t size) {
    if (fgets(line, (int)size, stdin) == NULL) {
        return 0;
    }
    line[strcspn(line, "\n")] = '\0';
    return 1;
}

static void run_server(netsys_context context, uint16_t port, char** arguments) {
    netsys_callbacks table = callbacks(echo);
    netsys_server_config config;
    netsys_tls_config tls;
    netsys_server server;
    char line[1024];
    check(netsys_server_config_init(&config, sizeof config), "server_config_init");
    config.server_id = view("c-server");
    config.host = view("127.0.0.1");
    config.port = port;
    config.framing = option(arguments, "framing");
    config.max_connections = option(arguments, "max_connections");
    config.max_message_bytes = option(arguments, "max_message_bytes");
    config.heartbeat_ms = option(arguments, "heartbeat_ms");
    config.handshake_timeout_ms = option(arguments, "handshake_timeout_ms");
    config.idle_timeout_ms = option(arguments, "idle_timeout_ms");
    config.compression = option(arguments, "compression");
    config.drain_ms = DRAIN_MS;
    config.send_policy = NETSYS_SEND_WAIT;
    config.tls = tls_options(arguments, &tls);
    check(netsys_server_start(context, &config, &table, &server), "server_start");
    check(netsys_server_port(server, &port), "server_port");
    printf("listening %" PRIu16 "\n", port);
    while (next_line(line, sizeof line)) {
        netsys_session sessions[16];
        size_t count = 0;
        if (strcmp(line, "reload") == 0) {
            check(netsys_server_reload_tls(server, NULL), "reload_tls");
            printf("reloaded\n");
            continue;
        }
        check(netsys_server_sessions(server, sessions, 16, &count), "server_sessions");
        for (size_t i = 0; i < count; ++i) {
            obey(sessions[i], line);
        }
    }
    check(netsys_server_destroy(server), "server_destroy");
}

static void run_client(netsys_context context, uint16_t port, char** arguments) {
    netsys_callbacks table = callbacks(print);
    netsys_client_config config;
    netsys_tls_config tls;
    netsys_client client;
    char line[1024];
    check(netsys_client_config_init(&config, sizeof config), "client_config_init");
    config.client_id = view("c-client");
    config.host = view("127.0.0.1");
    config.port = port;
    config.framing = option(arguments, "framing");
    if (config.framing == NETSYS_FRAMING_AUTO) {
        config.framing = NETSYS_FRAMING_FRAMED;
    }
    config.tls = tls_options(arguments, &tls);
    config.connect_timeout_ms = option(arguments, "connect_timeout_ms");
    config.compression = option(arguments, "compression");
    config.max_message_bytes = option(arguments, "max_message_bytes");
    config.heartbeat_ms = option(arguments, "heartbeat_ms");
    config.drain_ms = DRAIN_MS;
    check(netsys_client_start(context, &config, &table, &client), "client_start");
    while (next_line(line, sizeof line)) {
        netsys_session session;
        check(netsys_client_session(client, &session), "client_session");
        obey(session, line);
    }
    check(netsys_client_destroy(client), "client_destroy");
}

int main(int argc, char** argv) {
    netsys_context context;
    if (argc < 3) {
        fprintf(stderr, "usage: c_peer server|client PORT [OPTION=VALUE]...\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    check(netsys_context_create(NULL, &context), "context_create");
    if (strcmp(argv[1], "server") == 0) {
        run_server(context, (uint16_t)atoi(argv[2]), argv + 3);
    } else {
        run_client(context, (uint16_t)atoi(argv[2]), argv + 3);
    }
    check(netsys_context_shutdown(context, 0), "context_shutdown");
    return 0;
}
