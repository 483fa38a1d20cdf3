#pragma once

#include <cstdint>
#include <functional>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::core {

/// Where the handlers of a server or client run. Those of one session never overlap, and keep their order.
enum class dispatch_mode : std::uint32_t {
    /// On the thread that reads from the network, one at a time for the server or client.
    inline_ = NETSYS_DISPATCH_INLINE,
    /// On a pool of threads of the library: several sessions at a time.
    pool = NETSYS_DISPATCH_POOL,
    /// In `poll_events()`, one at a time. Calls that wait for the server or client, such as its stop, run them too.
    manual = NETSYS_DISPATCH_MANUAL,
    /// Where the configuration's `executor` runs them: several sessions at a time, if it has several threads.
    executor = NETSYS_DISPATCH_EXECUTOR
};

/// Takes a job to run it soon, once, on any thread, or gives back false if it cannot; then, or when all copies of the
/// job are destroyed before it ran, the library runs it on a thread of its own. Called on several threads; must not
/// wait.
using executor = std::function<bool(std::function<void()> job)>;

}  // namespace NETWORK_SYSTEM_NAMESPACE::core

namespace NETWORK_SYSTEM_NAMESPACE {
using core::dispatch_mode;
}
