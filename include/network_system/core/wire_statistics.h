#pragma once

#include <cstdint>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::core {

/// What connections carried, all headers, greetings and heartbeats included, and what compression saved. Of encrypted
/// connections it is what there was before encryption.
struct wire_statistics {
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t compressed_messages_sent = 0;  ///< of the messages sent, those that travelled compressed,
    std::uint64_t uncompressed_bytes_sent = 0;   ///< the bytes that those had before,
    std::uint64_t compressed_bytes_sent = 0;     ///< and those that they took, with their headers
    std::uint64_t compressed_messages_received = 0;
    std::uint64_t uncompressed_bytes_received = 0;
    std::uint64_t compressed_bytes_received = 0;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::core

namespace NETWORK_SYSTEM_NAMESPACE::detail {

inline core::wire_statistics to_wire_statistics(const netsys_stats& stats) noexcept {
    core::wire_statistics result;
    result.bytes_sent = stats.wire_bytes_sent;
    result.bytes_received = stats.wire_bytes_received;
    result.compressed_messages_sent = stats.compressed_messages_sent;
    result.uncompressed_bytes_sent = stats.compressed_bytes_sent;
    result.compressed_bytes_sent = stats.compressed_wire_bytes_sent;
    result.compressed_messages_received = stats.compressed_messages_received;
    result.uncompressed_bytes_received = stats.compressed_bytes_received;
    result.compressed_bytes_received = stats.compressed_wire_bytes_received;
    return result;
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
