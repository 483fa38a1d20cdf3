/* A slow request holds up its own session only: callbacks on a pool of threads (NETSYS_DISPATCH_POOL).
 *
 * Two clients talk to one server. The first asks for something slow, and behind it for something quick; while the slow
 * request is still being worked on, the second client gets a hundred answers. Then the slow request ends, and the first
 * client gets its two answers, in the order of its questions: the callbacks of one session never overlap.
 *
 * With NETSYS_DISPATCH_INLINE, where callbacks run on the server's one thread, everybody would wait for the slow one.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <network_system.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "example.h"

enum { questions = 100, patience_s = 20 };

/* Callbacks of different sessions run at the same time, so what they share is locked. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool slow_has_begun, slow_may_end;
static int answers_of_patient, answers_of_quick;
static char heard_by_patient[3]; /* the first letter of each answer */

static void wait_for_change(void) {
    struct timespec deadline;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += patience_s;
    if (pthread_cond_timedwait(&changed, &lock, &deadline) == ETIMEDOUT) {
        fprintf(stderr, "worker_pool: waited %d s for what should have happened\n", patience_s);
        exit(EXIT_FAILURE);
    }
}

static bool says(const netsys_message* message, const char* text) {
    return message->len == strlen(text) && memcmp(message->data, text, message->len) == 0;
}

/* The server. A callback may take its time here: it holds a thread of the pool, and its session. */
static void on_question(void* userdata, netsys_session session, const netsys_message* message) {
    (void)userdata;
    if (says(message, "slow")) {
        pthread_mutex_lock(&lock);
        slow_has_begun = true;
        pthread_cond_broadcast(&changed);
        while (!slow_may_end) {
            wait_for_change();
        }
        pthread_mutex_unlock(&lock);
    }
    netsys_session_send(session, message->kind, message->data, message->len);
}

static void on_answer_to_patient(void* userdata, netsys_session session, const netsys_message* message) {
    (void)userdata;
    (void)session;
    pthread_mutex_lock(&lock);
    if (answers_of_patient < 2) {
        heard_by_patient[answers_of_patient++] = (char)message->data[0];
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void on_answer_to_quick(void* userdata, netsys_session session, const netsys_message* message) {
    (void)userdata;
    (void)session;
    (void)message;
    pthread_mutex_lock(&lock);
    answers_of_quick++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

int main(void) {
    netsys_callbacks of_server = {.struct_size = sizeof of_server, .on_message = on_question};
    netsys_callbacks of_patient = {.struct_size = sizeof of_patient, .on_message = on_answer_to_patient};
    netsys_callbacks of_quick = {.struct_size = sizeof of_quick, .on_message = on_answer_to_quick};
    netsys_context_config context_config;
    netsys_server_config config;
    netsys_context context;
    netsys_server server;
    netsys_client patient, quick;

    must("make a configuration", netsys_context_config_init(&context_config, sizeof context_config));
    context_config.pool_threads = 2; /* 0 would be as many as there are processors */
    must("create a context", netsys_context_create(&context_config, &context));
    must("make a configuration", netsys_server_config_init(&config, sizeof config));
    config.dispatch = NETSYS_DISPATCH_POOL;
    const uint16_t port = start_server(context, &config, &of_server, &server);
    start_client(context, port, NETSYS_DISPATCH_INLINE, &of_patient, &patient);
    start_client(context, port, NETSYS_DISPATCH_INLINE, &of_quick, &quick);
    must("connect", netsys_client_wait_connected(patient, patience_s * 1000));
    must("connect", netsys_client_wait_connected(quick, patience_s * 1000));

    send_text(patient, "slow");
    send_text(patient, "behind");
    pthread_mutex_lock(&lock);
    while (!slow_has_begun) {
        wait_for_change();
    }
    pthread_mutex_unlock(&lock);

    for (int i = 0; i < questions; i++) {
        send_text(quick, "quick");
    }
    pthread_mutex_lock(&lock);
    while (answers_of_quick < questions) {
        wait_for_change();
    }
    const int early = answers_of_patient;
    printf("%d answers for the quick client, %d for the patient one\n", answers_of_quick, early);
    slow_may_end = true;
    pthread_cond_broadcast(&changed);
    while (answers_of_patient < 2) {
        wait_for_change();
    }
    printf("the slow request has ended; the patient client heard: %s (slow, behind)\n", heard_by_patient);
    pthread_mutex_unlock(&lock);

    netsys_client_destroy(patient);
    netsys_client_destroy(quick);
    netsys_server_destroy(server);
    netsys_context_shutdown(context, NETSYS_INFINITE);
    return early == 0 && strcmp(heard_by_patient, "sb") == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
