#pragma once

#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::interfaces {

/// What is started and stopped.
class i_network_component {
public:
    virtual ~i_network_component() = default;

    i_network_component(const i_network_component&) = delete;
    i_network_component& operator=(const i_network_component&) = delete;

    /// False from the moment a stop begins.
    [[nodiscard]] virtual auto is_running() const -> bool = 0;
    /// Returns when it has stopped; at once if it never started, or in one of its callbacks.
    virtual auto wait_for_stop() -> void = 0;

protected:
    i_network_component() = default;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::interfaces
