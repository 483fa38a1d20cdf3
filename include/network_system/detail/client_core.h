#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "network_system/core/client_config.h"
#include "network_system/detail/bridge_core.h"
#include "network_system/detail/bridge_tap.h"
#include "network_system/detail/config_mapping.h"
#include "network_system/detail/error_category.h"
#include "network_system/detail/executor_hook.h"
#include "network_system/detail/guard.h"
#include "network_system/detail/handlers.h"
#include "network_system/detail/lifecycle.h"
#include "network_system/detail/message_memory.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/session_core.h"
#include "network_system/detail/session_events.h"
#include "network_system/detail/traffic_metrics.h"
#include "network_system/interfaces/connection_observer.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// How the connection pool and the bridge reach what a client is made of.
struct client_access;

/// What a client and the callbacks that serve it share, so that either may go first.
class client_core {
public:
    client_core(std::string client_id, const core::client_config& settings)
        : id(std::move(client_id)), config_(settings) {}

    core::client_config config() const {
        const std::lock_guard<std::mutex> lock(config_mutex_);
        return config_;
    }

    void configure(const core::client_config& config) {
        const std::lock_guard<std::mutex> lock(config_mutex_);
        config_ = config;
    }

    /// Where it was last started to connect to.
    void set_peer(const std::string& host, std::uint16_t port) {
        const std::lock_guard<std::mutex> lock(config_mutex_);
        peer_ = {host, port};
    }
    std::pair<std::string, std::uint16_t> peer() const {
        const std::lock_guard<std::mutex> lock(config_mutex_);
        return peer_;
    }

    /// A send succeeds from when the connection is open, a moment before the handlers are told of it.
    bool is_connected() const noexcept {
        if (connection_.load(std::memory_order_acquire) != 0) {
            return true;
        }
        netsys_session session{};
        std::uint32_t state = NETSYS_STATE_DISCONNECTED;
        return netsys_client_session(life.current(), &session) == NETSYS_OK &&
               netsys_session_state(session, &state) == NETSYS_OK && state == NETSYS_STATE_CONNECTED;
    }

    void connected(netsys_session session) noexcept { connection_.store(session.id, std::memory_order_release); }
    void disconnected() noexcept { connection_.store(0, std::memory_order_release); }

    /// The connection, also while the hello of a framed one is on its way; id 0 if there is none.
    netsys_session session() const {
        netsys_session session{connection_.load(std::memory_order_acquire)};
        if (session.id == 0) {
            netsys_client_session(life.current(), &session);
        }
        return session;
    }

    /// On the connection if it is open; else the client knows where the message goes, or that it goes nowhere.
    VoidResult send(std::uint32_t kind, const void* data, std::size_t size) const {
        const netsys_session open{connection_.load(std::memory_order_acquire)};
        const netsys_status status =
            open.id != 0 ? netsys_session_send(open, kind, data, size) : NETSYS_ERR_CONNECTION_CLOSED;
        return status == NETSYS_OK ? ok() : not_sent(status, kind, data, size);
    }

    VoidResult wait_connected(std::uint32_t timeout_ms) {
        const netsys_client run = life.current();
        const netsys_status status = netsys_client_wait_connected(run, timeout_ms);
        if (status != NETSYS_OK && status != NETSYS_ERR_TIMEOUT && status != NETSYS_ERR_WOULD_DEADLOCK) {
            life.ending(run);  // the callbacks are about to say the same, and the caller may start again before
        }
        return is_unknown(status) ? error_void(NETSYS_ERR_CONNECTION_CLOSED, "the client was not started")
                                  : to_result(status);
    }

    const std::string id;
    std::shared_ptr<bridge_core> bridge;  ///< set before the first start, or never
    lifecycle<client_functions> life;
    handler_table<client_handlers> handlers;
    /// Whether the disconnected callback is told of a stop of this run too.
    std::atomic<bool> announces_stop{false};

private:
    /// What becomes of a message that the connection did not take.
    [[gnu::cold, gnu::noinline]] VoidResult not_sent(netsys_status why, std::uint32_t kind, const void* data,
                                                     std::size_t size) const {
        if (why != NETSYS_ERR_CONNECTION_CLOSED && !is_unknown(why)) {
            return last_failure(why);
        }
        const netsys_status status = netsys_client_send(life.current(), kind, data, size);
        return is_unknown(status) ? failure(NETSYS_ERR_CONNECTION_CLOSED) : to_result(status);
    }

    /// The handle of what has ended, or was never started.
    static bool is_unknown(netsys_status status) noexcept {
        return status == NETSYS_ERR_SESSION_NOT_FOUND || status == NETSYS_ERR_INVALID_HANDLE;
    }

    mutable std::mutex config_mutex_;
    core::client_config config_;
    std::pair<std::string, std::uint16_t> peer_;
    std::atomic<std::uint64_t> connection_{0};
};

/// The callbacks of one run of a client; the library owns them until it calls `release`.
class client_run {
public:
    static netsys_status launch(const std::shared_ptr<client_core>& core, core::client_config settings,
                                const std::string& host, std::uint16_t port, netsys_client& client) {
        netsys_context context{};
        const netsys_status status = default_context(context);
        if (status != NETSYS_OK) {
            return status;
        }
        const bool expects_messages = core->handlers.snapshot().expects_messages() ||
                                      (core->bridge && core->bridge->events().handlers.snapshot().message);
        if (settings.framing == core::framing_mode::automatic && expects_messages) {
            settings.framing = core::framing_mode::framed;
        }
        core->announces_stop.store(false);
        core->set_peer(host, port);
        netsys_client_config config = to_c(settings, core->id, host, port);
        auto run = std::make_unique<client_run>(core, settings.reconnect.enabled);
        config.executor = to_c(settings.executor);
        const netsys_tls_config tls = to_c(settings.tls);
        config.tls = &tls;
        if (core->bridge) {
            config.bridge = core->bridge->handle();
        }
        const netsys_callbacks callbacks = table(std::move(run));
        const netsys_status started = netsys_client_start(context, &config, &callbacks, &client);
        if (started == NETSYS_OK) {
            traffic_metrics::instance().add(client);
        }
        return started;
    }

    client_run(std::shared_ptr<client_core> core, bool reconnects)
        : core_(std::move(core)), handlers_(core_->handlers), tap_(core_->bridge.get()), reconnects_(reconnects) {}

private:
    static client_run& self(void* userdata) noexcept { return *static_cast<client_run*>(userdata); }

    static netsys_callbacks table(std::unique_ptr<client_run> run) noexcept {
        netsys_callbacks callbacks{};
        callbacks.struct_size = sizeof(callbacks);
        callbacks.userdata = run.release();
        callbacks.on_open = [](void* userdata, netsys_session session) noexcept { self(userdata).open(session); };
        callbacks.on_message = [](void* userdata, netsys_session session, const netsys_message* message) noexcept {
            self(userdata).receive(session, *message);
        };
        callbacks.on_writable = [](void* userdata, netsys_session session) noexcept {
            self(userdata).writable(session);
        };
        callbacks.on_close = [](void* userdata, netsys_session, const netsys_close_info* why) noexcept {
            self(userdata).close(*why);
        };
        callbacks.on_error = [](void* userdata, netsys_session session, const netsys_error_info* error) noexcept {
            self(userdata).fail(session, *error);
        };
        callbacks.on_stopped = [](void* userdata) noexcept { self(userdata).stopped(); };
        callbacks.release = [](void* userdata) noexcept { delete &self(userdata); };
        return callbacks;
    }

    template <typename Signature, typename... Arguments>
    static void call(const handler<Signature>& function, Arguments&&... arguments) {
        if (function) {
            (*function)(std::forward<Arguments>(arguments)...);
        }
    }

    template <typename Event>
    void observe(Event&& event) {
        if (const auto& observer = handlers_.current().observer) {
            event(*observer);
        }
    }

    /// Runs a handler whose failure ends the connection.
    template <typename Body>
    void closing(netsys_session session, Body&& body) noexcept {
        guarded(std::forward<Body>(body), [&](const char* what) {
            netsys_session_close(session, NETSYS_ERR_HANDLER_FAILED, c_str(what));
            report_failed_handler(what);
        });
    }

    /// Runs a handler at the end of the connection.
    template <typename Body>
    void surviving(Body&& body) noexcept {
        guarded(std::forward<Body>(body), [this](const char* what) { report_failed_handler(what); });
    }

    void report_failed_handler(const char* what) noexcept {
        tap_.handler_failed(what);
        report(what, NETSYS_ERR_HANDLER_FAILED, 0);
    }

    void open(netsys_session session) noexcept {
        reported_ = NETSYS_OK;
        core_->connected(session);
        closing(session, [&] { call(handlers_.current().connect); });
        closing(session, [&] { call(handlers_.current().connected); });
        closing(session, [&] { observe([](auto& observer) { observer.on_connected(); }); });
    }

    void receive(netsys_session session, const netsys_message& message) noexcept {
        closing(session, [&] { deliver(message); });
    }

    void deliver(const netsys_message& message) {
        if (const auto& handler = handlers_.current().message) {
            as_text(message, *handler);
        }
        if (handlers_.current().expects_bytes()) {
            deliver_bytes(message);
        }
        tap_.offer(message);
    }

    // Not inlined, for the sake of programs that speak messages.
    [[gnu::noinline]] void deliver_bytes(const netsys_message& message) {
        if (const auto& handler = handlers_.current().receive) {
            as_bytes(message, *handler);
        }
        observe([&](auto& observer) { observer.on_receive({message.data, message.len}); });
    }

    void writable(netsys_session session) noexcept {
        closing(session, [&] { call(handlers_.current().writable); });
    }

    void close(const netsys_close_info& why) noexcept {
        core_->disconnected();
        const bool stopped = connection_gone();
        if (!stopped && ends_with_stream_error(why, reported_)) {
            report_to_stream_family(why.reason, why.os_code);
        }
        surviving([&] {
            if (const auto& handler = handlers_.current().disconnect) {
                (*handler)(stopped ? "stopped" : close_text(why));
            }
        });
        if (!stopped || core_->announces_stop.load()) {
            surviving([&] { call(handlers_.current().disconnected); });
        }
        surviving(
            [&] { observe([&](auto& observer) { observer.on_disconnected(stopped ? "stopped" : close_text(why)); }); });
    }

    /// There is no connection (any more). Tells whether a stop is the cause; if not, it is the end of the run unless
    /// another connection follows.
    bool connection_gone() noexcept { return reconnects_ ? core_->life.is_stopping() : core_->life.ending(); }

    /// Without a session it is the connecting that failed, or messages for it are lost with the client.
    void fail(netsys_session session, const netsys_error_info& error) noexcept {
        if (session.id == 0 && connection_gone() && error.status != NETSYS_ERR_SEND_FAILED) {
            return;  // given up on purpose
        }
        reported_ = error.status;
        report(error.message, error.status, error.os_code);
    }

    void stopped() noexcept {
        traffic_metrics::instance().remove(core_->life.current());
        netsys_status restarted = NETSYS_OK;
        guarded([&] { restarted = core_->life.ended(); }, log_failure);
        if (restarted != NETSYS_OK) {
            report(netsys_status_message(restarted), restarted, 0);
        }
    }

    void report(const char* what, netsys_status status, int os_code) noexcept {
        guarded([&] { call(handlers_.current().error, what, status); }, log_failure);
        report_to_stream_family(status, os_code);
    }

    void report_to_stream_family(netsys_status status, int os_code) noexcept {
        const std::error_code code = to_error_code(status, os_code);
        guarded([&] { call(handlers_.current().stream_error, code); }, log_failure);
        guarded([&] { observe([&](auto& observer) { observer.on_error(code); }); }, log_failure);
    }

    const std::shared_ptr<client_core> core_;
    handler_table<client_handlers>::reader handlers_;
    bridge_tap tap_;
    const bool reconnects_;
    netsys_status reported_ = NETSYS_OK;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
