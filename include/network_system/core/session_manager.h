#pragma once

#include "network_system/detail/namespace.h"
#include "network_system/session/session_manager.h"

namespace NETWORK_SYSTEM_NAMESPACE::core {

using session::session_config;
using session::session_manager;

}  // namespace NETWORK_SYSTEM_NAMESPACE::core
