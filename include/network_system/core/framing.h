#pragma once

#include <cstdint>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::core {

/// What the bytes of a connection mean.
enum class framing_mode : std::uint32_t {
    /// Server: each peer's first bytes decide, so framed and raw peers share one port. Client: framed if a handler of
    /// the message family (set_message_handler, set_connect_handler, set_disconnect_handler, set_error_handler) is
    /// set when it starts, or if its first send is a message; else raw.
    automatic = NETSYS_FRAMING_AUTO,
    /// Whole messages, under the library's own protocol.
    framed = NETSYS_FRAMING_FRAMED,
    /// The bytes as they are.
    raw = NETSYS_FRAMING_RAW
};

/// What a send does when the outgoing queue is full.
enum class send_policy : std::uint32_t {
    /// Waits for room, at most `message_timeout`, then fails with send_failed (-640). Inside a handler nothing waits:
    /// there it queues up to `send_hard_limit`, past which the session ends.
    wait = NETSYS_SEND_WAIT,
    /// Fails at once with would_block (-643); one writable event follows when there is room again.
    would_block = NETSYS_SEND_WOULD_BLOCK,
    /// Succeeds; the message is dropped, and counted in the statistics and at the end of the session.
    drop_newest = NETSYS_SEND_DROP_NEWEST,
    /// Succeeds; the oldest messages of which no byte was written are dropped and counted.
    drop_oldest = NETSYS_SEND_DROP_OLDEST,
    /// Fails with send_failed (-640) and ends the session.
    disconnect = NETSYS_SEND_DISCONNECT
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::core

namespace NETWORK_SYSTEM_NAMESPACE {
using core::framing_mode;
using core::send_policy;
}  // namespace NETWORK_SYSTEM_NAMESPACE
