// One-way: as many messages as the transport takes, or at their times. A sink of this tool is asked in the end what it
// has got of each connection; of other servers only what the transport accepted is known.

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>

#include "clock.h"
#include "opener.h"
#include "pacer.h"
#include "run.h"
#include "sender.h"
#include "stall_watch.h"
#include "workloads.h"

namespace bench {

namespace {

/// How many messages the first thread sends on a connection before it turns to the next one.
constexpr std::uint64_t first_burst = 64;

struct peer : connection {
    std::unique_ptr<sender> out;
    std::atomic<bool> reported{false};
    sink_report report;
    std::uint64_t undelivered = 0;
    bool exact = false;
};

class one_way : public connection::events {
public:
    explicit one_way(run& run) : run_(run), opener_(run), peers_(run.options.connections) {}

    result measure();

private:
    void opened(connection&) override { opener_.opened(); }
    void message(connection& link, const std::uint8_t* data, std::size_t length) override;
    void writable(connection& link) override {
        if (static_cast<peer&>(link).out->writable()) finished();
    }
    void ended(connection& link, const ending& why) override;

    void finished() {
        ++finished_;
        run_.control.notify();
    }
    void send_first(const std::vector<sender*>& senders);
    bool ask(const std::vector<peer*>& open);
    void close_all();

    run& run_;
    opener opener_;
    std::deque<peer> peers_;
    std::atomic<std::uint32_t> finished_{0};
    std::atomic<std::uint32_t> reports_{0};
    std::atomic<std::uint64_t> last_report_ns_{0};
    std::atomic<bool> server_talks_{false};
    std::atomic<bool> closing_{false};
};

void one_way::message(connection& link, const std::uint8_t* data, std::size_t length) {
    peer& own = static_cast<peer&>(link);
    const std::optional<header> header = payload::read(data, length);
    if (!header || header->what != purpose::report || length != payload::report_bytes) {
        server_talks_ = true;
        run_.control.notify();
        return;
    }
    own.report = payload::read_report(data + payload::header_bytes);
    if (own.reported.exchange(true)) return;
    last_report_ns_ = now_ns();
    ++reports_;
    run_.control.notify();
}

void one_way::ended(connection& link, const ending& why) {
    peer& own = static_cast<peer&>(link);
    if (!why.was_open) {
        opener_.failed(why);
        return;
    }
    own.undelivered = why.undelivered;
    own.exact = why.exact;
    if (!closing_) run_.faults.add(fault::disconnected, 1, reason(why));
    if (own.out->give_up()) finished();
}

/// A connection that has been full goes on by itself; until then this thread feeds all of them in turn.
void one_way::send_first(const std::vector<sender*>& senders) {
    for (sender* each : senders) {
        if (each->allow(never, 0)) finished();
    }
    for (bool again = true; again;) {
        again = false;
        for (sender* each : senders) {
            if (each->was_full() || each->stands().stopped) continue;
            again = true;
            if (each->allow(0, first_burst)) finished();
        }
        // Nothing to wait for: this only looks for a signal, and shows the progress.
        if (!run_.control.wait(now_ns(), [] { return false; }) && run_.control.interrupted()) return;
    }
}

/// Asks all connections what has arrived; false: not all have answered.
bool one_way::ask(const std::vector<peer*>& open) {
    if (!run_.options.confirm || server_talks_ || run_.control.interrupted()) return false;
    run_.progress.set_phase("waiting for the server's count");
    for (peer* each : open) each->out->send_last(purpose::query, payload::report_bytes);
    run_.control.wait(drain_deadline(run_.options), [&] { return reports_ >= open.size() || server_talks_; });
    return reports_ >= open.size();
}

void one_way::close_all() {
    closing_ = true;
    for (std::uint32_t i = 0; i < opener_.started(); ++i) run_.dialer.stop(peers_[i], run_.control.interrupted());
    for (std::uint32_t i = 0; i < opener_.started(); ++i) run_.dialer.destroy(peers_[i]);
}

result one_way::measure() {
    const options& options = run_.options;
    run_.dialer.set_raw_size(payload::report_bytes);
    try {
        opener_.open(options.connections, [this, &options](std::uint32_t i) {
            peers_[i].index = i;
            peers_[i].out = std::make_unique<sender>(run_.plan, run_.recorder, run_.body, options.size,
                                                     sender::expects::nothing, peers_[i]);
            run_.dialer.start(peers_[i], *this);
        });
    } catch (...) {
        close_all();
        throw;
    }
    std::vector<peer*> open;
    std::vector<sender*> senders;
    for (peer& each : peers_) {
        if (!each.is_open()) continue;
        each.out->set_turn(static_cast<std::uint32_t>(open.size()));
        open.push_back(&each);
        senders.push_back(each.out.get());
    }
    run_.begin(static_cast<std::uint32_t>(senders.size()));
    std::unique_ptr<pacer> pace;
    if (run_.plan.open_loop() && !senders.empty()) {
        pace = std::make_unique<pacer>(run_.plan, senders, [this] { finished(); });
    } else {
        send_first(senders);
    }
    stall_watch watch(run_, senders);
    const auto all_finished = [&] { return finished_ >= senders.size(); };
    run_.measure([&] { return all_finished() || watch.ended(); });
    end_sending(
        run_, std::move(pace), senders, [this] { finished(); }, all_finished);
    const bool confirmed = ask(open);
    run_.progress.set_phase("closing");
    close_all();

    result out = run_.make_result();
    std::uint64_t sent = 0, measured = 0, undelivered = 0, arrived = 0;
    bool exact = true;
    for (const peer* each : open) {
        sent += each->out->stands().sent;
        measured += each->out->measured_count();
        undelivered += each->undelivered;
        exact = exact && each->exact;
        if (!confirmed) continue;
        arrived += each->report.messages;
        run_.faults.add(fault::wrong, each->report.wrong, "told by the sink");
        run_.faults.add(fault::out_of_order, each->report.out_of_order, "told by the sink");
    }
    run_.name_send_delay(out);
    out.figures.emplace_back("accepted", static_cast<double>(measured));
    if (confirmed) {
        if (arrived < sent) run_.faults.add(fault::lost, sent - arrived);
        const double lost = static_cast<double>(sent - std::min(arrived, sent));
        const double count = static_cast<double>(measured) - std::min(lost, static_cast<double>(measured));
        const double seconds =
            ns_to_seconds(last_report_ns_ - std::min<std::uint64_t>(run_.plan.from, last_report_ns_));
        out.figures.emplace_back("confirmed", count);
        out.figures.emplace_back("confirmed per second", seconds > 0 ? count / seconds : 0);
        out.notes.push_back(
            "confirmed: the sink has told how many messages it got; their rate counts until it had the "
            "last one. The other rate is that at which the transport accepted them");
    } else {
        out.figures.emplace_back("undelivered", static_cast<double>(undelivered));
        if (!run_.control.interrupted()) run_.faults.add(fault::undelivered, undelivered);
        out.notes.push_back(std::string("not confirmed: the rate is that at which the transport accepted messages. ") +
                            (exact ? "The peer confirmed at the close what it has got"
                                   : "What was handed to the kernel counts as delivered") +
                            (server_talks_ ? "; what the server sent back was not looked at" : ""));
    }
    run_.add_errors(out);
    return out;
}

}  // namespace

result run_one_way(const options& options, control& control) {
    run run(options, control, "messages");
    one_way work(run);
    return work.measure();
}

}  // namespace bench
