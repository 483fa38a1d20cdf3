// Ping-pong and echo: the server sends back what it gets. In a closed loop each connection has --outstanding messages
// on their way, and an answer lets the next one go; in an open loop (--rate) messages go at their times.

#include <atomic>
#include <deque>
#include <memory>
#include <optional>

#include "clock.h"
#include "opener.h"
#include "pacer.h"
#include "run.h"
#include "sender.h"
#include "stall_watch.h"
#include "workloads.h"

namespace bench {

namespace {

struct peer : connection {
    std::unique_ptr<sender> out;
    sequence order;
    bool broken = false;  // what came on it was wrong, and it was ended
};

class exchange : public connection::events {
public:
    explicit exchange(run& run) : run_(run), opener_(run), peers_(run.options.connections) {}

    result measure();

private:
    void opened(connection&) override { opener_.opened(); }
    void message(connection& link, const std::uint8_t* data, std::size_t length) override;
    void writable(connection& link) override {
        sender* out = static_cast<peer&>(link).out.get();
        if (out->writable()) finished();
    }
    void ended(connection& link, const ending& why) override;

    void finished() {
        ++finished_;
        run_.control.notify();
    }
    void close_all();

    run& run_;
    opener opener_;
    std::deque<peer> peers_;
    std::atomic<std::uint32_t> finished_{0};
    std::atomic<bool> closing_{false};
};

void exchange::message(connection& link, const std::uint8_t* data, std::size_t length) {
    peer& own = static_cast<peer&>(link);
    const std::optional<header> header = payload::read(data, length);
    if (!header || header->what != purpose::data || header->connection != own.index ||
        !run_.is_intact(*header, data, length)) {
        run_.faults.add(fault::wrong, 1, "an answer is not what was sent: does the server send back what it gets?");
        own.broken = true;
        own.abort();
        return;
    }
    if (!run_.is_new(own.order.take(header->sequence))) return;
    run_.record_arrival(*header, length);
    if (own.out->answered()) finished();
}

void exchange::ended(connection& link, const ending& why) {
    peer& own = static_cast<peer&>(link);
    if (!why.was_open) {
        opener_.failed(why);
        return;
    }
    if (!closing_ && !own.broken) run_.faults.add(fault::disconnected, 1, reason(why));
    if (own.out->give_up()) finished();
}

void exchange::close_all() {
    closing_ = true;
    for (std::uint32_t i = 0; i < opener_.started(); ++i) run_.dialer.stop(peers_[i], run_.control.interrupted());
    for (std::uint32_t i = 0; i < opener_.started(); ++i) run_.dialer.destroy(peers_[i]);
}

result exchange::measure() {
    const options& options = run_.options;
    try {
        opener_.open(options.connections, [this, &options](std::uint32_t i) {
            peers_[i].index = i;
            peers_[i].out = std::make_unique<sender>(run_.plan, run_.recorder, run_.body, options.size,
                                                     sender::expects::answers, peers_[i]);
            run_.dialer.start(peers_[i], *this);
        });
    } catch (...) {
        close_all();
        throw;
    }

    // Connections that are open take turns, others never do.
    std::vector<sender*> senders;
    for (peer& each : peers_) {
        if (each.is_open()) senders.push_back(each.out.get());
    }
    std::uint32_t turn = 0;
    for (sender* each : senders) each->set_turn(turn++);
    run_.begin(static_cast<std::uint32_t>(senders.size()));
    const auto all_finished = [this, &senders] { return finished_ >= senders.size(); };
    std::unique_ptr<pacer> pace;
    if (run_.plan.open_loop() && !senders.empty()) {
        pace = std::make_unique<pacer>(run_.plan, senders, [this] { finished(); });
    } else {
        for (sender* each : senders) {
            if (each->allow(options.outstanding)) finished();
        }
    }
    stall_watch watch(run_, senders);
    run_.measure([&] { return all_finished() || watch.ended(); });
    run_.progress.set_phase("waiting for answers");
    end_sending(
        run_, std::move(pace), senders, [this] { finished(); }, all_finished);
    run_.progress.set_phase("closing");
    close_all();

    std::uint64_t sent = 0, answered = 0, measured = 0;
    for (const sender* each : senders) {
        sent += each->stands().sent;
        answered += each->stands().answered;
        measured += each->measured_count();
    }
    if (answered < sent) run_.faults.add(fault::lost, sent - answered);
    result out = run_.make_result();
    run_.name_latency(out, "its answer");
    run_.name_send_delay(out);
    out.figures.emplace_back("sent", static_cast<double>(measured));
    out.figures.emplace_back("answered", static_cast<double>(out.timings[0].times.count()));
    if (!run_.plan.open_loop()) {
        out.notes.push_back(
            "closed loop: a stall of the server holds up the sending too, and shows in one message of "
            "each that is outstanding; --rate measures all that it delays");
    }
    run_.add_errors(out);
    return out;
}

}  // namespace

result run_exchange(const options& options, control& control) {
    run run(options, control, "messages");
    exchange work(run);
    return work.measure();
}

}  // namespace bench
