#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "network_system/detail/config_mapping.h"
#include "network_system/detail/managed_session.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/status.h"
#include "network_system/session/messaging_session.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::session {

struct session_config {
    std::size_t max_sessions = 1000;
    std::chrono::milliseconds idle_timeout = std::chrono::minutes(5);       ///< 0: sessions are never idle too long
    std::chrono::milliseconds cleanup_interval = std::chrono::seconds(30);  ///< 0: only `cleanup_idle_sessions()`
    bool enable_backpressure = true;
    double backpressure_threshold = 0.8;  ///< the part of max_sessions from which on there is back-pressure
};

/// A limited set of sessions, also of classes that applications derive from messaging_session.
///
/// Every function may be called on any thread, also in a handler; none waits. Sessions that end by themselves leave it;
/// those that are idle for too long are stopped at the interval of the configuration. Destroying the manager leaves its
/// sessions alone.
class session_manager {
public:
    using session_ptr = std::shared_ptr<messaging_session>;

    struct stats {
        std::size_t active_sessions = 0;
        std::size_t max_sessions = 0;
        std::uint64_t total_accepted = 0;
        std::uint64_t total_rejected = 0;    ///< there were too many
        std::uint64_t total_cleaned_up = 0;  ///< stopped for being idle
        std::uint64_t total_ended = 0;       ///< by themselves
        double utilization = 0;              ///< of max_sessions: 0 to 1, or more when that was lowered
        bool backpressure_active = false;
    };

    explicit session_manager(const session_config& config = {}) : start_(start(config)) {}
    session_manager(const session_manager&) = delete;
    session_manager& operator=(const session_manager&) = delete;
    ~session_manager() { netsys_session_manager_destroy(manager_); }

    /// Whether there is room for one more.
    bool can_accept_connection() const {
        const auto now = get_stats();
        return now.active_sessions < now.max_sessions;
    }
    bool is_backpressure_active() const { return get_stats().backpressure_active; }
    double get_utilization() const { return get_stats().utilization; }

    /// Takes a session in. The id that it is known by is the one given, else the session's own, else "session_<n>"; the
    /// result has it. Errors: server_busy (-663) when there is no room, already_exists (-7), connection_closed (-603)
    /// when the session has ended, invalid_argument (-1).
    Result<std::string> add_session(session_ptr session, const std::string& session_id = "") {
        if (start_.is_err()) {
            return start_.error();
        }
        if (!session) {
            return error<std::string>(NETSYS_ERR_INVALID_ARGUMENT, "the session is null");
        }
        const std::string wanted = session_id.empty() ? session->session_id() : session_id;
        auto managed = std::make_unique<detail::managed_session>(std::move(session));
        const netsys_managed_session table = detail::managed_session::table(managed.get());
        char id[256];
        std::size_t length = 0;
        const netsys_status status =
            netsys_session_manager_add(manager_, &table, detail::c_str(wanted), id, sizeof(id), &length);
        if (status != NETSYS_OK) {
            return detail::to_result(status).error();
        }
        static_cast<void>(managed.release());  // the manager's now
        return std::string(id, length);
    }

    /// Takes a session out; it goes on. Errors: session_not_found (-620).
    VoidResult remove_session(const std::string& session_id) {
        return detail::to_result(netsys_session_manager_remove(manager_, detail::c_str(session_id)));
    }

    /// Null when there is none.
    session_ptr get_session(const std::string& session_id) const {
        session_ptr found;
        const auto take = [](void* userdata, const netsys_managed_session* session, netsys_str) noexcept {
            *static_cast<session_ptr*>(userdata) = detail::managed_session::session_of(*session);
        };
        netsys_session_manager_get(manager_, detail::c_str(session_id), take, &found);
        return found;
    }

    /// In the order in which they came.
    std::vector<session_ptr> get_all_sessions() const {
        std::vector<session_ptr> all;
        const auto take = [](void* userdata, const netsys_managed_session* session, netsys_str) noexcept {
            auto& found = *static_cast<std::vector<session_ptr>*>(userdata);
            detail::guarded([&] { found.push_back(detail::managed_session::session_of(*session)); },
                            detail::log_failure);
        };
        netsys_session_manager_each(manager_, take, &all);
        return all;
    }

    /// Takes all sessions out and disconnects them.
    void stop_all_sessions() { netsys_session_manager_stop_all(manager_); }

    /// Disconnects the sessions that have been idle for too long and takes them out; says how many. Those that have
    /// ended are taken out too. It happens by itself at the interval of the configuration.
    std::size_t cleanup_idle_sessions() {
        std::size_t count = 0;
        netsys_session_manager_clean_up(manager_, &count);
        return count;
    }

    stats get_stats() const {
        netsys_session_manager_info info{};
        info.struct_size = sizeof(info);
        netsys_session_manager_stats(manager_, &info);
        stats result;
        result.active_sessions = static_cast<std::size_t>(info.sessions);
        result.max_sessions = static_cast<std::size_t>(info.max_sessions);
        result.total_accepted = info.accepted;
        result.total_rejected = info.rejected;
        result.total_cleaned_up = info.cleaned_up;
        result.total_ended = info.ended;
        result.utilization = info.utilization;
        result.backpressure_active = info.backpressure != 0;
        return result;
    }

    /// Sessions beyond a lower limit stay.
    void set_max_sessions(std::size_t max_sessions) {
        netsys_session_manager_set_max(manager_, detail::to_u32(max_sessions));
    }
    std::size_t get_session_count() const { return get_stats().active_sessions; }

private:
    static std::uint32_t or_never(std::chrono::milliseconds duration) noexcept {
        return duration <= duration.zero() ? NETSYS_INFINITE : detail::to_ms(duration);
    }

    VoidResult start(const session_config& settings) {
        netsys_context context{};
        const netsys_status status = detail::default_context(context);
        if (status != NETSYS_OK) {
            return detail::to_result(status);
        }
        netsys_session_manager_config config{};
        netsys_session_manager_config_init(&config, sizeof(config));
        config.idle_timeout_ms = or_never(settings.idle_timeout);
        config.cleanup_interval_ms = or_never(settings.cleanup_interval);
        config.flags = settings.enable_backpressure ? 0 : NETSYS_MANAGER_NO_BACKPRESSURE;
        // 0 is the default's place there.
        config.backpressure_threshold =
            settings.backpressure_threshold == 0 ? std::numeric_limits<double>::min() : settings.backpressure_threshold;
        const netsys_status created = netsys_session_manager_create(context, &config, &manager_);
        if (created == NETSYS_OK) {
            set_max_sessions(settings.max_sessions);
        }
        return detail::to_result(created);
    }

    netsys_session_manager manager_{};
    const VoidResult start_;  // what became of it
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::session
