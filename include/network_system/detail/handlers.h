#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "network_system/detail/handler_table.h"
#include "network_system/detail/namespace.h"
#include "network_system/session/session_state.h"

namespace NETWORK_SYSTEM_NAMESPACE::session {
class messaging_session;
}
namespace NETWORK_SYSTEM_NAMESPACE::interfaces {
class connection_observer;
}

// The handlers of each class: first those of the message family, then those of the stream family, which older
// programs use. The two are independent; where both are set, both are called.
namespace NETWORK_SYSTEM_NAMESPACE::detail {

using session_ptr = std::shared_ptr<session::messaging_session>;

struct session_handlers {
    handler<void(const std::string&)> message;
    handler<void(session::session_state, session::session_state)> state_change;
    handler<void(const std::string&, int)> error;
    handler<void()> writable;

    handler<void(const std::vector<std::uint8_t>&)> receive;
    handler<void(const std::string&)> disconnection;
    handler<void(std::error_code)> stream_error;
};

struct server_handlers {
    handler<void(session_ptr, const std::string&)> message;
    handler<void(session_ptr)> connect;
    handler<void(session_ptr, const std::string&)> disconnect;
    handler<void(const std::string&, int)> error;

    handler<void(session_ptr)> connection;
    handler<void(const std::string&)> disconnection;
    handler<void(session_ptr, const std::vector<std::uint8_t>&)> receive;
    handler<void(session_ptr, std::error_code)> stream_error;
};

struct client_handlers {
    handler<void(const std::string&)> message;
    handler<void()> connect;
    handler<void(const std::string&)> disconnect;
    handler<void(const std::string&, int)> error;
    handler<void()> writable;

    handler<void(const std::vector<std::uint8_t>&)> receive;
    handler<void()> connected;
    handler<void()> disconnected;
    handler<void(std::error_code)> stream_error;
    std::shared_ptr<interfaces::connection_observer> observer;

    bool expects_bytes() const noexcept { return receive || observer; }

    /// Whether the program speaks messages, as far as its handlers tell.
    bool expects_messages() const noexcept { return message || connect || disconnect || error; }
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
