#pragma once

#include <cstdint>
#include <vector>

#include "run.h"
#include "sender.h"

namespace bench {

/// Ends a run that only a count of messages would end, where that count can no more be reached: nothing was sent or
/// answered for as long as --drain, although something is on its way. A run with a duration measures such a time.
class stall_watch {
public:
    stall_watch(run& run, std::vector<sender*> senders);

    /// To be asked now and then. True: everything has been sent, or the run stands still, which is counted as a fault.
    bool ended();

private:
    run& run_;
    std::vector<sender*> senders_;
    std::uint64_t next_look_ns_ = 0;
    std::uint64_t changed_ns_ = 0;
    std::uint64_t steps_ = 0;
    bool ended_ = false;
};

}  // namespace bench
