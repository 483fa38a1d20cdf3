#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "plan.h"
#include "run.h"
#include "sender.h"

namespace bench {

/// Open loop: allows each message at its time, whatever became of those before, on a thread of its own.
class pacer {
public:
    /// `ended` is called when a sender has come to its end.
    pacer(const plan& plan, std::vector<sender*> senders, std::function<void()> ended);
    /// Ends at once, wherever it stands.
    ~pacer();
    /// Waits until every message that is due before the plan's end, which has come, is allowed.
    void finish();
    pacer(const pacer&) = delete;
    pacer& operator=(const pacer&) = delete;

private:
    void work();
    /// False: it is to end.
    bool sleep_until(std::uint64_t time) const;

    const plan& plan_;
    std::vector<sender*> senders_;
    std::function<void()> ended_;
    int stop_ = -1;
    std::thread thread_;
};

/// Ends the sending of a run whose measured time is over, and waits for `all_finished` as long as --drain: what was due
/// in an open loop is still sent, and what could not be is a fault.
void end_sending(run& run, std::unique_ptr<pacer> pace, const std::vector<sender*>& senders,
                 const std::function<void()>& ended, const std::function<bool()>& all_finished);

}  // namespace bench
