#pragma once

#include <sys/resource.h>

#include <functional>
#include <string>
#include <vector>

#include "abi.h"
#include "clock.h"
#include "control.h"
#include "dialer.h"
#include "faults.h"
#include "options.h"
#include "plan.h"
#include "progress.h"
#include "recorder.h"
#include "result.h"
#include "sequence.h"

namespace bench {

/// What every workload works with.
struct run {
    run(const options& options, control& control, const char* unit);

    const bench::options& options;
    bench::control& control;
    bench::context context;
    bench::dialer dialer;
    bench::plan plan;
    bench::recorder recorder;
    bench::faults faults;
    bench::progress progress;
    /// What stands behind the header of a message.
    std::vector<std::uint8_t> body;

    /// Sets the times of the plan: the first message is due now.
    void begin(std::uint32_t senders);
    /// Waits for the end of the measured time, or for `done`; what is interrupted ends now.
    void measure(const std::function<bool()>& done);
    /// The measured time is over; measure() does it itself.
    void end_measured();
    /// The result, once everything has ended: all but the names of the times and the figures.
    result make_result();
    /// Names what record_arrival() records: the times from sending a message to `completion`.
    void name_latency(result& result, const std::string& completion) const;
    /// Names what senders record.
    void name_send_delay(result& result) const;
    /// How the run's errors are told; the last thing to do.
    void add_errors(result& result) const;

    /// Checks a message of the run's size. False: it is another one.
    bool is_intact(const header& header, const std::uint8_t* data, std::size_t length) const;
    /// Counts a message that did not come in its order. False: it has been counted before.
    bool is_new(sequence::verdict verdict);
    /// Records, as far as it is measured, that a message of this length has arrived now, which completes it.
    void record_arrival(const header& header, std::size_t length) {
        const std::uint64_t now = now_ns();
        shard& shard = recorder.local();
        if (plan.is_measured(header.time)) shard.times[0].record(now - header.time);
        if (plan.is_measured(now)) shard.complete(now, now - plan.from, length);
    }

private:
    rusage usage_from_{};
    rusage usage_until_{};
    std::string started_;
    const char* unit_;
};

/// How long the run has to end after what was to be sent has been.
std::uint64_t drain_deadline(const options& options);

}  // namespace bench
