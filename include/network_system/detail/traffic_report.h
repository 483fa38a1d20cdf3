#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "network_system/detail/namespace.h"
#include "network_system/detail/traffic_metrics.h"
#include "network_system/integration/monitoring_integration.h"
#include "network_system/metrics/network_metrics.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// Tells the program's monitoring what has happened since the last report. Counters that have not moved are left out.
inline void report_traffic(const std::string& service_name) {
    namespace names = metrics::metric_names;
    const auto monitoring = integration::monitoring_integration_manager::instance().get_monitoring();
    const std::map<std::string, std::string> labels{{"service", service_name}};
    const auto counter = [&](const char* name, std::uint64_t value) {
        if (value != 0) {
            monitoring->report_counter(name, static_cast<double>(value), labels);
        }
    };
    const auto gauge = [&](const char* name, std::uint64_t value) {
        monitoring->report_gauge(name, static_cast<double>(value), labels);
    };

    const traffic now = traffic_metrics::instance().take();
    counter(names::CONNECTIONS_TOTAL, now.connections);
    counter(names::CONNECTIONS_REJECTED, now.connections_rejected);
    counter(names::PACKETS_SENT, now.messages_sent);
    counter(names::PACKETS_RECEIVED, now.messages_received);
    counter(names::BYTES_SENT, now.bytes_sent);
    counter(names::BYTES_RECEIVED, now.bytes_received);
    counter(names::ERRORS_TOTAL, now.errors);
    gauge(names::CONNECTIONS_ACTIVE, now.connections_current);
    gauge(names::BYTES_QUEUED, now.bytes_queued);
    gauge(names::SERVERS_ACTIVE, now.servers);
    gauge(names::CLIENTS_ACTIVE, now.clients);
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
