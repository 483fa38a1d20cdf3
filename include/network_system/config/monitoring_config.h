#pragma once

#include <chrono>
#include <string>

#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::config {

/// What the library reports of its own servers and clients to the program's monitoring.
struct monitoring_config {
    bool enabled = true;
    std::chrono::seconds metrics_interval{5};     ///< between two reports
    std::string service_name = "network_system";  ///< the label `service` of each figure
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::config
