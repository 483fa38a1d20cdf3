#pragma once

#include <chrono>
#include <cstdint>

#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// A reading of CLOCK_MONOTONIC, which is what the standard's steady clock reads.
inline std::chrono::steady_clock::time_point to_time_point(std::uint64_t nanoseconds) noexcept {
    return std::chrono::steady_clock::time_point(
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::nanoseconds(nanoseconds)));
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
