#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

#include "network_system/detail/namespace.h"
#include "network_system/integration/monitoring_integration.h"

namespace NETWORK_SYSTEM_NAMESPACE::metrics {

/// The names under which figures are reported.
namespace metric_names {
inline constexpr const char* CONNECTIONS_ACTIVE = "network.connections.active";      ///< gauge
inline constexpr const char* CONNECTIONS_TOTAL = "network.connections.total";        ///< counter
inline constexpr const char* CONNECTIONS_FAILED = "network.connections.failed";      ///< counter
inline constexpr const char* CONNECTIONS_REJECTED = "network.connections.rejected";  ///< counter, over the limit
inline constexpr const char* BYTES_SENT = "network.bytes.sent";                      ///< counter
inline constexpr const char* BYTES_RECEIVED = "network.bytes.received";              ///< counter
inline constexpr const char* BYTES_QUEUED = "network.bytes.queued";                  ///< gauge
inline constexpr const char* PACKETS_SENT = "network.packets.sent";                  ///< counter, messages
inline constexpr const char* PACKETS_RECEIVED = "network.packets.received";          ///< counter, messages
inline constexpr const char* LATENCY_MS = "network.latency.ms";                      ///< histogram
inline constexpr const char* ERRORS_TOTAL = "network.errors.total";                  ///< counter
inline constexpr const char* TIMEOUTS_TOTAL = "network.timeouts.total";              ///< counter
inline constexpr const char* SESSIONS_DURATION_MS = "network.sessions.duration.ms";  ///< histogram
inline constexpr const char* SERVERS_ACTIVE = "network.servers.active";              ///< gauge
inline constexpr const char* CLIENTS_ACTIVE = "network.clients.active";              ///< gauge
}  // namespace metric_names

/// For figures that the application takes itself: each goes to the program's monitoring at once. What the library's own
/// servers and clients do, it reports by itself once network_system::initialize() has enabled that.
class metric_reporter {
public:
    static void report_connection_accepted() { count(metric_names::CONNECTIONS_TOTAL, 1); }

    static void report_connection_failed(const std::string& reason = "") {
        count(metric_names::CONNECTIONS_FAILED, 1, label("reason", reason));
    }

    static void report_bytes_sent(std::size_t bytes) { count(metric_names::BYTES_SENT, bytes); }
    static void report_bytes_received(std::size_t bytes) { count(metric_names::BYTES_RECEIVED, bytes); }

    static void report_latency(double milliseconds) { observe(metric_names::LATENCY_MS, milliseconds); }
    template <typename Rep, typename Period>
    static void report_latency(std::chrono::duration<Rep, Period> latency) {
        report_latency(in_milliseconds(latency));
    }

    static void report_error(const std::string& error_type = "") {
        count(metric_names::ERRORS_TOTAL, 1, label("type", error_type));
    }

    static void report_timeout() { count(metric_names::TIMEOUTS_TOTAL, 1); }

    static void report_active_connections(std::size_t count) {
        monitoring().report_gauge(metric_names::CONNECTIONS_ACTIVE, static_cast<double>(count));
    }

    static void report_session_duration(double milliseconds) {
        observe(metric_names::SESSIONS_DURATION_MS, milliseconds);
    }
    template <typename Rep, typename Period>
    static void report_session_duration(std::chrono::duration<Rep, Period> duration) {
        report_session_duration(in_milliseconds(duration));
    }

private:
    using labels = std::map<std::string, std::string>;

    static integration::monitoring_integration_manager& monitoring() {
        return integration::monitoring_integration_manager::instance();
    }

    static labels label(const std::string& name, const std::string& content) {
        return content.empty() ? labels() : labels{{name, content}};
    }

    static void count(const char* name, std::size_t amount, const labels& with = {}) {
        monitoring().report_counter(name, static_cast<double>(amount), with);
    }

    static void observe(const char* name, double value) { monitoring().report_histogram(name, value); }

    template <typename Duration>
    static double in_milliseconds(Duration duration) {
        return std::chrono::duration<double, std::milli>(duration).count();
    }
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::metrics
