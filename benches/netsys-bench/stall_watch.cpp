#include "stall_watch.h"

#include <algorithm>
#include <utility>

#include "clock.h"

namespace bench {

namespace {

constexpr std::uint64_t look_interval = second_ns / 10;

}  // namespace

stall_watch::stall_watch(run& run, std::vector<sender*> senders)
    : run_(run), senders_(std::move(senders)), changed_ns_(now_ns()) {}

bool stall_watch::ended() {
    const std::uint64_t now = now_ns();
    if (ended_ || run_.plan.until != never || now < next_look_ns_) return ended_;
    next_look_ns_ = now + look_interval;

    std::uint64_t steps = 0;
    bool all_stopped = true, any_waits = false;
    for (const sender* each : senders_) {
        const sender::standing at = each->stands();
        steps += at.sent + at.answered;
        all_stopped = all_stopped && at.stopped;
        any_waits = any_waits || at.waits;
    }
    if (steps != steps_ || !any_waits) changed_ns_ = now;
    steps_ = steps;
    if (all_stopped) {
        ended_ = true;
    } else if (now - changed_ns_ >= seconds_to_ns(run_.options.drain)) {
        ended_ = true;
        run_.faults.add(fault::stalled, 1, "nothing was sent or answered for as long as --drain");
    }
    return ended_;
}

}  // namespace bench
