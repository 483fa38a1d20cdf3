#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "network_system/core/messaging_client.h"
#include "network_system/detail/client_core.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

struct client_access {
    static netsys_client handle(const core::messaging_client& client) { return client.core_->life.current(); }
    static void clear_handlers(core::messaging_client& client) noexcept { client.core_->handlers.clear(); }

    /// Before the first start.
    static void join(core::messaging_client& client, std::shared_ptr<bridge_core> bridge) noexcept {
        client.core_->bridge = std::move(bridge);
    }
    static lifecycle<client_functions>& life(const core::messaging_client& client) { return client.core_->life; }
    static std::pair<std::string, std::uint16_t> peer(const core::messaging_client& client) {
        return client.core_->peer();
    }
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
