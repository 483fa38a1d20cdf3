#pragma once

#include <cstddef>
#include <string>

#include "network_system/detail/namespace.h"
#include "network_system/integration/logger_integration.h"

namespace NETWORK_SYSTEM_NAMESPACE::config {

/// The default logger.
struct logger_config {
    integration::log_level min_level = integration::log_level::info;
    bool async_logging = true;       ///< written on a thread of its own
    std::size_t buffer_size = 8192;  ///< lines that may wait there; past that they are dropped and counted
    std::string log_file_path{};     ///< empty: the standard streams
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::config
