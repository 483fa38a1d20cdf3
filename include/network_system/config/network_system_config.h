#pragma once

#include <memory>

#include "network_system/config/network_config.h"
#include "network_system/detail/namespace.h"
#include "network_system/integration/logger_integration.h"
#include "network_system/integration/monitoring_integration.h"
#include "network_system/integration/thread_integration.h"

namespace NETWORK_SYSTEM_NAMESPACE::config {

/// What network_system::initialize() sets up, with objects of the application in place of those that it would make.
struct network_system_config {
    network_config runtime = network_config::production();
    std::shared_ptr<integration::thread_pool_interface> thread_pool{};  ///< null: made as `runtime` says
    std::shared_ptr<integration::logger_interface> logger{};            ///< null: made as `runtime` says
    std::shared_ptr<integration::monitoring_interface> monitoring{};    ///< null: the default one
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::config
