#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "network_system/detail/c_api.h"
#include "network_system/detail/handlers.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/status.h"
#include "network_system/detail/steady_time.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// Owns one retain of a session, which keeps the ids, data, groups and statistics of an ended one readable.
class session_handle {
public:
    session_handle() noexcept = default;

    static session_handle retained(netsys_session session) noexcept {
        return netsys_session_retain(session) == NETSYS_OK ? session_handle(session) : session_handle();
    }
    /// Takes over the retain that a session is born with.
    static session_handle adopted(netsys_session session) noexcept { return session_handle(session); }

    session_handle(session_handle&& other) noexcept : session_(std::exchange(other.session_, netsys_session{})) {}
    session_handle& operator=(session_handle&& other) noexcept {
        std::swap(session_, other.session_);
        return *this;
    }
    session_handle(const session_handle&) = delete;
    session_handle& operator=(const session_handle&) = delete;
    ~session_handle() {
        if (session_.id != 0) {
            netsys_session_release(session_);
        }
    }

    netsys_session get() const noexcept { return session_; }

private:
    explicit session_handle(netsys_session session) noexcept : session_(session) {}

    netsys_session session_{};
};

/// What a C++ session and the callbacks that serve it share, so that either may go first.
class session_core {
public:
    session_core(session_handle owned, std::string owner_id) noexcept
        : handle(std::move(owned)), server_id(std::move(owner_id)) {}

    /// Of a session without a connection.
    explicit session_core(session_handle detached) noexcept : handle(std::move(detached)), stopped(true) {}

    netsys_session id() const noexcept { return handle.get(); }

    VoidResult send(std::uint32_t kind, const void* data, std::size_t size) const {
        return to_result(send_status(kind, data, size));
    }

    netsys_status send_status(std::uint32_t kind, const void* data, std::size_t size) const noexcept {
        const netsys_status status = netsys_session_send(id(), kind, data, size);
        return status == NETSYS_OK ? status : closed_if_gone(status);
    }

    void close(netsys_status code, std::string_view reason) noexcept {
        stopped.store(true, std::memory_order_release);
        netsys_session_close(id(), code, c_str(reason));
    }

    session_handle handle;
    const std::string server_id;
    handler_table<session_handlers> handlers;
    std::atomic<bool> stopped{false};

private:
    /// A session that is gone is a closed one to whoever sends.
    [[gnu::cold, gnu::noinline]] static netsys_status closed_if_gone(netsys_status status) noexcept {
        return status == NETSYS_ERR_SESSION_NOT_FOUND || status == NETSYS_ERR_INVALID_HANDLE
                   ? NETSYS_ERR_CONNECTION_CLOSED
                   : status;
    }
};

inline netsys_stats read_stats(netsys_session session) noexcept {
    netsys_stats stats{};
    stats.struct_size = sizeof(stats);
    netsys_session_stats(session, &stats);
    return stats;
}

inline std::vector<std::string> groups_of(netsys_session session) {
    struct collection {
        std::vector<std::string> groups;
        bool failed = false;
    } result;
    const auto add = [](void* userdata, netsys_str group) noexcept {
        auto& found = *static_cast<collection*>(userdata);
        try {
            found.groups.emplace_back(group.data, group.len);
        } catch (...) {
            found.failed = true;
        }
    };
    netsys_session_groups(session, add, &result);
    if (result.failed) {
        throw std::bad_alloc();
    }
    return std::move(result.groups);
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
