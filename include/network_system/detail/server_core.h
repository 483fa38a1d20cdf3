#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "network_system/detail/bridge_core.h"
#include "network_system/detail/config_mapping.h"
#include "network_system/detail/executor_hook.h"
#include "network_system/detail/final_session.h"
#include "network_system/detail/handlers.h"
#include "network_system/detail/lifecycle.h"
#include "network_system/detail/monitor.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/session_events.h"
#include "network_system/detail/traffic_metrics.h"
#include "network_system/session/messaging_session.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// The sessions of a server, as the objects that its handlers get.
class session_registry {
public:
    void add(session_ptr session, std::shared_ptr<session_core> core) {
        std::string id = session->session_id();
        const std::lock_guard<std::mutex> lock(mutex_);
        sessions_.emplace(std::move(id), entry{std::move(session), std::move(core)});
    }

    void remove(const std::string& id) noexcept {
        entry removed;  // may hold the last reference, so it goes after the lock
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto found = sessions_.find(id);
        if (found != sessions_.end()) {
            removed = std::move(found->second);
            sessions_.erase(found);
        }
    }

    session_ptr find(const std::string& id) const {
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto found = sessions_.find(id);
        return found != sessions_.end() ? found->second.session : nullptr;
    }

    std::vector<session_ptr> all() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        std::vector<session_ptr> result;
        result.reserve(sessions_.size());
        for (const auto& [id, known] : sessions_) {
            result.push_back(known.session);
        }
        return result;
    }

    void clear_handlers() const {
        std::vector<std::shared_ptr<session_core>> cores;  // destroying a handler may run any code
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            for (const auto& [id, known] : sessions_) {
                cores.push_back(known.core);
            }
        }
        for (const auto& core : cores) {
            core->handlers.clear();
        }
    }

private:
    struct entry {
        session_ptr session;
        std::shared_ptr<session_core> core;
    };

    mutable std::mutex mutex_;
    std::unordered_map<std::string, entry> sessions_;
};

/// How a bridge reaches what a server is made of.
struct server_access;

/// What a server and the callbacks that serve it share, so that either may go first.
class server_core {
public:
    server_core(std::string server_id, core::server_config settings)
        : id(std::move(server_id)), config_(std::move(settings)) {}

    core::server_config config() const {
        const std::lock_guard<std::mutex> lock(config_mutex_);
        return config_;
    }

    void configure(const core::server_config& config) {
        const std::lock_guard<std::mutex> lock(config_mutex_);
        config_ = config;
    }
    /// Of what else is configured meanwhile, nothing is lost.
    void configure_tls(const core::server_tls_config& tls) {
        const std::lock_guard<std::mutex> lock(config_mutex_);
        config_.tls = tls;
        config_.tls.enabled = true;
    }

#ifdef NETWORK_SYSTEM_HAS_MONITOR
    std::atomic<monitor_interface*> monitor{nullptr};
#endif

    const std::string id;
    std::shared_ptr<bridge_core> bridge;  ///< set before the first start, or never
    /// Makes the objects that handlers get: of this class, or of one derived from it.
    std::function<session_ptr(std::shared_ptr<session_core>)> make_session = [](std::shared_ptr<session_core> core) {
        return std::make_shared<final_session<session::messaging_session>>(std::move(core));
    };
    lifecycle<server_functions> life;
    handler_table<server_handlers> handlers;
    session_registry sessions;

private:
    mutable std::mutex config_mutex_;
    core::server_config config_;
};

/// The callbacks of one run of a server; the library owns them until it calls `release`.
class server_run {
public:
    static netsys_status launch(const std::shared_ptr<server_core>& core, const core::server_config& settings,
                                netsys_server& server) {
        netsys_context context{};
        const netsys_status status = default_context(context);
        if (status != NETSYS_OK) {
            return status;
        }
        netsys_server_config config = to_c(settings, core->id);
        auto run = std::make_unique<server_run>(core);
        config.executor = to_c(settings.executor);
        const netsys_tls_config tls = to_c(settings.tls);
        config.tls = &tls;
        if (core->bridge) {
            config.bridge = core->bridge->handle();
        }
        const netsys_callbacks callbacks = table(std::move(run));
        const netsys_status started = netsys_server_start(context, &config, &callbacks, &server);
        if (started == NETSYS_OK) {
            traffic_metrics::instance().add(server);
        }
        return started;
    }

    explicit server_run(std::shared_ptr<server_core> core) noexcept : core_(std::move(core)) {}

private:
    static server_run& self(void* userdata) noexcept { return *static_cast<server_run*>(userdata); }

    static netsys_callbacks table(std::unique_ptr<server_run> run) noexcept {
        netsys_callbacks callbacks{};
        callbacks.struct_size = sizeof(callbacks);
        callbacks.userdata = run.release();
        callbacks.on_accept = [](void* userdata, netsys_session session) noexcept { self(userdata).accept(session); };
        callbacks.on_open = [](void*, netsys_session session) noexcept {
            deliver(session, [](session_events& events) { events.opened(); });
        };
        callbacks.on_message = [](void*, netsys_session, const netsys_message* message) noexcept {
            if (auto* events = static_cast<session_events*>(message->session_userdata)) {
                events->message(*message);
            }
        };
        callbacks.on_writable = [](void*, netsys_session session) noexcept {
            deliver(session, [](session_events& events) { events.writable(); });
        };
        callbacks.on_state = [](void*, netsys_session session, std::uint32_t from, std::uint32_t to) noexcept {
            deliver(session, [&](session_events& events) { events.state_changed(from, to); });
        };
        callbacks.on_error = [](void* userdata, netsys_session session, const netsys_error_info* error) noexcept {
            self(userdata).fail(session, *error);
        };
        callbacks.on_close = [](void*, netsys_session session, const netsys_close_info* why) noexcept {
            deliver(session, [&](session_events& events) { events.closed(*why); });
        };
        callbacks.on_end = [](void* userdata, netsys_session session, const netsys_close_info* why) noexcept {
            self(userdata).end(session, *why);
        };
        callbacks.on_stopped = [](void* userdata) noexcept { guarded([&] { self(userdata).stopped(); }, log_failure); };
        callbacks.release = [](void* userdata) noexcept { delete &self(userdata); };
        return callbacks;
    }

    static session_events* events_of(netsys_session session) noexcept {
        void* userdata = nullptr;
        return session.id != 0 && netsys_session_userdata(session, &userdata) == NETSYS_OK
                   ? static_cast<session_events*>(userdata)
                   : nullptr;
    }

    template <typename Event>
    static void deliver(netsys_session session, Event&& event) noexcept {
        if (session_events* events = events_of(session)) {
            event(*events);
        }
    }

    void accept(netsys_session session) noexcept {
        session_events* events = nullptr;
        guarded([&] { events = &admit(session); },
                [&](const char* what) { netsys_session_close(session, NETSYS_ERR_INTERNAL, c_str(what)); });
        if (events != nullptr) {
            report_connections();
            events->accepted();
        }
    }

    session_events& admit(netsys_session session) {
        auto shared = std::make_shared<session_core>(session_handle::retained(session), core_->id);
        auto object = core_->make_session(shared);
        auto events = std::make_unique<session_events>(session, shared, object, &core_->handlers, core_->bridge.get());
        const auto release = [](void* userdata) noexcept { delete static_cast<session_events*>(userdata); };
        if (netsys_session_set_userdata(session, events.get(), release) != NETSYS_OK) {
            throw std::runtime_error("the session has ended");
        }
        session_events& attached = *events.release();
        core_->sessions.add(std::move(object), std::move(shared));
        return attached;
    }

    void fail(netsys_session session, const netsys_error_info& error) noexcept {
        if (session_events* events = events_of(session)) {
            events->error(error);
            return;
        }
        // No reader: with several loops, failures of the server and of sessions that could not be admitted may overlap.
        guarded(
            [&] {
                if (const auto handler = core_->handlers.snapshot().error) {
                    (*handler)(error.message, error.status);
                }
            },
            log_failure);
    }

    void end(netsys_session session, const netsys_close_info& why) noexcept {
        deliver(session, [&](session_events& events) {
            guarded([&] { core_->sessions.remove(events.session()->session_id()); }, log_failure);
            report_connections();
            events.ended(why);
        });
    }

    void stopped() {
        traffic_metrics::instance().remove(core_->life.current());
        core_->life.ended();
    }

    void report_connections() noexcept {
#ifdef NETWORK_SYSTEM_HAS_MONITOR
        if (auto* monitor = core_->monitor.load(std::memory_order_acquire)) {
            guarded(
                [&] {
                    std::size_t count = 0;
                    netsys_server_connection_count(core_->life.current(), &count);
                    monitor->record_metric("active_connections", static_cast<double>(count));
                },
                log_failure);
        }
#endif
    }

    const std::shared_ptr<server_core> core_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
