#pragma once

#include "network_system/config/network_config.h"
#include "network_system/config/network_system_config.h"
#include "network_system/core/connection_pool.h"
#include "network_system/core/messaging_client.h"
#include "network_system/core/messaging_server.h"
#include "network_system/core/network_context.h"
#include "network_system/core/secure_messaging_client.h"
#include "network_system/core/secure_messaging_server.h"
#include "network_system/core/session_manager.h"
#include "network_system/detail/compat.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/network_module_names.h"
#include "network_system/facade/tcp_facade.h"
#include "network_system/integration/container_integration.h"
#include "network_system/integration/logger_integration.h"
#include "network_system/integration/messaging_bridge.h"
#include "network_system/integration/monitoring_integration.h"
#include "network_system/integration/thread_integration.h"
#include "network_system/metrics/network_metrics.h"
#include "network_system/session/messaging_session.h"
#include "network_system/utils/address_resolver.h"
#include "network_system/utils/network_utils.h"
#include "network_system/utils/performance_monitor.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE {

/// The version of the library that the program runs with.
inline const char* get_version() noexcept {
    return netsys_version_string();
}

/// What initialize() returns. When it was called before it is an error, already_exists (-7), and still true as a
/// `bool`: programs that test it like that ask whether they may go on.
class initialization_result : public VoidResult {
public:
    initialization_result(VoidResult result) : VoidResult(std::move(result)) {}

    operator bool() const { return this->is_ok() || this->error().code == NETSYS_ERR_ALREADY_EXISTS; }
};

/// Checks that library and headers belong together, and makes the default thread pool, container and logger, and the
/// reports to the monitoring, as configured; core/network_context.h says more. Optional: without it the library makes a
/// pool and a container when they are first used, has no log and reports nothing.
inline initialization_result initialize(const config::network_system_config& config) {
    VoidResult result = core::network_context::instance().initialize(config);
    if (result.is_ok()) {
        integration::container_manager::instance().get_default_container();
    }
    return result;
}

inline initialization_result initialize(const config::network_config& config) {
    config::network_system_config whole;
    whole.runtime = config;
    return initialize(whole);
}

/// As config::network_config::production() says.
inline initialization_result initialize() {
    return initialize(config::network_config::production());
}

/// Undoes initialize(): what it made ends, once it has done what it was given. Servers and clients are left alone.
/// Error: not_initialized (-6).
inline VoidResult shutdown() {
    if (!core::network_context::instance().is_initialized()) {
        return error_void(NETSYS_ERR_NOT_INITIALIZED, "network_system is not initialised; initialize() does that");
    }
    core::network_context::instance().shutdown();
    return ok();
}

inline bool is_initialized() noexcept {
    return core::network_context::instance().is_initialized();
}

}  // namespace NETWORK_SYSTEM_NAMESPACE
