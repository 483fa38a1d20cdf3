#pragma once

#include <optional>

#include "network_system/detail/bridge_core.h"
#include "network_system/detail/bridge_events.h"
#include "network_system/detail/c_api.h"
#include "network_system/detail/handler_table.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// Where a server's session or a client hands the messages that it got to the bridge. Used by one thread at a time.
class bridge_tap {
public:
    /// `bridge` is null where there is none.
    explicit bridge_tap(const bridge_core* bridge) {
        if (bridge != nullptr) {
            target_.emplace(*bridge);
        }
    }

    void offer(const netsys_message& message) {
        if (target_ && message.kind != NETSYS_MESSAGE_STREAM) {
            target_->offer(message);
        }
    }

    /// A handler threw. Of other failures the bridge knows by itself.
    void handler_failed(const char* what) noexcept {
        if (target_) {
            netsys_bridge_report_error(target_->bridge, NETSYS_ERR_HANDLER_FAILED, c_str(what));
        }
    }

private:
    struct target {
        explicit target(const bridge_core& core)
            : bridge(core.handle()), events(core.events()), handlers(events.handlers) {}

        // Not inlined, for the sake of those without a bridge.
        [[gnu::noinline]] void offer(const netsys_message& message) {
            if (const auto& handler = handlers.current().message) {
                events.call([&] { (*handler)(message); });
            }
        }

        netsys_bridge bridge;
        bridge_events& events;
        handler_table<bridge_handlers>::reader handlers;
    };

    std::optional<target> target_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
