#pragma once

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"

#if defined(BUILD_WITH_COMMON_SYSTEM) || (defined(KCENON_WITH_COMMON_SYSTEM) && KCENON_WITH_COMMON_SYSTEM)
#include "network_system/utils/result_types_common_system.h"
#else
#include "network_system/utils/result_types_standalone.h"
#endif

namespace NETWORK_SYSTEM_NAMESPACE {

/// The specification's spelling of the codes; `error_codes` is the one that programs in the field use.
namespace codes = error_codes;

}  // namespace NETWORK_SYSTEM_NAMESPACE
