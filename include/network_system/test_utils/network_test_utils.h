#pragma once

#include <chrono>
#include <stdexcept>
#include <thread>

#include "network_system/utils/network_utils.h"

#include "network_system/detail/namespace.h"

/// What tests of networking code need, for this library's tests and for those of its users.
namespace NETWORK_SYSTEM_NAMESPACE::test_utils {

/// A TCP port that nothing is bound to. Successive calls give different ones; processes begin at different
/// places, so that those which run at once rarely meet.
inline unsigned short get_free_port() {
    const auto port = utils::network_utils::free_port();
    if (!port.is_ok()) {
        throw std::runtime_error(port.error().message);
    }
    return port.value();
}

/// Polls until the predicate holds, at most `timeout`; tells whether it did. It has to hold again one interval
/// later: a test that shares data with a handler without a lock thereby lets the handler finish.
template <typename Predicate>
bool wait_for_condition(Predicate&& predicate, std::chrono::milliseconds timeout) {
    constexpr std::chrono::milliseconds interval{5};
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        const bool seen = predicate();
        if (!seen && std::chrono::steady_clock::now() >= deadline) {
            return false;
        }
        std::this_thread::sleep_for(interval);
        if (seen && predicate()) {
            return true;
        }
    }
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::test_utils
