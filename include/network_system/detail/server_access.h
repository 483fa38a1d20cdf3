#pragma once

#include <memory>
#include <utility>

#include "network_system/core/messaging_server.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/server_core.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

struct server_access {
    static netsys_server handle(const core::messaging_server& server) { return server.core_->life.current(); }

    /// Before the first start.
    static void join(core::messaging_server& server, std::shared_ptr<bridge_core> bridge) noexcept {
        server.core_->bridge = std::move(bridge);
    }
    /// Before the first start.
    template <typename Maker>
    static void make_sessions(core::messaging_server& server, Maker&& maker) {
        server.core_->make_session = std::forward<Maker>(maker);
    }
    static lifecycle<server_functions>& life(const core::messaging_server& server) { return server.core_->life; }
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
