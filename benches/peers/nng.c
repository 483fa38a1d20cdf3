/* nng: messages by asynchronous operations (aios), several of them under way.
 *
 *   pingpong, stream   PAIR and PAIR
 *   echo               REP, and a REQ for each connection, both raw: that is how nng has several requests of one
 *                      connection outstanding and keeps their order. A raw REP drops what exceeds 64 replies.
 *   broadcast          BUS and, for each connection, BUS: a PUB gets nothing from its subscribers. A BUS drops what
 *                      exceeds 16 messages for a connection.
 *
 * Windows beyond these limits are refused, so that nothing is dropped.
 *
 * A server, and a client with one connection, waits on the main thread for the oldest of a ring of receives. A client
 * with many has a callback for each; nng runs them on threads of its own, so a lock makes the workload one thread's. */
#define _GNU_SOURCE
#include <nng/nng.h>
#include <nng/protocol/bus0/bus.h>
#include <nng/protocol/pair0/pair.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <unistd.h>

#include "workload.h"

#define RING 64u
#define SOCKET_BUFFER_MESSAGES 1024
#define RAW_REP_QUEUE 64u
#define BUS_QUEUE 16u
#define REQUEST_ID 0x80000000u /* the bit that marks the last word of a request's header */

struct ring {
    nng_aio* aios[RING];
    size_t next;
};

struct connection {
    struct workload_peer peer; /* first: a peer is its connection */
    nng_socket socket;
    struct ring sends;
    nng_aio* receive; /* of a client with many connections */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* around the workload */
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static bool done;
static nng_msg* incoming; /* what is being handled; NULL once it has been sent on */
static struct connection server;

static void require(int status, const char* what) {
    if (status == 0) return;
    fprintf(stderr, "bench: %s: %s\n", what, nng_strerror(status));
    exit(2);
}

static void ring_open(struct ring* ring) {
    for (size_t i = 0; i < RING; i++) require(nng_aio_alloc(&ring->aios[i], NULL, NULL), "aio");
}

static void ring_free(struct ring* ring) {
    for (size_t i = 0; i < RING; i++) nng_aio_free(ring->aios[i]);
}

static nng_aio* ring_take(struct ring* ring) {
    return ring->aios[ring->next++ % RING];
}

static bool transport_send(struct workload_peer* peer, const uint8_t* data, size_t len) {
    struct connection* connection = (struct connection*)peer;
    nng_msg* message = incoming;
    if (message != NULL && data == nng_msg_body(message)) {
        incoming = NULL; /* goes back as it came: no copy */
    } else {
        require(nng_msg_alloc(&message, len), "message");
        memcpy(nng_msg_body(message), data, len);
        if (work.options.work == WORK_ECHO) require(nng_msg_header_append_u32(message, REQUEST_ID), "message");
    }
    nng_aio* aio = ring_take(&connection->sends);
    nng_aio_wait(aio);
    require(nng_aio_result(aio), "send");
    nng_aio_set_msg(aio, message);
    nng_send_aio(connection->socket, aio);
    return true;
}

static size_t transport_broadcast(const uint8_t* data, size_t len) {
    transport_send(&server.peer, data, len);
    return work.ready; /* a BUS gives it to all that are connected */
}

static void transport_finished(void) {
    done = true;
    pthread_cond_signal(&ended);
}

static void handle_message(struct connection* connection, nng_msg* message) {
    pthread_mutex_lock(&lock);
    incoming = message;
    workload_data(&connection->peer, nng_msg_body(message), nng_msg_len(message));
    if (incoming != NULL) nng_msg_free(incoming);
    incoming = NULL;
    pthread_mutex_unlock(&lock);
}

/* Until the workload is done, or the socket has been closed. */
static void receive_here(struct connection* connection) {
    struct ring receives = {.next = 0};
    ring_open(&receives);
    for (size_t i = 0; i < RING; i++) nng_recv_aio(connection->socket, receives.aios[i]);
    while (!done) {
        nng_aio* aio = ring_take(&receives);
        nng_aio_wait(aio);
        if (nng_aio_result(aio) == NNG_ECLOSED) break;
        require(nng_aio_result(aio), "receive");
        nng_msg* message = nng_aio_get_msg(aio);
        nng_recv_aio(connection->socket, aio);
        handle_message(connection, message);
    }
    nng_close(connection->socket);
    ring_free(&receives);
}

static void on_received(void* argument) {
    struct connection* connection = argument;
    if (nng_aio_result(connection->receive) != 0) return; /* closed */
    nng_msg* message = nng_aio_get_msg(connection->receive);
    handle_message(connection, message);
    nng_recv_aio(connection->socket, connection->receive);
}

static void open_socket(struct connection* connection) {
    switch (work.options.work) {
        case WORK_ECHO:
            require((work.options.server ? nng_rep0_open_raw : nng_req0_open_raw)(&connection->socket), "REQ/REP");
            break;
        case WORK_BROADCAST:
            require(nng_bus0_open(&connection->socket), "BUS");
            break;
        default:
            require(nng_pair0_open(&connection->socket), "PAIR");
    }
    require(nng_socket_set_int(connection->socket, NNG_OPT_SENDBUF, SOCKET_BUFFER_MESSAGES), "send buffer");
    require(nng_socket_set_int(connection->socket, NNG_OPT_RECVBUF, SOCKET_BUFFER_MESSAGES), "receive buffer");
    ring_open(&connection->sends);
}

static void on_server_pipe(nng_pipe pipe, nng_pipe_ev event, void* unused) {
    (void)pipe;
    (void)event;
    (void)unused;
    pthread_mutex_lock(&lock);
    workload_opened(&server.peer);
    pthread_mutex_unlock(&lock);
}

/* The runner closes our standard input when the client has ended. */
static void* wait_for_end(void* unused) {
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) continue;
    nng_close(server.socket); /* receive_here() returns */
    return unused;
}

static void serve(void) {
    nng_listener listener;
    int port = 0;
    open_socket(&server);
    require(nng_pipe_notify(server.socket, NNG_PIPE_EV_ADD_POST, on_server_pipe, NULL), "notify");
    require(nng_listen(server.socket, "tcp://127.0.0.1:0", &listener, 0), "listen");
    require(nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port), "port");
    printf("%d\n", port);
    fflush(stdout);
    pthread_t waiter;
    if (pthread_create(&waiter, NULL, wait_for_end, NULL) != 0) bench_fail("no thread");
    receive_here(&server);
    workload_end();
    pthread_join(waiter, NULL);
    ring_free(&server.sends);
}

static void drive(void) {
    const uint32_t count = work.options.connections;
    char url[64];
    snprintf(url, sizeof url, "tcp://127.0.0.1:%u", (unsigned)work.options.port);
    struct connection* connections = calloc(count, sizeof *connections);
    if (connections == NULL) bench_fail("out of memory");
    for (uint32_t i = 0; i < count; i++) {
        work.peers[i] = &connections[i].peer;
        open_socket(&connections[i]);
        if (count > 1) {
            require(nng_aio_alloc(&connections[i].receive, on_received, &connections[i]), "aio");
            nng_recv_aio(connections[i].socket, connections[i].receive);
        }
        require(nng_dial(connections[i].socket, url, NULL, 0), "connect"); /* waits for the connection */
    }
    pthread_mutex_lock(&lock);
    for (uint32_t i = 0; i < count; i++) workload_opened(work.peers[i]);
    while (count > 1 && !done) pthread_cond_wait(&ended, &lock);
    pthread_mutex_unlock(&lock);
    if (count == 1) receive_here(&connections[0]);
    for (uint32_t i = 0; i < count; i++) {
        nng_close(connections[i].socket);
        nng_aio_free(connections[i].receive);
        ring_free(&connections[i].sends);
    }
    free(connections);
}

int main(int argc, char** argv) {
    struct bench_options options = bench_parse(argc, argv);
    bench_require_plain(&options);
    bench_require_framed(&options);
    if (options.connections > 1 && options.work != WORK_ECHO && options.work != WORK_BROADCAST) {
        bench_fail("a PAIR has one connection");
    }
    if ((options.work == WORK_ECHO && options.window > RAW_REP_QUEUE) ||
        (options.work == WORK_BROADCAST && options.window > BUS_QUEUE)) {
        bench_fail("nng would drop messages with such a window");
    }
    workload_init(options);
    bench_raise_descriptor_limit();
    if (options.server) {
        serve();
    } else {
        drive();
    }
    workload_report();
    workload_release();
    return 0;
}
