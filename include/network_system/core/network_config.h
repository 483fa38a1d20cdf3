#pragma once

#include "network_system/config/logger_config.h"
#include "network_system/config/monitoring_config.h"
#include "network_system/config/thread_pool_config.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::core {

/// What a program may configure, in one value.
class network_config {
public:
    config::thread_pool_config thread_pool;
    config::logger_config logger;
    config::monitoring_config monitoring;

    /// Two workers, and every line of the log at once.
    static network_config development() {
        network_config result;
        result.thread_pool.worker_count = 2;
        result.logger.min_level = integration::log_level::debug;
        result.logger.async_logging = false;
        return result;
    }

    /// The defaults.
    static network_config production() { return {}; }

    /// One worker, warnings only, and no monitoring.
    static network_config testing() {
        network_config result;
        result.thread_pool.worker_count = 1;
        result.logger.min_level = integration::log_level::warn;
        result.logger.async_logging = false;
        result.monitoring.enabled = false;
        return result;
    }
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::core
