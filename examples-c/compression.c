/* What compression saves, on the C ABI.
 *
 *   compression
 *
 * A client sends a hundred reports to a server, which checks each of them: first as they are, then compressed with LZ4,
 * then with zstd, then with a client that can compress and a server that cannot. Nobody who sends or receives notices
 * a difference; the statistics do.
 */
#include "example.h"

enum { REPORTS = 100, REPORT_SIZE = 8192 };

typedef struct {
    char text[REPORT_SIZE];
    int intact;
} report;

/* Lines that are much alike, as most of what programs tell each other is. */
static void write_report(char* text) {
    int length = 0;
    int line;

    memset(text, '\n', REPORT_SIZE);
    for (line = 0; length < REPORT_SIZE - 80; line++) {
        length += snprintf(text + length, 80, "sensor %04d: temperature %d.%d C, humidity %d %%, status ok\n", line,
                           18 + line * 7 % 9, line * 13 % 10, 40 + line * 11 % 20);
    }
}

/* The handlers of the server run on its loop; main looks at the count after the server has stopped. */
static void on_message(void* userdata, netsys_session session, const netsys_message* message) {
    report* expected = userdata;

    (void)session;
    expected->intact += message->len == REPORT_SIZE && memcmp(message->data, expected->text, REPORT_SIZE) == 0;
}

/* Sends all reports, and gives back what the server received. */
static netsys_stats exchange(netsys_context context, uint32_t at_server, uint32_t at_client, report* expected) {
    netsys_server server;
    netsys_client client;
    netsys_session session;
    netsys_server_config server_config;
    netsys_client_config client_config;
    netsys_callbacks receiving = {.struct_size = sizeof receiving, .userdata = expected, .on_message = on_message};
    netsys_callbacks sending = {.struct_size = sizeof sending};
    netsys_stats stats = {.struct_size = sizeof stats};
    int i;

    must("make a configuration", netsys_server_config_init(&server_config, sizeof server_config));
    server_config.compression = at_server;
    must("make a configuration", netsys_client_config_init(&client_config, sizeof client_config));
    client_config.port = start_server(context, &server_config, &receiving, &server);
    client_config.host = str("127.0.0.1");
    client_config.framing = NETSYS_FRAMING_FRAMED;
    client_config.send_policy = NETSYS_SEND_WAIT;
    client_config.compression = at_client;
    must("start the client", netsys_client_start(context, &client_config, &sending, &client));
    must("connect", netsys_client_wait_connected(client, 10000)); /* from now on it knows what the server takes */
    must("find the session", netsys_client_session(client, &session));
    for (i = 0; i < REPORTS; i++) {
        must("send", netsys_session_send(session, NETSYS_MESSAGE_TEXT, expected->text, REPORT_SIZE));
    }
    must("stop the client", netsys_client_stop(client, 10000)); /* which delivers what was sent */
    must("wait for the client", netsys_client_wait(client, 20000));
    must("stop the server", netsys_server_stop(server, 10000));
    must("wait for the server", netsys_server_wait(server, 20000));
    must("ask for the figures", netsys_server_stats(server, &stats));
    must("destroy the client", netsys_client_destroy(client));
    must("destroy the server", netsys_server_destroy(server));
    return stats;
}

int main(void) {
    static const struct {
        const char* name;
        uint32_t at_server;
        uint32_t at_client;
        uint64_t compressed;
    } runs[] = {
        {"as they are", NETSYS_COMPRESSION_OFF, NETSYS_COMPRESSION_OFF, 0},
        {"LZ4", NETSYS_COMPRESSION_AUTO, NETSYS_COMPRESSION_LZ4, REPORTS},
        {"zstd", NETSYS_COMPRESSION_AUTO, NETSYS_COMPRESSION_ZSTD, REPORTS},
        {"only one side has it", NETSYS_COMPRESSION_OFF, NETSYS_COMPRESSION_AUTO, 0},
    };
    static report expected;
    netsys_context context;
    uint64_t plain = 0;
    size_t i;

    write_report(expected.text);
    must("create a context", netsys_context_create(NULL, &context));
    for (i = 0; i < sizeof runs / sizeof *runs; i++) {
        netsys_stats stats;

        expected.intact = 0;
        stats = exchange(context, runs[i].at_server, runs[i].at_client, &expected);
        plain = i == 0 ? stats.wire_bytes_received : plain;
        printf("%-20s %llu bytes in messages, %llu on the wire: %.1f %% of plain\n", runs[i].name,
               (unsigned long long)stats.bytes_received, (unsigned long long)stats.wire_bytes_received,
               100.0 * (double)stats.wire_bytes_received / (double)plain);
        if (expected.intact != REPORTS || stats.compressed_messages_received != runs[i].compressed ||
            (runs[i].compressed != 0 && stats.wire_bytes_received > plain / 3)) {
            fprintf(stderr, "compression: %d of %d reports arrived, %llu of them compressed; expected %llu\n",
                    expected.intact, (int)REPORTS, (unsigned long long)stats.compressed_messages_received,
                    (unsigned long long)runs[i].compressed);
            return EXIT_FAILURE;
        }
    }
    must("shut the context down", netsys_context_shutdown(context, 0));
    printf("every report arrived as it was\n");
    return EXIT_SUCCESS;
}
