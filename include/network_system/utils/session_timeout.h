#pragma once

#include <atomic>
#include <chrono>

#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE {

/// Tells whether something has been idle for too long, for sessions that the application keeps itself: the library's
/// own servers and clients end idle connections by their configuration's `timeout`. Any thread may use it at any time.
class session_timeout_manager {
public:
    using clock = std::chrono::steady_clock;

    /// 0: never too long.
    explicit session_timeout_manager(std::chrono::seconds timeout = std::chrono::seconds(300)) noexcept
        : timeout_(timeout), last_activity_(clock::now()) {}

    /// Something has happened: the idle time begins anew.
    void update_activity() noexcept { last_activity_.store(clock::now()); }

    bool is_timed_out() const noexcept {
        const std::chrono::seconds timeout = get_timeout();
        return timeout > std::chrono::seconds::zero() && clock::now() - last_activity_.load() >= timeout;
    }

    /// Since the construction or the last activity.
    std::chrono::milliseconds get_idle_time() const noexcept {
        return std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - last_activity_.load());
    }

    /// 0 when it is over; milliseconds::max() when there is no timeout.
    std::chrono::milliseconds get_remaining_time() const noexcept {
        const std::chrono::seconds timeout = get_timeout();
        if (timeout <= std::chrono::seconds::zero()) {
            return std::chrono::milliseconds::max();
        }
        const std::chrono::milliseconds idle = get_idle_time();
        return idle < timeout ? timeout - idle : std::chrono::milliseconds::zero();
    }

    void set_timeout(std::chrono::seconds timeout) noexcept { timeout_.store(timeout); }
    std::chrono::seconds get_timeout() const noexcept { return timeout_.load(); }

private:
    std::atomic<std::chrono::seconds> timeout_;
    std::atomic<clock::time_point> last_activity_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE
