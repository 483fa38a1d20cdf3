#pragma once

#include "network_system/detail/c_api.h"

namespace network_system::session {

enum class session_state {
    connecting = NETSYS_STATE_CONNECTING,
    connected = NETSYS_STATE_CONNECTED,
    disconnecting = NETSYS_STATE_DISCONNECTING,
    disconnected = NETSYS_STATE_DISCONNECTED,
    error = NETSYS_STATE_ERROR
};

}  // namespace network_system::session
