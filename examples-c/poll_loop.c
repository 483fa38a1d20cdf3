/* A program with a loop of its own: poll() waits for the network and for the program's other descriptors at once.
 *
 *   poll_loop <INPUT >OUTPUT        as tr a-z A-Z
 *
 * A client sends what comes on the standard input to a server, which answers in capitals; both live in this process.
 * Their dispatch is NETSYS_DISPATCH_MANUAL: callbacks run in netsys_context_poll, on the thread that calls it, and
 * nowhere else. So nothing in this program is locked, although two connections are at work.
 */
#define _POSIX_C_SOURCE 200809L

#include <ctype.h>
#include <errno.h>
#include <network_system.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

#include "example.h"

/* What the client may have asked without an answer: as long as that much is under way, no input is read. */
enum { window = 64 };

struct program {
    pthread_t main_thread;
    unsigned long callbacks, elsewhere; /* how many ran, and how many of these on another thread */
    unsigned long asked, answered;
    netsys_session connection;
    bool connected, ended, failed;
};

static struct program* note(void* userdata) {
    struct program* program = userdata;

    program->callbacks++;
    program->elsewhere += !pthread_equal(pthread_self(), program->main_thread);
    return program;
}

/* The server. */
static void on_question(void* userdata, netsys_session session, const netsys_message* message) {
    const unsigned char* bytes = message->data;
    char* capitals = malloc(message->len);

    note(userdata);
    if (capitals == NULL) {
        netsys_session_close(session, NETSYS_ERR_OUT_OF_MEMORY, str("out of memory"));
        return;
    }
    for (size_t i = 0; i < message->len; i++) {
        capitals[i] = (char)toupper(bytes[i]);
    }
    netsys_session_send(session, message->kind, capitals, message->len);
    free(capitals);
}

/* The client. */
static void on_connected(void* userdata, netsys_session session) {
    struct program* program = note(userdata);

    program->connection = session;
    program->connected = true;
}

static void on_answer(void* userdata, netsys_session session, const netsys_message* message) {
    struct program* program = note(userdata);

    (void)session;
    program->answered++;
    program->failed = program->failed || fwrite(message->data, 1, message->len, stdout) != message->len;
}

static void on_client_stopped(void* userdata) {
    note(userdata)->failed = true; /* not before the end, which is when nobody looks any more */
}

/* Something to read, or the end of it. */
static void on_input(struct program* program) {
    char bytes[4096];
    const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);

    if (count > 0) {
        must("send", netsys_session_send(program->connection, NETSYS_MESSAGE_BINARY, bytes, (size_t)count));
        program->asked++;
    } else if (count == 0 || errno != EINTR) {
        program->ended = true;
        program->failed = program->failed || count < 0;
    }
}

static void run(struct program* program, netsys_context context) {
    int32_t descriptor = -1;

    must("ask for the descriptor", netsys_context_poll_descriptor(context, &descriptor));
    while (!program->failed && !(program->ended && program->answered == program->asked)) {
        const bool wants_input = program->connected && !program->ended && program->asked - program->answered < window;
        struct pollfd awaited[] = {
            {.fd = descriptor, .events = POLLIN},
            {.fd = wants_input ? STDIN_FILENO : -1, .events = POLLIN}, /* poll() skips what is negative */
        };
        if (poll(awaited, 2, -1) < 0 && errno != EINTR) {
            program->failed = true;
        }
        if (awaited[0].revents != 0) {
            must("run the callbacks", netsys_context_poll(context, 0, NULL));
        }
        if (awaited[1].revents != 0) {
            on_input(program);
        }
    }
}

int main(void) {
    struct program program = {.main_thread = pthread_self()};
    const netsys_callbacks of_server = {
        .struct_size = sizeof of_server, .userdata = &program, .on_message = on_question};
    const netsys_callbacks of_client = {.struct_size = sizeof of_client,
                                        .userdata = &program,
                                        .on_open = on_connected,
                                        .on_message = on_answer,
                                        .on_stopped = on_client_stopped};
    netsys_context context;
    netsys_server_config config;
    netsys_server server;
    netsys_client client;

    must("create a context", netsys_context_create(NULL, &context));
    must("make a configuration", netsys_server_config_init(&config, sizeof config));
    config.dispatch = NETSYS_DISPATCH_MANUAL;
    const uint16_t port = start_server(context, &config, &of_server, &server);
    start_client(context, port, NETSYS_DISPATCH_MANUAL, &of_client, &client);

    run(&program, context);
    const bool good = !program.failed && fflush(stdout) == 0;

    /* What waits for a server or client runs its last callbacks, here on main's thread too. */
    netsys_client_destroy(client);
    netsys_server_destroy(server);
    netsys_context_shutdown(context, NETSYS_INFINITE);
    fprintf(stderr, "%lu messages, %lu callbacks, %lu of them not on main's thread\n", program.answered,
            program.callbacks, program.elsewhere);
    return good && program.elsewhere == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
