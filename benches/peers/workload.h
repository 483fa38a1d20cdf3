/* The workloads, once for all programs: what a server answers and what a client sends. Only the transport differs, and
 * it is the including program that defines it: the three transport_ functions below. One thread at a time runs all of
 * this.
 *
 *              client                                            server
 *   pingpong   one message; the next when it is back             sends back what it gets
 *   stream     all messages, as fast as the transport takes      checks them and confirms the last
 *   echo       `window` messages outstanding per connection      sends back what it gets
 *   broadcast  `window` messages outstanding on connection 0,    sends what it gets to every connection
 *              one is done when every connection has got it
 *   idle       one message on every new connection, then         sends back what it gets
 *              nothing until its standard input ends
 *   sink       some other program's                              counts the bytes
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include "bench.h"

#define WORKLOAD_WELCOME UINT64_MAX

/* The workload's part of a connection; the transport embeds it as the first member of its own. */
struct workload_peer {
    uint64_t sent;
    uint64_t received;
    size_t partial_len;
    uint8_t partial[BENCH_RAW_MAX_SIZE];
};

struct workload {
    struct bench_options options;
    struct workload_peer** peers; /* client: one for each connection */
    uint32_t ready;               /* connections that are open; client of a broadcast: that were welcomed */
    uint64_t messages;            /* received, checked */
    uint64_t bytes;
    uint64_t errors;
    uint64_t published, completed; /* broadcast, client */
    uint32_t* arrivals;            /* broadcast, client: of each outstanding message */
    uint32_t* samples;             /* pingpong, client: nanoseconds */
    size_t sample_count;
    uint64_t early_bytes; /* before the begin */
    uint64_t start_ns, last_ns, end_ns;
    struct bench_usage start_usage, end_usage;
    bool finished;
    uint8_t message[BENCH_MAX_SIZE];
};

static struct workload work;

/* False: the transport is full; it calls workload_writable when there is room again. */
static bool transport_send(struct workload_peer* peer, const uint8_t* data, size_t len);
/* The number of connections that took it. */
static size_t transport_broadcast(const uint8_t* data, size_t len);
/* Client: the last message has arrived, or the run has failed. */
static void transport_finished(void);

/* A server does when the last connection has opened, a client when it starts to send, or to connect. */
static inline void workload_begin(void) {
    work.early_bytes = work.bytes;
    work.start_usage = bench_usage_now();
    work.start_ns = work.last_ns = bench_now_ns();
}

static inline void workload_init(struct bench_options options) {
    work.options = options;
    for (size_t i = 0; i < sizeof work.message; i++) work.message[i] = (uint8_t)('a' + i % 26);
    if (options.server) return;
    work.peers = (struct workload_peer**)calloc(options.connections, sizeof(struct workload_peer*));
    work.arrivals = (uint32_t*)calloc(options.window, sizeof *work.arrivals);
    work.samples = (uint32_t*)calloc(options.work == WORK_PINGPONG ? options.messages : 1, sizeof *work.samples);
    if (work.peers == NULL || work.arrivals == NULL || work.samples == NULL) bench_fail("out of memory");
    if (options.work == WORK_IDLE) workload_begin();
}

static inline void workload_release(void) {
    free(work.peers);
    free(work.arrivals);
    free(work.samples);
}

/* A server does when the first connection closes, since the rest is cleaning up, or else when it is told to end. */
static inline void workload_end(void) {
    if (work.end_ns != 0) return;
    work.end_ns = bench_now_ns();
    work.end_usage = bench_usage_now();
}

static inline void workload_finish(void) {
    if (work.finished) return;
    work.finished = true;
    workload_end();
    transport_finished();
}

/* The run can't go on: what is missing shows in the result. */
static inline void workload_abandon(void) {
    work.errors++;
    workload_finish();
}

/* For the workloads whose window is far below every transport's limit: a refusal is a fault. */
static inline void workload_must_send(struct workload_peer* peer, const uint8_t* data, size_t len) {
    if (!transport_send(peer, data, len)) workload_abandon();
}

static inline void workload_send_next(struct workload_peer* peer) {
    bench_fill(work.message, work.options.size, peer->sent++);
    workload_must_send(peer, work.message, work.options.size);
}

static inline void workload_pump(struct workload_peer* peer) {
    while (peer->sent < work.options.messages) {
        bench_fill(work.message, work.options.size, peer->sent);
        if (!transport_send(peer, work.message, work.options.size)) return;
        peer->sent++;
    }
}

static inline void workload_publish(void) {
    while (work.published < work.options.messages && work.published - work.completed < work.options.window) {
        work.arrivals[work.published % work.options.window] = 0;
        work.published++;
        workload_send_next(work.peers[0]);
    }
}

static inline void workload_start_sending(void) {
    workload_begin();
    switch (work.options.work) {
        case WORK_PINGPONG:
            workload_send_next(work.peers[0]);
            break;
        case WORK_STREAM:
            workload_pump(work.peers[0]);
            break;
        case WORK_ECHO:
            for (uint32_t i = 0; i < work.options.connections; i++) {
                uint64_t share = work.options.messages / work.options.connections;
                while (work.peers[i]->sent < work.options.window && work.peers[i]->sent < share) {
                    workload_send_next(work.peers[i]);
                }
            }
            break;
        case WORK_BROADCAST:
            workload_publish();
            break;
        case WORK_IDLE:
        case WORK_SINK:
            break;
    }
}

static inline void workload_client_message(struct workload_peer* peer, const uint8_t* data, size_t len) {
    const size_t size = work.options.size;
    const uint64_t total = work.options.messages;
    if (work.options.work == WORK_STREAM) {
        if (!bench_check(data, len, size < 64 ? size : 64, total)) work.errors++;
        workload_finish();
        return;
    }
    if (work.options.work == WORK_BROADCAST && work.start_ns == 0) {
        if (!bench_check(data, len, size, WORKLOAD_WELCOME)) work.errors++;
        if (++work.ready == work.options.connections) workload_start_sending();
        return;
    }
    if (!bench_check(data, len, size, peer->received)) work.errors++;
    uint64_t sequence = peer->received++;
    work.messages++;
    work.bytes += len;
    if (work.options.work == WORK_BROADCAST) {
        if (++work.arrivals[sequence % work.options.window] < work.options.connections) return;
        if (++work.completed == total) {
            workload_finish();
        } else {
            workload_publish();
        }
        return;
    }
    if (work.options.work == WORK_PINGPONG) {
        uint64_t now = bench_now_ns();
        /* The first tenth warms caches and the scheduler up. */
        if (work.messages > total / 10) work.samples[work.sample_count++] = (uint32_t)(now - work.last_ns);
        work.last_ns = now;
    }
    if (work.messages == total) {
        workload_finish();
    } else if (work.options.work == WORK_PINGPONG || peer->sent < total / work.options.connections) {
        workload_send_next(peer);
    }
}

static inline void workload_server_message(struct workload_peer* peer, const uint8_t* data, size_t len) {
    work.messages++;
    work.bytes += len;
    if (work.options.work == WORK_SINK) return;
    if (work.options.work != WORK_STREAM) {
        if (work.options.work != WORK_BROADCAST) {
            workload_must_send(peer, data, len);
        } else if (transport_broadcast(data, len) != work.options.connections) {
            work.errors++;
        }
        return;
    }
    if (!bench_check(data, len, work.options.size, peer->received)) work.errors++;
    if (++peer->received == work.options.messages) {
        size_t size = work.options.size < 64 ? work.options.size : 64;
        bench_fill(work.message, size, work.options.messages);
        workload_must_send(peer, work.message, size);
    }
}

static inline void workload_message(struct workload_peer* peer, const uint8_t* data, size_t len) {
    if (work.options.server) {
        workload_server_message(peer, data, len);
    } else {
        workload_client_message(peer, data, len);
    }
}

/* The transport calls this when a connection is open. */
static inline void workload_opened(struct workload_peer* peer) {
    if (work.options.server) {
        if (++work.ready == work.options.connections) workload_begin();
        if (work.options.work == WORK_BROADCAST && work.ready == work.options.connections) {
            bench_fill(work.message, work.options.size, WORKLOAD_WELCOME);
            if (transport_broadcast(work.message, work.options.size) != work.options.connections) work.errors++;
        }
        return;
    }
    if (work.options.work == WORK_BROADCAST) return;
    if (work.options.work == WORK_IDLE) {
        workload_send_next(peer);
        return;
    }
    if (++work.ready == work.options.connections && work.options.sender == SENDER_CALLBACK) workload_start_sending();
}

/* ... with a whole message, or with whatever has come when the framing is raw. */
static inline void workload_data(struct workload_peer* peer, const uint8_t* data, size_t len) {
    const size_t size = work.options.size;
    /* A raw server that sends back or on what it gets has no need to know where a message ends. */
    if (!work.options.raw || (work.options.server && work.options.work != WORK_STREAM)) {
        workload_message(peer, data, len);
        return;
    }
    if (peer->partial_len > 0) {
        size_t part = size - peer->partial_len < len ? size - peer->partial_len : len;
        memcpy(peer->partial + peer->partial_len, data, part);
        peer->partial_len += part;
        data += part;
        len -= part;
        if (peer->partial_len < size) return;
        peer->partial_len = 0;
        workload_message(peer, peer->partial, size);
    }
    for (; len >= size; data += size, len -= size) workload_message(peer, data, size);
    memcpy(peer->partial, data, len);
    peer->partial_len = len;
}

/* ... when transport_send has refused and there is room again. */
static inline void workload_writable(struct workload_peer* peer) {
    if (!work.options.server && work.options.work == WORK_STREAM) workload_pump(peer);
}

/* ... when a connection has ended, which a client's must not do before the work is done. */
static inline void workload_closed(void) {
    if (work.options.server) {
        workload_end();
    } else if (!work.finished) {
        workload_abandon();
    }
}

/* A client calls this when it has finished and before it closes anything: for connections that are to be idle. */
static inline void workload_hold(void) {
    if (work.options.work != WORK_IDLE) return;
    printf("open\n");
    fflush(stdout);
    while (getchar() != EOF) continue; /* the runner closes it when it has looked */
}

/* One line of JSON on standard output, for the runner. */
static inline void workload_report(void) {
    double seconds = (double)(work.end_ns - work.start_ns) / 1e9;
    if (work.samples != NULL) qsort(work.samples, work.sample_count, sizeof *work.samples, bench_compare);
    printf(
        "{\"messages\":%llu,\"bytes\":%llu,\"early_bytes\":%llu,\"errors\":%llu,\"seconds\":%.9f,\"p50_us\":%.3f,\"p99_"
        "us\":%.3f,"
        "\"user_us\":%.0f,\"system_us\":%.0f}\n",
        (unsigned long long)work.messages, (unsigned long long)work.bytes, (unsigned long long)work.early_bytes,
        (unsigned long long)work.errors, seconds, bench_percentile_us(work.samples, work.sample_count, 0.50),
        bench_percentile_us(work.samples, work.sample_count, 0.99), work.end_usage.user_us - work.start_usage.user_us,
        work.end_usage.system_us - work.start_usage.system_us);
    fflush(stdout);
}

#endif
