#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "network_system/core/dispatch_mode.h"
#include "network_system/detail/namespace.h"
#include "network_system/integration/thread_integration.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// Runs jobs on a thread pool. One that has stopped takes none, and one that is full throws, or throws them away: the
/// library runs them then.
inline core::executor to_executor(std::shared_ptr<integration::thread_pool_interface> pool) {
    return [pool = std::move(pool)](std::function<void()> job) {
        try {
            if (pool->is_running()) {
                pool->submit(std::move(job));  // what becomes of it, the job itself tells the library
                return true;
            }
        } catch (...) {  // a refusal, as often as there are jobs: nothing to log
        }
        return false;
    };
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
