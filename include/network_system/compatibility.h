#pragma once

#include <memory>
#include <string>

#include "network_system/core/messaging_client.h"
#include "network_system/core/messaging_server.h"
#include "network_system/detail/compat.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/network_module_names.h"
#include "network_system/integration/container_integration.h"
#include "network_system/integration/messaging_bridge.h"
#include "network_system/integration/thread_integration.h"
#include "network_system/session/messaging_session.h"
#include "network_system/utils/result_types.h"

/// For marking what a program still has to move to `network_system`.
#ifndef NETWORK_DEPRECATED
#define NETWORK_DEPRECATED [[deprecated("moved to namespace network_system")]]
#endif

// Not in network_module itself, since what they return depends on the namespace that this translation unit asked for.
namespace NETWORK_SYSTEM_NAMESPACE::detail {

inline std::shared_ptr<core::messaging_server> create_server(const std::string& server_id) {
    return std::make_shared<core::messaging_server>(server_id);
}

inline std::shared_ptr<core::messaging_client> create_client(const std::string& client_id) {
    return std::make_shared<core::messaging_client>(client_id);
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail

// Nothing else belongs here: programs open this namespace beside those of other libraries with a using directive.
namespace network_module {

using NETWORK_SYSTEM_NAMESPACE::integration::basic_container;
using NETWORK_SYSTEM_NAMESPACE::integration::basic_thread_pool;
using NETWORK_SYSTEM_NAMESPACE::integration::container_interface;
using NETWORK_SYSTEM_NAMESPACE::integration::container_manager;
#ifdef BUILD_WITH_CONTAINER_SYSTEM
using NETWORK_SYSTEM_NAMESPACE::integration::container_system_adapter;
#endif
using NETWORK_SYSTEM_NAMESPACE::integration::thread_integration_manager;
using NETWORK_SYSTEM_NAMESPACE::integration::thread_pool_interface;

using NETWORK_SYSTEM_NAMESPACE::detail::create_client;
using NETWORK_SYSTEM_NAMESPACE::detail::create_server;

}  // namespace network_module

/// messaging_system opens this namespace itself, so it gets no names but those of the old library.
namespace messaging {
using namespace network_module;
}
