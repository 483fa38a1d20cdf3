#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "network_system/detail/bridge_core.h"
#include "network_system/detail/bridge_tap.h"
#include "network_system/detail/error_category.h"
#include "network_system/detail/guard.h"
#include "network_system/detail/handlers.h"
#include "network_system/detail/message_memory.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/session_core.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// Why a session ended, in words; never empty.
inline std::string close_text(const netsys_close_info& why) {
    if (why.text.len != 0) {
        return std::string(why.text.data, why.text.len);
    }
    return netsys_status_message(why.reason == NETSYS_OK ? NETSYS_ERR_CONNECTION_CLOSED : why.reason);
}

/// Whether the stream family has still to hear of the end of a connection as an error: what the peer did, unless
/// the failure was reported already.
inline bool ends_with_stream_error(const netsys_close_info& why, netsys_status reported) noexcept {
    return why.by_peer != 0 && (why.reason == NETSYS_OK || why.reason != reported);
}

/// Delivers the events of one session: to the handler that is set on the session, else to its server's handler of
/// the same name, if it has a server. Used by one thread at a time.
class session_events {
public:
    /// `session` and `server` are null for a session without a server, `bridge` for one without a bridge.
    session_events(netsys_session id, std::shared_ptr<session_core> core, session_ptr session = nullptr,
                   const handler_table<server_handlers>* server = nullptr, const bridge_core* bridge = nullptr)
        : id_(id),
          core_(std::move(core)),
          own_(core_->handlers),
          session_(std::move(session)),
          server_(server != nullptr ? *server : no_server()),
          tap_(bridge) {}

    session_events(const session_events&) = delete;
    session_events& operator=(const session_events&) = delete;

    /// No event follows an ended session, so its handlers, and what they hold, are let go.
    ~session_events() { core_->handlers.clear(); }

    const session_ptr& session() const noexcept { return session_; }

    void accepted() noexcept {
        closing([&] { call(server_.current().connection, session_); });
    }

    void opened() noexcept {
        closing([&] { call(server_.current().connect, session_); });
    }

    void message(const netsys_message& message) noexcept {
        closing([&] { deliver(message); });
    }

    void writable() noexcept {
        closing([&] { call(own_.current().writable); });
    }

    void state_changed(std::uint32_t from, std::uint32_t to) noexcept {
        closing([&] {
            call(own_.current().state_change, static_cast<session::session_state>(from),
                 static_cast<session::session_state>(to));
        });
    }

    void error(const netsys_error_info& info) noexcept {
        reported_ = info.status;
        report(info.message, info.status, info.os_code);
    }

    /// The end of a session that was opened.
    void closed(const netsys_close_info& why) noexcept {
        stop(why);
        surviving([&] {
            if (const auto& servers = server_.current().disconnect) {
                (*servers)(session_, close_text(why));
            }
        });
    }

    /// The last event, for every session that was accepted.
    void ended(const netsys_close_info& why) noexcept {
        stop(why);
        surviving([&] {
            if (const auto& own = own_.current().disconnection) {
                (*own)(core_->server_id);
            } else {
                call(server_.current().disconnection, core_->server_id);
            }
        });
    }

    /// A handler threw: the session ends, and the error handlers are told why.
    void handler_failed(const char* what) noexcept {
        core_->stopped.store(true, std::memory_order_release);
        netsys_session_close(id_, NETSYS_ERR_HANDLER_FAILED, c_str(what));
        report_failed_handler(what);
    }

private:
    void deliver(const netsys_message& message) {
        if (const auto& own = own_.current().message) {
            as_text(message, *own);
        } else if (const auto& servers = server_.current().message) {
            as_text(message, [&](const std::string& text) { (*servers)(session_, text); });
        }
        if (own_.current().receive || server_.current().receive) {
            deliver_bytes(message);
        }
        tap_.offer(message);
    }

    // Not inlined, for the sake of programs that speak messages.
    [[gnu::noinline]] void deliver_bytes(const netsys_message& message) {
        if (const auto& own = own_.current().receive) {
            as_bytes(message, *own);
        } else if (const auto& servers = server_.current().receive) {
            as_bytes(message, [&](const std::vector<std::uint8_t>& bytes) { (*servers)(session_, bytes); });
        }
    }

    template <typename Signature, typename... Arguments>
    static void call(const handler<Signature>& function, Arguments&&... arguments) {
        if (function) {
            (*function)(std::forward<Arguments>(arguments)...);
        }
    }

    static const handler_table<server_handlers>& no_server() {
        static const auto& table = *new handler_table<server_handlers>;  // never destroyed: loops may outlive `main`
        return table;
    }

    template <typename Body>
    void closing(Body&& body) noexcept {
        guarded(std::forward<Body>(body), [this](const char* what) { handler_failed(what); });
    }

    template <typename Body>
    void surviving(Body&& body) noexcept {
        guarded(std::forward<Body>(body), [this](const char* what) { report_failed_handler(what); });
    }

    void report_failed_handler(const char* what) noexcept {
        tap_.handler_failed(what);
        report(what, NETSYS_ERR_HANDLER_FAILED, 0);
    }

    void stop(const netsys_close_info& why) noexcept {
        if (std::exchange(end_reported_, true)) {
            return;
        }
        if (ends_with_stream_error(why, reported_)) {
            report_to_stream_family(why.reason, why.os_code);
        }
        core_->stopped.store(true, std::memory_order_release);
    }

    void report(const char* what, netsys_status status, int os_code) noexcept {
        guarded(
            [&] {
                if (const auto& own = own_.current().error) {
                    (*own)(what, status);
                } else {
                    call(server_.current().error, what, status);
                }
            },
            log_failure);
        report_to_stream_family(status, os_code);
    }

    void report_to_stream_family(netsys_status status, int os_code) noexcept {
        guarded(
            [&] {
                const std::error_code code = to_error_code(status, os_code);
                if (const auto& own = own_.current().stream_error) {
                    (*own)(code);
                } else {
                    call(server_.current().stream_error, session_, code);
                }
            },
            log_failure);
    }

    const netsys_session id_;
    const std::shared_ptr<session_core> core_;
    handler_table<session_handlers>::reader own_;
    const session_ptr session_;
    handler_table<server_handlers>::reader server_;
    bridge_tap tap_;
    netsys_status reported_ = NETSYS_OK;
    bool end_reported_ = false;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
