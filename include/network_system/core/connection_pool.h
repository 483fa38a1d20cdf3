#pragma once

#include "network_system/detail/namespace.h"
#include "network_system/session/connection_pool.h"

namespace NETWORK_SYSTEM_NAMESPACE::core {

using session::connection_pool;
using session::connection_pool_config;

}  // namespace NETWORK_SYSTEM_NAMESPACE::core
