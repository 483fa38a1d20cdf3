#pragma once

#include <cstdint>
#include <functional>

namespace bench {

/// What the main thread waits for: an event of the work, a time, or a signal to end (SIGINT, SIGTERM), which it blocks
/// in all threads that are made after it. After the first signal, a second one ends the process as usual.
class control {
public:
    control();
    ~control();
    control(const control&) = delete;
    control& operator=(const control&) = delete;

    /// Something may have changed; called on any thread.
    void notify() noexcept;

    /// Waits until `ready` says true (it is asked at each notify), until `deadline` (of now_ns), or a signal, for which
    /// it looks in any case. The tick runs every quarter of a second. True: ready.
    bool wait(std::uint64_t deadline, const std::function<bool()>& ready);

    bool interrupted() const { return interrupted_; }
    void set_tick(std::function<void()> tick) { tick_ = std::move(tick); }

private:
    void take_signal();

    int events_ = -1;
    int signals_ = -1;
    bool interrupted_ = false;
    std::uint64_t next_tick_ = 0;
    std::function<void()> tick_;
};

}  // namespace bench
