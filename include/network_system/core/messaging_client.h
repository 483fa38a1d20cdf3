#pragma once

#include "network_system/core/client_config.h"
#include "network_system/core/wire_statistics.h"
#include "network_system/detail/asio_support.h"
#include "network_system/detail/client_core.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/standard_headers.h"
#include "network_system/interfaces/i_protocol_client.h"
#include "network_system/session/tls_info.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::core {

/// A connection to a server: of whole messages, or the byte stream of any TCP peer.
///
/// Every function may be called on any thread, at any time, also in a handler; the wait functions return at once
/// there. A client may be started again after its connection has ended.
///
/// With `client_config::reconnect` enabled it connects again by itself until it is stopped: it keeps running, the
/// connect and disconnect handlers are called for each connection, and the error handlers for each attempt that failed
/// (ten times a second at most). What is sent meanwhile, and what a lost connection had not begun to write, waits for
/// the next one within the bounds of the outgoing queue, and arrives in order. A message that a lost connection had
/// begun is not sent again. What still waits when the client ends is told to the error handlers as send_failed (-640),
/// and counted in `messages_unsent`.
///
/// Handlers run on the client's loop thread, or where `client_config::dispatch` says, and never overlap. They may be
/// set and replaced at any time, by null too, and serve from the next event. A handler that throws ends the connection,
/// and the error handlers get -645 with the exception's text.
class messaging_client : public interfaces::i_protocol_client, public std::enable_shared_from_this<messaging_client> {
public:
    using message_handler = std::function<void(const std::string&)>;
    using connect_handler = std::function<void()>;
    using disconnect_handler = std::function<void(const std::string&)>;
    using error_handler = std::function<void(const std::string&, int)>;
    using writable_handler = std::function<void()>;

    struct client_statistics {
        std::uint64_t total_connections = 0;
        std::uint64_t messages_sent = 0;      ///< handed to the system whole
        std::uint64_t messages_received = 0;  ///< of the byte stream: every read
        std::uint64_t bytes_sent = 0;         ///< of payload, as all bytes here
        std::uint64_t bytes_received = 0;
        std::uint64_t errors_count = 0;
        std::chrono::steady_clock::time_point start_time;
        std::chrono::steady_clock::time_point last_activity;
        std::uint64_t reconnects = 0;       ///< connections after the first one
        std::uint64_t failed_attempts = 0;  ///< to connect
        std::uint64_t messages_unsent = 0;  ///< of a reconnecting client that has ended: accepted, and not sent
        wire_statistics wire{};
    };

    /// A client without limits on message size and silence.
    messaging_client(std::string_view client_id)
        : messaging_client(client_id, detail::without_limits<client_config>()) {}

    messaging_client(std::string_view client_id, const client_config& config)
        : core_(std::make_shared<detail::client_core>(std::string(client_id), config)) {}

    /// Stops. No handler runs afterwards. A destructor inside a handler, of whatever object, waits for none: the
    /// calling one, and one that another thread is in, run to their end.
    ~messaging_client() override {
        if (!core_->life.shut_down()) {
            core_->handlers.clear();
        }
    }

    // Life cycle

    /// Begins to connect and returns. What comes of it, the connect handlers or the error handlers are told, or
    /// `wait_until_connected`. Errors: already_exists (-7) when it runs, invalid_argument (-1).
    ///
    /// A connection that has ended may be followed by a new one, also from within its own handlers: there the new
    /// one begins when they have returned. After `stop_client()` in a handler a start in a handler is -7.
    VoidResult start_client(std::string_view host, unsigned short port) {
        if (host.empty() && !is_running()) {
            const VoidResult refused = error_void(NETSYS_ERR_INVALID_ARGUMENT, "the host is empty");
            if (core_->bridge) {
                core_->bridge->report(refused.error());
            }
            return refused;
        }
        client_config config = core_->config();
        if (!is_running()) {
            if (VoidResult checked = detail::check_start(config, core_->bridge); checked.is_err()) {
                return checked;
            }
            if (core_->bridge) {
                core_->bridge->choose_executor(config);
            }
        }
        const netsys_status status =
            core_->life.start([core = core_, config, host = std::string(host), port](netsys_client& client) {
                return detail::client_run::launch(core, config, host, port, client);
            });
        return status == NETSYS_ERR_ALREADY_EXISTS ? error_void(status, "the client is already running")
                                                   : detail::to_result(status);
    }

    /// Ends the connection, after what was sent on it has arrived or the drain deadline has passed. The disconnect
    /// handler gets "stopped" before this returns; the older disconnected callback is not called. Then no handler
    /// runs any more. In a handler it returns at once and the rest happens behind it. Always succeeds.
    VoidResult stop_client() {
        core_->life.stop();
        return ok();
    }

    /// The interface's names of the two. The disconnected callback is told of this stop too.
    auto start(std::string_view host, std::uint16_t port) -> VoidResult override { return start_client(host, port); }
    auto stop() -> VoidResult override {
        core_->announces_stop.store(true);
        return stop_client();
    }

    /// Returns when the client has stopped or its (last) connection has ended; at once if it never started, or in a
    /// handler.
    auto wait_for_stop() -> void override { core_->life.wait(); }

    /// Waits for the connection, at most `timeout`. Errors: timeout (-4), the reason why there is no connection,
    /// connection_closed (-603) when the client was not started, and the library's WOULD_DEADLOCK (-21) in a handler.
    template <typename Rep, typename Period>
    VoidResult wait_until_connected(std::chrono::duration<Rep, Period> timeout) {
        return core_->wait_connected(detail::to_ms(timeout));
    }

    // State

    /// False from the moment a stop begins, and when the connection has failed or ended. A reconnecting client runs on
    /// while it is not connected.
    bool is_running() const override { return core_->life.is_running(); }
    /// Framed: the server has answered; raw: TCP is connected.
    bool is_connected() const noexcept override { return core_->is_connected(); }
    const std::string& client_id() const noexcept { return core_->id; }

    // Addresses of the connection; empty or 0 without one

    std::string remote_address() const {
        return text([](auto... out) { return netsys_session_remote_address(out...); });
    }
    unsigned short remote_port() const {
        std::uint16_t port = 0;
        netsys_session_remote_port(core_->session(), &port);
        return port;
    }
    std::string local_address() const {
        return text([](auto... out) { return netsys_session_local_address(out...); });
    }
    unsigned short local_port() const {
        std::uint16_t port = 0;
        netsys_session_local_port(core_->session(), &port);
        return port;
    }

    /// How the connection is encrypted, and who the server is; nothing if it is not, or there is none.
    std::optional<session::tls_info> tls() const { return detail::read_tls(core_->session()); }

    // Sending. Outside a handler a send waits while the outgoing queue is full, at most the configured
    // message_timeout, and then fails with send_failed (-640). In a handler it never waits. Without a connection:
    // connection_closed (-603), unless the client reconnects: then the message waits for the next connection.

    /// One text message; on a raw connection its bytes. An empty message is one too.
    VoidResult send_message(const std::string& message) {
        return core_->send(NETSYS_MESSAGE_TEXT, message.data(), message.size());
    }

    /// One binary message; on a raw connection its bytes.
    VoidResult send_binary_message(const void* data, std::size_t size) {
        return core_->send(NETSYS_MESSAGE_BINARY, data, size);
    }

    /// One binary message; on a raw connection its bytes.
    VoidResult send_raw_data(const std::vector<std::uint8_t>& data) {
        return core_->send(NETSYS_MESSAGE_BINARY, data.data(), data.size());
    }

    /// Bytes of the stream; on a framed connection one binary message. None is invalid_argument (-1).
    VoidResult send_packet(const std::vector<std::uint8_t>& data) {
        if (data.empty() && is_running()) {
            return error_void(NETSYS_ERR_INVALID_ARGUMENT, "the packet is empty");
        }
        return core_->send(NETSYS_MESSAGE_STREAM, data.data(), data.size());
    }

    /// The same; the vector stays as it was, since programs send it again.
    VoidResult send_packet(std::vector<std::uint8_t>&& data) {
        return send_packet(static_cast<const std::vector<std::uint8_t>&>(data));
    }

    /// The interface's name of it, which asks for the connection first.
    auto send(std::vector<std::uint8_t>&& data) -> VoidResult override {
        return core_->send(NETSYS_MESSAGE_STREAM, data.data(), data.size());
    }

    /// Bytes that sends have accepted and that are not yet handed to the system.
    std::size_t queued_bytes() const { return static_cast<std::size_t>(stats().queued_bytes); }

    /// Stops reading: the peer's sends then wait. No message handler runs until `resume_reading()`.
    void pause_reading() { netsys_session_pause(core_->session(), true); }
    void resume_reading() { netsys_session_pause(core_->session(), false); }

    // Configuration

    /// For the next start.
    void set_config(const client_config& config) { core_->configure(config); }
    client_config get_config() const { return core_->config(); }

    // Handlers of the message family. One that is set when the client starts makes it a framed client, unless the
    // configuration says otherwise.

    void set_message_handler(message_handler handler) { core_->handlers.set(&handlers::message, std::move(handler)); }
    void set_connect_handler(connect_handler handler) { core_->handlers.set(&handlers::connect, std::move(handler)); }
    /// Gets the reason. Called once for each connection that was established.
    void set_disconnect_handler(disconnect_handler handler) {
        core_->handlers.set(&handlers::disconnect, std::move(handler));
    }
    /// Gets a text and the code; also called when no connection can be established.
    void set_error_handler(error_handler handler) { core_->handlers.set(&handlers::error, std::move(handler)); }
    /// Called once when the outgoing queue, having been full, has room again. Says nothing about framing.
    void set_writable_handler(writable_handler handler) {
        core_->handlers.set(&handlers::writable, std::move(handler));
    }

    // Handlers of the stream family

    auto set_receive_callback(receive_callback_t callback) -> void override {
        core_->handlers.set(&handlers::receive, std::move(callback));
    }
    auto set_connected_callback(connected_callback_t callback) -> void override {
        core_->handlers.set(&handlers::connected, std::move(callback));
    }
    /// Called when the connection has ended otherwise than by `stop_client()` or the destructor.
    auto set_disconnected_callback(disconnected_callback_t callback) -> void override {
        core_->handlers.set(&handlers::disconnected, std::move(callback));
    }
    /// Called when no connection can be established, and before the disconnection when the peer or the network ended
    /// it: with {2, "asio.misc"} for the end of the stream, else with the system's error or the library's.
    auto set_error_callback(error_callback_t callback) -> void override {
        core_->handlers.set(&handlers::stream_error, std::move(callback));
    }
    /// Hears what these four hear, after them, and of every end of the connection.
    auto set_observer(std::shared_ptr<interfaces::connection_observer> observer) -> void override {
        core_->handlers.replace(&handlers::observer, std::move(observer));
    }

    // Statistics of the run, or of the last one

    client_statistics get_statistics() const {
        const netsys_stats stats = this->stats();
        client_statistics result;
        result.total_connections = stats.connections_total;
        result.messages_sent = stats.messages_sent;
        result.messages_received = stats.messages_received;
        result.bytes_sent = stats.bytes_sent;
        result.bytes_received = stats.bytes_received;
        result.errors_count = stats.errors;
        result.start_time = detail::to_time_point(stats.start_ns);
        result.last_activity = detail::to_time_point(stats.last_activity_ns);
        result.reconnects = stats.reconnects;
        result.failed_attempts = stats.connections_failed;
        result.messages_unsent = stats.messages_unsent;
        result.wire = detail::to_wire_statistics(stats);
        return result;
    }
    void reset_statistics() { netsys_client_reset_stats(core_->life.current()); }

private:
    friend struct detail::client_access;
    using handlers = detail::client_handlers;

    netsys_stats stats() const noexcept {
        netsys_stats stats{};
        stats.struct_size = sizeof(stats);
        netsys_client_stats(core_->life.current(), &stats);
        return stats;
    }

    template <typename Get>
    std::string text(Get get) const {
        const netsys_session session = core_->session();
        return detail::read_string([&](auto... out) { return get(session, out...); });
    }

    const std::shared_ptr<detail::client_core> core_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::core
