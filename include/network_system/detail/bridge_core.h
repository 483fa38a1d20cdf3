#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "network_system/config/bridge_config.h"
#include "network_system/core/dispatch_mode.h"
#include "network_system/detail/bridge_events.h"
#include "network_system/detail/c_api.h"
#include "network_system/detail/config_mapping.h"
#include "network_system/detail/milliseconds.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/status.h"
#include "network_system/detail/tls_mapping.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// What a bridge and the servers, clients and pools that it made share, so that either may go first.
class bridge_core {
public:
    explicit bridge_core(const std::string& id) : events_(std::make_shared<bridge_events>()), id_(id) {
        netsys_bridge_config config{};
        netsys_status status = netsys_check_version(NETSYS_VERSION_NUMBER);
        if (status == NETSYS_OK) {
            status = netsys_bridge_config_init(&config, sizeof(config));
        }
        if (status == NETSYS_OK) {
            const netsys_bridge_callbacks callbacks = bridge_events::table(events_);
            status = netsys_bridge_create(c_str(id_), &config, &callbacks, &handle_);
        }
        fitness_ = to_result(status);
    }

    bridge_core(const bridge_core&) = delete;
    bridge_core& operator=(const bridge_core&) = delete;

    /// Nothing that it made runs any more.
    ~bridge_core() { netsys_bridge_destroy(handle_); }

    netsys_bridge handle() const noexcept { return handle_; }
    const std::string& id() const noexcept { return id_; }
    bridge_events& events() const noexcept { return *events_; }

    config::bridge_config config() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return config_;
    }

    /// A configuration that cannot be is kept too, and whatever is started then fails with the same error: nothing runs
    /// with less than was asked for.
    VoidResult configure(const config::bridge_config& wanted) {
        const std::lock_guard<std::mutex> lock(mutex_);
        config_ = wanted;
        fitness_ = apply(wanted);
        return fitness_;
    }

    /// Whether servers and clients can be started.
    VoidResult fitness() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return fitness_;
    }

    /// Tells of a failure that the library itself does not know of.
    void report(const error_info& failure) const {
        netsys_bridge_report_error(handle_, failure.code, c_str(failure.message));
    }

    /// What says, for each start, where handlers are to run; null: on the library's own threads.
    using executor_source = std::function<core::executor()>;

    void set_executor_source(executor_source source) {
        const std::lock_guard<std::mutex> lock(mutex_);
        executor_source_.swap(source);  // the replaced one goes after the lock: the end of a pool waits for its tasks
    }

    /// Has the handlers of a server or client with these settings run where the bridge says, unless they say it. Not to
    /// be called under a lock: the source may wait for tasks of a pool that it replaces.
    template <typename Settings>
    void choose_executor(Settings& settings) {
        if (settings.dispatch != core::dispatch_mode::inline_ || settings.executor) {
            return;
        }
        executor_source source;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            source = executor_source_;
        }
        if (source) {
            settings.dispatch = core::dispatch_mode::executor;
            settings.executor = source();
        }
    }

    /// Whether this thread is one of the library, as in every handler, or all of those stayed with another process:
    /// what a wait of no time says, which runs no handler.
    bool must_not_wait() const noexcept {
        const netsys_status status = netsys_bridge_wait(handle_, 0);
        return status == NETSYS_ERR_WOULD_DEADLOCK || status == NETSYS_ERR_FORKED;
    }

    /// No handler of the bridge is called any more. Outside handlers, none runs any more.
    void silence() const noexcept { events_->silence(!must_not_wait()); }

private:
    VoidResult apply(const config::bridge_config& wanted) const {
        if (wanted.max_connections_per_client == 0 || wanted.connection_timeout <= wanted.connection_timeout.zero() ||
            wanted.message_timeout <= wanted.message_timeout.zero()) {
            return error_void(NETSYS_ERR_INVALID_ARGUMENT,
                              "bridge_config: max_connections_per_client has to be at least 1, connection_timeout and "
                              "message_timeout more than 0");
        }
        netsys_bridge_config config{};
        netsys_bridge_config_init(&config, sizeof(config));
        config.flags = (wanted.enable_performance_monitoring ? 0u : NETSYS_BRIDGE_NO_MONITORING) |
                       (wanted.enable_connection_pooling ? 0u : NETSYS_BRIDGE_NO_POOLING) |
                       (wanted.enable_message_logging ? NETSYS_BRIDGE_LOG_MESSAGES : 0u) |
                       (wanted.enable_compression ? NETSYS_BRIDGE_COMPRESS : 0u) |
                       (wanted.enable_encryption ? NETSYS_BRIDGE_ENCRYPT : 0u);
        const netsys_tls_config server_tls = to_c(wanted.server_tls);
        const netsys_tls_config client_tls = to_c(wanted.client_tls);
        config.server_tls = &server_tls;
        config.client_tls = &client_tls;
        config.max_connections_per_client = to_u32(wanted.max_connections_per_client);
        config.connection_timeout_ms = to_ms(wanted.connection_timeout);
        config.message_timeout_ms = to_ms(wanted.message_timeout);
        config.message_buffer_bytes = to_u32(wanted.message_buffer_size);
        return to_result(netsys_bridge_set_config(handle_, &config));
    }

    const std::shared_ptr<bridge_events> events_;
    const std::string id_;
    netsys_bridge handle_{};
    mutable std::mutex mutex_;
    config::bridge_config config_;
    VoidResult fitness_ = ok();
    executor_source executor_source_;
};

/// Whether a server or client with these settings can be started. A bridge, if it belongs to one, is told if not.
template <typename Config>
VoidResult check_start(const Config& config, const std::shared_ptr<bridge_core>& bridge) {
    VoidResult result = check(config);
    if (bridge) {
        if (result.is_ok()) {
            result = bridge->fitness();
        }
        if (result.is_err()) {
            bridge->report(result.error());
        }
    }
    return result;
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
