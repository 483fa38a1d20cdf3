#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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

/// The callbacks of a bridge: its events, which come one at a time, and its messages, which come on many threads. Owned
/// by the library, too, until it calls `release`.
class bridge_events {
public:
    static netsys_bridge_callbacks table(std::shared_ptr<bridge_events> events) {
        netsys_bridge_callbacks callbacks{};
        callbacks.struct_size = sizeof(callbacks);
        callbacks.userdata = new std::shared_ptr<bridge_events>(std::move(events));
        callbacks.on_connection = [](void* userdata, netsys_str endpoint, std::uint32_t connected) noexcept {
            self(userdata)->tell([&](const bridge_handlers& handlers) {
                if (const auto& handler = handlers.connection) {
                    (*handler)(std::string(endpoint.data, endpoint.len), connected != 0);
                }
            });
        };
        callbacks.on_error = [](void* userdata, const netsys_error_info* error) noexcept {
            self(userdata)->tell([&](const bridge_handlers& handlers) {
                if (const auto& handler = handlers.error) {
                    (*handler)(error->message, error->status);
                }
            });
        };
        callbacks.release = [](void* userdata) noexcept { delete &self(userdata); };
        return callbacks;
    }

    handler_table<bridge_handlers> handlers;

    /// Runs `body`, which calls handlers, unless they have been silenced.
    template <typename Body>
    void call(Body&& body) {
        const std::thread::id thread = std::this_thread::get_id();
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (silent_) {
                return;
            }
            calling_.push_back(thread);
        }
        const leave_at_end leaving{*this, thread};
        std::forward<Body>(body)();
    }

    /// Ends all calls of handlers, for good. With `wait` none runs any more when this returns, but for those of this
    /// thread.
    void silence(bool wait) noexcept {
        handlers.clear();
        std::unique_lock<std::mutex> lock(mutex_);
        silent_ = true;
        const std::thread::id own = std::this_thread::get_id();
        ended_.wait(lock, [&] {
            return !wait || std::all_of(calling_.begin(), calling_.end(), [&](auto thread) { return thread == own; });
        });
    }

private:
    struct leave_at_end {
        bridge_events& events;
        const std::thread::id thread;
        ~leave_at_end() { events.leave(thread); }
    };

    static std::shared_ptr<bridge_events>& self(void* userdata) noexcept {
        return *static_cast<std::shared_ptr<bridge_events>*>(userdata);
    }

    template <typename Event>
    void tell(Event&& event) noexcept {
        guarded([&] { call([&] { event(handlers.snapshot()); }); }, log_failure);
    }

    void leave(std::thread::id thread) noexcept {
        const std::lock_guard<std::mutex> lock(mutex_);
        calling_.erase(std::find(calling_.begin(), calling_.end(), thread));
        ended_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable ended_;
    std::vector<std::thread::id> calling_;  // a thread twice, when an event comes inside a message handler
    bool silent_ = false;
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

/// Where a server's session or a client hands the messages that it got to the bridge. Used by one thread at a time.
class bridge_tap {
public:
    /// `bridge` is null where there is none.
    explicit bridge_tap(const bridge_core* bridge) {
        if (bridge != nullptr) {
            bridge_ = bridge->handle();
            events_ = &bridge->events();
            handlers_.emplace(events_->handlers);
        }
    }

    void offer(const netsys_message& message) {
        if (!handlers_ || message.kind == NETSYS_MESSAGE_STREAM) {
            return;
        }
        if (const auto& handler = handlers_->current().message) {
            events_->call([&] { (*handler)(message); });
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
    bridge_events* events_ = nullptr;
    std::optional<handler_table<bridge_handlers>::reader> handlers_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
