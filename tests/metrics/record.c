/* record FOLDER: has the performance monitor and a bridge count things of which check.py knows how many there are, and
 * writes their figures as the struct and as each report, before, between and after. */
#include <network_system.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MESSAGES = 50, PATIENCE_MS = 20000 };

static const char* folder;

static void must(const char* what, netsys_status status) {
    if (status != NETSYS_OK) {
        fprintf(stderr, "record: %s: %s\n", what, netsys_status_name(status));
        exit(1);
    }
}

static netsys_str str(const char* text) {
    netsys_str view = {text, strlen(text)};
    return view;
}

/* --- what is written -----------------------------------------------------------------------------------------------
 */

static FILE* create(const char* name, const char* kind) {
    char path[512];
    FILE* file;
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, kind);
    file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

static void write_distribution(FILE* file, const char* name, const netsys_distribution* times) {
    fprintf(file,
            ",\n\"%s\": {\"count\": %llu, \"sum_ns\": %llu, \"min_ns\": %llu, \"max_ns\": %llu, \"p50_ns\": %llu, "
            "\"p95_ns\": %llu, \"p99_ns\": %llu}",
            name, (unsigned long long)times->count, (unsigned long long)times->sum_ns,
            (unsigned long long)times->min_ns, (unsigned long long)times->max_ns, (unsigned long long)times->p50_ns,
            (unsigned long long)times->p95_ns, (unsigned long long)times->p99_ns);
}

static void write_struct(const char* name, const netsys_metrics* metrics) {
    FILE* file = create(name, "struct");
    const char* before = "{\n";
#define FIELD(field)                                                                         \
    do {                                                                                     \
        fprintf(file, "%s\"%s\": %llu", before, #field, (unsigned long long)metrics->field); \
        before = ",\n";                                                                      \
    } while (0)
    FIELD(connections_total);
    FIELD(connections_current);
    FIELD(connections_failed);
    FIELD(connections_per_second);
    FIELD(messages_sent);
    FIELD(messages_received);
    FIELD(messages_per_second);
    FIELD(bytes_sent);
    FIELD(bytes_received);
    FIELD(bytes_per_second);
    FIELD(send_errors);
    FIELD(receive_errors);
    FIELD(timeout_errors);
    FIELD(connection_errors);
    FIELD(other_errors);
    FIELD(memory_used);
    FIELD(memory_peak);
    FIELD(memory_resident);
    FIELD(memory_buffered);
    FIELD(start_ns);
    FIELD(last_update_ns);
    write_distribution(file, "latency", &metrics->latency);
    write_distribution(file, "round_trip", &metrics->round_trip);
    write_distribution(file, "handler_time", &metrics->handler_time);
    fputs("\n}\n", file);
    fclose(file);
}

/* The figures of a bridge, or of the process if it is NULL. */
static void write_all(const char* name, const netsys_bridge* bridge) {
    static const struct {
        const char* kind;
        uint32_t format;
    } formats[] = {
        {"json", NETSYS_REPORT_JSON}, {"text", NETSYS_REPORT_TEXT}, {"prometheus", NETSYS_REPORT_PROMETHEUS}};
    netsys_metrics metrics = {.struct_size = sizeof metrics};
    size_t i;
    must("metrics", bridge != NULL ? netsys_bridge_metrics(*bridge, &metrics) : netsys_monitor_metrics(&metrics));
    write_struct(name, &metrics);
    for (i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        char report[16384];
        size_t length;
        FILE* file = create(name, formats[i].kind);
        must("report", bridge != NULL ? netsys_bridge_report(*bridge, formats[i].format, report, sizeof report, &length)
                                      : netsys_monitor_report(formats[i].format, report, sizeof report, &length));
        fwrite(report, 1, length, file);
        fclose(file);
    }
}

/* --- what is counted -----------------------------------------------------------------------------------------------
 */

static void record_known(void) {
    static const char* const errors[] = {"send", "receive", "timeout", "connection", "disk full"};
    uint64_t i, count;
    for (i = 0; i < 3; i++) must("connection", netsys_monitor_record_connection(1));
    for (i = 0; i < 2; i++) must("failed connection", netsys_monitor_record_connection(0));
    must("disconnection", netsys_monitor_record_disconnection());
    for (i = 1; i <= 100; i++) must("message sent", netsys_monitor_record_message_sent(i));
    for (i = 0; i < 40; i++) must("message received", netsys_monitor_record_message_received(1000));
    for (i = 1; i <= 1000; i++) must("latency", netsys_monitor_record_latency(1000 * i));
    for (i = 0; i < 5; i++) {
        for (count = 0; count <= i; count++) must("error", netsys_monitor_record_error(str(errors[i])));
    }
    must("memory", netsys_monitor_record_memory(123456));
    must("memory", netsys_monitor_record_memory(100000));
}

static void echo(void* userdata, netsys_session session, const netsys_message* message) {
    (void)userdata;
    must("echo", netsys_session_send(session, message->kind, message->data, message->len));
}

static void converse(netsys_context context, netsys_bridge bridge) {
    netsys_server_config server_config;
    netsys_client_config client_config;
    netsys_callbacks callbacks = {.struct_size = sizeof callbacks};
    netsys_metrics metrics = {.struct_size = sizeof metrics};
    netsys_server server;
    netsys_client client;
    netsys_session session;
    int i;

    must("server config", netsys_server_config_init(&server_config, sizeof server_config));
    server_config.host = str("127.0.0.1");
    server_config.bridge = bridge;
    server_config.heartbeat_ms = 20;
    callbacks.on_message = echo;
    must("server", netsys_server_start(context, &server_config, &callbacks, &server));
    must("client config", netsys_client_config_init(&client_config, sizeof client_config));
    client_config.host = str("127.0.0.1");
    client_config.framing = NETSYS_FRAMING_FRAMED;
    client_config.bridge = bridge;
    must("port", netsys_server_port(server, &client_config.port));
    callbacks.on_message = NULL;
    must("client", netsys_client_start(context, &client_config, &callbacks, &client));
    must("connect", netsys_client_wait_connected(client, PATIENCE_MS));
    must("session", netsys_client_session(client, &session));
    for (i = 0; i < MESSAGES; i++) must("send", netsys_session_send(session, NETSYS_MESSAGE_TEXT, "0123456789", 10));

    /* Until all are back, and a heartbeat has been answered, of which nothing tells but the figures. */
    for (i = 0; metrics.messages_received < 2 * MESSAGES || metrics.round_trip.count == 0; i++) {
        const struct timespec pause = {0, 1000000};
        must("messages and a heartbeat in time", i < PATIENCE_MS ? NETSYS_OK : NETSYS_ERR_TIMEOUT);
        nanosleep(&pause, NULL);
        must("metrics", netsys_bridge_metrics(bridge, &metrics));
    }
    must("stop", netsys_bridge_stop(bridge, NETSYS_INFINITE));
    must("wait", netsys_bridge_wait(bridge, PATIENCE_MS));
    netsys_client_destroy(client);
    netsys_server_destroy(server);
}

/* The figures of the process while a client, which is of no bridge and cannot connect, keeps as much as it may. */
static void write_with_a_full_queue(netsys_context context) {
    static const char message[10000];
    const netsys_callbacks callbacks = {.struct_size = sizeof callbacks};
    netsys_client_config config;
    netsys_client client;
    netsys_status status;
    must("client config", netsys_client_config_init(&config, sizeof config));
    config.host = str("127.0.0.1");
    config.port = 9; /* discard, which nobody offers */
    config.framing = NETSYS_FRAMING_FRAMED;
    config.reconnect = 1;
    config.reconnect_first_ms = 600000;
    config.reconnect_max_ms = 600000;
    config.send_policy = NETSYS_SEND_WOULD_BLOCK;
    must("client", netsys_client_start(context, &config, &callbacks, &client));
    do {
        status = netsys_client_send(client, NETSYS_MESSAGE_BINARY, message, sizeof message);
    } while (status == NETSYS_OK);
    must("a full queue", status == NETSYS_ERR_WOULD_BLOCK ? NETSYS_OK : status);
    write_all("queue", NULL);
    must("end of the client", netsys_client_destroy(client));
}

int main(int argc, char** argv) {
    netsys_context context;
    netsys_bridge bridge;
    netsys_bridge_config config;
    if (argc != 2) {
        fputs("usage: record FOLDER\n", stderr);
        return 2;
    }
    folder = argv[1];
    write_all("nothing", NULL); /* the code of the reports comes into memory */
    write_all("nothing", NULL);
    record_known();
    write_all("recorded", NULL);

    must("context", netsys_context_create(NULL, &context));
    write_with_a_full_queue(context);
    must("bridge config", netsys_bridge_config_init(&config, sizeof config));
    must("bridge", netsys_bridge_create(str("bridge"), &config, NULL, &bridge));
    write_all("idle_bridge", &bridge);
    converse(context, bridge);
    write_all("bridge", &bridge);
    write_all("both", NULL);
    must("reset of the bridge", netsys_bridge_reset_metrics(bridge));
    must("reset", netsys_monitor_reset());
    write_all("reset_bridge", &bridge);
    write_all("reset", NULL);
    must("destroy", netsys_bridge_destroy(bridge));
    must("shutdown", netsys_context_shutdown(context, NETSYS_INFINITE));
    return 0;
}
