#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

/// What the stand-ins for both generations of thread_system do alike: a queue, and the threads that serve it.
namespace stand_in {

class workers {
public:
    workers() = default;
    workers(const workers&) = delete;
    workers& operator=(const workers&) = delete;
    ~workers() { stop(false); }

    void add() {
        const std::lock_guard<std::mutex> lock(mutex_);
        ++count_;
    }

    /// False without a worker, and when it runs.
    bool start() {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (count_ == 0 || running_) {
            return false;
        }
        running_ = true;
        stopped_ = false;
        while (threads_.size() < count_) {
            threads_.emplace_back([this] { work(); });
        }
        return true;
    }

    /// Runs what waits, or throws it away, and waits for the workers.
    void stop(bool immediately) {
        std::deque<std::function<void()>> thrown_away;
        std::vector<std::thread> ending;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            running_ = false;
            stopped_ = true;
            ending.swap(threads_);
            if (immediately) {
                thrown_away.swap(jobs_);
            }
        }
        changed_.notify_all();
        for (std::thread& thread : ending) {
            thread.join();
        }
    }

    /// Before the start it waits; after a stop: false.
    bool enqueue(std::function<void()> job) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (stopped_) {
            return false;
        }
        jobs_.push_back(std::move(job));
        changed_.notify_one();
        return true;
    }

    bool is_running() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return running_;
    }
    std::size_t count() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return count_;
    }
    std::size_t pending() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return jobs_.size();
    }

private:
    void work() {
        std::unique_lock<std::mutex> lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return stopped_ || !jobs_.empty(); });
            if (jobs_.empty()) {
                return;
            }
            std::function<void()> job = std::move(jobs_.front());
            jobs_.pop_front();
            lock.unlock();
            job();
            job = nullptr;
            lock.lock();
        }
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t count_ = 0;
    bool running_ = false;
    bool stopped_ = false;
    std::deque<std::function<void()>> jobs_;
    std::vector<std::thread> threads_;
};

}  // namespace stand_in
