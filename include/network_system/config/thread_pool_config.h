#pragma once

#include <cstddef>
#include <string>

#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::config {

/// The default thread pool.
struct thread_pool_config {
    std::size_t worker_count = 0;            ///< 0: as many as the machine runs at once
    std::size_t queue_capacity = 10000;      ///< tasks that may wait; past that a submit fails. 0: no limit
    std::string pool_name = "network_pool";  ///< what the names of its threads begin with
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::config
