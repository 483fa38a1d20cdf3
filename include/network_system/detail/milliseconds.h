#pragma once

#include <chrono>
#include <cstdint>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// Whole milliseconds, at least one of a positive duration; the largest number stays free for "for ever".
template <typename Duration>
std::uint32_t to_ms(Duration duration) noexcept {
    if (duration <= Duration::zero()) {
        return 0;
    }
    constexpr std::chrono::milliseconds longest{NETSYS_INFINITE - 1};
    if (duration >= std::chrono::duration_cast<Duration>(longest)) {
        return static_cast<std::uint32_t>(longest.count());
    }
    return static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
