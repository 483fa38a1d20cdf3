#pragma once

#include <chrono>
#include <cstddef>

#include "network_system/core/tls_config.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::config {

/// What a bridge is like. What the configuration of one of its servers, clients and pools leaves at its default is as
/// it says here.
struct bridge_config {
    /// Counts and measures what its servers and clients do, for itself and for utils::performance_monitor.
    bool enable_performance_monitoring = true;
    /// Logs each message as it is sent and received: direction, session and size, and nothing of its content.
    bool enable_message_logging = false;
    /// Whether there may be pools of connections.
    bool enable_connection_pooling = true;
    std::size_t max_connections_per_client = 10;  ///< of a pool; at least 1
    std::chrono::milliseconds connection_timeout{30000};
    std::chrono::milliseconds message_timeout{5000};  ///< how long a send waits for room
    std::size_t message_buffer_size = 8192;           ///< the first capacity of a session's buffers
    /// Compresses messages where peers agree, as compression_mode::automatic, unless a configuration says otherwise.
    bool enable_compression = false;
    /// Encrypts all connections, as `server_tls` and `client_tls` say unless a configuration has TLS of its own. A
    /// server for which neither names a certificate does not start.
    bool enable_encryption = false;
    /// With enable_encryption, and else an error; `enabled` need not be set. In a file, as in the next: what server.tls
    /// says.
    core::server_tls_config server_tls{};
    core::client_tls_config client_tls{};  ///< the same, and what client.tls says
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::config
