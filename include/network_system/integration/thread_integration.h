#pragma once

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::integration {

/// What the library needs of a thread pool; applications may implement it over a pool of their own.
class thread_pool_interface {
public:
    virtual ~thread_pool_interface() = default;

    virtual std::future<void> submit(std::function<void()> task) = 0;
    virtual std::future<void> submit_delayed(std::function<void()> task, std::chrono::milliseconds delay) = 0;
    virtual size_t worker_count() const = 0;
    virtual bool is_running() const = 0;
    virtual size_t pending_tasks() const = 0;
};

/// A fixed number of workers over one queue, first in, first out.
///
/// A task's exception goes to its future. A submit after `stop()`, or to a full queue, does not throw: its future holds
/// a `std::runtime_error`. Delayed tasks occupy no worker until they are due.
class basic_thread_pool : public thread_pool_interface {
public:
    /// 0 threads: as many as the machine runs at once, or 2 when that is unknown.
    explicit basic_thread_pool(size_t num_threads = 0) : basic_thread_pool(num_threads, 0, "") {}

    /// `queue_capacity`: how many tasks may wait, delayed ones included; 0: no limit. `name`: what the names of the
    /// workers, which debuggers show, begin with; empty: they get none. Throws std::system_error when there cannot be
    /// that many threads.
    basic_thread_pool(size_t num_threads, size_t queue_capacity, const std::string& name)
        : state_(std::make_shared<state>(queue_capacity, name)) {
        if (num_threads == 0) {
            num_threads = std::thread::hardware_concurrency();
        }
        if (num_threads == 0) {
            num_threads = 2;
        }
        state_->live_workers = num_threads;
        std::error_code too_many = std::make_error_code(std::errc::resource_unavailable_try_again);
        try {
            workers_.reserve(num_threads);
            while (workers_.size() < num_threads) {
                workers_.emplace_back(&basic_thread_pool::work, state_, workers_.size() + 1);
            }
            return;
        } catch (const std::system_error& failure) {
            too_many = failure.code();
        } catch (const std::length_error&) {
        } catch (...) {
            stop();
            throw;
        }
        const std::string possible = std::to_string(workers_.size());
        stop();
        throw std::system_error(too_many, "there is no room for " + std::to_string(num_threads) +
                                              " workers of a thread pool, but for " + possible);
    }

    basic_thread_pool(const basic_thread_pool&) = delete;
    basic_thread_pool& operator=(const basic_thread_pool&) = delete;

    /// As `stop(true)`. When a task drops the last reference to its own pool, the workers finish behind it.
    ~basic_thread_pool() override {
        stop();
        for (std::thread& worker : workers_) {
            worker.detach();
        }
    }

    std::future<void> submit(std::function<void()> task) override { return accept(std::move(task), std::nullopt); }

    std::future<void> submit_delayed(std::function<void()> task, std::chrono::milliseconds delay) override {
        return accept(std::move(task), delay);
    }

    /// The workers that have not ended; 0 after a stop that was waited for.
    size_t worker_count() const override { return state_->live_workers; }

    bool is_running() const override {
        const std::lock_guard<std::mutex> lock(state_->mutex);
        return state_->running;
    }

    /// Accepted and not begun, delayed tasks included.
    size_t pending_tasks() const override {
        const std::lock_guard<std::mutex> lock(state_->mutex);
        return state_->ready.size() + state_->delayed.size();
    }

    /// Counted just after a task's future has become ready; a task that threw is complete too.
    size_t completed_tasks() const { return state_->completed; }

    /// Ends the pool and joins its workers: after all that was accepted has run, delayed tasks at their
    /// time (`true`), or after the tasks that run now, breaking the promises of the others (`false`).
    /// A second stop only waits. Inside one of the pool's tasks, where waiting would never end, it waits for nothing.
    void stop(bool wait_for_tasks = true) {
        std::deque<std::packaged_task<void()>> dropped;
        std::vector<delayed_job> dropped_delayed;
        {
            const std::lock_guard<std::mutex> lock(state_->mutex);
            if (state_->running && !wait_for_tasks) {
                dropped.swap(state_->ready);
                dropped_delayed.swap(state_->delayed);
            }
            state_->running = false;
        }
        state_->changed.notify_all();
        dropped.clear();  // now, since a task that runs may be waiting for one of them
        dropped_delayed.clear();
        if (on_worker()) {
            return;
        }
        const std::lock_guard<std::mutex> lock(join_mutex_);
        for (std::thread& worker : workers_) {
            worker.join();
        }
        workers_.clear();
    }

private:
    using clock = std::chrono::steady_clock;

    struct delayed_job {
        clock::time_point due;
        std::uint64_t ticket;
        std::packaged_task<void()> job;

        /// For a heap whose front is the earliest, and the first submitted among equals.
        bool operator<(const delayed_job& other) const {
            return due != other.due ? due > other.due : ticket > other.ticket;
        }
    };

    /// Shared with the workers, so that a worker may outlive the pool object that its task destroyed.
    struct state {
        state(size_t limit, std::string pool_name) : capacity(limit), name(std::move(pool_name)) {}

        const size_t capacity;  // 0: none
        const std::string name;
        std::mutex mutex;
        std::condition_variable changed;
        std::deque<std::packaged_task<void()>> ready;
        std::vector<delayed_job> delayed;  // a heap
        std::uint64_t next_ticket = 0;
        bool running = true;
        std::atomic<size_t> live_workers{0};
        std::atomic<size_t> completed{0};
        std::vector<std::thread::id> worker_ids;  // an ended worker is not in it: its id may serve another thread
    };

    static clock::time_point later(clock::time_point now, std::chrono::milliseconds delay) {
        const auto room = std::chrono::duration_cast<std::chrono::milliseconds>(clock::time_point::max() - now);
        return delay >= room ? clock::time_point::max() : now + std::max(delay, std::chrono::milliseconds::zero());
    }

    /// Called with the mutex held. Running it at each submit too keeps due tasks before later submissions.
    static void collect_due(state& pool, clock::time_point now) {
        while (!pool.delayed.empty() && pool.delayed.front().due <= now) {
            std::pop_heap(pool.delayed.begin(), pool.delayed.end());
            pool.ready.push_back(std::move(pool.delayed.back().job));
            pool.delayed.pop_back();
        }
    }

    std::future<void> accept(std::function<void()> task, std::optional<std::chrono::milliseconds> delay) {
        std::packaged_task<void()> job(std::move(task));
        std::future<void> result = job.get_future();
        {
            const std::lock_guard<std::mutex> lock(state_->mutex);
            if (!state_->running) {
                return refused("Thread pool is not running");
            }
            if (state_->capacity != 0 && state_->ready.size() + state_->delayed.size() >= state_->capacity) {
                return refused("Thread pool queue is full");
            }
            const clock::time_point now = clock::now();
            collect_due(*state_, now);
            if (delay) {
                state_->delayed.push_back(delayed_job{later(now, *delay), state_->next_ticket++, std::move(job)});
                std::push_heap(state_->delayed.begin(), state_->delayed.end());
            } else {
                state_->ready.push_back(std::move(job));
            }
        }
        if (delay) {
            // Every idle worker minds the clock: one alone might be busy with another task when this one is due.
            state_->changed.notify_all();
        } else {
            state_->changed.notify_one();
        }
        return result;
    }

    static std::future<void> refused(const char* why) {
        std::promise<void> never_run;
        never_run.set_exception(std::make_exception_ptr(std::runtime_error(why)));
        return never_run.get_future();
    }

    bool on_worker() const {
        const std::lock_guard<std::mutex> lock(state_->mutex);
        const std::vector<std::thread::id>& ids = state_->worker_ids;
        return std::find(ids.begin(), ids.end(), std::this_thread::get_id()) != ids.end();
    }

    static void work(const std::shared_ptr<state>& pool, size_t number) {
        if (!pool->name.empty()) {
            constexpr size_t longest = 15;  // the system's limit
            const std::string suffix = "-" + std::to_string(number);
            const std::string name = pool->name.substr(0, longest - std::min(longest, suffix.size())) + suffix;
            pthread_setname_np(pthread_self(), name.c_str());
        }
        {
            const std::lock_guard<std::mutex> lock(pool->mutex);
            pool->worker_ids.push_back(std::this_thread::get_id());
        }
        for (;;) {
            std::packaged_task<void()> job = next_job(*pool);
            if (!job.valid()) {
                return;
            }
            job();
            ++pool->completed;
        }
    }

    /// Waits for the next task; an empty one when the pool has stopped and nothing is left.
    static std::packaged_task<void()> next_job(state& pool) {
        std::unique_lock<std::mutex> lock(pool.mutex);
        for (;;) {
            collect_due(pool, clock::now());
            if (!pool.ready.empty()) {
                std::packaged_task<void()> job = std::move(pool.ready.front());
                pool.ready.pop_front();
                return job;
            }
            if (!pool.delayed.empty()) {
                pool.changed.wait_until(lock, pool.delayed.front().due);
            } else if (pool.running) {
                pool.changed.wait(lock);
            } else {
                std::vector<std::thread::id>& ids = pool.worker_ids;
                ids.erase(std::find(ids.begin(), ids.end(), std::this_thread::get_id()));
                --pool.live_workers;
                return {};
            }
        }
    }

    std::shared_ptr<state> state_;
    std::mutex join_mutex_;
    std::vector<std::thread> workers_;  // guarded by join_mutex_ once constructed
};

/// The process-wide choice of a thread pool.
///
/// The manager is never destroyed: tasks and threads that outlive `main` may still use it, and no exit
/// waits for a worker.
class thread_integration_manager {
public:
    struct metrics {
        size_t worker_threads = 0;
        size_t pending_tasks = 0;
        size_t completed_tasks = 0;
        bool is_running = false;
    };

    static thread_integration_manager& instance() {
        static auto* const manager = new thread_integration_manager;
        return *manager;
    }

    thread_integration_manager(const thread_integration_manager&) = delete;
    thread_integration_manager& operator=(const thread_integration_manager&) = delete;

    /// A null pointer: the next use makes a default pool.
    void set_thread_pool(std::shared_ptr<thread_pool_interface> pool) {
        const std::lock_guard<std::mutex> lock(mutex_);
        pool_.swap(pool);
        is_default_ = false;
    }

    /// Null when the application has set none.
    std::shared_ptr<thread_pool_interface> get_chosen_thread_pool() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return is_default_ ? nullptr : pool_;
    }

    /// Serves while the application has set none. The default pool that it takes the place of runs what it has accepted
    /// and then ends by itself.
    void set_default_thread_pool(std::shared_ptr<basic_thread_pool> pool) {
        std::shared_ptr<thread_pool_interface> replaced;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (pool_ && !is_default_) {
                return;
            }
            replaced = std::exchange(pool_, std::move(pool));
            is_default_ = true;
        }
        if (replaced) {
            std::thread([last = std::move(replaced)] {}).detach();  // its destructor waits for its tasks
        }
    }

    /// Makes a default pool where there is none, or where the default one was stopped; a stopped pool that
    /// the application set stays.
    std::shared_ptr<thread_pool_interface> get_thread_pool() {
        std::shared_ptr<thread_pool_interface> replaced;  // destroyed, and so joined, after the lock is gone
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!pool_ || (is_default_ && !pool_->is_running())) {
            replaced = std::exchange(pool_, std::make_shared<basic_thread_pool>());
            is_default_ = true;
        }
        return pool_;
    }

    std::future<void> submit_task(std::function<void()> task) { return get_thread_pool()->submit(std::move(task)); }

    std::future<void> submit_delayed_task(std::function<void()> task, std::chrono::milliseconds delay) {
        return get_thread_pool()->submit_delayed(std::move(task), delay);
    }

    /// Makes no pool. `completed_tasks` is 0 for pools of another class than `basic_thread_pool`.
    metrics get_metrics() const {
        const std::shared_ptr<thread_pool_interface> pool = current();
        metrics result;
        if (pool) {
            result.worker_threads = pool->worker_count();
            result.pending_tasks = pool->pending_tasks();
            result.is_running = pool->is_running();
            if (const auto basic = std::dynamic_pointer_cast<basic_thread_pool>(pool)) {
                result.completed_tasks = basic->completed_tasks();
            }
        }
        return result;
    }

private:
    thread_integration_manager() = default;

    std::shared_ptr<thread_pool_interface> current() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return pool_;
    }

    mutable std::mutex mutex_;
    std::shared_ptr<thread_pool_interface> pool_;
    bool is_default_ = false;
};

using thread_integration = thread_integration_manager;

}  // namespace NETWORK_SYSTEM_NAMESPACE::integration
