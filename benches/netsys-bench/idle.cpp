// Idle: connections that are open and carry nothing; how many live to the end, and what they cost a server whose
// process is on this machine.

#include <atomic>
#include <deque>

#include "clock.h"
#include "failure.h"
#include "machine.h"
#include "opener.h"
#include "run.h"
#include "workloads.h"

namespace bench {

namespace {

/// A server gives back memory some time after the connections have gone; this long is waited before it is measured.
constexpr std::uint64_t settling_ns = second_ns;

class idle : public connection::events {
public:
    explicit idle(run& run) : run_(run), opener_(run), links_(run.options.connections) {}

    result measure();

private:
    void opened(connection& link) override {
        const std::uint64_t now = now_ns();
        run_.recorder.local().times[0].record(now - links_[link.index].started_ns);
        opener_.opened();
    }
    void ended(connection&, const ending& why) override;
    void close_all();
    long long memory_kib() const;

    struct link : connection {
        std::uint64_t started_ns = 0;
    };

    run& run_;
    opener opener_;
    std::deque<link> links_;
    std::atomic<std::uint32_t> lost_{0};
    std::atomic<bool> closing_{false};
};

void idle::ended(connection&, const ending& why) {
    if (!why.was_open) {
        opener_.failed(why);
        return;
    }
    if (closing_) return;
    ++lost_;
    run_.faults.add(fault::disconnected, 1, reason(why));
}

void idle::close_all() {
    closing_ = true;
    const bool at_once = run_.control.interrupted();
    for (std::uint32_t i = 0; i < opener_.started(); ++i) {
        if (run_.options.reset && links_[i].is_open()) links_[i].abort();
        run_.dialer.stop(links_[i], at_once);
    }
    for (std::uint32_t i = 0; i < opener_.started(); ++i) run_.dialer.destroy(links_[i]);
}

long long idle::memory_kib() const {
    if (run_.options.pid == 0) return -1;
    const long long out = status_kib(run_.options.pid, "RssAnon");
    if (out < 0) {
        throw failure("--pid " + std::to_string(run_.options.pid) + ": its RssAnon cannot be read from /proc/" +
                      std::to_string(run_.options.pid) + "/status: is it a process of this machine?");
    }
    return out;
}

result idle::measure() {
    const options& options = run_.options;
    const long long before = memory_kib();
    long long after_open = -1;
    std::uint32_t alive = 0;
    try {
        opener_.open(options.connections, [this](std::uint32_t i) {
            links_[i].index = i;
            links_[i].started_ns = now_ns();
            run_.dialer.start(links_[i], *this);
        });
        run_.begin(0);
        if (!run_.control.interrupted()) run_.measure([] { return false; });
        alive = opener_.open_count() - lost_;
        after_open = memory_kib();
    } catch (...) {
        close_all();
        throw;
    }
    run_.progress.set_phase("closing");
    close_all();
    long long after_close = -1;
    if (options.pid != 0) {
        run_.control.wait(now_ns() + settling_ns, [] { return false; });
        after_close = memory_kib();
    }

    result out = run_.make_result();
    out.rate = out.bytes_rate = 0;
    out.series.clear();
    out.timings[0].name = "connect";
    out.timings[0].what = "from the beginning of a connect until the connection is open, handshakes included";
    out.figures.emplace_back("opened", opener_.open_count());
    out.figures.emplace_back("alive at the end", alive);
    if (options.pid != 0 && opener_.open_count() > 0) {
        const double count = opener_.open_count();
        out.figures.emplace_back("server KiB before", static_cast<double>(before));
        out.figures.emplace_back("server KiB open", static_cast<double>(after_open));
        out.figures.emplace_back("server KiB closed", static_cast<double>(after_close));
        out.figures.emplace_back("KiB per connection, open", static_cast<double>(after_open - before) / count);
        out.figures.emplace_back("KiB per connection, closed", static_cast<double>(after_close - before) / count);
        out.notes.push_back(
            "memory is RssAnon of the server's process: before the first connection, at the end of the "
            "duration, and a second after the last one was closed; what an allocator keeps counts");
    }
    run_.add_errors(out);
    return out;
}

}  // namespace

result run_idle(const options& options, control& control) {
    run run(options, control, "connections");
    idle work(run);
    return work.measure();
}

}  // namespace bench
