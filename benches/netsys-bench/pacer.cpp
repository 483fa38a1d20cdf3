#include "pacer.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "clock.h"
#include "failure.h"

namespace bench {

pacer::pacer(const plan& plan, std::vector<sender*> senders, std::function<void()> ended)
    : plan_(plan), senders_(std::move(senders)), ended_(std::move(ended)), stop_(eventfd(0, EFD_CLOEXEC)) {
    if (stop_ < 0) throw failure("no descriptor for the thread that sends at fixed times");
    thread_ = std::thread([this] { work(); });
}

pacer::~pacer() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(stop_, &one, sizeof one);
    if (thread_.joinable()) thread_.join();
    close(stop_);
}

void pacer::finish() {
    thread_.join();
}

bool pacer::sleep_until(std::uint64_t time) const {
    pollfd stop{stop_, POLLIN, 0};
    for (std::uint64_t now = now_ns();; now = now_ns()) {
        const std::uint64_t rest = time > now ? time - now : 0;
        const timespec timeout{static_cast<time_t>(rest / second_ns), static_cast<long>(rest % second_ns)};
        if (ppoll(&stop, 1, &timeout, nullptr) > 0) return false;
        if (rest == 0 || now_ns() >= time) return true;
    }
}

void pacer::work() {
    prctl(PR_SET_TIMERSLACK, 1UL);  // the usual 50 us would be part of every latency
    for (std::uint64_t number = 0;;) {
        const std::uint64_t due = plan_.due(number);
        if (due >= plan_.until.load(std::memory_order_relaxed)) return;
        if (!sleep_until(due)) return;
        const std::uint64_t now = std::min(now_ns(), plan_.until.load(std::memory_order_relaxed) - 1);
        for (; plan_.due(number) <= now; ++number) {
            if (senders_[number % senders_.size()]->allow(1)) ended_();
        }
    }
}

void end_sending(run& run, std::unique_ptr<pacer> pace, const std::vector<sender*>& senders,
                 const std::function<void()>& ended, const std::function<bool()>& all_finished) {
    const bool in_time = !run.control.interrupted() && now_ns() >= run.plan.until;
    if (pace && in_time) pace->finish();
    for (sender* each : senders) {
        if (pace && in_time ? each->finish() : each->stop()) ended();
    }
    run.control.wait(drain_deadline(run.options), all_finished);
    pace.reset();
    for (sender* each : senders) {
        if (each->stop()) ended();
        if (const std::string why = each->refusal(); !why.empty()) run.faults.add(fault::refused, 1, why);
        run.faults.add(fault::unsent, each->stands().unsent,
                       "due, and the transport had no room until --drain was over");
    }
}

}  // namespace bench
