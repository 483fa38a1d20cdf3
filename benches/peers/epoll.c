/* The yardstick: a server and a client written by hand on epoll, as a careful programmer writes them for exactly this
 * task. One read buffer for all connections, every whole frame handled in place, sends appended to the connection's
 * buffer and written once per batch of events, or when 256 KiB are waiting. A frame is a 4-byte length in host order
 * and the payload; raw has no frames. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workload.h"

#define READ_BUFFER_BYTES (256u * 1024u)
#define FLUSH_BYTES (256u * 1024u)
#define MAX_EVENTS 256
#define LISTEN_BACKLOG 4096

struct connection {
    struct workload_peer peer; /* first: a peer is its connection */
    int fd;
    bool dirty;   /* on the list of connections to flush after this batch */
    bool blocked; /* the socket took no more: EPOLLOUT is armed */
    uint8_t* out;
    size_t out_begin, out_end, out_capacity;
    uint8_t* partial; /* the front of a frame whose rest has not come yet */
    size_t partial_len, partial_capacity;
};

struct connection_list {
    struct connection** items;
    size_t count, capacity;
};

static int epoll_fd;
static bool done;
static struct connection_list open_connections, dirty_connections;
static uint8_t read_buffer[READ_BUFFER_BYTES];

static void list_push(struct connection_list* list, struct connection* connection) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        list->items = realloc(list->items, list->capacity * sizeof *list->items);
        if (list->items == NULL) bench_fail("out of memory");
    }
    list->items[list->count++] = connection;
}

static void reserve(uint8_t** buffer, size_t* capacity, size_t needed) {
    if (*capacity >= needed) return;
    while (*capacity < needed) *capacity = *capacity == 0 ? 4096 : *capacity * 2;
    *buffer = realloc(*buffer, *capacity);
    if (*buffer == NULL) bench_fail("out of memory");
}

static void watch(struct connection* connection, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(epoll_fd, operation, connection->fd, &event) != 0) bench_fail("epoll_ctl");
}

static void flush(struct connection* connection) {
    while (connection->out_begin < connection->out_end) {
        ssize_t written = send(connection->fd, connection->out + connection->out_begin,
                               connection->out_end - connection->out_begin, MSG_NOSIGNAL);
        if (written < 0) {
            if (errno == EINTR) continue;
            if (errno != EAGAIN) return; /* it shows at the next read */
            if (!connection->blocked) watch(connection, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            connection->blocked = true;
            connection->out_end -= connection->out_begin;
            memmove(connection->out, connection->out + connection->out_begin, connection->out_end);
            connection->out_begin = 0;
            return;
        }
        connection->out_begin += (size_t)written;
    }
    connection->out_begin = connection->out_end = 0;
}

static bool transport_send(struct workload_peer* peer, const uint8_t* data, size_t len) {
    struct connection* connection = (struct connection*)peer;
    if (connection->out_end - connection->out_begin >= FLUSH_BYTES) {
        if (!connection->blocked) flush(connection);
        if (connection->out_end - connection->out_begin >= FLUSH_BYTES) return false;
    }
    uint32_t header = (uint32_t)len;
    size_t header_len = work.options.raw ? 0 : sizeof header;
    reserve(&connection->out, &connection->out_capacity, connection->out_end + header_len + len);
    memcpy(connection->out + connection->out_end, &header, header_len);
    memcpy(connection->out + connection->out_end + header_len, data, len);
    connection->out_end += header_len + len;
    if (!connection->dirty) {
        connection->dirty = true;
        list_push(&dirty_connections, connection);
    }
    return true;
}

static size_t transport_broadcast(const uint8_t* data, size_t len) {
    size_t taken = 0;
    for (size_t i = 0; i < open_connections.count; i++) {
        if (transport_send(&open_connections.items[i]->peer, data, len)) taken++;
    }
    return taken;
}

static void transport_finished(void) {
    done = true;
}

static void flush_dirty(void) {
    for (size_t i = 0; i < dirty_connections.count; i++) {
        struct connection* connection = dirty_connections.items[i];
        connection->dirty = false;
        if (!connection->blocked) flush(connection);
    }
    dirty_connections.count = 0;
}

static struct connection* add_connection(int fd) {
    int on = 1;
    struct connection* connection = calloc(1, sizeof *connection);
    if (connection == NULL) bench_fail("out of memory");
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) bench_fail("TCP_NODELAY");
    connection->fd = fd;
    watch(connection, EPOLL_CTL_ADD, EPOLLIN);
    list_push(&open_connections, connection);
    return connection;
}

/* The memory stays until the end: a later event of this batch or the dirty list may still name it. */
static void close_connection(struct connection* connection) {
    epoll_ctl(epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
    close(connection->fd);
    connection->fd = -1;
    connection->out_begin = connection->out_end = 0;
    workload_closed();
}

static void handle_frames(struct connection* connection, size_t available) {
    const uint8_t* at = read_buffer;
    uint32_t len;
    while (available >= sizeof len) {
        memcpy(&len, at, sizeof len);
        if (len > BENCH_MAX_SIZE) bench_fail("a frame longer than any message");
        if (available < sizeof len + len) break;
        workload_data(&connection->peer, at + sizeof len, len);
        at += sizeof len + len;
        available -= sizeof len + len;
    }
    reserve(&connection->partial, &connection->partial_capacity, available);
    if (available > 0) memcpy(connection->partial, at, available);
    connection->partial_len = available;
}

static void handle_readable(struct connection* connection) {
    if (connection->partial_len > 0) memcpy(read_buffer, connection->partial, connection->partial_len);
    ssize_t got =
        read(connection->fd, read_buffer + connection->partial_len, sizeof read_buffer - connection->partial_len);
    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR)) close_connection(connection);
        return;
    }
    if (work.options.raw) {
        workload_data(&connection->peer, read_buffer, (size_t)got);
    } else {
        handle_frames(connection, connection->partial_len + (size_t)got);
    }
}

static void handle_writable(struct connection* connection) {
    flush(connection);
    if (connection->out_begin < connection->out_end) return;
    connection->blocked = false;
    watch(connection, EPOLL_CTL_MOD, EPOLLIN);
    workload_writable(&connection->peer);
}

static void accept_all(int listener) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            workload_opened(&add_connection(fd)->peer);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            if (errno != EAGAIN) bench_fail("accept");
            return;
        }
    }
}

static void run(struct connection* listener, struct connection* input) {
    struct epoll_event events[MAX_EVENTS];
    while (!done) {
        int count = epoll_wait(epoll_fd, events, MAX_EVENTS, -1);
        for (int i = 0; i < count && !done; i++) {
            struct connection* connection = events[i].data.ptr;
            if (connection == input) {
                done = true; /* the runner closes our standard input when the client has ended */
            } else if (connection == listener) {
                accept_all(listener->fd);
            } else {
                if (events[i].events & EPOLLOUT) handle_writable(connection);
                if (events[i].events & ~(uint32_t)EPOLLOUT) handle_readable(connection);
            }
        }
        flush_dirty();
    }
}

static void serve(void) {
    struct connection listener = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    struct connection input = {.fd = STDIN_FILENO};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t address_len = sizeof address;
    if (listener.fd < 0 || bind(listener.fd, (struct sockaddr*)&address, sizeof address) != 0 ||
        listen(listener.fd, LISTEN_BACKLOG) != 0 ||
        getsockname(listener.fd, (struct sockaddr*)&address, &address_len) != 0) {
        bench_fail("can't listen");
    }
    watch(&listener, EPOLL_CTL_ADD, EPOLLIN);
    watch(&input, EPOLL_CTL_ADD, EPOLLIN);
    printf("%u\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    run(&listener, &input);
    workload_end();
    close(listener.fd);
}

static void drive(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons(work.options.port);
    for (uint32_t i = 0; i < work.options.connections; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr*)&address, sizeof address) != 0) bench_fail("can't connect");
        if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) bench_fail("O_NONBLOCK");
        work.peers[i] = &add_connection(fd)->peer;
    }
    for (uint32_t i = 0; i < work.options.connections; i++) workload_opened(work.peers[i]);
    flush_dirty();
    run(NULL, NULL);
    workload_hold();
}

int main(int argc, char** argv) {
    struct bench_options options = bench_parse(argc, argv);
    bench_require_plain(&options);
    workload_init(options);
    bench_raise_descriptor_limit();
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0) bench_fail("epoll_create1");
    if (work.options.server) {
        serve();
    } else {
        drive();
    }
    workload_report();
    for (size_t i = 0; i < open_connections.count; i++) {
        struct connection* connection = open_connections.items[i];
        if (connection->fd >= 0) close(connection->fd);
        free(connection->out);
        free(connection->partial);
        free(connection);
    }
    free(open_connections.items);
    free(dirty_connections.items);
    close(epoll_fd);
    workload_release();
    return 0;
}
