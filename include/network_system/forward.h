#pragma once

#include <cstdint>

#include "network_system/detail/namespace.h"

// Declarations of the classes that programs hold by pointer or reference, for headers that need no more of them.

namespace NETWORK_SYSTEM_NAMESPACE::core {
struct client_config;
class messaging_client;
class messaging_server;
class network_config;
class network_context;
class secure_messaging_client;
class secure_messaging_server;
struct server_config;
}  // namespace NETWORK_SYSTEM_NAMESPACE::core

namespace NETWORK_SYSTEM_NAMESPACE::session {
class connection_pool;
class messaging_session;
class secure_session;
class session_manager;
}  // namespace NETWORK_SYSTEM_NAMESPACE::session

namespace NETWORK_SYSTEM_NAMESPACE::facade {
class tcp_facade;
}

namespace NETWORK_SYSTEM_NAMESPACE::interfaces {
class callback_adapter;
class connection_observer;
class i_network_component;
class i_protocol_client;
class i_protocol_server;
class i_session;
class null_connection_observer;
}  // namespace NETWORK_SYSTEM_NAMESPACE::interfaces

namespace NETWORK_SYSTEM_NAMESPACE::integration {
class async_logger;
class basic_container;
class basic_logger;
class basic_monitoring;
class basic_thread_pool;
class container_interface;
class container_manager;
class logger_integration_manager;
class logger_interface;
class messaging_bridge;
class monitoring_integration_manager;
class monitoring_interface;
class thread_integration_manager;
class thread_pool_interface;
}  // namespace NETWORK_SYSTEM_NAMESPACE::integration

namespace NETWORK_SYSTEM_NAMESPACE::utils {
class counter;
class performance_monitor;
}  // namespace NETWORK_SYSTEM_NAMESPACE::utils

namespace NETWORK_SYSTEM_NAMESPACE::internal {
enum class data_mode : std::uint8_t;
}
