#pragma once

#include "network_system/detail/namespace.h"
#include "network_system/interfaces/i_protocol_client.h"

namespace NETWORK_SYSTEM_NAMESPACE::interfaces {

/// The earlier name.
using i_client = i_protocol_client;

}  // namespace NETWORK_SYSTEM_NAMESPACE::interfaces
