#pragma once

#include <chrono>
#include <cstddef>

#include "network_system/core/compression_mode.h"
#include "network_system/core/dispatch_mode.h"
#include "network_system/core/framing.h"
#include "network_system/core/tls_config.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::core {

/// Whether and how a client connects again when it could not connect, or its connection ended.
///
/// Before the n-th attempt in a row, counted from 0, it waits for a random time between 0 and `first_delay` * 2^n, or
/// `max_delay` if that is less. The count begins anew after a connection that was open for `max_delay`. The client goes
/// on until it is stopped, `max_attempts` in a row have failed, or the server turns out to speak another protocol.
struct reconnect_policy {
    bool enabled = false;
    std::chrono::milliseconds first_delay{100};  ///< the longest wait before the first attempt; 0: 100 ms
    std::chrono::milliseconds max_delay{5000};   ///< the longest wait of all; 0: 5 s
    std::size_t max_attempts = 0;                ///< in a row; 0: without end
};

/// How a client connects and what it grants its connection. Host and port are given at the start, and a change
/// takes effect at the next one.
///
/// Where nothing else is said, 0 means the library's default.
struct client_config {
    /// Resolving, connecting, the handshake of TLS and the framed hello together.
    std::chrono::milliseconds connection_timeout{30000};
    std::chrono::milliseconds message_timeout{5000};  ///< how long a send may wait for room in the queue
    std::size_t message_size_limit = 1024 * 1024;     ///< in bytes, of a framed message; 0: as large as a frame can be
    framing_mode framing = framing_mode::automatic;
    dispatch_mode dispatch = dispatch_mode::inline_;  ///< where handlers run
    core::executor executor{};                        ///< who runs them under `dispatch_mode::executor`
    std::size_t receive_queue_limit = 256 * 1024;     ///< bytes that may wait for handlers, if not inline
    bool enable_keep_alive = true;                    ///< TCP keep-alive and, framed, heartbeats
    bool enable_nodelay = true;
    std::size_t receive_buffer_size = 8192;  ///< initial capacity of the library's own buffer
    std::size_t send_buffer_size = 8192;     ///< initial capacity of the library's own buffer

    send_policy policy = send_policy::wait;
    std::chrono::milliseconds timeout{0};            ///< nothing received for so long ends the connection; 0: never
    std::size_t send_queue_limit = 1024 * 1024;      ///< bytes in the queue at which it is full
    std::size_t send_queue_messages = 0;             ///< messages at which it is full too; 0: only bytes count
    std::size_t send_hard_limit = 64 * 1024 * 1024;  ///< bytes that sends inside handlers may queue
    std::chrono::milliseconds heartbeat_interval{10000};  ///< of a silent framed connection
    /// For a framed message to come whole once it has begun to, and a second more for each 240 bytes.
    std::chrono::milliseconds frame_timeout{10000};
    /// With keep-alive: how long the peer's host may acknowledge nothing of what was sent before the session ends. A
    /// peer that lives and does not read is not ended by this.
    std::chrono::milliseconds unresponsive_timeout{30000};
    std::chrono::milliseconds drain_timeout{5000};         ///< for what is queued to arrive, when the client stops
    compression_mode compression = compression_mode::off;  ///< of messages, where the peer agrees; not of raw sessions
    std::size_t compression_threshold = 256;               ///< shorter messages are not compressed
    unsigned int compression_level = 1;                    ///< how hard zstd tries, 1 to 19
    std::size_t kernel_receive_buffer_size = 0;            ///< SO_RCVBUF; 0: the system's choice
    std::size_t kernel_send_buffer_size = 0;               ///< SO_SNDBUF; 0: the system's choice
    client_tls_config tls{};                               ///< encryption: docs/tls.md
    /// Each message sent or received is a line of the log, at level info: who, what kind and how long, not what is in
    /// it.
    bool log_messages = false;

    reconnect_policy reconnect{};
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::core

namespace NETWORK_SYSTEM_NAMESPACE {
using core::client_config;
using core::reconnect_policy;
}  // namespace NETWORK_SYSTEM_NAMESPACE
