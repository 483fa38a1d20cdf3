#pragma once

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::session {

enum class session_state {
    connecting = NETSYS_STATE_CONNECTING,
    connected = NETSYS_STATE_CONNECTED,
    disconnecting = NETSYS_STATE_DISCONNECTING,
    disconnected = NETSYS_STATE_DISCONNECTED,
    error = NETSYS_STATE_ERROR
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::session
