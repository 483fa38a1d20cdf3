/* A host with the default SIGPIPE disposition writes, from its main thread and from callbacks, to peers that reset the
 * connection: the process survives, and neither the disposition nor the signal mask has changed. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include "hazard.h"

enum { ROUNDS = 100, CHUNK = 16 * 1024 };

static char chunk[CHUNK];

/* The session opened last, for the main thread. */
typedef struct peer {
    hazard_counter opened;
    hazard_counter closed;
    uint64_t session;
} peer;

static void write_some(netsys_session session) {
    int i;
    for (i = 0; i < 4; ++i) {
        netsys_session_send(session, NETSYS_MESSAGE_STREAM, chunk, sizeof chunk);
    }
}

static void on_open(void* userdata, netsys_session session) {
    peer* const self = (peer*)userdata;
    __atomic_store_n(&self->session, session.id, __ATOMIC_SEQ_CST);
    write_some(session);
    hazard_count(&self->opened);
}

static void on_message(void* userdata, netsys_session session, const netsys_message* message) {
    (void)userdata;
    (void)message;
    write_some(session);
}

static void on_writable(void* userdata, netsys_session session) {
    (void)userdata;
    write_some(session);
}

static void on_close(void* userdata, netsys_session session, const netsys_close_info* why) {
    (void)why;
    write_some(session);
    hazard_count(&((peer*)userdata)->closed);
}

static netsys_callbacks writing_callbacks(peer* userdata) {
    netsys_callbacks callbacks = hazard_callbacks(userdata);
    callbacks.on_open = on_open;
    callbacks.on_message = on_message;
    callbacks.on_writable = on_writable;
    callbacks.on_close = on_close;
    return callbacks;
}

static void reset_connection(int fd) {
    const struct linger reset = {1, 0};
    REQUIRE(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
    REQUIRE(close(fd) == 0);
}

/* Writes until the session is known to be dead, so that writes fall before, between and after the reset. */
static void write_until_closed(netsys_session session) {
    const uint64_t deadline = hazard_now_ns() + HAZARD_PATIENCE_S * (uint64_t)1000000000u;
    netsys_status status = NETSYS_OK;
    while (status != NETSYS_ERR_CONNECTION_CLOSED && status != NETSYS_ERR_SESSION_NOT_FOUND) {
        const netsys_bytes parts[2] = {{(const uint8_t*)chunk, 1}, {(const uint8_t*)chunk, CHUNK}};
        status = netsys_session_sendv(session, NETSYS_MESSAGE_STREAM, parts, 2);
        REQUIRE(status < 0 || status == NETSYS_OK);
        REQUIRE(hazard_now_ns() < deadline);
    }
}

static struct sockaddr_in loopback(uint16_t port) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

/* A server whose clients are plain sockets. */
static void server_survives(netsys_context context) {
    peer self = {HAZARD_COUNTER_INIT, HAZARD_COUNTER_INIT, 0};
    const netsys_callbacks callbacks = writing_callbacks(&self);
    uint16_t port;
    const netsys_server server = hazard_start_server(context, NETSYS_FRAMING_RAW, &callbacks, &port);
    const struct sockaddr_in address = loopback(port);
    unsigned long round;
    for (round = 1; round <= ROUNDS; ++round) {
        netsys_session session;
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        REQUIRE(fd >= 0);
        REQUIRE(connect(fd, (const struct sockaddr*)&address, sizeof address) == 0);
        REQUIRE(write(fd, "x", 1) == 1);
        REQUIRE(hazard_await(&self.opened, round));
        session.id = __atomic_load_n(&self.session, __ATOMIC_SEQ_CST);
        if (round % 2 == 0) {
            write_some(session);
        }
        reset_connection(fd);
        write_until_closed(session);
        REQUIRE(hazard_await(&self.closed, round));
    }
    REQUIRE_OK(netsys_server_destroy(server));
}

/* Clients whose server is a plain socket. */
static void client_survives(netsys_context context) {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    int round;
    REQUIRE(bind(listener, (const struct sockaddr*)&address, sizeof address) == 0);
    REQUIRE(getsockname(listener, (struct sockaddr*)&address, &length) == 0);
    REQUIRE(listen(listener, 16) == 0);
    for (round = 0; round < ROUNDS; ++round) {
        peer self = {HAZARD_COUNTER_INIT, HAZARD_COUNTER_INIT, 0};
        const netsys_callbacks callbacks = writing_callbacks(&self);
        const netsys_client client =
            hazard_start_client(context, NETSYS_FRAMING_RAW, ntohs(address.sin_port), &callbacks);
        netsys_session session;
        const int fd = accept(listener, NULL, NULL);
        REQUIRE(fd >= 0);
        REQUIRE(hazard_await(&self.opened, 1));
        session.id = __atomic_load_n(&self.session, __ATOMIC_SEQ_CST);
        reset_connection(fd);
        write_until_closed(session);
        REQUIRE(hazard_await(&self.closed, 1));
        REQUIRE_OK(netsys_client_destroy(client));
    }
    close(listener);
}

/* A framed peer that aborts. */
static void framed_server_survives(netsys_context context) {
    peer self = {HAZARD_COUNTER_INIT, HAZARD_COUNTER_INIT, 0};
    const netsys_callbacks callbacks = writing_callbacks(&self);
    const netsys_callbacks silent = hazard_callbacks(NULL);
    uint16_t port;
    const netsys_server server = hazard_start_server(context, NETSYS_FRAMING_FRAMED, &callbacks, &port);
    unsigned long round;
    for (round = 1; round <= ROUNDS; ++round) {
        const netsys_client client = hazard_start_client(context, NETSYS_FRAMING_FRAMED, port, &silent);
        netsys_session session;
        REQUIRE(hazard_await(&self.opened, round));
        session.id = __atomic_load_n(&self.session, __ATOMIC_SEQ_CST);
        REQUIRE_OK(netsys_session_abort(hazard_connected(client)));
        write_until_closed(session);
        REQUIRE(hazard_await(&self.closed, round));
        REQUIRE_OK(netsys_client_destroy(client));
    }
    REQUIRE_OK(netsys_server_destroy(server));
}

int main(void) {
    struct sigaction action;
    sigset_t mask;
    netsys_context context;

    REQUIRE(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    sigemptyset(&mask);
    sigaddset(&mask, SIGPIPE);
    REQUIRE(pthread_sigmask(SIG_UNBLOCK, &mask, NULL) == 0);

    REQUIRE_OK(netsys_context_create(NULL, &context));
    server_survives(context);
    client_survives(context);
    framed_server_survives(context);
    REQUIRE_OK(netsys_context_shutdown(context, NETSYS_INFINITE));

    REQUIRE(sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
    REQUIRE(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0 && !sigismember(&mask, SIGPIPE));
    REQUIRE(sigpending(&mask) == 0 && !sigismember(&mask, SIGPIPE));
    printf("survived %d resets\n", 3 * ROUNDS);
    return 0;
}
