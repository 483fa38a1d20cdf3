#pragma once

// Stands in for thread_system of September and October 2025: see ../../../../../README.md.
#include <kcenon/thread/core/callback_job.h>
#include <kcenon/thread/core/error_handling.h>
#include <kcenon/thread/core/thread_worker.h>
#include <stand_in/workers.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace kcenon::thread {

class thread_pool : public std::enable_shared_from_this<thread_pool> {
public:
    explicit thread_pool(const std::string& = "thread_pool", const thread_context& = {}) {}

    result_void enqueue(std::unique_ptr<thread_worker>&& worker) {
        if (!worker) {
            return result_void("there is no worker");
        }
        workers_.add();
        return {};
    }
    result_void enqueue(std::unique_ptr<job>&& work) {
        const std::shared_ptr<job> shared = std::move(work);
        return workers_.enqueue([shared] { shared->do_work(); }) ? result_void() : result_void("the pool has stopped");
    }
    bool submit_task(std::function<void()> task) { return workers_.enqueue(std::move(task)); }

    result_void start() { return workers_.start() ? result_void() : result_void("no workers to start"); }
    result_void stop(const bool& immediately = false) {
        workers_.stop(immediately);
        return {};
    }

    std::size_t get_thread_count() const { return workers_.count(); }
    std::size_t get_pending_task_count() const { return workers_.pending(); }
    bool is_running() const { return workers_.is_running(); }

private:
    stand_in::workers workers_;
};

}  // namespace kcenon::thread
