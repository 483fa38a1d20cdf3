#pragma once

#include <atomic>
#include <cstdint>

#include "clock.h"

namespace bench {

/// When messages are sent, and which of them are measured. Times are those of now_ns; all but `until` are set before
/// the first message.
struct plan {
    std::uint64_t start = never;
    /// Messages from this time on are measured.
    std::uint64_t from = never;
    /// No message from this time on is sent.
    std::atomic<std::uint64_t> until{never};
    /// How many are measured in all; 0: as many as come.
    std::uint64_t messages = 0;
    /// Open loop: the time between two messages; 0: closed loop.
    double period_ns = 0;
    /// Senders take turns.
    std::uint32_t senders = 1;

    bool open_loop() const { return period_ns > 0; }

    /// Open loop: when a message in the order of all is due.
    std::uint64_t due(std::uint64_t number) const {
        return start + static_cast<std::uint64_t>(static_cast<double>(number) * period_ns);
    }
    /// ... the message of a sender.
    std::uint64_t due(std::uint64_t sequence, std::uint32_t sender) const { return due(sequence * senders + sender); }

    /// How many of `messages` are a sender's.
    std::uint64_t share(std::uint32_t sender) const {
        return messages / senders + (sender < messages % senders ? 1 : 0);
    }

    bool is_measured(std::uint64_t time) const { return time >= from && time < until.load(std::memory_order_relaxed); }
};

}  // namespace bench
