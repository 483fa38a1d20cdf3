/* Executors that do wrong what can be done wrong with a job: run it twice, on several threads at once, late, never, or
 * report a failure after having run it. Each callback runs exactly once nevertheless, in order, and each executor is
 * released exactly once, also by the starts that fail. */
#include <sys/socket.h>

#include "executors.h"

enum { MESSAGES = 300, RUNNERS = 4 };

typedef netsys_status execute(void* userdata, netsys_job job);

/* --- jobs by hand ----------------------------------------------------------------------------------------------------
 */

/* Stands on a shelf behind the last job. */
static const netsys_job no_more = {0};

static void put_no_more(void* shelf) {
    REQUIRE_OK(hazard_keep(shelf, no_more));
}

static void* destroy_server(void* server) {
    REQUIRE_OK(netsys_server_destroy(*(netsys_server*)server));
    return NULL;
}

/* Stale and forged handles of jobs name nothing; jobs that are given back at the end are run by the library. */
static void handle_jobs_by_hand(void) {
    static hazard_shelf shelf = HAZARD_SHELF_INIT;
    netsys_callbacks callbacks = hazard_callbacks(&shelf);
    netsys_callbacks none = hazard_callbacks(NULL);
    netsys_context context;
    netsys_server_config config;
    netsys_server server;
    netsys_client client;
    netsys_job job, forged;
    pthread_t destroyer;
    unsigned long next = 0;
    uint16_t port;
    unsigned bit;

    callbacks.release = put_no_more;
    REQUIRE_OK(netsys_context_create(NULL, &context));
    REQUIRE_OK(netsys_server_config_init(&config, sizeof config));
    config.host = hazard_str("127.0.0.1");
    config.dispatch = NETSYS_DISPATCH_EXECUTOR;
    config.executor = hazard_shelf_executor(&shelf);
    REQUIRE_OK(netsys_server_start(context, &config, &callbacks, &server));
    REQUIRE_OK(netsys_server_port(server, &port));
    client = hazard_start_client(context, NETSYS_FRAMING_FRAMED, port, &none);

    /* The first is about the connection that was accepted; the client is answered only after it. */
    job = hazard_job(&shelf, next++);
    for (bit = 0; bit < 64; ++bit) {
        forged.id = job.id ^ (UINT64_C(1) << bit);
        REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, netsys_job_run(forged));
        REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, netsys_job_refuse(forged));
    }
    forged.id = server.id;
    REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, netsys_job_run(forged));
    REQUIRE_OK(netsys_job_run(job));
    REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, netsys_job_run(job));
    REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, netsys_job_refuse(job));

    REQUIRE_OK(netsys_client_destroy(client));
    REQUIRE(pthread_create(&destroyer, NULL, destroy_server, &server) == 0);
    while ((job = hazard_job(&shelf, next++)).id != no_more.id) {
        REQUIRE_OK(netsys_job_refuse(job));
        REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, netsys_job_run(job));
    }
    REQUIRE(pthread_join(destroyer, NULL) == 0);
    REQUIRE_OK(netsys_context_shutdown(context, NETSYS_INFINITE));
    REQUIRE(hazard_await(&shelf.released, 1));
    REQUIRE(hazard_value(&shelf.released) == 1 && hazard_value(&shelf.given) == next);
}

/* --- executors that misbehave ----------------------------------------------------------------------------------------
 */

static hazard_shelf contested = HAZARD_SHELF_INIT;
static unsigned long contests;

static netsys_status run_now(void* userdata, netsys_job job) {
    (void)userdata;
    REQUIRE_OK(netsys_job_run(job));
    return NETSYS_OK;
}

static netsys_status run_now_and_fail(void* userdata, netsys_job job) {
    (void)userdata;
    REQUIRE_OK(netsys_job_run(job));
    REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, netsys_job_run(job));
    return NETSYS_ERR_IO;
}

static netsys_status refuse_now(void* userdata, netsys_job job) {
    (void)userdata;
    REQUIRE_OK(netsys_job_refuse(job));
    return NETSYS_OK;
}

static netsys_status refuse_now_and_fail(void* userdata, netsys_job job) {
    (void)userdata;
    REQUIRE_OK(netsys_job_refuse(job));
    return 1; /* no status of the library's */
}

static netsys_status fail_only(void* userdata, netsys_job job) {
    (void)userdata;
    (void)job;
    return NETSYS_ERR_CANCELLED;
}

static netsys_status share_out(void* userdata, netsys_job job) {
    (void)userdata;
    return hazard_keep(&contested, job);
}

/* Says that it has not taken the job, and runs it nevertheless: one of the two comes first. */
static netsys_status share_out_and_fail(void* userdata, netsys_job job) {
    share_out(userdata, job);
    return NETSYS_ERR_IO;
}

/* Each of these threads runs, or refuses, each job that was shared out: only the first gets it. */
static void* contest(void* number) {
    unsigned long next = 0;
    netsys_job job;
    while ((job = hazard_job(&contested, next++)).id != no_more.id) {
        const int refuses = next % RUNNERS == *(unsigned long*)number;
        const netsys_status status = refuses ? netsys_job_refuse(job) : netsys_job_run(job);
        REQUIRE(status == NETSYS_OK || status == NETSYS_ERR_INVALID_HANDLE);
        __atomic_add_fetch(&contests, status == NETSYS_OK, __ATOMIC_SEQ_CST);
    }
    return NULL;
}

/* --- what the callbacks see ------------------------------------------------------------------------------------------
 */

typedef struct side {
    int inside;
    uint32_t next;
    hazard_counter heard;
    hazard_counter closed, released, executor_released;
} side;

static void enter(side* at) {
    REQUIRE(__atomic_exchange_n(&at->inside, 1, __ATOMIC_SEQ_CST) == 0);
}

static void leave(side* at) {
    __atomic_store_n(&at->inside, 0, __ATOMIC_SEQ_CST);
}

static void check_number(side* at, const netsys_message* message) {
    uint32_t number;
    REQUIRE(message->len == sizeof number);
    memcpy(&number, message->data, sizeof number);
    REQUIRE(number == at->next++);
}

static void on_question(void* userdata, netsys_session session, const netsys_message* message) {
    side* at = (side*)userdata;
    enter(at);
    check_number(at, message);
    netsys_session_send(session, message->kind, message->data, message->len);
    leave(at);
}

static void on_answer(void* userdata, netsys_session session, const netsys_message* message) {
    side* at = (side*)userdata;
    (void)session;
    enter(at);
    check_number(at, message);
    leave(at);
    hazard_count(&at->heard);
}

static void on_close(void* userdata, netsys_session session, const netsys_close_info* why) {
    side* at = (side*)userdata;
    (void)session;
    (void)why;
    enter(at);
    leave(at);
    hazard_count(&at->closed);
}

static void release_side(void* userdata) {
    hazard_count(&((side*)userdata)->released);
}

static void release_executor_of_side(void* userdata) {
    hazard_count(&((side*)userdata)->executor_released);
}

static void talk_over(execute* function) {
    static const side empty = {
        0, 0, HAZARD_COUNTER_INIT, HAZARD_COUNTER_INIT, HAZARD_COUNTER_INIT, HAZARD_COUNTER_INIT};
    side ends[2];
    netsys_callbacks callbacks[2];
    netsys_context context;
    netsys_server_config server_config;
    netsys_client_config client_config;
    netsys_server server;
    netsys_client client;
    netsys_session session;
    pthread_t runners[RUNNERS];
    unsigned long numbers[RUNNERS];
    uint32_t number;
    int i;

    contested.given.value = 0;
    contests = 0;
    for (i = 0; i < RUNNERS; ++i) {
        numbers[i] = (unsigned long)i;
        REQUIRE(pthread_create(&runners[i], NULL, contest, &numbers[i]) == 0);
    }
    for (i = 0; i < 2; ++i) {
        ends[i] = empty;
        callbacks[i] = hazard_callbacks(&ends[i]);
        callbacks[i].on_message = i == 0 ? on_question : on_answer;
        callbacks[i].on_close = on_close;
        callbacks[i].release = release_side;
    }
    REQUIRE_OK(netsys_context_create(NULL, &context));
    REQUIRE_OK(netsys_server_config_init(&server_config, sizeof server_config));
    server_config.host = hazard_str("127.0.0.1");
    server_config.dispatch = NETSYS_DISPATCH_EXECUTOR;
    server_config.executor.userdata = &ends[0];
    server_config.executor.execute = function;
    server_config.executor.release = release_executor_of_side;
    REQUIRE_OK(netsys_server_start(context, &server_config, &callbacks[0], &server));
    REQUIRE_OK(netsys_client_config_init(&client_config, sizeof client_config));
    client_config.host = hazard_str("127.0.0.1");
    REQUIRE_OK(netsys_server_port(server, &client_config.port));
    client_config.framing = NETSYS_FRAMING_FRAMED;
    client_config.dispatch = NETSYS_DISPATCH_EXECUTOR;
    client_config.executor = server_config.executor;
    client_config.executor.userdata = &ends[1];
    REQUIRE_OK(netsys_client_start(context, &client_config, &callbacks[1], &client));
    session = hazard_connected(client);
    for (number = 0; number < MESSAGES; ++number) {
        REQUIRE_OK(netsys_session_send(session, NETSYS_MESSAGE_BINARY, &number, sizeof number));
    }
    REQUIRE(hazard_await(&ends[1].heard, MESSAGES));
    REQUIRE_OK(netsys_client_destroy(client));
    REQUIRE_OK(netsys_server_destroy(server));
    REQUIRE_OK(netsys_context_shutdown(context, NETSYS_INFINITE));
    put_no_more(&contested);
    for (i = 0; i < RUNNERS; ++i) {
        REQUIRE(pthread_join(runners[i], NULL) == 0);
    }
    for (i = 0; i < 2; ++i) {
        REQUIRE(hazard_await(&ends[i].executor_released, 1));
        REQUIRE(hazard_value(&ends[i].executor_released) == 1);
        REQUIRE(hazard_value(&ends[i].closed) == 1 && hazard_value(&ends[i].released) == 1);
    }
    REQUIRE(ends[0].next == MESSAGES && ends[1].next == MESSAGES);
    REQUIRE(function != share_out || contests == contested.given.value - 1);
}

/* --- starts that fail ------------------------------------------------------------------------------------------------
 */

static unsigned failed_starts;

/* Each release runs exactly once for each of the starts that were tried, but for those whose struct_size was refused.
 */
static void fail_to_start(netsys_context context, const netsys_server_config* given, const netsys_callbacks* callbacks,
                          int with_out, unsigned long releases) {
    static hazard_shelf shelf = HAZARD_SHELF_INIT;
    netsys_server_config config = *given;
    netsys_client_config client_config;
    netsys_server server;
    netsys_client client;
    netsys_session session;
    int sockets[2];
    shelf.released.value = 0;
    if (config.executor.execute != NULL) {
        config.executor = hazard_shelf_executor(&shelf);
    }
    config.executor.userdata = &shelf;
    config.executor.release = hazard_shelf_released;
    REQUIRE(netsys_server_start(context, &config, callbacks, with_out ? &server : NULL) != NETSYS_OK);
    REQUIRE(hazard_value(&shelf.released) == releases);

    REQUIRE_OK(netsys_client_config_init(&client_config, sizeof client_config));
    client_config.struct_size = config.struct_size == 0 ? 0 : (uint32_t)sizeof client_config;
    client_config.host = config.host;
    client_config.port = 0; /* refused, where nothing else is */
    client_config.framing = config.framing;
    client_config.flags = config.flags;
    client_config.reserved16 = config.reserved16;
    client_config.dispatch = config.dispatch;
    client_config.executor = config.executor;
    REQUIRE(netsys_client_start(context, &client_config, callbacks, with_out ? &client : NULL) != NETSYS_OK);
    REQUIRE(hazard_value(&shelf.released) == 2 * releases);

    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    REQUIRE(netsys_session_adopt(context, sockets[0], &config, callbacks, with_out ? &session : NULL) != NETSYS_OK);
    REQUIRE(hazard_value(&shelf.released) == 3 * releases);
    close(sockets[0]);
    close(sockets[1]);
    failed_starts += 3;
}

static void release_executors_of_failed_starts(void) {
    const netsys_callbacks callbacks = hazard_callbacks(NULL);
    netsys_callbacks bad_callbacks = callbacks;
    netsys_context context, ended;
    netsys_server_config valid, config;
    REQUIRE_OK(netsys_context_create(NULL, &context));
    REQUIRE_OK(netsys_context_create(NULL, &ended));
    REQUIRE_OK(netsys_context_shutdown(ended, 0));
    REQUIRE_OK(netsys_server_config_init(&valid, sizeof valid));
    valid.host = hazard_str("127.0.0.1");
    valid.port = 0;
    valid.dispatch = NETSYS_DISPATCH_EXECUTOR;
    valid.executor.execute = hazard_keep;

    fail_to_start(context, &valid, &callbacks, 0, 1);
    fail_to_start(context, &valid, NULL, 1, 1);
    bad_callbacks.struct_size = 0;
    fail_to_start(context, &valid, &bad_callbacks, 1, 1);
    bad_callbacks = callbacks;
    bad_callbacks.reserved = 1;
    fail_to_start(context, &valid, &bad_callbacks, 1, 1);
    fail_to_start(ended, &valid, &callbacks, 1, 1);
    config = valid;
    config.struct_size = 0;
    fail_to_start(context, &config, &callbacks, 1, 0);
    config = valid;
    config.framing = 9;
    fail_to_start(context, &config, &callbacks, 1, 1);
    config = valid;
    config.flags = 1u << 31;
    fail_to_start(context, &config, &callbacks, 1, 1);
    config = valid;
    config.reserved16 = 1;
    fail_to_start(context, &config, &callbacks, 1, 1);
    config = valid;
    config.dispatch = 77;
    fail_to_start(context, &config, &callbacks, 1, 1);
    config.dispatch = NETSYS_DISPATCH_INLINE;
    fail_to_start(context, &config, &callbacks, 1, 1);
    config = valid;
    config.executor.execute = NULL;
    fail_to_start(context, &config, &callbacks, 1, 1);
    REQUIRE_OK(netsys_context_shutdown(context, NETSYS_INFINITE));
}

int main(void) {
    static execute* const misbehaved[] = {run_now,   run_now_and_fail, refuse_now,        refuse_now_and_fail,
                                          fail_only, share_out,        share_out_and_fail};
    const unsigned descriptors = hazard_descriptors();
    unsigned i;
    handle_jobs_by_hand();
    for (i = 0; i < sizeof misbehaved / sizeof misbehaved[0]; ++i) {
        talk_over(misbehaved[i]);
    }
    release_executors_of_failed_starts();
    REQUIRE(hazard_settles(1, descriptors));
    printf("%u executors, %u failed starts\n", i, failed_starts);
    return 0;
}
