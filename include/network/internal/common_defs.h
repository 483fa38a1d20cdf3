#pragma once

#include "network_system/internal/common_defs.h"

namespace network_module {
using network_system::internal::data_mode;
using network_system::internal::default_buffer_size;
using network_system::internal::default_client_id;
using network_system::internal::default_server_id;
using network_system::internal::default_timeout_ms;
}  // namespace network_module
