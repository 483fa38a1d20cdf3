#pragma once

#include "control.h"
#include "options.h"
#include "result.h"

namespace bench {

// Each workload has a file of its own. They throw failure if nothing could be measured.

result run_exchange(const options& options, control& control);  // ping-pong, echo
result run_one_way(const options& options, control& control);
result run_broadcast(const options& options, control& control);
result run_idle(const options& options, control& control);
result run_connect(const options& options, control& control);
result run_churn(const options& options, control& control);

/// Serves until it is interrupted, or for the duration. False: sessions broke the framing.
bool serve(const options& options, control& control);

}  // namespace bench
