#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "network_system/detail/namespace.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::interfaces {

/// One connection, as its server sees it, whatever carries it. session::messaging_session is one.
class i_session {
public:
    virtual ~i_session() = default;

    i_session(const i_session&) = delete;
    i_session& operator=(const i_session&) = delete;

    /// Unique in the process, and valid as long as the session object.
    [[nodiscard]] virtual auto id() const -> std::string_view = 0;
    [[nodiscard]] virtual auto is_connected() const -> bool = 0;
    /// Errors: connection_closed (-603), invalid_argument (-1) without bytes.
    virtual auto send(std::vector<std::uint8_t>&& data) -> VoidResult = 0;
    /// What was sent still goes out.
    virtual auto close() -> void = 0;

protected:
    i_session() = default;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::interfaces
