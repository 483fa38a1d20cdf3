#pragma once

#include <cstdint>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::core {

/// How messages are compressed, on framed sessions whose peer does the same. What does not become shorter by it travels
/// as it is.
enum class compression_mode : std::uint32_t {
    /// Not at all, and nobody's compressed messages are taken.
    off = NETSYS_COMPRESSION_OFF,
    /// By LZ4, or by zstd if the peer has only that.
    automatic = NETSYS_COMPRESSION_AUTO,
    /// By LZ4, which takes the least time.
    lz4 = NETSYS_COMPRESSION_LZ4,
    /// By zstd, which leaves the fewest bytes.
    zstd = NETSYS_COMPRESSION_ZSTD
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::core

namespace NETWORK_SYSTEM_NAMESPACE {
using core::compression_mode;
}
