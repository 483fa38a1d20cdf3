#pragma once

#include "network_system/core/messaging_client.h"
#include "network_system/core/messaging_server.h"
#include "network_system/session/messaging_session.h"

/// The namespace of the old library, under which its programs know these classes.
namespace network_module {
using network_system::core::messaging_client;
using network_system::core::messaging_server;
using network_system::session::messaging_session;
}  // namespace network_module
