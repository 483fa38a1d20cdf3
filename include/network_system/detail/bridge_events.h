#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "network_system/detail/c_api.h"
#include "network_system/detail/guard.h"
#include "network_system/detail/handler_table.h"
#include "network_system/detail/namespace.h"

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

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
