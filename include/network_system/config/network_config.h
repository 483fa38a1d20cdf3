#pragma once

#include "network_system/config/logger_config.h"
#include "network_system/config/monitoring_config.h"
#include "network_system/config/thread_pool_config.h"
#include "network_system/core/network_config.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::config {
using core::network_config;
}
