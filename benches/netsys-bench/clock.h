#pragma once

#include <time.h>

#include <cstdint>

namespace bench {

constexpr std::uint64_t second_ns = 1'000'000'000;
constexpr std::uint64_t never = UINT64_MAX;

/// Nanoseconds of CLOCK_MONOTONIC.
inline std::uint64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * second_ns + static_cast<std::uint64_t>(now.tv_nsec);
}

inline std::uint64_t seconds_to_ns(double seconds) {
    return static_cast<std::uint64_t>(seconds * static_cast<double>(second_ns));
}

inline double ns_to_seconds(std::uint64_t ns) {
    return static_cast<double>(ns) / static_cast<double>(second_ns);
}

}  // namespace bench
