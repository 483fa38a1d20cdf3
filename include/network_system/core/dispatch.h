#pragma once

#include <chrono>
#include <cstddef>

#include "network_system/core/dispatch_mode.h"
#include "network_system/detail/milliseconds.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/status.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::core {

/// Runs the handlers that are due under `dispatch_mode::manual`, after it has waited for some for at most `timeout`.
/// Gives back how many turns of sessions, servers and clients were run; 0 if nothing was due in that time. Fails with
/// would_deadlock (-21) inside a handler.
inline Result<std::size_t> poll_events(std::chrono::milliseconds timeout) {
    netsys_context context{};
    std::size_t turns = 0;
    netsys_status status = detail::default_context(context);
    if (status == NETSYS_OK) {
        status = netsys_context_poll(context, detail::to_ms(timeout), &turns);
    }
    return detail::to_result(status, std::move(turns));
}

/// A descriptor that is readable while `poll_events()` has something to run, for the program's own event loop. It is
/// the library's: neither read from it nor close it.
inline Result<int> poll_descriptor() {
    netsys_context context{};
    int descriptor = -1;
    netsys_status status = detail::default_context(context);
    if (status == NETSYS_OK) {
        status = netsys_context_poll_descriptor(context, &descriptor);
    }
    return detail::to_result(status, std::move(descriptor));
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::core
