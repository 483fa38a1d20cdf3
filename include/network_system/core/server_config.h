#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "network_system/core/compression_mode.h"
#include "network_system/core/dispatch_mode.h"
#include "network_system/core/framing.h"
#include "network_system/core/tls_config.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::core {

/// How a server listens and what it grants each session. A change takes effect at the next start; that of
/// `max_connections` and `message_size_limit` at once.
///
/// Where nothing else is said, 0 means the library's default.
struct server_config {
    unsigned short port = 8080;  ///< 0: a free one, which `messaging_server::port()` tells after the start
    std::string bind_address = "0.0.0.0";
    std::size_t max_connections = 1000;            ///< 0: no limit
    std::size_t message_size_limit = 1024 * 1024;  ///< in bytes, of a framed message; 0: as large as a frame can be
    std::chrono::seconds timeout{30};              ///< nothing received for so long ends a session; 0: never
    bool enable_keep_alive = true;                 ///< TCP keep-alive and, framed, heartbeats
    bool enable_nodelay = true;
    std::size_t receive_buffer_size = 8192;  ///< initial capacity of the library's own buffer
    std::size_t send_buffer_size = 8192;     ///< initial capacity of the library's own buffer

    framing_mode framing = framing_mode::automatic;
    dispatch_mode dispatch = dispatch_mode::inline_;  ///< where handlers run
    core::executor executor{};                        ///< who runs them under `dispatch_mode::executor`
    std::size_t io_threads = 1;                       ///< over which sessions are spread; their handlers overlap
    std::size_t receive_queue_limit = 256 * 1024;     ///< bytes that may wait for a session's handlers, if not inline
    send_policy policy = send_policy::wait;
    std::chrono::milliseconds message_timeout{5000};      ///< how long a send may wait for room in the queue
    std::size_t send_queue_limit = 1024 * 1024;           ///< bytes in one session's queue at which it is full
    std::size_t send_queue_messages = 0;                  ///< messages at which it is full too; 0: only bytes count
    std::size_t send_hard_limit = 64 * 1024 * 1024;       ///< bytes that sends inside handlers may queue
    std::chrono::milliseconds heartbeat_interval{10000};  ///< of a silent framed session
    /// For a framed peer to say who it is once it has begun to; with TLS, for its handshake and that together, from the
    /// connection on.
    std::chrono::milliseconds handshake_timeout{5000};
    /// For a framed message to come whole once it has begun to, and a second more for each 240 bytes.
    std::chrono::milliseconds frame_timeout{10000};
    /// With keep-alive: how long the peer's host may acknowledge nothing of what was sent before the session ends. A
    /// peer that lives and does not read is not ended by this.
    std::chrono::milliseconds unresponsive_timeout{30000};
    std::chrono::milliseconds drain_timeout{5000};  ///< for what is queued to arrive, when a session is closed
    unsigned int backlog = 4096;                    ///< connections that the system holds before they are accepted
    /// Connections of one address; of IPv6, of one /64. 0: 256, and no limit for loopback; the largest value: no limit.
    std::size_t max_connections_per_address = 0;
    unsigned int accept_rate = 0;    ///< connections a second that one address may make in the long run; 0: no limit
    unsigned int accept_burst = 0;   ///< how many of them at once, after a rest; 0: as many as in a second
    std::string exempt_addresses{};  ///< that neither holds for: "10.0.0.0/8, 2001:db8::/32, ::1"
    compression_mode compression = compression_mode::off;  ///< of messages, where the peer agrees; not of raw sessions
    std::size_t compression_threshold = 256;               ///< shorter messages are not compressed
    unsigned int compression_level = 1;                    ///< how hard zstd tries, 1 to 19
    std::size_t kernel_receive_buffer_size = 0;            ///< SO_RCVBUF; 0: the system's choice
    std::size_t kernel_send_buffer_size = 0;               ///< SO_SNDBUF; 0: the system's choice
    server_tls_config tls{};                               ///< encryption: docs/tls.md
    /// Each message sent or received is a line of the log, at level info: who, what kind and how long, not what is in
    /// it.
    bool log_messages = false;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::core

namespace NETWORK_SYSTEM_NAMESPACE {
using core::server_config;
}
