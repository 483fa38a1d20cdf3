#pragma once

#include "network_system/core/messaging_client.h"
#include "network_system/core/messaging_server.h"
#include "network_system/detail/namespace.h"
#include "network_system/session/messaging_session.h"

/// The namespace of the old library, under which its programs know these classes.
namespace network_module {
using NETWORK_SYSTEM_NAMESPACE::core::messaging_client;
using NETWORK_SYSTEM_NAMESPACE::core::messaging_server;
using NETWORK_SYSTEM_NAMESPACE::session::messaging_session;
}  // namespace network_module
