/* What the programs of the benchmarks share: arguments, clock, payload with its check, percentiles. C99 and C++17. */
#ifndef BENCH_H
#define BENCH_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define BENCH_MIN_SIZE 16u
#define BENCH_MAX_SIZE (64u * 1024u)
#define BENCH_RAW_MAX_SIZE 64u

enum bench_work { WORK_PINGPONG, WORK_STREAM, WORK_ECHO, WORK_BROADCAST, WORK_IDLE, WORK_SINK };
enum bench_sender { SENDER_CALLBACK, SENDER_THREAD, SENDER_WAIT };
enum bench_dispatch { DISPATCH_INLINE, DISPATCH_POOL };

struct bench_options {
    bool server;
    bool raw;
    enum bench_work work;
    enum bench_sender sender;
    enum bench_dispatch dispatch;
    size_t size;
    uint64_t messages;
    uint32_t connections;
    uint32_t window;
    uint32_t groups;       /* the server has this many, and answers through one of them; 0: to the session */
    uint32_t busy_poll_us; /* how long a loop looks for events before it sleeps */
    uint16_t port;
    const char* certificate; /* PEM, the server's own, and whom the client trusts; NULL: not encrypted */
    const char* key;         /* server */
};

static inline void bench_fail(const char* what) {
    fprintf(stderr, "bench: %s\n", what);
    exit(2);
}

static inline int bench_choice(const char* text, const char* const* names) {
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(text, names[i]) == 0) return i;
    }
    bench_fail("unknown word in the arguments");
    return 0;
}

static inline uint64_t bench_number(const char* text, uint64_t low, uint64_t high) {
    char* end = NULL;
    unsigned long long value = strtoull(text, &end, 10);
    if (end == text || *end != '\0' || value < low || value > high) bench_fail("number out of range in the arguments");
    return value;
}

/* Server and client take the same arguments, so that both know what is going to be sent. */
static inline struct bench_options bench_parse(int argc, char** argv) {
    static const char* const roles[] = {"client", "server", NULL};
    static const char* const framings[] = {"framed", "raw", NULL};
    static const char* const works[] = {"pingpong", "stream", "echo", "broadcast", "idle", "sink", NULL};
    static const char* const senders[] = {"callback", "thread", "wait", NULL};
    static const char* const dispatches[] = {"inline", "pool", NULL};
    static const struct option names[] = {{"role", required_argument, NULL, 'r'},
                                          {"framing", required_argument, NULL, 'f'},
                                          {"work", required_argument, NULL, 'w'},
                                          {"sender", required_argument, NULL, 't'},
                                          {"size", required_argument, NULL, 's'},
                                          {"messages", required_argument, NULL, 'm'},
                                          {"connections", required_argument, NULL, 'c'},
                                          {"window", required_argument, NULL, 'o'},
                                          {"port", required_argument, NULL, 'p'},
                                          {"certificate", required_argument, NULL, 'e'},
                                          {"key", required_argument, NULL, 'k'},
                                          {"dispatch", required_argument, NULL, 'd'},
                                          {"groups", required_argument, NULL, 'g'},
                                          {"busy-poll-us", required_argument, NULL, 'b'},
                                          {NULL, 0, NULL, 0}};
    struct bench_options options;
    memset(&options, 0, sizeof options);
    options.size = 64;
    options.messages = 10000;
    options.connections = options.window = 1;
    int name;
    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (name) {
            case 'r':
                options.server = bench_choice(optarg, roles) == 1;
                break;
            case 'f':
                options.raw = bench_choice(optarg, framings) == 1;
                break;
            case 'w':
                options.work = (enum bench_work)bench_choice(optarg, works);
                break;
            case 't':
                options.sender = (enum bench_sender)bench_choice(optarg, senders);
                break;
            case 's':
                options.size = (size_t)bench_number(optarg, BENCH_MIN_SIZE, BENCH_MAX_SIZE);
                break;
            case 'm':
                options.messages = bench_number(optarg, 1, 1000000000u);
                break;
            case 'c':
                options.connections = (uint32_t)bench_number(optarg, 1, 50000);
                break;
            case 'o':
                options.window = (uint32_t)bench_number(optarg, 1, 1000);
                break;
            case 'g':
                options.groups = (uint32_t)bench_number(optarg, 1, 1000000);
                break;
            case 'b':
                options.busy_poll_us = (uint32_t)bench_number(optarg, 1, 1000000);
                break;
            case 'p':
                options.port = (uint16_t)bench_number(optarg, 1, 65535);
                break;
            case 'e':
                options.certificate = optarg;
                break;
            case 'k':
                options.key = optarg;
                break;
            case 'd':
                options.dispatch = (enum bench_dispatch)bench_choice(optarg, dispatches);
                break;
            default:
                exit(2);
        }
    }
    if (options.raw && options.size > BENCH_RAW_MAX_SIZE) bench_fail("raw messages are at most 64 bytes");
    if (options.messages % options.connections != 0 && options.work == WORK_ECHO) {
        bench_fail("the number of messages must be a multiple of the number of connections");
    }
    if (options.work == WORK_IDLE) options.messages = options.connections;
    if (options.work == WORK_SINK && !options.server) bench_fail("only a server is a sink");
    return options;
}

/* For a program that does not encrypt, and sends from its loop only, whatever the sender that is asked for. */
static inline void bench_require_plain(struct bench_options* options) {
    if (options->certificate != NULL || options->key != NULL) bench_fail("this program does not encrypt");
    if (options->dispatch != DISPATCH_INLINE) bench_fail("this program has no pool of threads");
    if (options->groups != 0) bench_fail("this program has no groups");
    if (options->busy_poll_us != 0) bench_fail("this program does not poll busily");
    options->sender = SENDER_CALLBACK;
}

/* For a library whose connections speak a protocol of its own. */
static inline void bench_require_framed(const struct bench_options* options) {
    if (options->raw) bench_fail("this library has messages only: --framing framed");
}

static inline uint64_t bench_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A message carries its sequence number at its front and the complement at its end: a loss, a swap, a cut or a shift
 * of bytes shows. */
static inline void bench_fill(uint8_t* message, size_t size, uint64_t sequence) {
    uint64_t complement = ~sequence;
    memcpy(message, &sequence, sizeof sequence);
    memcpy(message + size - sizeof complement, &complement, sizeof complement);
}

static inline bool bench_check(const uint8_t* message, size_t len, size_t size, uint64_t sequence) {
    uint64_t front, back;
    if (len != size) return false;
    memcpy(&front, message, sizeof front);
    memcpy(&back, message + size - sizeof back, sizeof back);
    return front == sequence && back == ~sequence;
}

static inline int bench_compare(const void* left, const void* right) {
    uint32_t a = *(const uint32_t*)left, b = *(const uint32_t*)right;
    return (a > b) - (a < b);
}

/* `samples` must be sorted. */
static inline double bench_percentile_us(const uint32_t* samples, size_t count, double share) {
    if (count == 0) return 0.0;
    size_t index = (size_t)(share * (double)(count - 1) + 0.5);
    return (double)samples[index] / 1000.0;
}

struct bench_usage {
    double user_us;
    double system_us;
};

static inline struct bench_usage bench_usage_now(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    struct bench_usage out;
    out.user_us = (double)usage.ru_utime.tv_sec * 1e6 + (double)usage.ru_utime.tv_usec;
    out.system_us = (double)usage.ru_stime.tv_sec * 1e6 + (double)usage.ru_stime.tv_usec;
    return out;
}

/* A thousand connections do not fit into the usual soft limit of 1024 descriptors. */
static inline void bench_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

#endif
