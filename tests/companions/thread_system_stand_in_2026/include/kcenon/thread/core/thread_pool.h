#pragma once

// Stands in for thread_system of April 2026: see ../../../../../README.md.
#include <kcenon/common/patterns/result.h>
#include <kcenon/thread/core/callback_job.h>
#include <kcenon/thread/core/thread_worker.h>
#include <stand_in/workers.h>

#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace kcenon::thread {

struct submit_options {};

class thread_pool : public std::enable_shared_from_this<thread_pool> {
public:
    explicit thread_pool(const std::string& = "thread_pool", const thread_context& = {}) {}

    common::VoidResult enqueue(std::unique_ptr<thread_worker>&& worker) {
        if (!worker) {
            return failure("there is no worker");
        }
        workers_.add();
        return std::monostate{};
    }
    common::VoidResult enqueue(std::unique_ptr<job>&& work) {
        const std::shared_ptr<job> shared = std::move(work);
        if (!workers_.enqueue([shared] { shared->do_work(); })) {
            return failure("thread pool is stopped");
        }
        return std::monostate{};
    }

    template <typename F, typename R = std::invoke_result_t<std::decay_t<F>>>
    std::future<R> submit(F&& function, const submit_options& = {}) {
        const auto task = std::make_shared<std::packaged_task<R()>>(std::forward<F>(function));
        if (!workers_.enqueue([task] { (*task)(); })) {
            std::promise<R> refused;
            refused.set_exception(std::make_exception_ptr(std::runtime_error("thread pool is stopped")));
            return refused.get_future();
        }
        return task->get_future();
    }

    common::VoidResult start() {
        if (!workers_.start()) {
            return failure("no workers to start");
        }
        return std::monostate{};
    }
    common::VoidResult stop(const bool& immediately = false) {
        workers_.stop(immediately);
        return std::monostate{};
    }

    std::size_t get_active_worker_count() const { return workers_.count(); }
    std::size_t get_pending_task_count() const { return workers_.pending(); }
    bool is_running() const { return workers_.is_running(); }

private:
    static common::VoidResult failure(const char* what) {
        return common::error_info{-1, what, "thread_system", std::nullopt};
    }

    stand_in::workers workers_;
};

}  // namespace kcenon::thread
