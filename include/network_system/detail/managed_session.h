#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "network_system/detail/c_api.h"
#include "network_system/detail/guard.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/session_sends.h"
#include "network_system/session/messaging_session.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

struct session_access {
    static netsys_session handle(const session_sends& session) noexcept { return session.core_->id(); }
};

/// A session in the care of a manager. It is asked through its virtual functions, which applications override; that
/// the library's own have ended, the library knows by itself.
class managed_session {
public:
    using session_ptr = std::shared_ptr<session::messaging_session>;

    explicit managed_session(session_ptr session)
        : session_(std::move(session)), was_connected_(session_->is_connected()) {}

    /// The manager owns `managed` once it has taken the session in.
    static netsys_managed_session table(managed_session* managed) noexcept {
        netsys_managed_session table{};
        table.struct_size = sizeof(table);
        table.session = session_access::handle(*managed->session_);
        table.userdata = managed;
        table.last_activity = [](void* userdata) noexcept { return self(userdata).last_activity(); };
        if (table.session.id == 0) {
            table.has_ended = [](void* userdata) noexcept { return self(userdata).has_ended(); };
        }
        table.stop = [](void* userdata, netsys_status code, netsys_str reason) noexcept {
            self(userdata).stop(code, reason);
        };
        table.release = [](void* userdata) noexcept { delete &self(userdata); };
        return table;
    }

    static const session_ptr& session_of(const netsys_managed_session& table) noexcept {
        return self(table.userdata).session_;
    }

private:
    static managed_session& self(void* userdata) noexcept { return *static_cast<managed_session*>(userdata); }

    std::uint64_t last_activity() const noexcept {
        std::uint64_t nanoseconds = 0;
        guarded(
            [&] {
                const auto since = session_->last_activity().time_since_epoch();
                nanoseconds =
                    static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
            },
            log_failure);
        return nanoseconds;
    }

    /// One that never had a connection is as good as ever.
    bool has_ended() const noexcept {
        bool ended = false;
        guarded([&] { ended = was_connected_ && !session_->is_connected(); }, log_failure);
        return ended;
    }

    void stop(netsys_status code, netsys_str reason) const noexcept {
        if (code != NETSYS_OK) {
            // Only the first close counts, and `disconnect` knows no codes.
            netsys_session_close(session_access::handle(*session_), code, reason);
        }
        guarded([&] { session_->disconnect(std::string(reason.data, reason.len)); }, log_failure);
    }

    const session_ptr session_;
    const bool was_connected_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
