#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace bench {

/// What went wrong in a run: how often, by kind, and what was said about it. Any thread may add.
class faults {
public:
    void add(const std::string& kind, std::uint64_t count = 1, const std::string& text = "");

    std::uint64_t total() const { return total_.load(std::memory_order_relaxed); }
    std::map<std::string, std::uint64_t> by_kind() const;
    /// What was said, each once, with how often; after the first of them only that there were more.
    std::map<std::string, std::uint64_t> by_text() const;

private:
    static constexpr std::size_t most_texts = 12;

    mutable std::mutex mutex_;
    std::atomic<std::uint64_t> total_{0};
    std::map<std::string, std::uint64_t> kinds_;
    std::map<std::string, std::uint64_t> texts_;
};

/// The kinds.
namespace fault {
constexpr const char* lost = "lost";                    // sent, and never answered
constexpr const char* out_of_order = "out of order";    // behind one that was sent after it
constexpr const char* unsent = "unsent";                // due in an open loop, and there was no room for it
constexpr const char* refused = "refused";              // a message that the library does not send
constexpr const char* repeated = "repeated";            // it had come before
constexpr const char* wrong = "wrong payload";          // not what was sent
constexpr const char* not_connected = "not connected";  // a connection that could not be made
constexpr const char* disconnected = "disconnected";    // one that ended before it was to
constexpr const char* stalled = "stalled";              // nothing went on, and the run was ended
constexpr const char* undelivered = "undelivered";      // accepted for sending, and not taken by the peer
}  // namespace fault

}  // namespace bench
