/* A server and a client of one process exchange a message over a free port: what every way of consuming the package
 * must make possible. Prints "exchanged: ..." when the answer has come back. */
#include <network_system.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const char greeting[] = "hello from C";

struct answer {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    char text[64];
    size_t length;
    bool over; /* the answer has come, or the client has ended without one */
};

static void on_server_message(void* userdata, netsys_session session, const netsys_message* message) {
    (void)userdata;
    (void)netsys_session_send(session, message->kind, message->data, message->len);
}

static void on_client_open(void* userdata, netsys_session session) {
    (void)userdata;
    (void)netsys_session_send(session, NETSYS_MESSAGE_TEXT, greeting, strlen(greeting));
}

static void finish(struct answer* answer, const void* text, size_t length) {
    pthread_mutex_lock(&answer->mutex);
    if (!answer->over && length <= sizeof answer->text) {
        if (length > 0) {
            memcpy(answer->text, text, length);
        }
        answer->length = length;
    }
    answer->over = true;
    pthread_cond_signal(&answer->changed);
    pthread_mutex_unlock(&answer->mutex);
}

static void on_client_message(void* userdata, netsys_session session, const netsys_message* message) {
    (void)session;
    finish((struct answer*)userdata, message->data, message->len);
}

static void on_client_stopped(void* userdata) {
    finish((struct answer*)userdata, NULL, 0);
}

static int failed(const char* what, netsys_status status) {
    fprintf(stderr, "%s: %s\n", what, netsys_status_message(status));
    return 1;
}

static netsys_str text(const char* value) {
    netsys_str view;
    view.data = value;
    view.len = strlen(value);
    return view;
}

static int exchange(netsys_context context, struct answer* answer) {
    netsys_callbacks serving = {0};
    netsys_callbacks asking = {0};
    netsys_server_config server_config;
    netsys_client_config client_config;
    netsys_server server;
    netsys_client client;
    netsys_status status;
    int result;

    (void)netsys_server_config_init(&server_config, sizeof server_config);
    server_config.host = text("127.0.0.1");
    serving.struct_size = (uint32_t)sizeof serving;
    serving.on_message = on_server_message;
    status = netsys_server_start(context, &server_config, &serving, &server);
    if (status != NETSYS_OK) {
        return failed("server", status);
    }

    (void)netsys_client_config_init(&client_config, sizeof client_config);
    client_config.framing = NETSYS_FRAMING_FRAMED;
    client_config.client_id = text("package test");
    client_config.host = text("127.0.0.1");
    (void)netsys_server_port(server, &client_config.port);
    asking.struct_size = (uint32_t)sizeof asking;
    asking.userdata = answer;
    asking.on_open = on_client_open;
    asking.on_message = on_client_message;
    asking.on_stopped = on_client_stopped;
    status = netsys_client_start(context, &client_config, &asking, &client);
    if (status != NETSYS_OK) {
        return failed("client", status);
    }

    pthread_mutex_lock(&answer->mutex);
    while (!answer->over) {
        pthread_cond_wait(&answer->changed, &answer->mutex);
    }
    result = answer->length == strlen(greeting) && memcmp(answer->text, greeting, answer->length) == 0 ? 0 : 1;
    pthread_mutex_unlock(&answer->mutex);

    status = netsys_client_destroy(client);
    if (status != NETSYS_OK) {
        return failed("client destroy", status);
    }
    status = netsys_server_destroy(server);
    if (status != NETSYS_OK) {
        return failed("server destroy", status);
    }
    return result;
}

int main(void) {
    struct answer answer = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    netsys_context context;
    netsys_status status = netsys_check_version(NETSYS_VERSION_NUMBER);
    if (status == NETSYS_OK) {
        status = netsys_context_create(NULL, &context);
    }
    if (status != NETSYS_OK) {
        return failed("context", status);
    }
    if (exchange(context, &answer) != 0) {
        return failed("exchange", NETSYS_ERR_NETWORK);
    }
    status = netsys_context_shutdown(context, NETSYS_INFINITE);
    if (status != NETSYS_OK) {
        return failed("shutdown", status);
    }
    printf("exchanged: %.*s\n", (int)answer.length, answer.text);
    return 0;
}
