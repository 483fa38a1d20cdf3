#pragma once

#include <memory>
#include <utility>

#include "network_system/detail/namespace.h"
#include "network_system/session/messaging_session.h"

namespace NETWORK_SYSTEM_NAMESPACE::session {

/// A session of a `secure_messaging_server`: one that is encrypted. `tls()` says how, and who the peer is.
class secure_session : public messaging_session {
public:
    explicit secure_session(std::shared_ptr<detail::session_core> core) : messaging_session(std::move(core)) {}
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::session
