/* What the hazard programs share: checks that end the process, counters that threads wait on, an echo server with a
 * client, and a look at the process's own threads and descriptors. */
#ifndef HAZARD_H
#define HAZARD_H

#include <dirent.h>
#include <errno.h>
#include <network_system.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define HAZARD_THREAD_SANITIZER
#endif
#endif

#define HAZARD_PATIENCE_S 20 /* how long an event may take on a machine under load */

/* _exit: the process may be in any state, and a failed check must never turn into a hang. */
#define REQUIRE(condition)                                                                \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
            _exit(99);                                                                    \
        }                                                                                 \
    } while (0)

#define REQUIRE_STATUS(expected, call)                                              \
    do {                                                                            \
        const netsys_status status_of_call = (call);                                \
        if (status_of_call != (expected)) {                                         \
            fprintf(stderr, "%s:%d: %s is %s, not %s\n", __FILE__, __LINE__, #call, \
                    netsys_status_name(status_of_call), #expected);                 \
            _exit(99);                                                              \
        }                                                                           \
    } while (0)

#define REQUIRE_OK(call) REQUIRE_STATUS(NETSYS_OK, call)

static inline netsys_str hazard_str(const char* text) {
    netsys_str str;
    str.data = text;
    str.len = strlen(text);
    return str;
}

static inline uint64_t hazard_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A number that only grows, and that threads can wait for. */
typedef struct hazard_counter {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned long value;
} hazard_counter;

#define HAZARD_COUNTER_INIT \
    { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 }

static inline void hazard_count(hazard_counter* counter) {
    pthread_mutex_lock(&counter->mutex);
    ++counter->value;
    pthread_cond_broadcast(&counter->changed);
    pthread_mutex_unlock(&counter->mutex);
}

static inline unsigned long hazard_value(hazard_counter* counter) {
    unsigned long value;
    pthread_mutex_lock(&counter->mutex);
    value = counter->value;
    pthread_mutex_unlock(&counter->mutex);
    return value;
}

static inline int hazard_await(hazard_counter* counter, unsigned long at_least) {
    struct timespec deadline;
    int reached, late = 0;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += HAZARD_PATIENCE_S;
    pthread_mutex_lock(&counter->mutex);
    while (counter->value < at_least && !late) {
        late = pthread_cond_timedwait(&counter->changed, &counter->mutex, &deadline) == ETIMEDOUT;
    }
    reached = counter->value >= at_least;
    pthread_mutex_unlock(&counter->mutex);
    return reached;
}

static inline unsigned hazard_entries(const char* directory) {
    unsigned entries = 0;
    DIR* open_directory = opendir(directory);
    const struct dirent* entry;
    REQUIRE(open_directory != NULL);
    while ((entry = readdir(open_directory)) != NULL) {
        entries += entry->d_name[0] != '.';
    }
    closedir(open_directory);
    return entries;
}

static inline unsigned hazard_threads(void) {
    return hazard_entries("/proc/self/task");
}

static inline unsigned hazard_descriptors(void) {
    return hazard_entries("/proc/self/fd") - 1; /* without the one that reads the directory */
}

/* A thread that was joined leaves /proc a moment later: looks until both are at most what is expected. */
static inline int hazard_settles(unsigned threads, unsigned descriptors) {
#ifdef HAZARD_THREAD_SANITIZER
    threads += 1;     /* its own, which starts with the first other one */
    descriptors += 2; /* of its symbolizer */
#endif
    const uint64_t deadline = hazard_now_ns() + HAZARD_PATIENCE_S * (uint64_t)1000000000u;
    while (hazard_threads() > threads || hazard_descriptors() > descriptors) {
        if (hazard_now_ns() > deadline) {
            fprintf(stderr, "%u threads and %u descriptors, expected %u and %u\n", hazard_threads(),
                    hazard_descriptors(), threads, descriptors);
            return 0;
        }
        usleep(1000);
    }
    return 1;
}

/* Sends each message back: the server's on_message, and a client's that keeps the ball in the air. */
static inline void hazard_echo(void* userdata, netsys_session session, const netsys_message* message) {
    if (userdata != NULL) {
        hazard_count((hazard_counter*)userdata);
    }
    netsys_session_send(session, message->kind, message->data, message->len);
}

static inline void hazard_count_session(void* userdata, netsys_session session) {
    (void)session;
    hazard_count((hazard_counter*)userdata);
}

static inline void hazard_count_message(void* userdata, netsys_session session, const netsys_message* message) {
    (void)session;
    (void)message;
    hazard_count((hazard_counter*)userdata);
}

static inline netsys_callbacks hazard_callbacks(void* userdata) {
    netsys_callbacks callbacks;
    memset(&callbacks, 0, sizeof callbacks);
    callbacks.struct_size = sizeof callbacks;
    callbacks.userdata = userdata;
    return callbacks;
}

/* On a free port of the loopback interface. */
static inline netsys_server hazard_start_server(netsys_context context, uint32_t framing,
                                                const netsys_callbacks* callbacks, uint16_t* port) {
    netsys_server_config config;
    netsys_server server;
    REQUIRE_OK(netsys_server_config_init(&config, sizeof config));
    config.host = hazard_str("127.0.0.1");
    config.framing = framing;
    REQUIRE_OK(netsys_server_start(context, &config, callbacks, &server));
    REQUIRE_OK(netsys_server_port(server, port));
    return server;
}

static inline netsys_client hazard_start_client(netsys_context context, uint32_t framing, uint16_t port,
                                                const netsys_callbacks* callbacks) {
    netsys_client_config config;
    netsys_client client;
    REQUIRE_OK(netsys_client_config_init(&config, sizeof config));
    config.client_id = hazard_str("hazard");
    config.host = hazard_str("127.0.0.1");
    config.port = port;
    config.framing = framing;
    REQUIRE_OK(netsys_client_start(context, &config, callbacks, &client));
    return client;
}

static inline netsys_session_manager hazard_manager(netsys_context context) {
    netsys_session_manager_config config;
    netsys_session_manager manager;
    REQUIRE_OK(netsys_session_manager_config_init(&config, sizeof config));
    REQUIRE_OK(netsys_session_manager_create(context, &config, &manager));
    return manager;
}

static inline netsys_bridge hazard_bridge(const netsys_bridge_callbacks* callbacks) {
    netsys_bridge_config config;
    netsys_bridge bridge;
    REQUIRE_OK(netsys_bridge_config_init(&config, sizeof config));
    REQUIRE_OK(netsys_bridge_create(hazard_str("bridge"), &config, callbacks, &bridge));
    return bridge;
}

/* A pool of one connection, and the lease of it. */
static inline void hazard_lease(netsys_context context, uint16_t port, const netsys_callbacks* callbacks,
                                netsys_pool* pool, netsys_lease* lease) {
    netsys_pool_config config;
    netsys_client_config client;
    REQUIRE_OK(netsys_pool_config_init(&config, sizeof config));
    REQUIRE_OK(netsys_client_config_init(&client, sizeof client));
    config.max_connections = 1;
    client.host = hazard_str("127.0.0.1");
    client.port = port;
    client.framing = NETSYS_FRAMING_FRAMED;
    REQUIRE_OK(netsys_pool_start(context, &config, &client, callbacks, pool));
    REQUIRE_OK(netsys_pool_acquire(*pool, HAZARD_PATIENCE_S * 1000, lease));
}

static inline netsys_session hazard_connected(netsys_client client) {
    netsys_session session;
    REQUIRE_OK(netsys_client_wait_connected(client, HAZARD_PATIENCE_S * 1000));
    REQUIRE_OK(netsys_client_session(client, &session));
    return session;
}

#endif
