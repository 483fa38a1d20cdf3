// Broadcast: one connection sends, and each message comes to all the others; what comes back to itself is not counted.

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>

#include "clock.h"
#include "failure.h"
#include "opener.h"
#include "pacer.h"
#include "run.h"
#include "sender.h"
#include "stall_watch.h"
#include "workloads.h"

namespace bench {

namespace {

constexpr std::uint64_t probe_interval = second_ns / 10;
/// A message more than so many behind the newest is on its way to nobody in a run that works.
constexpr std::size_t arrival_slots = 1u << 16;

struct subscriber : connection {
    std::atomic<bool> ready{false};
    sequence order;
};

class broadcast : public connection::events {
public:
    explicit broadcast(run& run)
        : run_(run),
          opener_(run),
          subscribers_(run.options.connections),
          arrivals_(arrival_slots),
          out_(run.plan, run.recorder, run.body, run.options.size, sender::expects::answers, publisher_) {
        publisher_.index = run.options.connections;
    }

    result measure();

private:
    void opened(connection&) override { opener_.opened(); }
    void message(connection& link, const std::uint8_t* data, std::size_t length) override;
    void writable(connection& link) override {
        if (&link == &publisher_ && out_.writable()) finished();
    }
    void ended(connection& link, const ending& why) override;

    void delivered(std::uint64_t sequence);
    void finished() {
        finished_ = true;
        run_.control.notify();
    }
    void find_subscribers();
    void close_all();

    run& run_;
    opener opener_;
    connection publisher_;
    std::deque<subscriber> subscribers_;
    /// How many times messages were delivered, by their sequence number.
    std::deque<std::atomic<std::uint64_t>> arrivals_;
    sender out_;
    std::atomic<std::uint64_t> deliveries_{0};
    std::atomic<std::uint32_t> ready_{0};
    std::atomic<bool> finished_{false};
    std::atomic<bool> closing_{false};
};

void broadcast::message(connection& link, const std::uint8_t* data, std::size_t length) {
    const std::optional<header> header = payload::read(data, length);
    if (!header || header->connection != publisher_.index || !run_.is_intact(*header, data, length)) {
        run_.faults.add(fault::wrong, 1, "a message is not what was sent: does the server send it to all connections?");
        link.abort();
        return;
    }
    if (&link == &publisher_) return;
    subscriber& own = static_cast<subscriber&>(link);
    if (header->what == purpose::probe) {
        if (!own.ready.exchange(true)) ++ready_;
        run_.control.notify();
        return;
    }
    if (!run_.is_new(own.order.take(header->sequence))) return;
    run_.record_arrival(*header, length);
    delivered(header->sequence);
}

void broadcast::delivered(std::uint64_t sequence) {
    ++deliveries_;
    if (++arrivals_[sequence % arrival_slots] % subscribers_.size() != 0) return;
    if (out_.answered()) finished();
}

void broadcast::ended(connection&, const ending& why) {
    if (!why.was_open) {
        opener_.failed(why);
        return;
    }
    if (!closing_) run_.faults.add(fault::disconnected, 1, reason(why));
    // Without one of them no message can be completed.
    if (out_.give_up()) finished();
}

/// Connections are open here before the server has them all: messages are sent until each subscriber has got one.
void broadcast::find_subscribers() {
    run_.progress.set_phase("waiting for subscribers", run_.options.connections);
    const std::uint64_t deadline = now_ns() + seconds_to_ns(run_.options.connect_timeout);
    header probe;
    probe.what = purpose::probe;
    probe.size = run_.options.size;
    probe.connection = publisher_.index;
    const auto all_ready = [this] {
        run_.progress.set_done(ready_);
        return ready_ == subscribers_.size() || finished_;
    };
    while (!run_.control.interrupted() && !all_ready()) {
        if (now_ns() >= deadline) {
            throw failure("of " + std::to_string(subscribers_.size()) + " connections " + std::to_string(ready_) +
                          " got what another one sent: does the server send messages to all connections?");
        }
        if (publisher_.send(probe, run_.body) == sent::gone && !publisher_.refusal().empty()) {
            throw failure("no message can be sent: " + publisher_.refusal());
        }
        ++probe.sequence;
        run_.control.wait(now_ns() + probe_interval, all_ready);
    }
}

void broadcast::close_all() {
    closing_ = true;
    const std::uint32_t started = opener_.started();
    const bool at_once = run_.control.interrupted();
    for (std::uint32_t i = 0; i < started; ++i) {
        run_.dialer.stop(i < subscribers_.size() ? subscribers_[i] : publisher_, at_once);
    }
    for (std::uint32_t i = 0; i < started; ++i) {
        run_.dialer.destroy(i < subscribers_.size() ? subscribers_[i] : publisher_);
    }
}

result broadcast::measure() {
    const options& options = run_.options;
    try {
        const bool open = opener_.open(options.connections + 1, [this](std::uint32_t i) {
            connection& next = i < subscribers_.size() ? subscribers_[i] : publisher_;
            next.index = i;
            run_.dialer.start(next, *this);
        });
        if (open && opener_.open_count() <= subscribers_.size()) {
            throw failure("only " + std::to_string(opener_.open_count()) + " of " +
                          std::to_string(subscribers_.size() + 1) + " connections could be made");
        }
        if (open) find_subscribers();
    } catch (...) {
        close_all();
        throw;
    }
    run_.begin(1);
    std::unique_ptr<pacer> pace;
    const auto is_finished = [this] { return finished_.load(); };
    if (!run_.control.interrupted()) {
        if (run_.plan.open_loop()) {
            pace = std::make_unique<pacer>(run_.plan, std::vector<sender*>{&out_}, [this] { finished(); });
        } else if (out_.allow(options.outstanding)) {
            finished();
        }
        stall_watch watch(run_, {&out_});
        run_.measure([&] { return is_finished() || watch.ended(); });
    }
    run_.progress.set_phase("waiting for deliveries");
    end_sending(
        run_, std::move(pace), {&out_}, [this] { finished(); }, is_finished);
    run_.progress.set_phase("closing");
    close_all();

    const std::uint64_t expected = out_.stands().sent * subscribers_.size();
    if (deliveries_ < expected) run_.faults.add(fault::lost, expected - deliveries_);
    result out = run_.make_result();
    run_.name_latency(out, "each of its deliveries");
    run_.name_send_delay(out);
    out.figures.emplace_back("sent", static_cast<double>(out_.measured_count()));
    out.figures.emplace_back("delivered", static_cast<double>(out.timings[0].times.count()));
    run_.add_errors(out);
    return out;
}

}  // namespace

result run_broadcast(const options& options, control& control) {
    run run(options, control, "deliveries");
    broadcast work(run);
    return work.measure();
}

}  // namespace bench
