#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <system_error>
#include <vector>

#include "network_system/detail/namespace.h"
#include "network_system/interfaces/i_network_component.h"
#include "network_system/interfaces/i_session.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::interfaces {

/// A server of byte streams, whatever carries them. facade::tcp_facade makes one.
///
/// The texts that callbacks get are session ids: what `i_session::id()` of the session returns, unique in the process.
class i_protocol_server : public i_network_component {
public:
    using connection_callback_t = std::function<void(std::shared_ptr<i_session>)>;
    using disconnection_callback_t = std::function<void(std::string_view)>;
    using receive_callback_t = std::function<void(std::string_view, const std::vector<std::uint8_t>&)>;
    using error_callback_t = std::function<void(std::string_view, std::error_code)>;

    /// Listens on the port of every IPv4 address; 0 chooses a free one. Errors: already_exists (-7) when it runs,
    /// bind_failed (-662).
    virtual auto start(std::uint16_t port) -> VoidResult = 0;
    /// Ends all sessions and reports each end; then no callback runs any more. In a callback it returns at once and
    /// the rest happens behind it. Always succeeds.
    virtual auto stop() -> VoidResult = 0;

    [[nodiscard]] virtual auto connection_count() const -> std::size_t = 0;
    /// The port that is listened on; 0 when the server does not run, or does not tell.
    [[nodiscard]] virtual auto port() const -> std::uint16_t { return 0; }

    virtual auto set_connection_callback(connection_callback_t callback) -> void = 0;
    virtual auto set_disconnection_callback(disconnection_callback_t callback) -> void = 0;
    virtual auto set_receive_callback(receive_callback_t callback) -> void = 0;
    virtual auto set_error_callback(error_callback_t callback) -> void = 0;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::interfaces
