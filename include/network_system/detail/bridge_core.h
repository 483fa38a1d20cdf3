#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "network_system/config/bridge_config.h"
#include "network_system/core/dispatch_mode.h"
#include "network_system/detail/c_api.h"
#include "network_system/detail/config_mapping.h"
#include "network_system/detail/executor_hook.h"
#include "network_system/detail/guard.h"
#include "network_system/detail/handler_table.h"
#include "network_system/detail/milliseconds.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/status.h"
#include "network_system/detail/tls_mapping.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// What a program hears of a bridge's servers and clients.
struct bridge_handlers {
    handler<void(const std::string& endpoint, bool connected)> connection;
    handler<void(const std::string& message, int code)> error;
    /// Gets each whole message that its servers and clients receive, after their own handlers.
    handler<void(const netsys_message&)> message;
};

/// The callbacks of a bridge, which come one at a time. Owned by the library, too, until it calls `release`.
class bridge_events {
public:
    static netsys_bridge_callbacks table(std::shared_ptr<bridge_events> events) {
        netsys_bridge_callbacks callbacks{};
        callbacks.struct_size = sizeof(callbacks);
        callbacks.userdata = new std::shared_ptr<bridge_events>(std::move(events));
        callbacks.on_connection = [](void* userdata, netsys_str endpoint, std::uint32_t connected) noexcept {
            self(userdata)->tell([&](const bridge_handlers& handlers) {
                if (handlers.connection) {
                    (*handlers.connection)(std::string(endpoint.data, endpoint.len), connected != 0);
                }
            });
        };
        callbacks.on_error = [](void* userdata, const netsys_error_info* error) noexcept {
            self(userdata)->tell([&](const bridge_handlers& handlers) {
                if (handlers.error) {
                    (*handlers.error)(error->message, error->status);
                }
            });
        };
        callbacks.release = [](void* userdata) noexcept { delete &self(userdata); };
        return callbacks;
    }

    handler_table<bridge_handlers> handlers;

    /// No handler runs when this returns, unless it is called in one.
    void silence(bool may_wait) noexcept {
        handlers.clear();
        std::unique_lock<std::mutex> lock(mutex_);
        if (may_wait && teller_ != std::this_thread::get_id()) {
            told_.wait(lock, [this] { return teller_ == std::thread::id(); });
        }
    }

private:
    static std::shared_ptr<bridge_events>& self(void* userdata) noexcept {
        return *static_cast<std::shared_ptr<bridge_events>*>(userdata);
    }

    template <typename Event>
    void tell(Event&& event) noexcept {
        set_teller(std::this_thread::get_id());
        guarded([&] { event(handlers.snapshot()); }, log_failure);
        set_teller(std::thread::id());
    }

    void set_teller(std::thread::id thread) noexcept {
        const std::lock_guard<std::mutex> lock(mutex_);
        teller_ = thread;
        told_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable told_;
    std::thread::id teller_;
};

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

    /// Where handlers are to run; null for the loops.
    void set_executor(core::executor executor) {
        const std::lock_guard<std::mutex> lock(mutex_);
        executor_ = std::move(executor);
    }

    /// Makes a server or client, which is about to start, one of the bridge.
    template <typename Config>
    void adopt(Config& config) {
        const std::lock_guard<std::mutex> lock(mutex_);
        config.bridge = handle_;
        if (executor_ && config.dispatch == NETSYS_DISPATCH_INLINE) {
            config.dispatch = NETSYS_DISPATCH_EXECUTOR;
            config.executor = to_c(executor_);
        }
    }

private:
    VoidResult apply(const config::bridge_config& wanted) const {
        if (wanted.max_connections_per_client == 0 || wanted.connection_timeout <= wanted.connection_timeout.zero() ||
            wanted.message_timeout < wanted.message_timeout.zero()) {
            return error_void(NETSYS_ERR_INVALID_ARGUMENT,
                              "bridge_config: max_connections_per_client has to be at least 1, connection_timeout more "
                              "than 0, and message_timeout not less");
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
        // Without enable_encryption they are refused: nobody has a plain connection who has said how to encrypt it.
        config.server_tls = wanted.server_tls.enabled || is_given(wanted.server_tls) ? &server_tls : nullptr;
        config.client_tls = wanted.client_tls.enabled || is_given(wanted.client_tls) ? &client_tls : nullptr;
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
    core::executor executor_;
};

/// Whether what belongs to this bridge, or to none, can be started.
inline VoidResult fitness(const std::shared_ptr<bridge_core>& bridge) {
    return bridge ? bridge->fitness() : ok();
}

/// Where a server's session or a client hands the messages that it got to the bridge. Used by one thread at a time.
class bridge_tap {
public:
    /// `bridge` is null where there is none.
    explicit bridge_tap(const bridge_core* bridge) {
        if (bridge != nullptr) {
            bridge_ = bridge->handle();
            handlers_.emplace(bridge->events().handlers);
        }
    }

    void offer(const netsys_message& message) {
        if (!handlers_ || message.kind == NETSYS_MESSAGE_STREAM) {
            return;
        }
        if (const auto& handler = handlers_->current().message) {
            (*handler)(message);
        }
    }

    /// A handler threw. Of other failures the bridge knows by itself.
    void handler_failed(const char* what) noexcept {
        if (handlers_) {
            netsys_bridge_report_error(bridge_, NETSYS_ERR_HANDLER_FAILED, c_str(what));
        }
    }

private:
    netsys_bridge bridge_{};
    std::optional<handler_table<bridge_handlers>::reader> handlers_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
