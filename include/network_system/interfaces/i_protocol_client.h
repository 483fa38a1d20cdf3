#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <system_error>
#include <vector>

#include "network_system/detail/namespace.h"
#include "network_system/interfaces/connection_observer.h"
#include "network_system/interfaces/i_network_component.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::interfaces {

/// A client of the byte stream, whatever carries it. core::messaging_client is one.
class i_protocol_client : public i_network_component {
public:
    using receive_callback_t = std::function<void(const std::vector<std::uint8_t>&)>;
    using connected_callback_t = std::function<void()>;
    using disconnected_callback_t = std::function<void()>;
    using error_callback_t = std::function<void(std::error_code)>;

    /// Begins to connect and returns; the connected callback or the error callback follows. Errors: already_exists
    /// (-7) when it runs, invalid_argument (-1).
    virtual auto start(std::string_view host, std::uint16_t port) -> VoidResult = 0;
    /// Ends the connection. If there was one, the disconnected callback is called before this returns; after that no
    /// callback runs. In a callback it returns at once and the rest happens behind it. Always succeeds.
    virtual auto stop() -> VoidResult = 0;
    /// Errors: connection_closed (-603) without a connection, invalid_argument (-1) without bytes.
    virtual auto send(std::vector<std::uint8_t>&& data) -> VoidResult = 0;
    [[nodiscard]] virtual auto is_connected() const -> bool = 0;

    /// Hears what the callbacks hear, after them. Null for none.
    virtual auto set_observer(std::shared_ptr<connection_observer> observer) -> void = 0;

    virtual auto set_receive_callback(receive_callback_t callback) -> void = 0;
    virtual auto set_connected_callback(connected_callback_t callback) -> void = 0;
    virtual auto set_disconnected_callback(disconnected_callback_t callback) -> void = 0;
    virtual auto set_error_callback(error_callback_t callback) -> void = 0;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::interfaces
