/* session_manager: a server that keeps its sessions in a limited set, and ends those that say nothing. */
#include <network_system.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 2, IDLE_MS = 1000, LOOK_MS = 50, PATIENCE_MS = 20000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turned_away, expired;
static netsys_session_manager manager;

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

static void count(int* counter) {
    pthread_mutex_lock(&mutex);
    ++*counter;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

static void await(const int* counter, int value) {
    pthread_mutex_lock(&mutex);
    while (*counter < value) {
        pthread_cond_wait(&changed, &mutex);
    }
    pthread_mutex_unlock(&mutex);
}

/* Who comes is taken in, or told that there is no room. */
static void on_open(void* userdata, netsys_session session) {
    netsys_managed_session managed;
    netsys_status status;
    (void)userdata;
    memset(&managed, 0, sizeof managed);
    managed.struct_size = sizeof managed;
    managed.session = session;
    status = netsys_session_manager_add(manager, &managed, text(""), NULL, 0, NULL);
    if (status != NETSYS_OK) {
        netsys_session_close(session, status, text("no room: come again later"));
    }
}

/* At a client. */
static void on_close(void* userdata, netsys_session session, const netsys_close_info* why) {
    (void)userdata;
    (void)session;
    printf("a client was told: %.*s\n", (int)why->text.len, why->text.data);
    if (why->reason == NETSYS_ERR_SERVER_BUSY) {
        count(&turned_away);
    } else if (why->reason == NETSYS_ERR_SESSION_EXPIRED) {
        count(&expired);
    }
}

static void show(void* userdata, const netsys_managed_session* session, netsys_str id) {
    (void)userdata;
    (void)session;
    printf("there is %.*s\n", (int)id.len, id.data);
}

static netsys_client connect_to(netsys_context context, uint16_t port) {
    netsys_client_config config;
    netsys_callbacks callbacks;
    netsys_client client;
    check(netsys_client_config_init(&config, sizeof config), "client config");
    config.host = text("127.0.0.1");
    config.port = port;
    config.framing = NETSYS_FRAMING_FRAMED;
    memset(&callbacks, 0, sizeof callbacks);
    callbacks.struct_size = sizeof callbacks;
    callbacks.on_close = on_close;
    check(netsys_client_start(context, &config, &callbacks, &client), "client");
    check(netsys_client_wait_connected(client, PATIENCE_MS), "connecting");
    return client;
}

int main(void) {
    netsys_context context;
    netsys_session_manager_config config;
    netsys_session_manager_info info;
    netsys_server_config server_config;
    netsys_callbacks callbacks;
    netsys_server server;
    netsys_client clients[ROOM + 1];
    uint16_t port;
    int i;

    check(netsys_check_version(NETSYS_VERSION_NUMBER), "version");
    check(netsys_context_create(NULL, &context), "context");
    check(netsys_session_manager_config_init(&config, sizeof config), "manager config");
    config.max_sessions = ROOM;
    config.idle_timeout_ms = IDLE_MS;
    config.cleanup_interval_ms = LOOK_MS;
    check(netsys_session_manager_create(context, &config, &manager), "manager");

    check(netsys_server_config_init(&server_config, sizeof server_config), "server config");
    server_config.host = text("127.0.0.1");
    memset(&callbacks, 0, sizeof callbacks);
    callbacks.struct_size = sizeof callbacks;
    callbacks.on_open = on_open;
    check(netsys_server_start(context, &server_config, &callbacks, &server), "server");
    check(netsys_server_port(server, &port), "port");

    for (i = 0; i <= ROOM; ++i) {
        clients[i] = connect_to(context, port);
    }
    await(&turned_away, 1);
    check(netsys_session_manager_each(manager, show, NULL), "each");
    await(&expired, ROOM); /* nobody says anything */

    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    check(netsys_session_manager_stats(manager, &info), "stats");
    printf("%llu taken in, %llu turned away, %llu idle for too long, %llu left\n", (unsigned long long)info.accepted,
           (unsigned long long)info.rejected, (unsigned long long)info.cleaned_up, (unsigned long long)info.sessions);
    for (i = 0; i <= ROOM; ++i) {
        check(netsys_client_destroy(clients[i]), "client");
    }
    check(netsys_session_manager_destroy(manager), "manager");
    check(netsys_context_shutdown(context, NETSYS_INFINITE), "shutdown");
    return info.accepted == ROOM && info.rejected == 1 && info.cleaned_up == ROOM ? 0 : 1;
}
