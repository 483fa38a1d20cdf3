/* connection_pool: many threads that ask one server, over few connections.
 *
 * A pool makes connections when they are needed, lends each to one thread at a time, and keeps them for the next. What
 * breaks is replaced; who finds none free waits in line. */
#include <network_system.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 8, QUESTIONS = 50, CONNECTIONS = 3, PATIENCE_MS = 20000 };

/* The answer that a session waits for, kept as the session's userdata. */
typedef struct exchange {
    pthread_mutex_t mutex;
    pthread_cond_t arrived;
    int answered;
    char answer[32];
} exchange;

static netsys_pool pool;

static void check(netsys_status status, const char* what) {
    if (status != NETSYS_OK) {
        netsys_error_info error;
        memset(&error, 0, sizeof error);
        error.struct_size = sizeof error;
        netsys_last_error(&error);
        fprintf(stderr, "%s: %s: %s\n", what, netsys_status_name(status), error.message);
        exit(1);
    }
}

static netsys_str text(const char* string) {
    netsys_str view;
    view.data = string;
    view.len = strlen(string);
    return view;
}

static void echo(void* userdata, netsys_session session, const netsys_message* message) {
    (void)userdata;
    netsys_session_send(session, message->kind, message->data, message->len);
}

static void on_answer(void* userdata, netsys_session session, const netsys_message* message) {
    exchange* asked = message->session_userdata;
    (void)userdata;
    (void)session;
    if (asked != NULL && message->len < sizeof asked->answer) {
        pthread_mutex_lock(&asked->mutex);
        memcpy(asked->answer, message->data, message->len);
        asked->answer[message->len] = '\0';
        asked->answered = 1;
        pthread_cond_signal(&asked->arrived);
        pthread_mutex_unlock(&asked->mutex);
    }
}

/* Asks over whatever connection the pool lends. */
static void ask(exchange* asked, const char* question) {
    netsys_lease lease;
    netsys_session session;
    check(netsys_pool_acquire(pool, PATIENCE_MS, &lease), "acquire");
    check(netsys_lease_session(lease, &session), "session");
    asked->answered = 0;
    check(netsys_session_set_userdata(session, asked, NULL), "userdata");
    check(netsys_session_send(session, NETSYS_MESSAGE_TEXT, question, strlen(question)), "send");
    pthread_mutex_lock(&asked->mutex);
    while (!asked->answered) {
        pthread_cond_wait(&asked->arrived, &asked->mutex);
    }
    pthread_mutex_unlock(&asked->mutex);
    if (strcmp(asked->answer, question) != 0) {
        fprintf(stderr, "asked \"%s\", answered \"%s\"\n", question, asked->answer);
        exit(1);
    }
    check(netsys_session_set_userdata(session, NULL, NULL), "userdata");
    check(netsys_lease_release(lease), "release");
}

static void* work(void* number) {
    exchange asked;
    char question[32];
    int i;
    pthread_mutex_init(&asked.mutex, NULL);
    pthread_cond_init(&asked.arrived, NULL);
    for (i = 0; i < QUESTIONS; ++i) {
        snprintf(question, sizeof question, "%d asks %d", *(const int*)number, i);
        ask(&asked, question);
    }
    pthread_cond_destroy(&asked.arrived);
    pthread_mutex_destroy(&asked.mutex);
    return NULL;
}

int main(void) {
    netsys_context context;
    netsys_server_config server_config;
    netsys_client_config client_config;
    netsys_pool_config pool_config;
    netsys_callbacks callbacks;
    netsys_server server;
    netsys_pool_info info;
    pthread_t threads[WORKERS];
    int numbers[WORKERS];
    int i;

    check(netsys_check_version(NETSYS_VERSION_NUMBER), "version");
    check(netsys_context_create(NULL, &context), "context");

    check(netsys_server_config_init(&server_config, sizeof server_config), "server config");
    server_config.host = text("127.0.0.1");
    memset(&callbacks, 0, sizeof callbacks);
    callbacks.struct_size = sizeof callbacks;
    callbacks.on_message = echo;
    check(netsys_server_start(context, &server_config, &callbacks, &server), "server");

    check(netsys_pool_config_init(&pool_config, sizeof pool_config), "pool config");
    check(netsys_client_config_init(&client_config, sizeof client_config), "client config");
    pool_config.max_connections = CONNECTIONS;
    client_config.host = text("127.0.0.1");
    client_config.framing = NETSYS_FRAMING_FRAMED;
    check(netsys_server_port(server, &client_config.port), "port");
    callbacks.on_message = on_answer;
    check(netsys_pool_start(context, &pool_config, &client_config, &callbacks, &pool), "pool");

    for (i = 0; i < WORKERS; ++i) {
        numbers[i] = i;
        if (pthread_create(&threads[i], NULL, work, &numbers[i]) != 0) {
            fprintf(stderr, "no thread\n");
            return 1;
        }
    }
    for (i = 0; i < WORKERS; ++i) {
        pthread_join(threads[i], NULL);
    }

    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    check(netsys_pool_stats(pool, &info), "stats");
    printf("%d threads: %llu questions answered over %llu connections\n", (int)WORKERS,
           (unsigned long long)info.acquired, (unsigned long long)info.connected);
    check(netsys_pool_destroy(pool), "destroy");
    check(netsys_context_shutdown(context, NETSYS_INFINITE), "shutdown");
    return info.acquired == WORKERS * QUESTIONS && info.connected <= CONNECTIONS && info.leased == 0 ? 0 : 1;
}
