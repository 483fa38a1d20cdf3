#pragma once

#include <memory>
#include <utility>

#include "network_system/detail/namespace.h"
#include "network_system/detail/session_core.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// A session as servers make it: of a class that nothing derives from, so that its sends need not look for overrides.
template <typename Session>
class final_session final : public Session {
public:
    explicit final_session(std::shared_ptr<session_core> core) : Session(std::move(core)) { this->never_overridden(); }
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
