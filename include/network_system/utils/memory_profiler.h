#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "network_system/detail/namespace.h"
#include "network_system/detail/periodic_task.h"

namespace NETWORK_SYSTEM_NAMESPACE::utils {

/// The memory of the process at one moment, as the system counts it.
struct memory_snapshot {
    std::chrono::system_clock::time_point timestamp;
    std::uint64_t resident_bytes = 0;  ///< in memory now
    std::uint64_t virtual_bytes = 0;   ///< reserved
};

/// Takes a snapshot of the process's memory at each interval, and keeps the latest ones.
///
/// Never destroyed, so that threads which outlive `main` may still use it.
class memory_profiler {
public:
    /// Snapshots that are kept; older ones go.
    static constexpr std::size_t history_capacity = 10000;

    static memory_profiler& instance() {
        static auto* const profiler = new memory_profiler;
        return *profiler;
    }

    memory_profiler(const memory_profiler&) = delete;
    memory_profiler& operator=(const memory_profiler&) = delete;

    /// The first snapshot is taken at once. Does nothing when it runs. An interval under 1 ms is taken as 1 ms.
    void start(std::chrono::milliseconds interval = std::chrono::milliseconds(1000)) {
        const std::lock_guard<std::mutex> lock(control_mutex_);
        if (sampler_) {
            return;
        }
        keep(snapshot());
        sampler_ = std::make_unique<detail::periodic_task>(std::max(interval, std::chrono::milliseconds(1)),
                                                           [this] { keep(snapshot()); });
    }

    /// No snapshot is kept any more afterwards. What was kept stays.
    void stop() {
        const std::lock_guard<std::mutex> lock(control_mutex_);
        sampler_.reset();
    }

    /// The memory now. Not kept. All sizes are 0 where the system does not tell.
    memory_snapshot snapshot() const {
        memory_snapshot result;
        result.timestamp = std::chrono::system_clock::now();
        std::uint64_t virtual_pages = 0;
        std::uint64_t resident_pages = 0;
        if (std::ifstream("/proc/self/statm") >> virtual_pages >> resident_pages) {
            const auto page_size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
            result.virtual_bytes = virtual_pages * page_size;
            result.resident_bytes = resident_pages * page_size;
        }
        return result;
    }

    /// The oldest first; of more than `max_count` the latest. 0: all.
    std::vector<memory_snapshot> get_history(std::size_t max_count = 0) const {
        const std::lock_guard<std::mutex> lock(history_mutex_);
        const std::size_t count = max_count == 0 ? history_.size() : std::min(max_count, history_.size());
        return {history_.end() - static_cast<std::ptrdiff_t>(count), history_.end()};
    }

    void clear_history() {
        const std::lock_guard<std::mutex> lock(history_mutex_);
        history_.clear();
    }

    /// The history as a table for other programs: a line of names, then one for each snapshot, with the time in
    /// milliseconds since 1970-01-01 00:00 UTC.
    std::string to_tsv() const {
        std::string table = "timestamp_ms\tresident_bytes\tvirtual_bytes\n";
        for (const memory_snapshot& known : get_history()) {
            const auto since_epoch =
                std::chrono::duration_cast<std::chrono::milliseconds>(known.timestamp.time_since_epoch());
            table += std::to_string(since_epoch.count()) + '\t' + std::to_string(known.resident_bytes) + '\t' +
                     std::to_string(known.virtual_bytes) + '\n';
        }
        return table;
    }

private:
    memory_profiler() = default;

    void keep(const memory_snapshot& taken) {
        const std::lock_guard<std::mutex> lock(history_mutex_);
        if (history_.size() == history_capacity) {
            history_.pop_front();
        }
        history_.push_back(taken);
    }

    std::mutex control_mutex_;
    std::unique_ptr<detail::periodic_task> sampler_;
    mutable std::mutex history_mutex_;
    std::deque<memory_snapshot> history_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::utils
