#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <future>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

/// How tests, and the programs in tests/consumers, wait for what handlers hear.
namespace test_support {

/// After so long a test gives up on an event that has to come.
constexpr std::chrono::seconds patience{20};

/// Keeps what handlers report, in order, and lets the test wait for it.
template <typename Entry>
class recorder {
public:
    void add(Entry entry) {
        const std::lock_guard<std::mutex> lock(mutex_);
        entries_.push_back(std::move(entry));
        changed_.notify_all();
    }

    /// False when there are not that many entries in time.
    bool wait_for(std::size_t count) {
        std::unique_lock<std::mutex> lock(mutex_);
        return changed_.wait_for(lock, patience, [&] { return entries_.size() >= count; });
    }

    std::vector<Entry> all() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return entries_;
    }

    std::size_t size() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return entries_.size();
    }

    /// The entry of that number, once it is there; an empty one when it does not come in time.
    Entry at(std::size_t index) {
        const bool there = wait_for(index + 1);
        const std::lock_guard<std::mutex> lock(mutex_);
        return there ? entries_[index] : Entry();
    }

    Entry last() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return entries_.empty() ? Entry() : entries_.back();
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Entry> entries_;
};

using journal = recorder<std::string>;

/// Collects a byte stream, which comes in chunks of any size.
class stream_sink {
public:
    template <typename Chunk>
    void add(const Chunk& chunk) {
        const std::lock_guard<std::mutex> lock(mutex_);
        bytes_.append(chunk.begin(), chunk.end());
        changed_.notify_all();
    }

    /// The stream, once it is that long; what has come when it takes too long.
    std::string wait_for(std::size_t length) {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait_for(lock, patience, [&] { return bytes_.size() >= length; });
        return bytes_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string bytes_;
};

/// Something that happens once.
class event {
public:
    void set() {
        const std::lock_guard<std::mutex> lock(mutex_);
        set_ = true;
        changed_.notify_all();
    }

    bool wait() {
        std::unique_lock<std::mutex> lock(mutex_);
        return changed_.wait_for(lock, patience, [&] { return set_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool set_ = false;
};

/// The threads of a pool of so many, found by keeping all of them busy at the same time.
template <typename Pool>
std::set<std::thread::id> threads_of(Pool& pool, std::size_t count) {
    std::set<std::thread::id> found;
    std::mutex mutex;
    event all;
    std::vector<std::future<void>> jobs;
    for (std::size_t job = 0; job < count; ++job) {
        jobs.push_back(pool.submit([&] {
            {
                const std::lock_guard<std::mutex> lock(mutex);
                found.insert(std::this_thread::get_id());
                if (found.size() == count) {
                    all.set();
                }
            }
            all.wait();
        }));
    }
    for (auto& job : jobs) {
        job.get();
    }
    return found;
}

}  // namespace test_support
