/* libuv: the same design as epoll.c on its loop. One read buffer for all connections, every whole frame handled in
 * place, sends appended to the connection's buffer and written once per iteration, in a check handle right after the
 * poll, or when 256 KiB are waiting. uv_try_write comes first; what the socket does not take goes to uv_write, and what
 * is sent meanwhile to a second buffer. A frame is a 4-byte length in host order and the payload; raw has no frames. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>
#include <uv.h>

#include "workload.h"

#define READ_BUFFER_BYTES (256u * 1024u)
#define FLUSH_BYTES (256u * 1024u)
#define LISTEN_BACKLOG 4096

struct bytes {
    uint8_t* data;
    size_t len, capacity;
};

struct connection {
    struct workload_peer peer; /* first: a peer is its connection */
    uv_tcp_t tcp;
    bool dirty;        /* on the list of connections to flush in this iteration */
    bool writing;      /* uv_write has `rest` */
    bool refused;      /* a send was */
    struct bytes out;  /* sent and not handed to libuv yet */
    struct bytes rest; /* what uv_write has */
    uv_write_t write;
    struct bytes partial; /* the front of a frame whose rest has not come yet */
    uv_connect_t connect;
};

struct connection_list {
    struct connection** items;
    size_t count, capacity;
};

static uv_loop_t* loop;
static struct connection_list open_connections, dirty_connections;
static uint8_t read_buffer[READ_BUFFER_BYTES];

static void require(int status, const char* what) {
    if (status >= 0) return;
    fprintf(stderr, "bench: %s: %s\n", what, uv_strerror(status));
    exit(2);
}

static void list_push(struct connection_list* list, struct connection* connection) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        list->items = realloc(list->items, list->capacity * sizeof *list->items);
        if (list->items == NULL) bench_fail("out of memory");
    }
    list->items[list->count++] = connection;
}

static void append(struct bytes* bytes, const void* data, size_t len) {
    if (bytes->capacity < bytes->len + len) {
        while (bytes->capacity < bytes->len + len) bytes->capacity = bytes->capacity == 0 ? 4096 : bytes->capacity * 2;
        bytes->data = realloc(bytes->data, bytes->capacity);
        if (bytes->data == NULL) bench_fail("out of memory");
    }
    if (len > 0) memcpy(bytes->data + bytes->len, data, len);
    bytes->len += len;
}

static void on_written(uv_write_t* write, int status);

static void flush(struct connection* connection) {
    if (connection->writing || connection->out.len == 0) return;
    uv_stream_t* stream = (uv_stream_t*)&connection->tcp;
    if (uv_is_closing((uv_handle_t*)stream)) return;
    uv_buf_t buffer = uv_buf_init((char*)connection->out.data, (unsigned)connection->out.len);
    int written = uv_try_write(stream, &buffer, 1);
    if (written == (int)connection->out.len) {
        connection->out.len = 0;
        return;
    }
    if (written < 0 && written != UV_EAGAIN) return; /* it shows at the next read */
    struct bytes spare = connection->rest;
    connection->rest = connection->out;
    connection->out = spare;
    size_t offset = written < 0 ? 0 : (size_t)written;
    buffer = uv_buf_init((char*)connection->rest.data + offset, (unsigned)(connection->rest.len - offset));
    connection->writing = true;
    require(uv_write(&connection->write, stream, &buffer, 1, on_written), "write");
}

static void on_written(uv_write_t* write, int status) {
    struct connection* connection = write->data;
    connection->writing = false;
    connection->rest.len = 0;
    if (status != 0) return;
    flush(connection);
    if (!connection->refused || connection->writing) return;
    connection->refused = false;
    workload_writable(&connection->peer);
}

static bool transport_send(struct workload_peer* peer, const uint8_t* data, size_t len) {
    struct connection* connection = (struct connection*)peer;
    if (connection->out.len >= FLUSH_BYTES) {
        flush(connection);
        if (connection->out.len >= FLUSH_BYTES) {
            connection->refused = true;
            return false;
        }
    }
    uint32_t header = (uint32_t)len;
    append(&connection->out, &header, work.options.raw ? 0 : sizeof header);
    append(&connection->out, data, len);
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
    uv_stop(loop);
}

static void flush_dirty(uv_check_t* check) {
    (void)check;
    for (size_t i = 0; i < dirty_connections.count; i++) {
        dirty_connections.items[i]->dirty = false;
        flush(dirty_connections.items[i]);
    }
    dirty_connections.count = 0;
}

static struct connection* new_connection(void) {
    struct connection* connection = calloc(1, sizeof *connection);
    if (connection == NULL) bench_fail("out of memory");
    require(uv_tcp_init(loop, &connection->tcp), "socket");
    connection->tcp.data = connection->write.data = connection->connect.data = connection;
    return connection;
}

/* The front of a frame goes before what is read now: libuv hands this to read() and calls on_read right after. */
static void on_alloc(uv_handle_t* handle, size_t suggested, uv_buf_t* buffer) {
    (void)suggested;
    struct connection* connection = handle->data;
    size_t kept = connection->partial.len;
    *buffer = uv_buf_init((char*)read_buffer + kept, (unsigned)(sizeof read_buffer - kept));
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
    connection->partial.len = 0;
    append(&connection->partial, at, available);
}

static void on_read(uv_stream_t* stream, ssize_t got, const uv_buf_t* buffer) {
    (void)buffer;
    struct connection* connection = stream->data;
    if (got < 0) {
        uv_close((uv_handle_t*)stream, NULL);
        workload_closed();
    } else if (got == 0) {
        return;
    } else if (work.options.raw) {
        workload_data(&connection->peer, read_buffer, (size_t)got);
    } else {
        if (connection->partial.len > 0) memcpy(read_buffer, connection->partial.data, connection->partial.len);
        handle_frames(connection, connection->partial.len + (size_t)got);
    }
}

static void add_connection(struct connection* connection) {
    require(uv_tcp_nodelay(&connection->tcp, 1), "TCP_NODELAY");
    require(uv_read_start((uv_stream_t*)&connection->tcp, on_alloc, on_read), "read");
    list_push(&open_connections, connection);
    workload_opened(&connection->peer);
}

static void on_connection(uv_stream_t* listener, int status) {
    require(status, "accept");
    struct connection* connection = new_connection();
    require(uv_accept(listener, (uv_stream_t*)&connection->tcp), "accept");
    add_connection(connection);
}

static void on_connected(uv_connect_t* connect, int status) {
    require(status, "connect");
    add_connection(connect->data);
}

/* The runner closes our standard input when the client has ended. */
static void on_input(uv_poll_t* input, int status, int events) {
    (void)input;
    (void)status;
    (void)events;
    uv_stop(loop);
}

static void serve(void) {
    uv_tcp_t listener;
    uv_poll_t input;
    struct sockaddr_in address;
    int address_len = sizeof address;
    require(uv_ip4_addr("127.0.0.1", 0, &address), "address");
    require(uv_tcp_init(loop, &listener), "socket");
    require(uv_tcp_bind(&listener, (struct sockaddr*)&address, 0), "bind");
    require(uv_listen((uv_stream_t*)&listener, LISTEN_BACKLOG, on_connection), "listen");
    require(uv_tcp_getsockname(&listener, (struct sockaddr*)&address, &address_len), "port");
    require(uv_poll_init(loop, &input, STDIN_FILENO), "standard input");
    require(uv_poll_start(&input, UV_READABLE, on_input), "standard input");
    printf("%u\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    uv_run(loop, UV_RUN_DEFAULT);
    workload_end();
    uv_close((uv_handle_t*)&listener, NULL);
    uv_close((uv_handle_t*)&input, NULL);
    uv_run(loop, UV_RUN_NOWAIT);
}

static void drive(void) {
    struct sockaddr_in address;
    require(uv_ip4_addr("127.0.0.1", work.options.port, &address), "address");
    for (uint32_t i = 0; i < work.options.connections; i++) {
        struct connection* connection = new_connection();
        work.peers[i] = &connection->peer;
        require(uv_tcp_connect(&connection->connect, &connection->tcp, (struct sockaddr*)&address, on_connected),
                "connect");
    }
    uv_run(loop, UV_RUN_DEFAULT);
}

static void end_connections(void) {
    for (size_t i = 0; i < open_connections.count; i++) {
        uv_handle_t* handle = (uv_handle_t*)&open_connections.items[i]->tcp;
        if (!uv_is_closing(handle)) uv_close(handle, NULL);
    }
    uv_run(loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < open_connections.count; i++) {
        struct connection* connection = open_connections.items[i];
        free(connection->out.data);
        free(connection->rest.data);
        free(connection->partial.data);
        free(connection);
    }
    free(open_connections.items);
    free(dirty_connections.items);
}

int main(int argc, char** argv) {
    struct bench_options options = bench_parse(argc, argv);
    bench_require_plain(&options);
    workload_init(options);
    bench_raise_descriptor_limit();
    loop = uv_default_loop();
    uv_check_t after_poll;
    require(uv_check_init(loop, &after_poll), "check");
    require(uv_check_start(&after_poll, flush_dirty), "check");
    if (options.server) {
        serve();
    } else {
        drive();
    }
    workload_report();
    uv_close((uv_handle_t*)&after_poll, NULL);
    end_connections();
    require(uv_loop_close(loop), "loop");
    workload_release();
    return 0;
}
