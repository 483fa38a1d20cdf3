#pragma once

#include "network_system/core/framing.h"
#include "network_system/detail/asio_support.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/session_adoption.h"
#include "network_system/detail/session_core.h"
#include "network_system/detail/session_sends.h"
#include "network_system/detail/standard_headers.h"
#include "network_system/interfaces/i_session.h"
#include "network_system/session/session_state.h"
#include "network_system/session/tls_info.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::session {

/// One connection, as its server sees it.
///
/// Every function may be called on any thread, at any time, also in a handler. An ended session stays readable: ids,
/// addresses, data, groups and statistics; sends on it fail with connection_closed (-603).
///
/// Handlers run on the loop thread of the session, or where its server's configuration says, one at a time. A handler
/// that is set here takes the place of the server's handler of the same name for this session; null gives the place
/// back. A handler that throws ends the session, and the error handlers get -645 with the exception's text.
///
/// Applications may derive from it for their tests: an object made by the protected constructor has no connection,
/// and every virtual function may be overridden with the signature that the specification prints.
class messaging_session : public detail::session_sends,
                          public interfaces::i_session,
                          public std::enable_shared_from_this<messaging_session> {
public:
    using message_handler = std::function<void(const std::string&)>;
    using state_change_handler = std::function<void(session_state, session_state)>;
    using error_handler = std::function<void(const std::string&, int)>;
    using writable_handler = std::function<void()>;

    struct session_statistics {
        std::uint64_t messages_sent = 0;      ///< handed to the system whole
        std::uint64_t messages_received = 0;  ///< of a raw session: every read
        std::uint64_t bytes_sent = 0;         ///< of payload, as all bytes here
        std::uint64_t bytes_received = 0;
        std::uint64_t errors_count = 0;
        std::chrono::steady_clock::time_point last_message_time;
    };

    /// Serves a connected socket, from `asio::ip::tcp::socket` or any other type with its `is_open` and `release`.
    /// Nothing is read before `start_session()`. Peers may be framed or raw, as on a server.
    ///
    /// A started session that a shared_ptr owns lives until the connection ends, also when nobody else holds it.
    template <typename Socket, typename = std::enable_if_t<detail::gives_descriptor<Socket>::value>>
    messaging_session(Socket socket, std::string_view server_id)
        : messaging_session(detail::take_descriptor(socket), std::make_shared<detail::session_anchor>(), server_id) {}

    /// For the library's own use: stands for a session that exists already.
    explicit messaging_session(std::shared_ptr<detail::session_core> core) : session_sends(std::move(core)) {}

    /// Ends a session that was made from a socket; no handler of it runs afterwards, except the calling one. The
    /// sessions of a server live on with it.
    ~messaging_session() override {
        if (anchor_) {
            core_->handlers.clear();
            core_->close(NETSYS_OK, "stopped");
            anchor_->cut();
        }
    }

    // Sending. Outside a handler a send waits while the outgoing queue is full, at most the configured
    // message_timeout, and then fails with send_failed (-640). In a handler it never waits.

    /// One text message; on a raw session its bytes. An empty message is one too.
    template <typename Text = std::string>
    VoidResult send_message(const Text& message) {
        const std::string& text = message;
        if (!is_overridable()) {
            return core_->send(NETSYS_MESSAGE_TEXT, text.data(), text.size());
        }
        return send_through(
            operation::message, [&] { static_cast<session_sends&>(*this).send_message(text); },
            [&] { session_sends::send_message(text); });
    }

    /// One binary message; on a raw session its bytes.
    template <typename Bytes = std::vector<std::uint8_t>>
    VoidResult send_raw_data(const Bytes& data) {
        const std::vector<std::uint8_t>& bytes = data;
        if (!is_overridable()) {
            return core_->send(NETSYS_MESSAGE_BINARY, bytes.data(), bytes.size());
        }
        return send_through(
            operation::raw_data, [&] { static_cast<session_sends&>(*this).send_raw_data(bytes); },
            [&] { session_sends::send_raw_data(bytes); });
    }

    /// One binary message; on a raw session its bytes.
    template <typename Size = std::size_t>
    VoidResult send_binary_message(const void* data, Size size) {
        const auto length = static_cast<std::size_t>(size);
        if (!is_overridable()) {
            return core_->send(NETSYS_MESSAGE_BINARY, data, length);
        }
        return send_through(
            operation::binary_message,
            [this, data, length] { static_cast<session_sends&>(*this).send_binary_message(data, length); },
            [this, data, length] { session_sends::send_binary_message(data, length); });
    }

    /// Bytes of the stream; on a framed session one binary message. None is an error (-1), except on a stopped
    /// session (-603).
    VoidResult send_packet(const std::vector<std::uint8_t>& data) {
        if (is_stopped()) {
            return detail::failure(NETSYS_ERR_CONNECTION_CLOSED);
        }
        return core_->send(NETSYS_MESSAGE_STREAM, data.data(), data.size());
    }

    /// The same; the vector stays as it was, since programs send it again.
    VoidResult send_packet(std::vector<std::uint8_t>&& data) {
        return send_packet(static_cast<const std::vector<std::uint8_t>&>(data));
    }

    /// The interface's name of it.
    auto send(std::vector<std::uint8_t>&& data) -> VoidResult override { return send_packet(std::move(data)); }

    /// Bytes that sends have accepted and that are not yet handed to the system.
    std::size_t queued_bytes() const { return static_cast<std::size_t>(detail::read_stats(core_->id()).queued_bytes); }

    /// Chooses what a send on this session does when its queue is full, in place of the configuration's policy. At
    /// once.
    void set_send_policy(core::send_policy policy) {
        netsys_session_set_send_policy(core_->id(), static_cast<std::uint32_t>(policy));
    }

    /// Messages that sends accepted and that the policy dropped.
    std::uint64_t messages_dropped() const { return detail::read_stats(core_->id()).messages_dropped; }

    // Back-pressure. A relay pauses its source while its target's queue is long.

    /// Stops reading: the peer's sends then wait. No message handler runs until `resume_reading()`.
    virtual void pause_reading() { netsys_session_pause(core_->id(), true); }
    virtual void resume_reading() { netsys_session_pause(core_->id(), false); }

    // What the session is

    /// Unique in the process.
    virtual std::string session_id() const {
        return text([](auto... out) { return netsys_session_id(out...); });
    }

    /// The same, read once and kept.
    auto id() const -> std::string_view override {
        std::call_once(id_read_, [this] { id_ = session_id(); });
        return id_;
    }

    /// What the peer calls itself; empty for raw peers and as long as the peer has not said it.
    virtual std::string client_id() const {
        return text([](auto... out) { return netsys_session_client_id(out...); });
    }

    /// The id of the server, for all its sessions the same.
    [[nodiscard]] auto server_id() const -> const std::string& { return core_->server_id; }

    virtual std::string remote_address() const {
        return text([](auto... out) { return netsys_session_remote_address(out...); });
    }
    virtual unsigned short remote_port() const {
        std::uint16_t port = 0;
        netsys_session_remote_port(core_->id(), &port);
        return port;
    }
    virtual std::string local_address() const {
        return text([](auto... out) { return netsys_session_local_address(out...); });
    }
    virtual unsigned short local_port() const {
        std::uint16_t port = 0;
        netsys_session_local_port(core_->id(), &port);
        return port;
    }

    /// How it is encrypted, and who the peer is; nothing if it is not encrypted.
    std::optional<tls_info> tls() const { return detail::read_tls(core_->id()); }

    virtual session_state state() const {
        std::uint32_t state = NETSYS_STATE_DISCONNECTED;
        netsys_session_state(core_->id(), &state);
        return static_cast<session_state>(state);
    }
    /// From accept to the end, also while it is yet to be decided whether the peer is framed or raw.
    bool is_connected() const override {
        const session_state now = state();
        return now == session_state::connected || now == session_state::connecting;
    }

    /// Whether the session was closed by either side, or its connection has failed.
    [[nodiscard]] auto is_stopped() const noexcept -> bool { return core_->stopped.load(std::memory_order_acquire); }

    virtual std::chrono::steady_clock::time_point connect_time() const {
        return detail::to_time_point(detail::read_stats(core_->id()).start_ns);
    }
    virtual std::chrono::steady_clock::time_point last_activity() const {
        return detail::to_time_point(detail::read_stats(core_->id()).last_activity_ns);
    }

    // Life cycle. What is queued still goes out. The disconnection is reported by the loop, never from inside these.

    virtual void disconnect() { disconnect("disconnected"); }
    /// A framed peer learns the reason.
    virtual void disconnect(const std::string& reason) { core_->close(NETSYS_OK, reason); }

    /// Begins to read, for a session that was made from a socket. Others have begun; again does nothing.
    auto start_session() -> void {
        if (!anchor_ || core_->id().id == 0 || started_.exchange(true)) {
            return;
        }
        if (auto self = weak_from_this().lock()) {
            anchor_->keep_alive(std::move(self));
        }
        netsys_session_pause(core_->id(), false);
    }

    /// The older name of `disconnect()`.
    auto stop_session() -> void { core_->close(NETSYS_OK, "stopped"); }
    /// The interface's name of it.
    auto close() -> void override { stop_session(); }

    // Data that the application attaches, and groups that broadcasts reach

    virtual void set_session_data(const std::string& key, const std::string& value) {
        netsys_session_set_data(core_->id(), detail::c_str(key), detail::c_str(value));
    }
    /// Empty when there is none.
    virtual std::string get_session_data(const std::string& key) const {
        return text(
            [&](auto session, auto... out) { return netsys_session_get_data(session, detail::c_str(key), out...); });
    }
    virtual bool has_session_data(const std::string& key) const {
        const auto found = netsys_session_get_data(core_->id(), detail::c_str(key), nullptr, 0, nullptr);
        return found == NETSYS_OK || found == NETSYS_ERR_BUFFER_TOO_SMALL;
    }
    virtual void remove_session_data(const std::string& key) {
        netsys_session_remove_data(core_->id(), detail::c_str(key));
    }
    virtual void clear_session_data() { netsys_session_clear_data(core_->id()); }

    virtual void join_group(const std::string& group_id) {
        netsys_session_join_group(core_->id(), detail::c_str(group_id));
    }
    virtual void leave_group(const std::string& group_id) {
        netsys_session_leave_group(core_->id(), detail::c_str(group_id));
    }
    virtual std::vector<std::string> get_groups() const { return detail::groups_of(core_->id()); }
    virtual bool is_in_group(const std::string& group_id) const {
        bool member = false;
        netsys_session_in_group(core_->id(), detail::c_str(group_id), &member);
        return member;
    }

    virtual session_statistics get_statistics() const {
        const netsys_stats stats = detail::read_stats(core_->id());
        session_statistics result;
        result.messages_sent = stats.messages_sent;
        result.messages_received = stats.messages_received;
        result.bytes_sent = stats.bytes_sent;
        result.bytes_received = stats.bytes_received;
        result.errors_count = stats.errors;
        result.last_message_time = detail::to_time_point(stats.last_message_ns);
        return result;
    }
    virtual void reset_statistics() { netsys_session_reset_stats(core_->id()); }

    // Handlers of the message family

    virtual void set_message_handler(message_handler handler) {
        core_->handlers.set(&handlers::message, std::move(handler));
    }
    /// Gets the state before and the state after.
    virtual void set_state_change_handler(state_change_handler handler) {
        core_->handlers.set(&handlers::state_change, std::move(handler));
    }
    /// Gets a text and the code.
    virtual void set_error_handler(error_handler handler) { core_->handlers.set(&handlers::error, std::move(handler)); }
    /// Called once when the outgoing queue, having been full, has room again.
    virtual void set_writable_handler(writable_handler handler) {
        core_->handlers.set(&handlers::writable, std::move(handler));
    }

    // Handlers of the stream family

    auto set_receive_callback(std::function<void(const std::vector<std::uint8_t>&)> callback) -> void {
        core_->handlers.set(&handlers::receive, std::move(callback));
    }
    /// Gets the server's id. The last callback of the session.
    auto set_disconnection_callback(std::function<void(const std::string&)> callback) -> void {
        core_->handlers.set(&handlers::disconnection, std::move(callback));
    }
    /// Called before the disconnection when the peer or the network ended the connection: with {2, "asio.misc"} for
    /// the end of the stream, else with the system's error or the library's.
    auto set_error_callback(std::function<void(std::error_code)> callback) -> void {
        core_->handlers.set(&handlers::stream_error, std::move(callback));
    }

protected:
    messaging_session() : messaging_session(std::make_shared<detail::session_core>(detail::session_handle())) {}

private:
    using handlers = detail::session_handlers;

    messaging_session(int fd, std::shared_ptr<detail::session_anchor> anchor, std::string_view server_id)
        : session_sends(std::make_shared<detail::session_core>(detail::session_handle(), std::string(server_id))),
          anchor_(std::move(anchor)) {
        detail::session_adoption::adopt(fd, core_, anchor_);
    }

    template <typename Get>
    std::string text(Get get) const {
        return detail::read_string([&](auto... out) { return get(core_->id(), out...); });
    }

    const std::shared_ptr<detail::session_anchor> anchor_;  // only of a session made from a socket
    std::atomic<bool> started_{false};
    mutable std::once_flag id_read_;
    mutable std::string id_;
};

/// Makes a session that has no connection: its state is `disconnected`, sends fail with connection_closed (-603),
/// and data, groups and handlers work. Null when an id is not valid.
inline std::shared_ptr<messaging_session> create_tcp_session(const std::string& session_id,
                                                             const std::string& client_id) {
    netsys_session session{};
    if (netsys_session_create(detail::c_str(session_id), detail::c_str(client_id), &session) != NETSYS_OK) {
        return nullptr;
    }
    return std::make_shared<messaging_session>(
        std::make_shared<detail::session_core>(detail::session_handle::adopted(session)));
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::session
