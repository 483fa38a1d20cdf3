#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// The levels of netsys_log_record.
inline constexpr std::uint32_t error_level = 1;
inline constexpr std::uint32_t debug_level = 4;

/// Takes a line of the library's own log: its level, the part that says it, and what it says.
using library_log_function = void (*)(std::uint32_t level, std::string_view target, std::string_view message);

/// Set while a program has a logger (integration/logger_integration.h). Null: nothing is logged.
inline std::atomic<library_log_function> library_log{nullptr};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
