#include "control.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "clock.h"
#include "failure.h"

namespace bench {

namespace {

constexpr std::uint64_t tick_ns = second_ns / 4;

sigset_t ending_signals() {
    sigset_t out;
    sigemptyset(&out);
    sigaddset(&out, SIGINT);
    sigaddset(&out, SIGTERM);
    return out;
}

}  // namespace

control::control() {
    const sigset_t signals = ending_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    events_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    signals_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (events_ < 0 || signals_ < 0) throw failure(std::string("no descriptor to wait with: ") + std::strerror(errno));
}

control::~control() {
    close(events_);
    close(signals_);
}

void control::notify() noexcept {
    const std::uint64_t one = 1;
    // It fails only where the counter is full, and then the main thread is woken already.
    [[maybe_unused]] const ssize_t written = write(events_, &one, sizeof one);
}

void control::take_signal() {
    signalfd_siginfo info;
    if (read(signals_, &info, sizeof info) != sizeof info) return;
    interrupted_ = true;
    const sigset_t signals = ending_signals();
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

bool control::wait(std::uint64_t deadline, const std::function<bool()>& ready) {
    const bool was_interrupted = interrupted_;
    for (bool looked = false; !ready(); looked = true) {
        const std::uint64_t now = now_ns();
        if ((looked && now >= deadline) || (interrupted_ && !was_interrupted)) return false;
        if (now >= next_tick_) {
            if (tick_) tick_();
            next_tick_ = now + tick_ns;
        }
        const std::uint64_t end = std::min(deadline, next_tick_);
        const std::uint64_t rest = end > now ? end - now : 0;
        const timespec timeout{static_cast<time_t>(rest / second_ns), static_cast<long>(rest % second_ns)};
        pollfd waiting[] = {{events_, POLLIN, 0}, {signals_, POLLIN, 0}};
        if (ppoll(waiting, 2, &timeout, nullptr) <= 0) continue;
        std::uint64_t count;
        if (waiting[0].revents != 0 && read(events_, &count, sizeof count) < 0) continue;
        if (waiting[1].revents != 0) take_signal();
    }
    return true;
}

}  // namespace bench
