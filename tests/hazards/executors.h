/* Executors for the hazard programs: one that keeps its jobs until somebody asks for them, and one with threads. */
#ifndef HAZARD_EXECUTORS_H
#define HAZARD_EXECUTORS_H

#include "hazard.h"

enum { HAZARD_JOBS = 4096, HAZARD_WORKERS = 3 };

/* Keeps the jobs in the order in which they came, for ever. */
typedef struct hazard_shelf {
    hazard_counter given; /* its mutex guards the jobs too */
    hazard_counter released;
    netsys_job jobs[HAZARD_JOBS];
} hazard_shelf;

#define HAZARD_SHELF_INIT                           \
    {                                               \
        HAZARD_COUNTER_INIT, HAZARD_COUNTER_INIT, { \
            { 0 }                                   \
        }                                           \
    }

static inline netsys_status hazard_keep(void* userdata, netsys_job job) {
    hazard_shelf* shelf = (hazard_shelf*)userdata;
    pthread_mutex_lock(&shelf->given.mutex);
    REQUIRE(shelf->given.value < HAZARD_JOBS);
    shelf->jobs[shelf->given.value++] = job;
    pthread_cond_broadcast(&shelf->given.changed);
    pthread_mutex_unlock(&shelf->given.mutex);
    return NETSYS_OK;
}

static inline void hazard_shelf_released(void* userdata) {
    hazard_count(&((hazard_shelf*)userdata)->released);
}

static inline netsys_executor hazard_shelf_executor(hazard_shelf* shelf) {
    netsys_executor executor;
    executor.userdata = shelf;
    executor.execute = hazard_keep;
    executor.release = hazard_shelf_released;
    return executor;
}

/* The job that came as number `index`, which is waited for. */
static inline netsys_job hazard_job(hazard_shelf* shelf, unsigned long index) {
    netsys_job job;
    REQUIRE(hazard_await(&shelf->given, index + 1));
    pthread_mutex_lock(&shelf->given.mutex);
    job = shelf->jobs[index];
    pthread_mutex_unlock(&shelf->given.mutex);
    return job;
}

/* Threads that run jobs as they come. */
typedef struct hazard_workers {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    netsys_job jobs[HAZARD_JOBS]; /* a ring */
    unsigned long given, taken;
    int ended;
    hazard_counter released;
    pthread_t threads[HAZARD_WORKERS];
} hazard_workers;

#define HAZARD_WORKERS_INIT                                                                         \
    {                                                                                               \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, {{0}}, 0, 0, 0, HAZARD_COUNTER_INIT, { \
            0                                                                                       \
        }                                                                                           \
    }

static inline netsys_status hazard_give(void* userdata, netsys_job job) {
    hazard_workers* workers = (hazard_workers*)userdata;
    netsys_status status = NETSYS_ERR_CANCELLED;
    pthread_mutex_lock(&workers->mutex);
    if (!workers->ended && workers->given - workers->taken < HAZARD_JOBS) {
        workers->jobs[workers->given++ % HAZARD_JOBS] = job;
        pthread_cond_signal(&workers->changed);
        status = NETSYS_OK;
    }
    pthread_mutex_unlock(&workers->mutex);
    return status;
}

static inline void hazard_workers_released(void* userdata) {
    hazard_count(&((hazard_workers*)userdata)->released);
}

static inline netsys_executor hazard_workers_executor(hazard_workers* workers) {
    netsys_executor executor;
    executor.userdata = workers;
    executor.execute = hazard_give;
    executor.release = hazard_workers_released;
    return executor;
}

static inline void* hazard_work(void* userdata) {
    hazard_workers* workers = (hazard_workers*)userdata;
    pthread_mutex_lock(&workers->mutex);
    while (!workers->ended || workers->given > workers->taken) {
        if (workers->given == workers->taken) {
            pthread_cond_wait(&workers->changed, &workers->mutex);
        } else {
            const netsys_job job = workers->jobs[workers->taken++ % HAZARD_JOBS];
            pthread_mutex_unlock(&workers->mutex);
            netsys_job_run(job);
            pthread_mutex_lock(&workers->mutex);
        }
    }
    pthread_mutex_unlock(&workers->mutex);
    return NULL;
}

static inline void hazard_workers_start(hazard_workers* workers) {
    int i;
    for (i = 0; i < HAZARD_WORKERS; ++i) {
        REQUIRE(pthread_create(&workers->threads[i], NULL, hazard_work, workers) == 0);
    }
}

static inline void hazard_workers_end(hazard_workers* workers) {
    int i;
    pthread_mutex_lock(&workers->mutex);
    workers->ended = 1;
    pthread_cond_broadcast(&workers->changed);
    pthread_mutex_unlock(&workers->mutex);
    for (i = 0; i < HAZARD_WORKERS; ++i) {
        REQUIRE(pthread_join(workers->threads[i], NULL) == 0);
    }
}

#endif
