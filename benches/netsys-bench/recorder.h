#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "histogram.h"

namespace bench {

/// What one thread records. Only that thread writes; the counters may be read meanwhile.
class shard {
public:
    static constexpr std::size_t histograms = 3;

    std::array<histogram, histograms> times;
    /// What was completed in each tenth of a second since the beginning of the measured time.
    std::vector<std::uint64_t> series;
    std::uint64_t last_ns = 0;

    /// Counts completed messages or connections at `now`, which is `elapsed` after the beginning.
    void complete(std::uint64_t now, std::uint64_t elapsed, std::uint64_t bytes) {
        add(completed_, 1);
        add(bytes_, bytes);
        last_ns = now;
        const auto slot = static_cast<std::size_t>(elapsed / slot_ns);
        if (slot >= series.size()) series.resize(slot + 1);
        ++series[slot];
    }

    std::uint64_t completed() const { return completed_.load(std::memory_order_relaxed); }
    std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

    static constexpr std::uint64_t slot_ns = 100'000'000;

private:
    static void add(std::atomic<std::uint64_t>& counter, std::uint64_t count) {
        counter.store(counter.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
    }

    std::atomic<std::uint64_t> completed_{0};
    std::atomic<std::uint64_t> bytes_{0};
};

/// The shards of all threads that record. There is one recorder in a process.
class recorder {
public:
    /// That of the calling thread.
    shard& local();

    std::uint64_t completed() const;
    /// All of them together; only when no other thread records any more.
    void merge_into(shard& out, std::uint64_t& completed, std::uint64_t& bytes) const;

private:
    mutable std::mutex mutex_;
    std::deque<shard> shards_;
};

}  // namespace bench
