#pragma once

#include <memory>

#include "network_system/detail/namespace.h"
#include "network_system/detail/version.h"
#include "network_system/integration/container_integration.h"
#include "network_system/integration/thread_integration.h"

#ifdef BUILD_WITH_CONTAINER_SYSTEM
#define HAS_CONTAINER_INTEGRATION 1
#else
#define HAS_CONTAINER_INTEGRATION 0
#endif

#ifdef BUILD_WITH_THREAD_SYSTEM
#define HAS_THREAD_INTEGRATION 1
#else
#define HAS_THREAD_INTEGRATION 0
#endif

/// What programs that moved from the old library ask about this one, and the set-up of the integration layer.
namespace NETWORK_SYSTEM_NAMESPACE::compat {

/// Whether this program is built with container_system, and with thread_system.
constexpr bool has_container_support() noexcept {
    return HAS_CONTAINER_INTEGRATION != 0;
}
constexpr bool has_thread_support() noexcept {
    return HAS_THREAD_INTEGRATION != 0;
}

inline const char* version() noexcept {
    return NETWORK_SYSTEM_VERSION;
}

/// Makes sure that there are a default thread pool and a default container. Again does nothing.
inline void initialize() {
    integration::thread_integration_manager::instance().get_thread_pool();
    integration::container_manager::instance().get_default_container();
}

/// Stops the thread pool, once what was submitted has run, if it is one of the library's own. Servers, clients and
/// containers are left alone.
inline void shutdown() {
    const auto metrics = integration::thread_integration_manager::instance().get_metrics();
    if (!metrics.is_running) {
        return;  // asking for the pool would make one
    }
    const auto pool = integration::thread_integration_manager::instance().get_thread_pool();
    if (const auto own = std::dynamic_pointer_cast<integration::basic_thread_pool>(pool)) {
        own->stop(true);
    }
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::compat
