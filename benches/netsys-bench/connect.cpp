// Connect: as many connections as asked, as fast as they can be made with --connecting at a time, or each at its time
// (--rate). All of them stay open until the last one is.

#include <atomic>
#include <deque>

#include "clock.h"
#include "opener.h"
#include "run.h"
#include "workloads.h"

namespace bench {

namespace {

class connect_rate : public connection::events {
public:
    explicit connect_rate(run& run) : run_(run), opener_(run), links_(run.options.connections) {}

    result measure();

private:
    void opened(connection& opened) override {
        const std::uint64_t now = now_ns();
        shard& shard = run_.recorder.local();
        shard.times[0].record(now - links_[opened.index].started_ns);
        if (run_.plan.is_measured(now)) shard.complete(now, now - run_.plan.from, 0);
        opener_.opened();
    }
    void ended(connection&, const ending& why) override {
        if (!why.was_open) {
            opener_.failed(why);
        } else if (!closing_) {
            run_.faults.add(fault::disconnected, 1, reason(why));
        }
    }
    void start(std::uint32_t index);
    void close_all();

    struct link : connection {
        std::uint64_t started_ns = 0;
    };

    run& run_;
    opener opener_;
    std::deque<link> links_;
    std::atomic<bool> closing_{false};
};

void connect_rate::start(std::uint32_t index) {
    link& own = links_[index];
    own.index = index;
    if (run_.plan.open_loop()) {
        own.started_ns = run_.plan.due(index);
        if (now_ns() < own.started_ns) run_.control.wait(own.started_ns, [] { return false; });
    } else {
        own.started_ns = now_ns();
    }
    run_.dialer.start(own, *this);
}

void connect_rate::close_all() {
    closing_ = true;
    for (std::uint32_t i = 0; i < opener_.started(); ++i) {
        if (run_.options.reset && links_[i].is_open()) links_[i].abort();
        run_.dialer.stop(links_[i], run_.control.interrupted());
    }
    for (std::uint32_t i = 0; i < opener_.started(); ++i) run_.dialer.destroy(links_[i]);
}

result connect_rate::measure() {
    run_.begin(0);
    try {
        if (!opener_.open(run_.options.connections, [this](std::uint32_t i) { start(i); })) run_.plan.until = now_ns();
    } catch (...) {
        close_all();
        throw;
    }
    run_.end_measured();
    run_.progress.set_phase("closing");
    close_all();

    result out = run_.make_result();
    out.bytes_rate = 0;
    out.timings[0].name = "connect";
    out.timings[0].what = run_.plan.open_loop()
                              ? "from when a connection was to be made until it was open, handshakes included"
                              : "from the beginning of a connect until the connection was open, handshakes included";
    out.figures.emplace_back("opened", opener_.open_count());
    run_.add_errors(out);
    return out;
}

}  // namespace

result run_connect(const options& options, control& control) {
    run run(options, control, "connections");
    connect_rate work(run);
    return work.measure();
}

}  // namespace bench
