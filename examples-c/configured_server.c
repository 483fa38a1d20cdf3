/* A server and a client that are what a file says.
 *
 *   configured_server FILE [KEY=VALUE...]
 *
 * Loads FILE (examples-c/network.toml shows all keys), sets the keys that are given behind it, starts a server on a
 * free port of this host, and has a client exchange a message with it. If anything is wrong with the file, all of it is
 * told, each fault with its line and key, and nothing is started.
 */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <network_system.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static netsys_str str(const char* text) {
    netsys_str view = {text, strlen(text)};
    return view;
}

static int failed(const char* what, netsys_status status) {
    netsys_error_info info = {.struct_size = sizeof info};

    netsys_last_error(&info);
    fprintf(stderr, "configured_server: %s: %s\n", what,
            info.status == status ? info.message : netsys_status_message(status));
    return 1;
}

/* Every fault that the last call on the configuration has found. */
static void print_faults(netsys_config config) {
    netsys_config_fault_info fault = {.struct_size = sizeof fault};
    size_t i;

    for (i = 0; netsys_config_fault(config, i, &fault) == NETSYS_OK; ++i) {
        fprintf(stderr, "%.*s\n", (int)fault.report.len, fault.report.data);
    }
}

/* "server.timeout=5m", as a program gets it on its command line */
static netsys_status set(netsys_config config, const char* assignment) {
    const char* equals = strchr(assignment, '=');
    netsys_str key = str(assignment);

    if (equals == NULL) {
        return netsys_config_set_text(config, key, str(""));
    }
    key.len = (size_t)(equals - assignment);
    return netsys_config_set_text(config, key, str(equals + 1));
}

/* --- the exchange ------------------------------------------------------------------------------------------------- */

struct answer {
    pthread_mutex_t lock;
    pthread_cond_t came;
    int ended;
    char text[64];
};

static void echo(void* userdata, netsys_session session, const netsys_message* message) {
    (void)userdata;
    netsys_session_send(session, message->kind, message->data, message->len);
}

static void greet(void* userdata, netsys_session session) {
    static const char greeting[] = "as configured";

    (void)userdata;
    netsys_session_send(session, NETSYS_MESSAGE_TEXT, greeting, sizeof greeting - 1);
}

static void keep(void* userdata, netsys_session session, const netsys_message* message) {
    struct answer* answer = userdata;

    (void)session;
    pthread_mutex_lock(&answer->lock);
    snprintf(answer->text, sizeof answer->text, "%.*s", (int)message->len, (const char*)message->data);
    answer->ended = 1;
    pthread_cond_signal(&answer->came);
    pthread_mutex_unlock(&answer->lock);
}

/* The client has ended, perhaps before an answer came. */
static void give_up(void* userdata) {
    struct answer* answer = userdata;

    pthread_mutex_lock(&answer->lock);
    answer->ended = 1;
    pthread_cond_signal(&answer->came);
    pthread_mutex_unlock(&answer->lock);
}

static netsys_status exchange(netsys_config config, netsys_context context, struct answer* answer) {
    netsys_server_config server_config = {.struct_size = sizeof server_config};
    netsys_client_config client_config = {.struct_size = sizeof client_config};
    netsys_callbacks server_callbacks = {.struct_size = sizeof server_callbacks};
    netsys_callbacks client_callbacks = {.struct_size = sizeof client_callbacks};
    netsys_server server;
    netsys_client client;
    netsys_status status;

    server_callbacks.on_message = echo;
    client_callbacks.userdata = answer;
    client_callbacks.on_open = greet;
    client_callbacks.on_message = keep;
    client_callbacks.on_stopped = give_up;

    /* The strings of these live in the configuration. What a program knows better than the file, it sets itself. */
    netsys_config_server(config, &server_config);
    netsys_config_client(config, &client_config);
    server_config.host = str("127.0.0.1");
    server_config.port = 0;
    status = netsys_server_start(context, &server_config, &server_callbacks, &server);
    if (status != NETSYS_OK) {
        return status;
    }
    client_config.framing = NETSYS_FRAMING_FRAMED;
    client_config.host = server_config.host;
    netsys_server_port(server, &client_config.port);
    status = netsys_client_start(context, &client_config, &client_callbacks, &client);
    if (status == NETSYS_OK) {
        pthread_mutex_lock(&answer->lock);
        while (!answer->ended) {
            pthread_cond_wait(&answer->came, &answer->lock);
        }
        pthread_mutex_unlock(&answer->lock);
        netsys_client_destroy(client);
    }
    netsys_server_destroy(server);
    return status;
}

static int run(netsys_config config, int count, char** assignments) {
    netsys_context_config context_config = {.struct_size = sizeof context_config};
    struct answer answer = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, ""};
    netsys_context context;
    netsys_status status;
    char timeout[32];
    int i;

    for (i = 0; i < count; ++i) {
        if (set(config, assignments[i]) != NETSYS_OK) {
            print_faults(config);
            return 1;
        }
    }
    if (netsys_config_validate(config) != NETSYS_OK) {
        print_faults(config);
        return 1;
    }
    netsys_config_text(config, str("server.timeout"), timeout, sizeof timeout, NULL);
    netsys_config_context(config, &context_config);
    status = netsys_context_create(&context_config, &context);
    if (status != NETSYS_OK) {
        return failed("context", status);
    }
    status = exchange(config, context, &answer);
    netsys_context_shutdown(context, NETSYS_INFINITE);
    if (status != NETSYS_OK) {
        return failed("start", status);
    }
    printf("server.timeout is %s; the server answered: %s\n", timeout, answer.text);
    return strcmp(answer.text, "as configured") == 0 ? 0 : 1;
}

int main(int argc, char** argv) {
    netsys_config config;
    netsys_status status;
    int result = 1;

    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE [KEY=VALUE...]\n", argv[0]);
        return 2;
    }
    status = netsys_config_create(NETSYS_PRESET_DEFAULT, &config);
    if (status != NETSYS_OK) {
        return failed("configuration", status);
    }
    status = netsys_config_load_file(config, str(argv[1]));
    if (status == NETSYS_OK) {
        result = run(config, argc - 2, argv + 2);
    } else {
        print_faults(config);
    }
    netsys_config_destroy(config);
    return result;
}
