#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/steady_time.h"
#include "network_system/utils/counter.h"

namespace NETWORK_SYSTEM_NAMESPACE::utils {

/// The figures of the process: what the program records here, and what the servers and clients of bridges do
/// (integration/messaging_bridge.h). Those outside bridges have statistics of their own.
///
/// Recording takes no lock and some 10 ns. Every function may be called on any thread, at any time, also in a handler.
class performance_monitor {
public:
    /// Rates are those of the last 10 s, or of the time since the last reset if that is less. Latencies are
    /// microseconds; percentiles are within 1 %.
    struct metrics {
        // connections
        counter total_connections;   ///< that came to be
        counter active_connections;  ///< that there are
        counter failed_connections;  ///< that could not be made, or were refused
        counter connections_per_second;

        // messages
        counter messages_sent;
        counter messages_received;
        counter messages_per_second;  ///< sent and received
        counter bytes_sent;           ///< of messages, as all bytes here
        counter bytes_received;
        counter bytes_per_second;  ///< sent and received

        // what `record_latency` was given
        counter avg_latency_us;
        counter min_latency_us{UINT64_MAX};  ///< the largest number when there is none
        counter max_latency_us;
        counter p95_latency_us;
        counter p99_latency_us;

        // errors
        counter send_errors;
        counter receive_errors;
        counter timeout_errors;
        counter connection_errors;
        counter other_errors;

        // memory, in bytes
        counter memory_usage_bytes;  ///< what `record_memory_usage` said last; until then what is resident
        counter buffer_pool_size;    ///< what the sessions of the process hold in buffers
        counter peak_memory_usage;   ///< the most of memory_usage_bytes

        // what bridges measure
        counter avg_round_trip_us;  ///< from a heartbeat to its answer
        counter p95_round_trip_us;
        counter p99_round_trip_us;
        counter avg_handler_time_us;  ///< how long message handlers ran
        counter p95_handler_time_us;
        counter p99_handler_time_us;

        std::chrono::steady_clock::time_point start_time;  ///< or of the last reset
        std::chrono::steady_clock::time_point last_update;

        std::chrono::milliseconds uptime() const {
            return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start_time);
        }
    };

    /// Never destroyed, so that threads which outlive `main` may still use it.
    static performance_monitor& instance() {
        static auto* const monitor = new performance_monitor;
        return *monitor;
    }

    performance_monitor(const performance_monitor&) = delete;
    performance_monitor& operator=(const performance_monitor&) = delete;

    void record_connection(bool success) { netsys_monitor_record_connection(success ? 1 : 0); }
    void record_disconnection() { netsys_monitor_record_disconnection(); }
    void record_message_sent(std::size_t bytes) { netsys_monitor_record_message_sent(bytes); }
    void record_message_received(std::size_t bytes) { netsys_monitor_record_message_received(bytes); }
    /// How long something took that the program waited for, such as an answer.
    template <typename Rep, typename Period>
    void record_latency(std::chrono::duration<Rep, Period> latency) {
        const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(latency).count();
        netsys_monitor_record_latency(nanoseconds > 0 ? static_cast<std::uint64_t>(nanoseconds) : 0);
    }
    /// "send", "receive", "timeout" or "connection", or a longer name with one of these in it; of several, a time-out
    /// comes first. Anything else is counted in `other_errors`.
    void record_error(const std::string& error_type) { netsys_monitor_record_error(detail::c_str(error_type)); }
    void record_memory_usage(std::size_t bytes) { netsys_monitor_record_memory(bytes); }

    metrics get_metrics() const {
        netsys_metrics found{};
        found.struct_size = sizeof(found);
        netsys_monitor_metrics(&found);
        metrics result;
        result.total_connections = found.connections_total;
        result.active_connections = found.connections_current;
        result.failed_connections = found.connections_failed;
        result.connections_per_second = found.connections_per_second;
        result.messages_sent = found.messages_sent;
        result.messages_received = found.messages_received;
        result.messages_per_second = found.messages_per_second;
        result.bytes_sent = found.bytes_sent;
        result.bytes_received = found.bytes_received;
        result.bytes_per_second = found.bytes_per_second;
        result.avg_latency_us = mean_us(found.latency);
        result.min_latency_us = found.latency.count == 0 ? UINT64_MAX : found.latency.min_ns / 1000;
        result.max_latency_us = found.latency.max_ns / 1000;
        result.p95_latency_us = found.latency.p95_ns / 1000;
        result.p99_latency_us = found.latency.p99_ns / 1000;
        result.send_errors = found.send_errors;
        result.receive_errors = found.receive_errors;
        result.timeout_errors = found.timeout_errors;
        result.connection_errors = found.connection_errors;
        result.other_errors = found.other_errors;
        result.memory_usage_bytes = found.memory_used;
        result.buffer_pool_size = found.memory_buffered;
        result.peak_memory_usage = found.memory_peak;
        result.avg_round_trip_us = mean_us(found.round_trip);
        result.p95_round_trip_us = found.round_trip.p95_ns / 1000;
        result.p99_round_trip_us = found.round_trip.p99_ns / 1000;
        result.avg_handler_time_us = mean_us(found.handler_time);
        result.p95_handler_time_us = found.handler_time.p95_ns / 1000;
        result.p99_handler_time_us = found.handler_time.p99_ns / 1000;
        result.start_time = detail::to_time_point(found.start_ns);
        result.last_update = detail::to_time_point(found.last_update_ns);
        return result;
    }

    /// Begins anew. The connections that there are stay.
    void reset_metrics() { netsys_monitor_reset(); }

    /// Gathers what bridges have counted, and looks at the memory. `get_metrics` and the reports do so by themselves;
    /// between two such times the peak of the memory may pass unseen.
    void update_realtime_stats() { netsys_monitor_update(); }

    /// One object, as docs/metrics.schema.json describes it.
    std::string to_json() const { return report(NETSYS_REPORT_JSON); }

    /// For people.
    std::string generate_report() const { return report(NETSYS_REPORT_TEXT); }

    /// In the text format of Prometheus, of the content type "text/plain; version=0.0.4".
    std::string to_prometheus() const { return report(NETSYS_REPORT_PROMETHEUS); }

private:
    performance_monitor() = default;
    ~performance_monitor() = default;

    static std::uint64_t mean_us(const netsys_distribution& times) noexcept {
        return times.count == 0 ? 0 : times.sum_ns / times.count / 1000;
    }

    static std::string report(std::uint32_t format) {
        return detail::read_string([&](auto... out) { return netsys_monitor_report(format, out...); });
    }
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::utils
