/* An echo client on the C ABI: sends numbered messages and checks that each comes back as it was, in order.
 *
 *   echo_client HOST PORT [COUNT [SIZE]]     COUNT messages (default 1000) of SIZE bytes (default 64)
 *
 * The main thread sends; the client's loop thread receives and checks. When the outgoing queue is full, a send of
 * policy NETSYS_SEND_WAIT waits for room, so the main thread is as fast as the network and no faster.
 */
#include <errno.h>
#include <inttypes.h>
#include <network_system.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { max_size = 1024 * 1024 };

/* Belongs to the loop thread while the client runs, and to main again when netsys_client_destroy has returned. */
struct receiver {
    netsys_client client;
    uint64_t expected;
    uint64_t received;
    uint64_t bytes;
    uint64_t wrong;
    size_t size;
    unsigned char* scratch;
};

static void print_failure(const char* what, netsys_status status) {
    netsys_error_info info = {.struct_size = sizeof info};
    const char* detail = netsys_status_message(status);

    if (netsys_last_error(&info) == NETSYS_OK && info.status == status && info.message[0] != '\0') {
        detail = info.message;
    }
    fprintf(stderr, "echo_client: %s: %s (%s)\n", what, detail, netsys_status_name(status));
}

static netsys_str str(const char* text) {
    netsys_str view = {text, strlen(text)};
    return view;
}

/* Message number `sequence` is a fixed pattern, so that a lost, doubled or swapped one can't go unnoticed. */
static void fill(unsigned char* data, size_t size, uint64_t sequence) {
    uint64_t state = (sequence + 1) * UINT64_C(0x9E3779B97F4A7C15);

    for (size_t i = 0; i < size; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        data[i] = (unsigned char)(state >> 56);
    }
}

static void on_message(void* userdata, netsys_session session, const netsys_message* message) {
    struct receiver* receiver = userdata;

    (void)session;
    fill(receiver->scratch, receiver->size, receiver->received);
    if (message->kind != NETSYS_MESSAGE_BINARY || message->len != receiver->size ||
        memcmp(message->data, receiver->scratch, receiver->size) != 0) {
        receiver->wrong++;
    }
    receiver->received++;
    receiver->bytes += message->len;
    if (receiver->received == receiver->expected) {
        netsys_session_close(session, NETSYS_OK, str("done")); /* main waits for the end that this begins */
    }
}

static void on_close(void* userdata, netsys_session session, const netsys_close_info* why) {
    (void)userdata;
    (void)session;
    if (why->reason != NETSYS_OK) {
        fprintf(stderr, "echo_client: the connection ended: %s\n", netsys_status_message(why->reason));
    }
}

static int parse_number(const char* text, uint64_t least, uint64_t most, uint64_t* out) {
    char* end = NULL;

    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || value < least || value > most) {
        return -1;
    }
    *out = value;
    return 0;
}

/* Sends all messages from this thread. Returns how many were accepted. */
static uint64_t send_all(netsys_client client, uint64_t count, size_t size, unsigned char* buffer) {
    netsys_session session;
    netsys_status status = netsys_client_session(client, &session);
    uint64_t sent = 0;

    while (status == NETSYS_OK && sent < count) {
        fill(buffer, size, sent);
        status = netsys_session_send(session, NETSYS_MESSAGE_BINARY, buffer, size);
        if (status == NETSYS_OK) {
            sent++;
        }
    }
    if (status != NETSYS_OK) {
        print_failure("send", status);
    }
    return sent;
}

int main(int argc, char** argv) {
    int exit_code = EXIT_FAILURE;
    uint64_t port = 0;
    uint64_t count = 1000;
    uint64_t size = 64;
    netsys_status status;

    if (argc < 3 || argc > 5 || parse_number(argv[2], 1, UINT16_MAX, &port) != 0 ||
        (argc > 3 && parse_number(argv[3], 1, UINT64_MAX, &count) != 0) ||
        (argc > 4 && parse_number(argv[4], 0, max_size, &size) != 0)) {
        fprintf(stderr, "usage: %s HOST PORT [COUNT [SIZE]]\n", argv[0]);
        return EXIT_FAILURE;
    }

    struct receiver receiver = {.expected = count, .size = (size_t)size};
    unsigned char* buffer = malloc((size_t)size + 1); /* + 1: malloc(0) may be NULL */
    receiver.scratch = malloc((size_t)size + 1);
    netsys_context context;
    if (buffer == NULL || receiver.scratch == NULL) {
        fprintf(stderr, "echo_client: out of memory\n");
        goto free_buffers;
    }

    status = netsys_context_create(NULL, &context);
    if (status != NETSYS_OK) {
        print_failure("create a context", status);
        goto free_buffers;
    }

    netsys_callbacks callbacks = {
        .struct_size = sizeof callbacks, .userdata = &receiver, .on_message = on_message, .on_close = on_close};
    netsys_client_config config;
    netsys_client_config_init(&config, sizeof config);
    config.framing = NETSYS_FRAMING_FRAMED;
    config.client_id = str("echo-client");
    config.host = str(argv[1]);
    config.port = (uint16_t)port;
    config.send_policy = NETSYS_SEND_WAIT;

    status = netsys_client_start(context, &config, &callbacks, &receiver.client);
    if (status != NETSYS_OK) {
        print_failure("start the client", status);
        goto shutdown_context;
    }
    status = netsys_client_wait_connected(receiver.client, NETSYS_INFINITE); /* bounded by the connect timeout */
    if (status != NETSYS_OK) {
        print_failure("connect", status);
        goto destroy_client;
    }

    if (send_all(receiver.client, count, receiver.size, buffer) == count) {
        status = netsys_client_wait(receiver.client, NETSYS_INFINITE); /* until closed by on_message, or by the peer */
        if (status != NETSYS_OK) {
            print_failure("wait for the echoes", status);
        }
    }

destroy_client:
    netsys_client_destroy(receiver.client);
    printf("%" PRIu64 " of %" PRIu64 " echoes, %" PRIu64 " wrong, %" PRIu64 " bytes\n", receiver.received, count,
           receiver.wrong, receiver.bytes);
    if (receiver.received == count && receiver.wrong == 0) {
        exit_code = EXIT_SUCCESS;
    }
shutdown_context:
    netsys_context_shutdown(context, NETSYS_INFINITE);
free_buffers:
    free(receiver.scratch);
    free(buffer);
    return exit_code;
}
