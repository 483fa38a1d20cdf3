#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "network_system/core/client_config.h"
#include "network_system/core/server_config.h"
#include "network_system/detail/c_api.h"
#include "network_system/detail/milliseconds.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/tls_mapping.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

inline std::uint32_t to_u32(std::size_t value) noexcept {
    return static_cast<std::uint32_t>(std::min<std::size_t>(value, NETSYS_UNLIMITED_U32));
}

inline std::uint32_t connection_limit(const core::server_config& config) noexcept {
    return config.max_connections == 0 ? NETSYS_UNLIMITED_U32 : to_u32(config.max_connections);
}

template <typename Config>
std::uint64_t message_limit(const Config& config) noexcept {
    return config.message_size_limit == 0 ? NETSYS_UNLIMITED_U64 : config.message_size_limit;
}

/// What the configurations of servers and clients have in common.
template <typename From, typename To>
void map_session_settings(const From& from, To& to) noexcept {
    to.framing = static_cast<std::uint32_t>(from.framing);
    to.dispatch = static_cast<std::uint32_t>(from.dispatch);
    to.receive_queue_bytes = from.receive_queue_limit;
    to.send_policy = static_cast<std::uint32_t>(from.policy);
    to.max_message_bytes = message_limit(from);
    to.send_queue_bytes = from.send_queue_limit;
    to.send_queue_messages = to_u32(from.send_queue_messages);
    to.send_hard_limit_bytes = from.send_hard_limit;
    to.send_timeout_ms = to_ms(from.message_timeout);
    to.idle_timeout_ms = to_ms(from.timeout);
    to.heartbeat_ms = from.enable_keep_alive ? to_ms(from.heartbeat_interval) : NETSYS_INFINITE;
    to.frame_timeout_ms = to_ms(from.frame_timeout);
    to.unresponsive_timeout_ms = to_ms(from.unresponsive_timeout);
    to.drain_ms = to_ms(from.drain_timeout);
    to.flags =
        (from.enable_keep_alive ? 0u : NETSYS_FLAG_NO_KEEP_ALIVE) | (from.enable_nodelay ? 0u : NETSYS_FLAG_NO_NODELAY);
    to.compression = static_cast<std::uint32_t>(from.compression);
    to.compression_threshold_bytes = to_u32(from.compression_threshold);
    to.compression_level = from.compression_level;
    to.receive_buffer_bytes = to_u32(from.receive_buffer_size);
    to.send_buffer_bytes = to_u32(from.send_buffer_size);
    to.kernel_receive_bytes = to_u32(from.kernel_receive_buffer_size);
    to.kernel_send_bytes = to_u32(from.kernel_send_buffer_size);
    to.log_messages = from.log_messages ? 1 : 0;
}

/// The result borrows `server_id` and the configuration's strings, and has no encryption yet.
inline netsys_server_config to_c(const core::server_config& config, std::string_view server_id) noexcept {
    netsys_server_config result{};
    netsys_server_config_init(&result, sizeof(result));
    map_session_settings(config, result);
    result.server_id = c_str(server_id);
    result.host = c_str(config.bind_address);
    result.port = config.port;
    result.backlog = config.backlog;
    result.max_connections = connection_limit(config);
    result.max_connections_per_address = to_u32(config.max_connections_per_address);
    result.accept_rate = config.accept_rate;
    result.accept_burst = config.accept_burst;
    result.exempt_addresses = c_str(config.exempt_addresses);
    result.handshake_timeout_ms = to_ms(config.handshake_timeout);
    result.io_threads = to_u32(config.io_threads);
    return result;
}

/// The result borrows its strings, and has no encryption yet.
inline netsys_client_config to_c(const core::client_config& config, std::string_view client_id, std::string_view host,
                                 std::uint16_t port) noexcept {
    netsys_client_config result{};
    netsys_client_config_init(&result, sizeof(result));
    map_session_settings(config, result);
    result.client_id = c_str(client_id);
    result.host = c_str(host);
    result.port = port;
    result.connect_timeout_ms = to_ms(config.connection_timeout);
    if (config.reconnect.enabled) {
        result.reconnect = 1;
        result.reconnect_first_ms = to_ms(config.reconnect.first_delay);
        result.reconnect_max_ms = to_ms(config.reconnect.max_delay);
        result.reconnect_max_attempts = to_u32(config.reconnect.max_attempts);
    }
    return result;
}

/// Collects what is wrong with the times of a configuration. In C they have no sign, and 0 has a meaning of its own.
class time_faults {
public:
    template <typename Duration>
    void check(const char* name, Duration value) {
        if (value < Duration::zero()) {
            text_ += text_.empty() ? "" : "; ";
            text_ += name;
            text_ += " is " + std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(value).count()) +
                     " ms: a time from 0 on is expected";
        }
    }

    template <typename Config>
    void check_session(const Config& config) {
        check("timeout", config.timeout);
        check("message_timeout", config.message_timeout);
        check("heartbeat_interval", config.heartbeat_interval);
        check("frame_timeout", config.frame_timeout);
        check("unresponsive_timeout", config.unresponsive_timeout);
        check("drain_timeout", config.drain_timeout);
    }

    VoidResult result() const { return text_.empty() ? ok() : error_void(NETSYS_ERR_INVALID_ARGUMENT, text_); }

private:
    std::string text_;
};

/// What C cannot say is wrong.
inline VoidResult check(const core::server_config& config) {
    time_faults faults;
    faults.check_session(config);
    faults.check("handshake_timeout", config.handshake_timeout);
    return faults.result();
}

inline VoidResult check(const core::client_config& config) {
    time_faults faults;
    faults.check_session(config);
    faults.check("connection_timeout", config.connection_timeout);
    faults.check("reconnect.first_delay", config.reconnect.first_delay);
    faults.check("reconnect.max_delay", config.reconnect.max_delay);
    return faults.result();
}

/// What holds for a server or client that was given no configuration: its programs know no limits.
template <typename Config>
Config without_limits() {
    Config config;
    config.message_size_limit = 0;
    config.timeout = decltype(config.timeout)::zero();
    return config;
}

inline core::server_config unlimited_server() {
    auto config = without_limits<core::server_config>();
    config.max_connections = 0;
    config.max_connections_per_address = std::numeric_limits<std::size_t>::max();
    return config;
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
