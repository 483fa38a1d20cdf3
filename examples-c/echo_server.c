/* An echo server on the C ABI: every message goes back to the peer that sent it, whole and in order.
 *
 *   echo_server [PORT]        PORT 0 or absent: a free one; prints "listening on <port>"; ends on SIGINT or SIGTERM
 *
 * One port serves framed clients (messages) and raw TCP peers (a byte stream, try `nc 127.0.0.1 PORT`): the framing
 * of a server is NETSYS_FRAMING_AUTO unless configured.
 *
 * The part worth reading is the back-pressure. A peer that sends without reading its echoes fills its outgoing queue,
 * and netsys_session_send answers NETSYS_ERR_WOULD_BLOCK. The server then keeps that one message, stops reading from
 * that peer, and goes on when on_writable tells that the queue has room again. Its memory stays bounded, nothing is
 * lost, and no other peer notices.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <inttypes.h>
#include <network_system.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The echo that did not fit into the queue; hangs on its session as the session's userdata. */
struct held_echo {
    uint32_t kind;
    size_t len;
    unsigned char data[];
};

/* Every handler runs on the server's loop, one at a time, so plain counters do. */
struct totals {
    uint64_t sessions;
    uint64_t messages;
    uint64_t bytes;
};

static void print_failure(const char* what, netsys_status status) {
    netsys_error_info info = {.struct_size = sizeof info};
    const char* detail = netsys_status_message(status);

    if (netsys_last_error(&info) == NETSYS_OK && info.status == status && info.message[0] != '\0') {
        detail = info.message;
    }
    fprintf(stderr, "echo_server: %s: %s (%s)\n", what, detail, netsys_status_name(status));
}

static netsys_str str(const char* text) {
    netsys_str view = {text, strlen(text)};
    return view;
}

static void hold_echo(netsys_session session, const netsys_message* message) {
    struct held_echo* echo = malloc(sizeof *echo + message->len);

    if (echo == NULL) {
        netsys_session_close(session, NETSYS_ERR_OUT_OF_MEMORY, str("out of memory"));
        return;
    }
    echo->kind = message->kind;
    echo->len = message->len;
    if (message->len > 0) {
        memcpy(echo->data, message->data, message->len);
    }
    /* The session frees the copy with free() when it ends, should that be before it was sent. */
    if (netsys_session_set_userdata(session, echo, free) != NETSYS_OK) {
        free(echo);
        netsys_session_close(session, NETSYS_ERR_INTERNAL, str("cannot hold the echo"));
        return;
    }
    /* No message of this session is delivered until it is resumed: one copy is all there can ever be. */
    netsys_session_pause(session, true);
}

static void on_open(void* userdata, netsys_session session) {
    struct totals* totals = userdata;

    (void)session;
    totals->sessions++;
}

static void on_message(void* userdata, netsys_session session, const netsys_message* message) {
    struct totals* totals = userdata;
    netsys_status status = netsys_session_send(session, message->kind, message->data, message->len);

    totals->messages++;
    totals->bytes += message->len;
    if (status == NETSYS_ERR_WOULD_BLOCK) {
        hold_echo(session, message);
    } else if (status != NETSYS_OK && status != NETSYS_ERR_CONNECTION_CLOSED) {
        print_failure("echo", status);
        netsys_session_close(session, status, str("cannot echo"));
    }
}

static void on_writable(void* userdata, netsys_session session) {
    void* held = NULL;

    (void)userdata;
    if (netsys_session_userdata(session, &held) != NETSYS_OK || held == NULL) {
        return;
    }
    const struct held_echo* echo = held;
    if (netsys_session_send(session, echo->kind, echo->data, echo->len) == NETSYS_ERR_WOULD_BLOCK) {
        return; /* another on_writable will follow */
    }
    netsys_session_set_userdata(session, NULL, NULL); /* frees the copy */
    netsys_session_pause(session, false);
}

static void on_close(void* userdata, netsys_session session, const netsys_close_info* why) {
    (void)userdata;
    (void)session;
    if (why->reason != NETSYS_OK) {
        fprintf(stderr, "echo_server: a session ended: %s\n", netsys_status_message(why->reason));
    }
}

static void on_error(void* userdata, netsys_session session, const netsys_error_info* error) {
    (void)userdata;
    (void)session;
    fprintf(stderr, "echo_server: %s\n", error->message);
}

static int parse_port(const char* text, uint16_t* port) {
    char* end = NULL;

    errno = 0;
    const unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value > UINT16_MAX) {
        return -1;
    }
    *port = (uint16_t)value;
    return 0;
}

int main(int argc, char** argv) {
    int exit_code = EXIT_FAILURE;
    uint16_t port = 0;
    netsys_status status;

    if (argc > 2 || (argc == 2 && parse_port(argv[1], &port) != 0)) {
        fprintf(stderr, "usage: %s [PORT]\n", argv[0]);
        return EXIT_FAILURE;
    }

    /* Blocked before the library starts threads, which inherit the mask: sigwait below is then the only receiver. */
    sigset_t stop_signals;
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGINT);
    sigaddset(&stop_signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop_signals, NULL);

    status = netsys_check_version(NETSYS_VERSION_NUMBER);
    if (status != NETSYS_OK) {
        print_failure("header and library do not match", status);
        return EXIT_FAILURE;
    }

    netsys_context context;
    status = netsys_context_create(NULL, &context);
    if (status != NETSYS_OK) {
        print_failure("create a context", status);
        return EXIT_FAILURE;
    }

    struct totals totals = {0, 0, 0};
    netsys_callbacks callbacks = {.struct_size = sizeof callbacks,
                                  .userdata = &totals,
                                  .on_open = on_open,
                                  .on_message = on_message,
                                  .on_writable = on_writable,
                                  .on_close = on_close,
                                  .on_error = on_error};
    netsys_server_config config;
    netsys_server_config_init(&config, sizeof config);
    config.server_id = str("echo");
    config.port = port;

    netsys_server server;
    status = netsys_server_start(context, &config, &callbacks, &server);
    if (status != NETSYS_OK) {
        print_failure("start the server", status);
        goto shutdown_context;
    }

    status = netsys_server_port(server, &port);
    if (status != NETSYS_OK) {
        print_failure("ask for the port", status);
        goto destroy_server;
    }
    printf("listening on %u\n", (unsigned)port);
    fflush(stdout);

    int received = 0;
    sigwait(&stop_signals, &received);
    exit_code = EXIT_SUCCESS;

destroy_server:
    /* Delivers what is queued, ends every session, and waits: no callback uses `totals` after it. */
    netsys_server_destroy(server);
    printf("echoed %" PRIu64 " messages, %" PRIu64 " bytes, %" PRIu64 " sessions\n", totals.messages, totals.bytes,
           totals.sessions);
shutdown_context:
    netsys_context_shutdown(context, NETSYS_INFINITE);
    return exit_code;
}
