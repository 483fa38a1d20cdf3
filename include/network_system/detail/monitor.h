#pragma once

#if defined(BUILD_WITH_COMMON_SYSTEM) || (defined(KCENON_WITH_COMMON_SYSTEM) && KCENON_WITH_COMMON_SYSTEM)
#if __has_include(<kcenon/common/interfaces/monitoring_interface.h>)
#include <kcenon/common/interfaces/monitoring_interface.h>

#include <atomic>

#include "network_system/detail/namespace.h"
#include "network_system/utils/result_types.h"

#define NETWORK_SYSTEM_HAS_MONITOR 1

namespace NETWORK_SYSTEM_NAMESPACE::detail {

using monitor_interface = common_system::interfaces::IMonitor;

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
#endif
#endif
