/* Callbacks on threads of the program's own: a netsys_executor over pthreads and a queue (NETSYS_DISPATCH_EXECUTOR).
 *
 * The library hands a job to `execute` whenever callbacks of a session are due, and a worker runs it. Then the workers
 * end while the server is still in use, as happens when a program shuts down in an unlucky order: what still waits is
 * given back (netsys_job_refuse), what comes later is not taken. The library runs both itself, so nothing is lost.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <network_system.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "example.h"

enum { workers = 2, batch = 500, capacity = 64, patience_s = 20 };

struct executor {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t threads[workers];
    netsys_job jobs[capacity]; /* a ring: count jobs, the oldest at first */
    size_t first, count;
    bool ended, released;
    unsigned long run, refused, not_taken;
};

/* On threads of the library, several at a time. Must not wait: what does not fit is not taken. */
static netsys_status execute(void* userdata, netsys_job job) {
    struct executor* executor = userdata;
    netsys_status status = NETSYS_OK;

    pthread_mutex_lock(&executor->lock);
    if (executor->ended || executor->count == capacity) {
        executor->not_taken++;
        status = NETSYS_ERR_CANCELLED; /* anything but NETSYS_OK: the library runs the job itself */
    } else {
        executor->jobs[(executor->first + executor->count++) % capacity] = job;
        pthread_cond_broadcast(&executor->changed);
    }
    pthread_mutex_unlock(&executor->lock);
    return status;
}

/* No job will come any more: the executor may go. */
static void release(void* userdata) {
    struct executor* executor = userdata;

    pthread_mutex_lock(&executor->lock);
    executor->released = true;
    pthread_cond_broadcast(&executor->changed);
    pthread_mutex_unlock(&executor->lock);
}

static netsys_job take(struct executor* executor) {
    const netsys_job job = executor->jobs[executor->first];

    executor->first = (executor->first + 1) % capacity;
    executor->count--;
    return job;
}

static void* work(void* userdata) {
    struct executor* executor = userdata;

    pthread_mutex_lock(&executor->lock);
    while (!executor->ended) {
        if (executor->count == 0) {
            pthread_cond_wait(&executor->changed, &executor->lock);
            continue;
        }
        const netsys_job job = take(executor);
        executor->run++;
        pthread_mutex_unlock(&executor->lock); /* callbacks run in netsys_job_run, and new jobs come from there */
        netsys_job_run(job);
        pthread_mutex_lock(&executor->lock);
    }
    pthread_mutex_unlock(&executor->lock);
    return NULL;
}

static void start_workers(struct executor* executor) {
    for (int i = 0; i < workers; i++) {
        if (pthread_create(&executor->threads[i], NULL, work, executor) != 0) {
            perror("executor: pthread_create");
            exit(EXIT_FAILURE);
        }
    }
}

/* An executor that ends owes each of its jobs a netsys_job_run or a netsys_job_refuse. */
static void end_workers(struct executor* executor) {
    pthread_mutex_lock(&executor->lock);
    executor->ended = true;
    pthread_cond_broadcast(&executor->changed);
    pthread_mutex_unlock(&executor->lock);
    for (int i = 0; i < workers; i++) {
        pthread_join(executor->threads[i], NULL);
    }
    while (executor->count > 0) { /* execute takes none any more */
        executor->refused++;
        netsys_job_refuse(take(executor));
    }
}

/* What the client has heard. */
struct answers {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int count;
};

/* The server's, on the workers. */
static void on_question(void* userdata, netsys_session session, const netsys_message* message) {
    (void)userdata;
    netsys_session_send(session, message->kind, message->data, message->len);
}

/* The client's. */
static void on_answer(void* userdata, netsys_session session, const netsys_message* message) {
    struct answers* answers = userdata;

    (void)session;
    (void)message;
    pthread_mutex_lock(&answers->lock);
    answers->count++;
    pthread_cond_signal(&answers->changed);
    pthread_mutex_unlock(&answers->lock);
}

static void await(struct answers* answers, int count) {
    struct timespec deadline;
    int late = 0;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += patience_s;
    pthread_mutex_lock(&answers->lock);
    while (answers->count < count && late == 0) {
        late = pthread_cond_timedwait(&answers->changed, &answers->lock, &deadline);
    }
    const int heard = answers->count;
    pthread_mutex_unlock(&answers->lock);
    if (heard != count) {
        fprintf(stderr, "executor: %d answers instead of %d\n", heard, count);
        exit(EXIT_FAILURE);
    }
}

int main(void) {
    static struct executor executor = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    static struct answers answers = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    netsys_callbacks of_server = {.struct_size = sizeof of_server, .on_message = on_question};
    netsys_callbacks of_client = {.struct_size = sizeof of_client, .userdata = &answers, .on_message = on_answer};
    netsys_server_config config;
    netsys_context context;
    netsys_server server;
    netsys_client client;

    start_workers(&executor);
    must("create a context", netsys_context_create(NULL, &context));
    must("make a configuration", netsys_server_config_init(&config, sizeof config));
    config.dispatch = NETSYS_DISPATCH_EXECUTOR;
    config.executor.execute = execute;
    config.executor.release = release;
    config.executor.userdata = &executor;
    const uint16_t port = start_server(context, &config, &of_server, &server);
    start_client(context, port, NETSYS_DISPATCH_INLINE, &of_client, &client);
    must("connect", netsys_client_wait_connected(client, patience_s * 1000));

    for (int i = 0; i < batch; i++) {
        send_text(client, "with the workers");
    }
    await(&answers, batch);

    for (int i = 0; i < batch; i++) {
        send_text(client, "while the workers end");
    }
    end_workers(&executor);
    for (int i = 0; i < batch; i++) {
        send_text(client, "without workers");
    }
    await(&answers, 3 * batch);

    netsys_client_destroy(client);
    netsys_server_destroy(server);
    netsys_context_shutdown(context, NETSYS_INFINITE);
    pthread_mutex_lock(&executor.lock);
    while (!executor.released) { /* an executor that is freed must wait for this */
        pthread_cond_wait(&executor.changed, &executor.lock);
    }
    pthread_mutex_unlock(&executor.lock);
    printf("%d answers; %lu jobs run by the workers, %lu given back, %lu not taken\n", answers.count, executor.run,
           executor.refused, executor.not_taken);
    return executor.run > 0 && executor.not_taken > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
