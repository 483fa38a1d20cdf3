#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "network_system/detail/namespace.h"
#include "network_system/detail/session_core.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverloaded-virtual"  // messaging_session hides the sends on purpose
#endif

/// The sends of a session as derived classes override them: with the printed interface, which returns nothing.
///
/// Callers want to know what became of a send, so messaging_session hides these behind functions of the same names
/// that return a result. Those come here through `send_through`, which takes the outcome from the implementation
/// below; an override that never reaches it counts as a success. Where no override can be, they need none of this.
class session_sends {
public:
    virtual ~session_sends() = default;

    virtual void send_message(const std::string& message) {
        finish(operation::message, NETSYS_MESSAGE_TEXT, message.data(), message.size());
    }

    virtual void send_raw_data(const std::vector<std::uint8_t>& data) {
        finish(operation::raw_data, NETSYS_MESSAGE_BINARY, data.data(), data.size());
    }

    virtual void send_binary_message(const void* data, std::size_t size) {
        finish(operation::binary_message, NETSYS_MESSAGE_BINARY, data, size);
    }

protected:
    enum class operation { message, raw_data, binary_message };

    explicit session_sends(std::shared_ptr<session_core> core) noexcept : core_(std::move(core)) {}

    /// For the constructor of a class that nothing derives from and that overrides no send.
    void never_overridden() noexcept { overridable_ = false; }
    bool is_overridable() const noexcept { return overridable_; }

    /// Calls `overridable`, or `implementation` when an override asks for what it overrides. Not inlined, for the sake
    /// of sends that have no override.
    template <typename Overridable, typename Implementation>
    [[gnu::noinline]] VoidResult send_through(operation which, Overridable&& overridable,
                                              Implementation&& implementation) {
        if (current_ != nullptr && current_->session == this && current_->which == which) {
            implementation();
            return to_result(current_->status);
        }
        const call_scope scope(*this, which);
        overridable();
        return to_result(scope.call.status);
    }

    const std::shared_ptr<session_core> core_;

private:
    friend struct session_access;

    struct pending_call {
        const session_sends* session;
        operation which;
        pending_call* outer;
        netsys_status status = NETSYS_OK;
    };

    struct call_scope {
        call_scope(const session_sends& session, operation which) noexcept : call{&session, which, current_} {
            current_ = &call;
        }
        ~call_scope() { current_ = call.outer; }
        call_scope(const call_scope&) = delete;
        call_scope& operator=(const call_scope&) = delete;

        pending_call call;
    };

    void finish(operation which, std::uint32_t kind, const void* data, std::size_t size) const noexcept {
        const netsys_status status = core_->send_status(kind, data, size);
        if (current_ != nullptr && current_->session == this && current_->which == which) {
            current_->status = status;
        }
    }

    bool overridable_ = true;

    static inline thread_local pending_call* current_ = nullptr;
};

#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
