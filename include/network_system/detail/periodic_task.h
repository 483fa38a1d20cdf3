#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "network_system/detail/guard.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// Calls a function on a thread of its own, again and again; first when one interval has passed.
class periodic_task {
public:
    periodic_task(std::chrono::milliseconds interval, std::function<void()> task)
        : state_(std::make_shared<state>()), thread_(run, state_, interval, std::move(task)) {}

    periodic_task(const periodic_task&) = delete;
    periodic_task& operator=(const periodic_task&) = delete;

    /// The function does not run any more afterwards, unless it is the caller.
    ~periodic_task() {
        {
            const std::lock_guard<std::mutex> lock(state_->mutex);
            state_->stopping = true;
        }
        state_->changed.notify_all();
        if (thread_.get_id() == std::this_thread::get_id()) {
            thread_.detach();
        } else {
            thread_.join();
        }
    }

private:
    /// Shared with the thread, which outlives an object that its own function destroys.
    struct state {
        std::mutex mutex;
        std::condition_variable changed;
        bool stopping = false;
    };

    static void run(const std::shared_ptr<state>& state, std::chrono::milliseconds interval,
                    const std::function<void()>& task) {
        std::unique_lock<std::mutex> lock(state->mutex);
        while (!state->changed.wait_for(lock, interval, [&] { return state->stopping; })) {
            lock.unlock();
            guarded(task, log_failure);
            lock.lock();
        }
    }

    const std::shared_ptr<state> state_;
    std::thread thread_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
