#pragma once

#include <cstdint>

#include "network_system/detail/namespace.h"

// Declarations of the classes that programs hold by pointer or reference, for headers that need no more of them.

namespace NETWORK_SYSTEM_NAMESPACE::core {
struct client_config;
class messaging_client;
class messaging_server;
struct server_config;
}  // namespace NETWORK_SYSTEM_NAMESPACE::core

namespace NETWORK_SYSTEM_NAMESPACE::session {
class messaging_session;
}

namespace NETWORK_SYSTEM_NAMESPACE::integration {
class basic_container;
class basic_thread_pool;
class container_interface;
class container_manager;
class thread_integration_manager;
class thread_pool_interface;
}  // namespace NETWORK_SYSTEM_NAMESPACE::integration

namespace NETWORK_SYSTEM_NAMESPACE::internal {
enum class data_mode : std::uint8_t;
}
