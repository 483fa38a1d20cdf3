/* What a record of the performance monitor costs: nanoseconds of processor time a call, by several threads at once.
 *
 *   monitor FUNCTION THREADS CALLS        FUNCTION: message_sent, latency or connection
 *
 * Prints the mean of all threads. */
#include <network_system.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_THREADS = 64 };

typedef struct worker {
    pthread_t thread;
    double ns_per_call;
} worker;

static void (*run)(unsigned long calls);
static unsigned long calls_per_thread;
static pthread_barrier_t ready;

static void record_messages(unsigned long calls) {
    for (unsigned long i = 0; i < calls; i++) netsys_monitor_record_message_sent(64);
}

/* From a microsecond to a millisecond, as an application has them. */
static void record_latencies(unsigned long calls) {
    for (unsigned long i = 0; i < calls; i++) netsys_monitor_record_latency(1000 + i * 7919 % 1000000);
}

static void record_connections(unsigned long calls) {
    for (unsigned long i = 0; i < calls; i++) netsys_monitor_record_connection(1);
}

static const struct {
    const char* name;
    void (*run)(unsigned long calls);
} functions[] = {
    {"message_sent", record_messages},
    {"latency", record_latencies},
    {"connection", record_connections},
};

static double thread_cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

static void* work(void* argument) {
    worker* self = argument;
    run(1000); /* the first record of a thread makes what the others use */
    pthread_barrier_wait(&ready);
    const double start = thread_cpu_ns();
    run(calls_per_thread);
    self->ns_per_call = (thread_cpu_ns() - start) / (double)calls_per_thread;
    return NULL;
}

int main(int argc, char** argv) {
    worker workers[MAX_THREADS];
    double sum = 0;
    const int threads = argc == 4 ? atoi(argv[2]) : 0;
    if (threads < 1 || threads > MAX_THREADS || (calls_per_thread = strtoul(argv[3], NULL, 10)) == 0) {
        fprintf(stderr, "usage: monitor FUNCTION THREADS CALLS\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (strcmp(argv[1], functions[i].name) == 0) run = functions[i].run;
    }
    if (run == NULL || pthread_barrier_init(&ready, NULL, (unsigned)threads) != 0) {
        fprintf(stderr, "monitor: no such function, or no barrier\n");
        return 2;
    }
    for (int i = 0; i < threads; i++) {
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) {
            fprintf(stderr, "monitor: no thread\n");
            return 2;
        }
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        sum += workers[i].ns_per_call;
    }
    printf("%.2f\n", sum / threads);
    return 0;
}
