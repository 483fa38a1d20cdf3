/* ZeroMQ (libzmq): one thread of the program on each side, beside the library's own thread for the network.
 *
 *   pingpong, stream   PAIR and PAIR
 *   echo               ROUTER, and a DEALER for each connection
 *   broadcast          XPUB, and an XSUB for each connection: a PUB would not tell when all have subscribed, and a SUB
 *                      could not send the message that is broadcast. XPUB takes what begins with 0 or 1 for
 *                      subscriptions, so a message to it has a byte in front that is neither.
 *
 * A PAIR or DEALER has said an empty message, and got one back, before it counts as open: zmq_connect does not wait.
 * Nothing is dropped: a PAIR waits when its queue has 1 MiB, the other sockets have no limit (the window is theirs).
 *
 * A thread that has one socket waits in zmq_msg_recv; one that has many waits with epoll for ZMQ_FD, since zmq_poll
 * asks every socket every time. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <zmq.h>

#include "workload.h"

#define LISTEN_BACKLOG 4096
#define MAX_EVENTS 256
#define QUEUE_BYTES (1024u * 1024u)
#define SUBSCRIBE_TO_ALL "\x01"
#define NOT_A_SUBSCRIPTION 'm'

struct connection {
    struct workload_peer peer; /* first: a peer is its connection */
    void* socket;
};

static void* context;
static bool done;
static zmq_msg_t incoming;  /* what is being handled; always initialised */
static zmq_msg_t from_whom; /* ROUTER: who sent it */

static void require(bool succeeded, const char* what) {
    if (succeeded) return;
    fprintf(stderr, "bench: %s: %s\n", what, zmq_strerror(zmq_errno()));
    exit(2);
}

static bool is_routed(void) {
    return work.options.server && work.options.work == WORK_ECHO;
}

static bool transport_send(struct workload_peer* peer, const uint8_t* data, size_t len) {
    void* socket = ((struct connection*)peer)->socket;
    if (is_routed()) require(zmq_msg_send(&from_whom, socket, ZMQ_SNDMORE) >= 0, "send");
    if (work.options.work == WORK_BROADCAST && !work.options.server) {
        static uint8_t upstream[1 + BENCH_MAX_SIZE] = {NOT_A_SUBSCRIPTION};
        memcpy(upstream + 1, data, len);
        require(zmq_send(socket, upstream, 1 + len, 0) >= 0, "send");
    } else if (data == zmq_msg_data(&incoming)) {
        require(zmq_msg_send(&incoming, socket, 0) >= 0, "send"); /* goes back as it came: no copy */
    } else {
        require(zmq_send(socket, data, len, 0) >= 0, "send");
    }
    return true;
}

static struct connection server; /* its socket has all connections */

static size_t transport_broadcast(const uint8_t* data, size_t len) {
    transport_send(&server.peer, data, len);
    return work.ready; /* XPUB gives it to all that have subscribed */
}

static void transport_finished(void) {
    done = true;
}

/* False: there is no more, or with `flags` 0 the context has been shut down. */
static bool receive(void* socket, zmq_msg_t* message, int flags) {
    if (zmq_msg_recv(message, socket, flags) >= 0) return true;
    require(zmq_errno() == EAGAIN || zmq_errno() == ETERM, "receive");
    return false;
}

static void handle_server_message(void) {
    const uint8_t* data = zmq_msg_data(&incoming);
    size_t len = zmq_msg_size(&incoming);
    if (work.options.work == WORK_BROADCAST) {
        if (len == strlen(SUBSCRIBE_TO_ALL)) {
            workload_opened(&server.peer);
        } else {
            workload_data(&server.peer, data + 1, len - 1);
        }
    } else if (len == 0) {
        workload_opened(&server.peer);
        transport_send(&server.peer, data, len);
    } else {
        workload_data(&server.peer, data, len);
    }
}

static void handle_client_message(struct connection* connection) {
    size_t len = zmq_msg_size(&incoming);
    if (len == 0) {
        workload_opened(&connection->peer);
    } else {
        workload_data(&connection->peer, zmq_msg_data(&incoming), len);
    }
}

/* The runner closes our standard input when the client has ended. */
static void* wait_for_end(void* unused) {
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) continue;
    zmq_ctx_shutdown(context); /* receive() fails */
    return unused;
}

static void set(void* socket, int option, int value) {
    require(zmq_setsockopt(socket, option, &value, sizeof value) == 0, "option");
}

static void* open_socket(int type) {
    void* socket = zmq_socket(context, type);
    require(socket != NULL, "socket");
    set(socket, ZMQ_LINGER, 0);
    int limit = type == ZMQ_PAIR ? (int)(QUEUE_BYTES / work.options.size) : 0;
    set(socket, ZMQ_SNDHWM, limit);
    set(socket, ZMQ_RCVHWM, limit);
    return socket;
}

static void serve(void) {
    switch (work.options.work) {
        case WORK_ECHO:
            server.socket = open_socket(ZMQ_ROUTER);
            set(server.socket, ZMQ_ROUTER_MANDATORY, 1); /* a reply to nobody is an error */
            break;
        case WORK_BROADCAST:
            server.socket = open_socket(ZMQ_XPUB);
            set(server.socket, ZMQ_XPUB_VERBOSE, 1); /* every subscription is told, not only the first to a topic */
            set(server.socket, ZMQ_XPUB_NODROP, 1);
            break;
        default:
            server.socket = open_socket(ZMQ_PAIR);
    }
    set(server.socket, ZMQ_BACKLOG, LISTEN_BACKLOG);
    require(zmq_bind(server.socket, "tcp://127.0.0.1:*") == 0, "bind");
    char endpoint[64];
    size_t endpoint_len = sizeof endpoint;
    require(zmq_getsockopt(server.socket, ZMQ_LAST_ENDPOINT, endpoint, &endpoint_len) == 0, "endpoint");
    printf("%s\n", strrchr(endpoint, ':') + 1);
    fflush(stdout);

    pthread_t waiter;
    if (pthread_create(&waiter, NULL, wait_for_end, NULL) != 0) bench_fail("no thread");
    for (;;) {
        if (is_routed() && !receive(server.socket, &from_whom, 0)) break;
        if (!receive(server.socket, &incoming, 0)) break;
        handle_server_message();
    }
    workload_end();
    pthread_join(waiter, NULL);
    zmq_close(server.socket);
}

static void drain(struct connection* connection) {
    while (!done && receive(connection->socket, &incoming, ZMQ_DONTWAIT)) handle_client_message(connection);
}

/* ZMQ_FD is readable when something has changed since the socket was used last: so every socket that was used has to be
 * drained before the next wait. A callback uses, besides the socket that it is for, only that of connection 0. */
static void drive_many(struct connection* connections) {
    struct epoll_event events[MAX_EVENTS];
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    require(epoll_fd >= 0, "epoll_create1");
    for (uint32_t i = 0; i < work.options.connections; i++) {
        int fd = -1;
        size_t fd_len = sizeof fd;
        require(zmq_getsockopt(connections[i].socket, ZMQ_FD, &fd, &fd_len) == 0, "ZMQ_FD");
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};
        require(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
    }
    for (uint32_t i = 0; i < work.options.connections; i++) drain(&connections[i]);
    bool begun = false;
    while (!done) {
        int count = epoll_wait(epoll_fd, events, MAX_EVENTS, -1);
        for (int i = 0; i < count; i++) drain(events[i].data.ptr);
        if (!begun && work.start_ns != 0) {
            begun = true; /* this time all sockets have been used */
            for (uint32_t i = 0; i < work.options.connections; i++) drain(&connections[i]);
        } else {
            drain(&connections[0]);
        }
    }
    close(epoll_fd);
}

static void drive(void) {
    int type = work.options.work == WORK_ECHO ? ZMQ_DEALER : work.options.work == WORK_BROADCAST ? ZMQ_XSUB : ZMQ_PAIR;
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", (unsigned)work.options.port);
    struct connection* connections = calloc(work.options.connections, sizeof *connections);
    if (connections == NULL) bench_fail("out of memory");
    for (uint32_t i = 0; i < work.options.connections; i++) {
        const char* hello = type == ZMQ_XSUB ? SUBSCRIBE_TO_ALL : "";
        connections[i].socket = open_socket(type);
        require(zmq_connect(connections[i].socket, endpoint) == 0, "connect");
        require(zmq_send(connections[i].socket, hello, strlen(hello), 0) >= 0, "hello");
        work.peers[i] = &connections[i].peer;
    }
    if (work.options.connections > 1) {
        drive_many(connections);
    } else {
        while (!done && receive(connections[0].socket, &incoming, 0)) handle_client_message(&connections[0]);
    }
    for (uint32_t i = 0; i < work.options.connections; i++) zmq_close(connections[i].socket);
    free(connections);
}

int main(int argc, char** argv) {
    struct bench_options options = bench_parse(argc, argv);
    bench_require_plain(&options);
    bench_require_framed(&options);
    if (options.connections > 1 && options.work != WORK_ECHO && options.work != WORK_BROADCAST) {
        bench_fail("a PAIR has one connection");
    }
    workload_init(options);
    bench_raise_descriptor_limit();
    context = zmq_ctx_new();
    require(context != NULL, "context");
    require(zmq_ctx_set(context, ZMQ_MAX_SOCKETS, (int)options.connections + 8) == 0, "context");
    zmq_msg_init(&incoming);
    zmq_msg_init(&from_whom);
    if (options.server) {
        serve();
    } else {
        drive();
    }
    workload_report();
    zmq_msg_close(&incoming);
    zmq_msg_close(&from_whom);
    zmq_ctx_term(context);
    workload_release();
    return 0;
}
