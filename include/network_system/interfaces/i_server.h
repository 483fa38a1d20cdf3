#pragma once

#include "network_system/detail/namespace.h"
#include "network_system/interfaces/i_protocol_server.h"

namespace NETWORK_SYSTEM_NAMESPACE::interfaces {

/// The earlier name.
using i_server = i_protocol_server;

}  // namespace NETWORK_SYSTEM_NAMESPACE::interfaces
