#include "opener.h"

#include "clock.h"
#include "failure.h"

namespace bench {

std::string reason(const ending& why) {
    if (!why.text.empty()) return why.text;
    return why.status == NETSYS_OK ? "the connection was closed" : netsys_status_message(why.status);
}

bool opener::open(std::uint32_t count, const std::function<void(std::uint32_t)>& start) {
    const auto settled = [this] { return open_ + failed_; };
    run_.progress.set_phase("connecting", count);
    while (started_ < count) {
        const bool room = run_.control.wait(never, [&] {
            run_.progress.set_done(open_);
            return started_ - settled() < run_.options.connecting;
        });
        if (!room || run_.control.interrupted()) break;
        start(started_++);
    }
    // Who interrupts a run does not want to wait for a server that says nothing.
    if (!run_.control.interrupted()) {
        run_.control.wait(never, [&] {
            run_.progress.set_done(open_);
            return settled() == started_;
        });
    }
    if (open_ == 0 && failed_ > 0 && failed_ == started_) {
        const std::lock_guard<std::mutex> lock(mutex_);
        throw failure("no connection could be made: " + first_failure_);
    }
    return !run_.control.interrupted();
}

void opener::opened() {
    ++open_;
    run_.control.notify();
}

void opener::failed(const ending& why) {
    run_.faults.add(fault::not_connected, 1, reason(why));
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (first_failure_.empty()) first_failure_ = reason(why);
    }
    ++failed_;
    run_.control.notify();
}

}  // namespace bench
