#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include "network_system/detail/namespace.h"
#include "network_system/integration/thread_integration.h"

#ifdef BUILD_WITH_THREAD_SYSTEM
#if __has_include(<kcenon/thread/core/thread_pool.h>)
#include <kcenon/thread/core/callback_job.h>
#include <kcenon/thread/core/thread_pool.h>
#include <kcenon/thread/core/thread_worker.h>
#else
#error "BUILD_WITH_THREAD_SYSTEM is defined, but the headers of thread_system are not in the include path"
#endif
#endif

namespace NETWORK_SYSTEM_NAMESPACE::detail {

template <typename Result, typename = void>
struct has_is_err : std::false_type {};

template <typename Result>
struct has_is_err<Result, std::void_t<decltype(std::declval<const Result&>().is_err())>> : std::true_type {};

/// Whether a call of the pool failed: its results of 2025 have `has_error()`, those of 2026 `is_err()`.
template <typename Result>
bool has_failed(const Result& result) {
    if constexpr (has_is_err<Result>::value) {
        return result.is_err();
    } else {
        return result.has_error();
    }
}

template <typename Pool, typename = void>
struct has_thread_count : std::false_type {};

template <typename Pool>
struct has_thread_count<Pool, std::void_t<decltype(std::declval<Pool&>().get_thread_count())>> : std::true_type {};

/// A pool of the thread_system library behind `thread_pool_interface`, by the calls that all its versions have.
/// `Library` names its types: `pool`, `job`, `worker`.
template <typename Library>
class thread_pool_adapter : public integration::thread_pool_interface {
public:
    using pool_type = typename Library::pool;

    explicit thread_pool_adapter(std::shared_ptr<pool_type> pool) : pool_(std::move(pool)) {
        if (!pool_) {
            throw std::invalid_argument("thread_system_pool_adapter: there is no pool");
        }
    }

    thread_pool_adapter(const thread_pool_adapter&) = delete;
    thread_pool_adapter& operator=(const thread_pool_adapter&) = delete;

    /// The last to hold a pool may be one of its own tasks, where it could not wait for itself to end.
    ~thread_pool_adapter() override {
        if (pool_in_use() == pool_.get()) {
            std::thread([last = std::move(pool_)] {}).detach();
        }
    }

    /// The future holds a std::runtime_error when the pool does not take the task, and the task's exception if it has
    /// one.
    std::future<void> submit(std::function<void()> task) override {
        const auto job = std::make_shared<std::packaged_task<void()>>(std::move(task));
        std::future<void> result = job->get_future();
        if (!pool_->is_running() || !enqueue(pool_, job)) {
            return refused();
        }
        return result;
    }

    /// Occupies no worker of the pool until it is due: a thread of the library's own minds the clock.
    std::future<void> submit_delayed(std::function<void()> task, std::chrono::milliseconds delay) override {
        const auto job = std::make_shared<std::packaged_task<void()>>(std::move(task));
        std::future<void> result = job->get_future();
        if (!pool_->is_running()) {
            return refused();
        }
        clock().submit_delayed([pool = pool_, job] { enqueue(pool, job); }, delay);
        return result;
    }

    size_t worker_count() const override {
        if constexpr (has_thread_count<pool_type>::value) {
            return pool_->get_thread_count();
        } else {
            return pool_->get_active_worker_count();
        }
    }

    bool is_running() const override { return pool_->is_running(); }

    size_t pending_tasks() const override { return pool_->get_pending_task_count(); }

    const std::shared_ptr<pool_type>& get_pool() const noexcept { return pool_; }

protected:
    /// A new pool that runs, with a worker for each thread that the machine runs at once. Throws std::runtime_error
    /// when it cannot be started.
    static std::shared_ptr<pool_type> make_running_pool(const std::string& pool_name) {
        auto pool = std::make_shared<pool_type>(pool_name);
        const size_t workers = std::max<size_t>(1, std::thread::hardware_concurrency());
        for (size_t made = 0; made < workers; ++made) {
            if (has_failed(pool->enqueue(std::make_unique<typename Library::worker>()))) {
                throw std::runtime_error("thread_system: the pool takes no workers");
            }
        }
        if (has_failed(pool->start())) {
            throw std::runtime_error("thread_system: the pool does not start");
        }
        return pool;
    }

private:
    /// One thread for the delayed tasks of all pools. Never destroyed.
    static integration::basic_thread_pool& clock() {
        static auto* const pool = new integration::basic_thread_pool(1);
        return *pool;
    }

    /// The pool that runs a task on this thread, if any.
    static const pool_type*& pool_in_use() {
        thread_local const pool_type* pool = nullptr;
        return pool;
    }

    static bool enqueue(const std::shared_ptr<pool_type>& pool, std::shared_ptr<std::packaged_task<void()>> task) {
        std::function<std::optional<std::string>()> run = [task = std::move(task), pool = pool.get()]() mutable {
            const auto outer = std::exchange(pool_in_use(), pool);
            (*task)();
            task.reset();  // and with it what the task holds
            pool_in_use() = outer;
            return std::optional<std::string>();
        };
        return !has_failed(pool->enqueue(std::make_unique<typename Library::job>(std::move(run))));
    }

    static std::future<void> refused() {
        std::promise<void> never_run;
        never_run.set_exception(std::make_exception_ptr(std::runtime_error("Thread pool is not running")));
        return never_run.get_future();
    }

    std::shared_ptr<pool_type> pool_;
};

#ifdef BUILD_WITH_THREAD_SYSTEM
struct thread_system_library {
    using pool = kcenon::thread::thread_pool;
    using job = kcenon::thread::callback_job;
    using worker = kcenon::thread::thread_worker;
};
#endif

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail

namespace NETWORK_SYSTEM_NAMESPACE::integration {

#ifdef BUILD_WITH_THREAD_SYSTEM

/// The thread_system library's pool behind `thread_pool_interface`.
class thread_system_pool_adapter : public detail::thread_pool_adapter<detail::thread_system_library> {
public:
    explicit thread_system_pool_adapter(std::shared_ptr<kcenon::thread::thread_pool> pool)
        : thread_pool_adapter(std::move(pool)) {}

    static std::shared_ptr<thread_system_pool_adapter> create_default(const std::string& pool_name = "network_pool") {
        return std::make_shared<thread_system_pool_adapter>(make_running_pool(pool_name));
    }

    /// The pool that the program has set, when it is one of these, else a new one.
    static std::shared_ptr<thread_system_pool_adapter> from_service_or_default(
        const std::string& pool_name = "network_pool") {
        const auto chosen = thread_integration_manager::instance().get_chosen_thread_pool();
        const auto same = std::dynamic_pointer_cast<thread_system_pool_adapter>(chosen);
        return same ? same : create_default(pool_name);
    }
};

/// Makes the thread_system library's pool that of the whole process. False when it cannot be started.
inline bool bind_thread_system_pool_into_manager(const std::string& pool_name = "network_pool") {
    try {
        auto& manager = thread_integration_manager::instance();
        manager.set_thread_pool(thread_system_pool_adapter::from_service_or_default(pool_name));
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

#else

/// There is no thread_system in this program: the name exists, objects cannot be made.
struct thread_system_pool_adapter {
    thread_system_pool_adapter() = delete;
};

#endif

}  // namespace NETWORK_SYSTEM_NAMESPACE::integration
