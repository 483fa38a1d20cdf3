// What several C++ examples wait with.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

/// Counts what many threads do, and lets one wait for it.
class tally {
public:
    void add() {
        const std::lock_guard<std::mutex> lock(mutex_);
        ++count_;
        changed_.notify_all();
    }

    /// False when it does not come to that in 20 s.
    bool reaches(int count) {
        std::unique_lock<std::mutex> lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return count_ >= count; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int count_ = 0;
};
