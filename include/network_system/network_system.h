#pragma once

#include "network_system/core/connection_pool.h"
#include "network_system/core/messaging_client.h"
#include "network_system/core/messaging_server.h"
#include "network_system/core/session_manager.h"
#include "network_system/detail/compat.h"
#include "network_system/detail/network_module_names.h"
#include "network_system/integration/container_integration.h"
#include "network_system/integration/thread_integration.h"
#include "network_system/session/messaging_session.h"
#include "network_system/utils/result_types.h"

namespace network_system {

namespace detail {
inline std::atomic<bool> initialized{false};
}

/// The version of the library that the program runs with.
inline const char* get_version() noexcept {
    return netsys_version_string();
}

/// Checks that library and headers belong together, and makes what the library would else make at first use: its
/// threads' context, a default thread pool and a default container. Optional; again succeeds.
inline VoidResult initialize() {
    netsys_context context{};
    const netsys_status status = detail::default_context(context);
    if (status != NETSYS_OK) {
        return detail::to_result(status);
    }
    compat::initialize();
    detail::initialized.store(true);
    return ok();
}

/// Undoes `initialize()`: the default thread pool ends. Servers and clients are left alone. Without an
/// `initialize()` it does nothing.
inline VoidResult shutdown() {
    if (detail::initialized.exchange(false)) {
        compat::shutdown();
    }
    return ok();
}

inline bool is_initialized() noexcept {
    return detail::initialized.load();
}

}  // namespace network_system
