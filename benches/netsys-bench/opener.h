#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "run.h"

namespace bench {

/// Makes the connections of a run, at most --connecting at a time, and knows how many are open.
class opener {
public:
    explicit opener(run& run) : run_(run) {}

    /// Starts connection after connection by start(i), and waits until each is open or has failed. False: interrupted.
    /// Throws failure, with the reason, if all have failed.
    bool open(std::uint32_t count, const std::function<void(std::uint32_t)>& start);
    /// A connection has become open.
    void opened();
    /// A connection ended that was not open; counted as a fault.
    void failed(const ending& why);

    std::uint32_t started() const { return started_; }
    std::uint32_t open_count() const { return open_; }

private:
    run& run_;
    std::uint32_t started_ = 0;
    std::atomic<std::uint32_t> open_{0};
    std::atomic<std::uint32_t> failed_{0};
    std::mutex mutex_;
    std::string first_failure_;
};

/// Why a connection ended, in words.
std::string reason(const ending& why);

}  // namespace bench
