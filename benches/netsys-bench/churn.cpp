// Churn: a connection is made, one message goes forth and back, the connection is closed; again and again, with
// --connections at a time, or each begun at its time (--rate) while there are fewer than that.

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <vector>

#include "clock.h"
#include "failure.h"
#include "opener.h"
#include "run.h"
#include "workloads.h"

namespace bench {

namespace {

/// A server that has gone is not tried for the rest of the duration.
constexpr std::uint32_t most_failures_in_a_row = 1000;

struct slot : connection {
    std::uint64_t started_ns = 0;
    std::uint64_t sent_ns = 0;
    std::uint64_t cycle = 0;
    bool answered = false;
    bool wrong = false;
};

class churn : public connection::events {
public:
    explicit churn(run& run) : run_(run), slots_(run.options.connections) {}

    result measure();

private:
    enum times_of : std::size_t { of_connect, of_exchange, of_cycle };

    void opened(connection& link) override;
    void message(connection& link, const std::uint8_t* data, std::size_t length) override;
    void ended(connection& link, const ending& why) override;

    void start_due(std::vector<slot*>& free);
    /// Gives up connections that have ended; their slots are free again.
    void collect(std::vector<slot*>& free);
    std::uint64_t next_deadline(const std::vector<slot*>& free) const;
    /// When a run that only a count would end is given up, since no connection has ended for so long.
    std::uint64_t patience_end() const;
    bool stands_still();
    bool all_started() const { return run_.options.messages > 0 && started_ >= run_.options.messages; }
    bool has_failed() const { return failures_in_a_row_ >= most_failures_in_a_row; }

    run& run_;
    std::deque<slot> slots_;
    std::uint64_t started_ = 0;
    std::uint64_t collected_ = 0;
    std::uint64_t answered_ = 0;
    std::uint64_t last_end_ns_ = 0;

    std::mutex mutex_;
    std::vector<slot*> ended_;
    std::string first_failure_;
    std::atomic<std::uint32_t> failures_in_a_row_{0};
    std::atomic<bool> giving_up_{false};
};

void churn::opened(connection& link) {
    slot& own = static_cast<slot&>(link);
    own.sent_ns = now_ns();
    run_.recorder.local().times[of_connect].record(own.sent_ns - own.started_ns);
    header header;
    header.size = run_.options.size;
    header.sequence = own.cycle;
    header.time = own.sent_ns;
    header.connection = own.index;
    if (own.send(header, run_.body) == sent::gone && !own.refusal().empty()) {
        run_.faults.add(fault::refused, 1, own.refusal());
        own.wrong = true;
        own.abort();
    }
}

void churn::message(connection& link, const std::uint8_t* data, std::size_t length) {
    slot& own = static_cast<slot&>(link);
    const std::optional<header> header = payload::read(data, length);
    if (own.answered) {
        run_.faults.add(fault::repeated);
        return;
    }
    if (!header || header->sequence != own.cycle || header->connection != own.index ||
        !run_.is_intact(*header, data, length)) {
        run_.faults.add(fault::wrong, 1, "an answer is not what was sent: does the server send back what it gets?");
        own.wrong = true;
        own.abort();
        return;
    }
    own.answered = true;
    run_.recorder.local().times[of_exchange].record(now_ns() - own.sent_ns);
    if (run_.options.reset) {
        own.abort();
    } else {
        own.close();
    }
}

void churn::ended(connection& link, const ending& why) {
    slot& own = static_cast<slot&>(link);
    const std::uint64_t now = now_ns();
    if (own.answered) {
        shard& shard = run_.recorder.local();
        shard.times[of_cycle].record(now - own.started_ns);
        if (run_.plan.is_measured(now)) shard.complete(now, now - run_.plan.from, run_.options.size);
        failures_in_a_row_ = 0;
    } else {
        ++failures_in_a_row_;
        if (!giving_up_ && !own.wrong) {
            run_.faults.add(why.was_open ? fault::disconnected : fault::not_connected, 1, reason(why));
        }
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!own.answered && !giving_up_ && first_failure_.empty())
        first_failure_ = own.refusal().empty() ? reason(why) : own.refusal();
    ended_.push_back(&own);
    run_.control.notify();
}

void churn::start_due(std::vector<slot*>& free) {
    while (!free.empty() && !all_started() && !has_failed()) {
        const std::uint64_t now = now_ns();
        const std::uint64_t due = run_.plan.open_loop() ? run_.plan.due(started_) : now;
        if (due > now || due >= run_.plan.until) return;
        slot& next = *free.back();
        free.pop_back();
        next.answered = next.wrong = false;
        next.cycle = started_++;
        next.started_ns = due;
        run_.dialer.start(next, *this);
    }
}

void churn::collect(std::vector<slot*>& free) {
    std::vector<slot*> ended;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        ended.swap(ended_);
    }
    if (!ended.empty()) last_end_ns_ = now_ns();
    for (slot* each : ended) {
        run_.dialer.destroy(*each);
        if (each->answered) ++answered_;
        free.push_back(each);
    }
    collected_ += ended.size();
}

std::uint64_t churn::next_deadline(const std::vector<slot*>& free) const {
    const std::uint64_t until = std::min(run_.plan.until.load(), patience_end());
    if (!run_.plan.open_loop() || free.empty() || all_started()) return until;
    return std::min(until, run_.plan.due(started_));
}

std::uint64_t churn::patience_end() const {
    if (run_.plan.until != never) return never;
    // Those that are not begun yet are not waited for.
    const std::uint64_t since = collected_ == started_ ? now_ns() : last_end_ns_;
    return since + seconds_to_ns(run_.options.connect_timeout + run_.options.drain);
}

bool churn::stands_still() {
    if (run_.control.interrupted() || now_ns() < patience_end()) return false;
    run_.faults.add(fault::stalled, 1, "no connection ended for as long as --connect-timeout and --drain together");
    return true;
}

result churn::measure() {
    std::vector<slot*> free;
    std::uint32_t index = 0;
    for (slot& each : slots_) {
        each.index = index++;
        free.push_back(&each);
    }
    const auto any_ended = [this] {
        const std::lock_guard<std::mutex> lock(mutex_);
        return !ended_.empty();
    };
    run_.begin(0);
    last_end_ns_ = now_ns();
    while (!run_.control.interrupted() && !has_failed() && now_ns() < run_.plan.until) {
        start_due(free);
        if (all_started() && collected_ == started_) break;
        if (!run_.control.wait(next_deadline(free), any_ended) && stands_still()) break;
        collect(free);
        if (answered_ == 0 && collected_ >= slots_.size() && failures_in_a_row_ >= slots_.size()) break;
    }
    if (run_.control.interrupted()) run_.plan.until = now_ns();
    run_.end_measured();
    run_.progress.set_phase("closing");
    const std::uint64_t deadline = drain_deadline(run_.options);
    while (collected_ < started_ && now_ns() < deadline && run_.control.wait(deadline, any_ended)) collect(free);
    if (collected_ < started_) {
        run_.faults.add(fault::lost, started_ - collected_, "a connection did not end within --drain");
        giving_up_ = true;
        for (slot& each : slots_) {
            if (std::find(free.begin(), free.end(), &each) == free.end()) run_.dialer.stop(each, true);
        }
        while (collected_ < started_) {
            run_.control.wait(never, any_ended);
            collect(free);
        }
    }
    if (answered_ == 0 && started_ > 0 && !run_.control.interrupted()) {
        throw failure("no cycle succeeded: " + (first_failure_.empty() ? "nothing was answered" : first_failure_));
    }

    result out = run_.make_result();
    out.timings[of_connect].name = "connect";
    out.timings[of_connect].what =
        run_.plan.open_loop() ? "from when a connection was to be made until it was open, handshakes included"
                              : "from the beginning of a connect until the connection was open, handshakes included";
    out.timings[of_exchange].name = "exchange";
    out.timings[of_exchange].what = "from sending the message to its answer";
    out.timings[of_cycle].name = "cycle";
    out.timings[of_cycle].what = "from the same beginning until the connection had ended";
    out.figures.emplace_back("started", static_cast<double>(started_));
    out.figures.emplace_back("completed", static_cast<double>(answered_));
    run_.add_errors(out);
    return out;
}

}  // namespace

result run_churn(const options& options, control& control) {
    run run(options, control, "connections");
    churn work(run);
    return work.measure();
}

}  // namespace bench
