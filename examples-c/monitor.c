/* monitor: an application tells the performance monitor what it does and measures, and reads the three reports.
 *
 * Nothing of the network is needed for that. What bridges do is counted in the same monitor by itself. Ends with 0 only
 * if the figures are those of what was recorded. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include <time.h>

#include "example.h"

enum { REQUESTS = 1000, FAILURES = 10 };

static uint64_t now_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* What the application would do: some work, of which this is the result. */
static unsigned answer(unsigned request) {
    for (int i = 0; i < 100; i++) {
        request = request * 1664525u + 1013904223u;
    }
    return request;
}

/* Prints a report, and gives back whether it has something in it. */
static int show(uint32_t format, const char* part) {
    char report[8192];

    must("report", netsys_monitor_report(format, report, sizeof report, NULL));
    printf("%s\n", report);
    return strstr(report, part) != NULL;
}

int main(void) {
    netsys_metrics metrics = {.struct_size = sizeof metrics};
    unsigned result = 0;
    int as_told = 1;

    netsys_monitor_record_connection(1);
    for (unsigned i = 0; i < REQUESTS; i++) {
        const uint64_t start = now_ns();
        netsys_monitor_record_message_sent(sizeof i);
        result ^= answer(i);
        netsys_monitor_record_message_received(sizeof result);
        netsys_monitor_record_latency(now_ns() - start);
        if (i % (REQUESTS / FAILURES) == 0) {
            netsys_monitor_record_error(str("request_timeout"));
        }
    }

    as_told &= show(NETSYS_REPORT_TEXT, "connections  1 open, 1 in all, 0 failed");
    as_told &= show(NETSYS_REPORT_JSON, "\"messages\": {\"sent\": 1000, \"received\": 1000,");
    as_told &= show(NETSYS_REPORT_PROMETHEUS, "network_system_errors_total{kind=\"timeout\"} 10\n");
    must("ask for the figures", netsys_monitor_metrics(&metrics));
    printf("%llu requests (%08x): half took no longer than %llu ns, 99 of 100 no longer than %llu ns\n",
           (unsigned long long)metrics.latency.count, result, (unsigned long long)metrics.latency.p50_ns,
           (unsigned long long)metrics.latency.p99_ns);
    as_told &= metrics.latency.count == REQUESTS && metrics.timeout_errors == FAILURES;
    as_told &= metrics.bytes_sent == REQUESTS * sizeof(unsigned) && metrics.memory_used > 0;
    as_told &= metrics.latency.min_ns <= metrics.latency.p50_ns && metrics.latency.p50_ns <= metrics.latency.p99_ns;

    must("begin anew", netsys_monitor_reset());
    must("ask for the figures", netsys_monitor_metrics(&metrics));
    as_told &= metrics.latency.count == 0 && metrics.connections_current == 1;
    netsys_monitor_record_disconnection();
    return as_told ? EXIT_SUCCESS : EXIT_FAILURE;
}
