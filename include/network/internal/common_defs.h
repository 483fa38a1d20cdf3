#pragma once

#include "network_system/detail/namespace.h"
#include "network_system/internal/common_defs.h"

namespace network_module {
using NETWORK_SYSTEM_NAMESPACE::internal::data_mode;
using NETWORK_SYSTEM_NAMESPACE::internal::default_buffer_size;
using NETWORK_SYSTEM_NAMESPACE::internal::default_client_id;
using NETWORK_SYSTEM_NAMESPACE::internal::default_server_id;
using NETWORK_SYSTEM_NAMESPACE::internal::default_timeout_ms;
}  // namespace network_module
