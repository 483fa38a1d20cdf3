#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::internal {

/// What the bytes of a transfer are, in programs that tag them.
enum class data_mode : std::uint8_t { packet_mode = 1, file_mode = 2, binary_mode = 3 };

inline constexpr std::size_t default_buffer_size = 4096;
inline constexpr std::size_t default_timeout_ms = 5000;
inline constexpr std::string_view default_client_id = "default_client";
inline constexpr std::string_view default_server_id = "default_server";

}  // namespace NETWORK_SYSTEM_NAMESPACE::internal
