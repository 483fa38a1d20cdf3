#pragma once

#include "network_system/core/server_config.h"
#include "network_system/core/wire_statistics.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/server_core.h"
#include "network_system/detail/standard_headers.h"
#include "network_system/session/messaging_session.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::core {

/// Accepts connections on one port and serves each as a session. Framed and raw peers may share the port.
///
/// Every function may be called on any thread, at any time, also in a handler; the wait functions return at once
/// there. A server may be started again after it has stopped.
///
/// Handlers run on the server's loop thread and never overlap; those of different sessions do where the configuration
/// says so: with several `io_threads`, and as its `dispatch` has it. Those of one session never do. They may be set and
/// replaced at any time, by null too, and serve from the next event. A handler that throws ends its session, and the
/// error handlers get -645 with the exception's text. What is set on a session takes the place of what is set here
/// under the same name.
class messaging_server : public std::enable_shared_from_this<messaging_server> {
public:
    using message_handler = std::function<void(std::shared_ptr<session::messaging_session>, const std::string&)>;
    using connect_handler = std::function<void(std::shared_ptr<session::messaging_session>)>;
    using disconnect_handler = std::function<void(std::shared_ptr<session::messaging_session>, const std::string&)>;
    using error_handler = std::function<void(const std::string&, int)>;

    using connection_callback_t = std::function<void(std::shared_ptr<session::messaging_session>)>;
    using disconnection_callback_t = std::function<void(const std::string&)>;
    using receive_callback_t =
        std::function<void(std::shared_ptr<session::messaging_session>, const std::vector<std::uint8_t>&)>;
    using error_callback_t = std::function<void(std::shared_ptr<session::messaging_session>, std::error_code)>;

    struct server_statistics {
        std::uint64_t total_connections = 0;  ///< accepted since the start or reset
        std::uint64_t current_connections = 0;
        std::uint64_t messages_sent = 0;      ///< handed to the system whole
        std::uint64_t messages_received = 0;  ///< on raw sessions: every read
        std::uint64_t bytes_sent = 0;         ///< of payload, as all bytes here
        std::uint64_t bytes_received = 0;
        std::uint64_t rejected_connections = 0;  ///< over the limit, and in no other count
        std::chrono::steady_clock::time_point start_time;
        std::chrono::steady_clock::time_point last_activity;
        wire_statistics wire{};
    };

    /// A server without limits on connections, message size and silence.
    messaging_server(const std::string& server_id)
        : core_(std::make_shared<detail::server_core>(server_id, detail::unlimited_server())) {}

    messaging_server(const std::string& server_id, const server_config& config)
        : core_(std::make_shared<detail::server_core>(server_id, config)) {}

    messaging_server(const messaging_server&) = delete;
    messaging_server& operator=(const messaging_server&) = delete;

    /// Stops. No handler runs afterwards. A destructor inside a handler, of whatever object, waits for none: the
    /// calling one, and one that another thread is in, run to their end.
    virtual ~messaging_server() {
        if (!core_->life.shut_down()) {
            core_->handlers.clear();
            core_->sessions.clear_handlers();
        }
    }

    // Life cycle

    /// Listens where the configuration says. Errors: server_already_running (-661), bind_failed (-662),
    /// invalid_argument (-1). A stop that began in a handler is waited for; in a handler it is -661.
    VoidResult start_server() { return start(core_->config()); }

    VoidResult start_server(unsigned short port) {
        server_config config = core_->config();
        config.port = port;
        return start(config);
    }

    VoidResult start_server(const std::string& bind_address, unsigned short port) {
        server_config config = core_->config();
        config.bind_address = bind_address;
        config.port = port;
        return start(config);
    }

    /// Ends all sessions, after what was sent on them has arrived or the drain deadline has passed, and reports each
    /// end; then no handler runs any more. In a handler it returns at once and the rest happens behind it.
    /// Error: server_not_started (-660).
    VoidResult stop_server() { return core_->life.stop() ? ok() : detail::failure(NETSYS_ERR_SERVER_NOT_STARTED); }

    /// Returns when the server has stopped; at once if it never started, or in a handler.
    auto wait_for_stop() -> void { core_->life.wait(); }

    // State

    /// False from the moment a stop begins.
    bool is_running() const { return core_->life.is_running(); }
    const std::string& server_id() const noexcept { return core_->id; }

    /// The port that is listened on; that of the configuration when the server does not run.
    unsigned short port() const {
        std::uint16_t port = 0;
        if (is_running() && netsys_server_port(core_->life.current(), &port) == NETSYS_OK) {
            return port;
        }
        return core_->config().port;
    }

    /// The IP address that is listened on; that of the configuration when the server does not run.
    std::string bind_address() const {
        std::string bound;
        if (is_running()) {
            const netsys_server server = core_->life.current();
            bound = detail::read_string([&](auto... out) { return netsys_server_address(server, out...); });
        }
        return bound.empty() ? core_->config().bind_address : bound;
    }

    /// Sessions between accept and end.
    std::size_t connection_count() const {
        std::size_t count = 0;
        netsys_server_connection_count(core_->life.current(), &count);
        return count;
    }

    // Configuration

    /// For the next start; the limits on connections and message size hold at once.
    void set_config(const server_config& config) {
        core_->configure(config);
        netsys_server_set_limits(core_->life.current(), detail::connection_limit(config),
                                 detail::message_limit(config));
    }
    server_config get_config() const { return core_->config(); }

    /// Gives a server that runs with TLS other certificates and settings. Connections that come from now on get them;
    /// sessions that are there go on as they are. What cannot be used changes nothing. `enabled` is not looked at.
    /// Errors: server_not_started (-660), unsupported (-22) when it runs without TLS, invalid_argument (-1), and for a
    /// file not_found (-2), permission_denied (-3), io_error (-9).
    VoidResult reload_tls(const server_tls_config& config) {
        netsys_tls_config tls = detail::to_c(config);
        tls.flags &= ~NETSYS_TLS_OFF;
        const VoidResult result =
            if_running([&](netsys_server server) { return netsys_server_reload_tls(server, &tls); });
        if (result.is_ok()) {
            core_->configure_tls(config);
        }
        return result;
    }
    /// The same with the settings that it has, and its files read again.
    VoidResult reload_tls() {
        return if_running([](netsys_server server) { return netsys_server_reload_tls(server, nullptr); });
    }

    // Handlers of the message family

    void set_message_handler(message_handler handler) { core_->handlers.set(&handlers::message, std::move(handler)); }
    /// Called once it is known who the peer is: after a framed peer's hello, so that its `client_id()` is there, and
    /// for a raw peer at its first bytes or after a short silence.
    void set_connect_handler(connect_handler handler) { core_->handlers.set(&handlers::connect, std::move(handler)); }
    /// Gets the reason. Called once for each session that the connect handler was due for.
    void set_disconnect_handler(disconnect_handler handler) {
        core_->handlers.set(&handlers::disconnect, std::move(handler));
    }
    /// Gets a text and the code, for failures of the server and of sessions without an error handler of their own.
    void set_error_handler(error_handler handler) { core_->handlers.set(&handlers::error, std::move(handler)); }

    // Handlers of the stream family

    /// Called at accept, before anything is read.
    auto set_connection_callback(connection_callback_t callback) -> void {
        core_->handlers.set(&handlers::connection, std::move(callback));
    }
    /// Gets the server's id. The last callback of each session that was accepted.
    auto set_disconnection_callback(disconnection_callback_t callback) -> void {
        core_->handlers.set(&handlers::disconnection, std::move(callback));
    }
    auto set_receive_callback(receive_callback_t callback) -> void {
        core_->handlers.set(&handlers::receive, std::move(callback));
    }
    /// Called before the disconnection of a session that the peer or the network ended: with {2, "asio.misc"} for
    /// the end of the stream, else with the system's error or the library's.
    auto set_error_callback(error_callback_t callback) -> void {
        core_->handlers.set(&handlers::stream_error, std::move(callback));
    }

    // Broadcast: one text message to each opened session, or to each in a group. It never waits; a session whose
    // queue is past its hard limit is ended, and the others are served. Error: server_not_started (-660), from the
    // moment a stop begins.

    VoidResult broadcast_message(const std::string& message) {
        return if_running([&](netsys_server server) {
            return netsys_server_broadcast(server, NETSYS_MESSAGE_TEXT, message.data(), message.size(), nullptr,
                                           nullptr);
        });
    }
    VoidResult broadcast_to_group(const std::string& group_id, const std::string& message) {
        return if_running([&](netsys_server server) {
            return netsys_server_broadcast_group(server, detail::c_str(group_id), NETSYS_MESSAGE_TEXT, message.data(),
                                                 message.size(), nullptr, nullptr);
        });
    }

    // Sessions. The objects are those that handlers get. An id of no session: session_not_found (-620).

    /// Null if there is no such session.
    std::shared_ptr<session::messaging_session> get_session(const std::string& session_id) {
        return core_->sessions.find(session_id);
    }
    std::vector<std::shared_ptr<session::messaging_session>> get_all_sessions() { return core_->sessions.all(); }

    VoidResult disconnect_session(const std::string& session_id) {
        return with_session(session_id, [](session::messaging_session& session) { session.disconnect(); });
    }
    VoidResult disconnect_all_sessions() {
        return if_running(
            [](netsys_server server) { return netsys_server_disconnect_all(server, detail::c_str("disconnected")); });
    }

    VoidResult add_session_to_group(const std::string& session_id, const std::string& group_id) {
        return with_session(session_id, [&](session::messaging_session& session) { session.join_group(group_id); });
    }
    VoidResult remove_session_from_group(const std::string& session_id, const std::string& group_id) {
        return with_session(session_id, [&](session::messaging_session& session) { session.leave_group(group_id); });
    }
    /// Empty if there is no such session.
    std::vector<std::string> get_session_groups(const std::string& session_id) {
        const auto session = get_session(session_id);
        return session ? session->get_groups() : std::vector<std::string>();
    }

    // Statistics of the run, or of the last one

    server_statistics get_statistics() const {
        netsys_stats stats{};
        stats.struct_size = sizeof(stats);
        netsys_server_stats(core_->life.current(), &stats);
        server_statistics result;
        result.total_connections = stats.connections_total;
        result.current_connections = stats.connections_current;
        result.messages_sent = stats.messages_sent;
        result.messages_received = stats.messages_received;
        result.bytes_sent = stats.bytes_sent;
        result.bytes_received = stats.bytes_received;
        result.rejected_connections = stats.connections_rejected;
        result.start_time = detail::to_time_point(stats.start_ns);
        result.last_activity = detail::to_time_point(stats.last_activity_ns);
        result.wire = detail::to_wire_statistics(stats);
        return result;
    }
    void reset_statistics() { netsys_server_reset_stats(core_->life.current()); }

#ifdef NETWORK_SYSTEM_HAS_MONITOR
    /// Gets `active_connections` at each change, on the loop thread. Not owned; null for none.
    auto set_monitor(detail::monitor_interface* monitor) -> void {
        core_->monitor.store(monitor);
    }
    auto get_monitor() const -> detail::monitor_interface* {
        return core_->monitor.load();
    }
#endif

private:
    friend struct detail::server_access;
    using handlers = detail::server_handlers;

    VoidResult start(server_config config) {
        if (!is_running()) {
            if (VoidResult checked = detail::check_start(config, core_->bridge); checked.is_err()) {
                return checked;
            }
            if (core_->bridge) {
                core_->bridge->choose_executor(config);
            }
        }
        const netsys_status status =
            core_->life.start([core = core_, config = std::move(config)](netsys_server& server) {
                return detail::server_run::launch(core, config, server);
            });
        return status == NETSYS_ERR_ALREADY_EXISTS ? detail::failure(NETSYS_ERR_SERVER_ALREADY_RUNNING)
                                                   : detail::to_result(status);
    }

    /// The handle of a run that has ended serves until the next start, so it is asked for first whether it goes on.
    template <typename Call>
    VoidResult if_running(Call&& call) {
        const netsys_status status =
            is_running() ? std::forward<Call>(call)(core_->life.current()) : NETSYS_ERR_INVALID_HANDLE;
        return status == NETSYS_ERR_INVALID_HANDLE ? detail::failure(NETSYS_ERR_SERVER_NOT_STARTED)
                                                   : detail::to_result(status);
    }

    template <typename Action>
    VoidResult with_session(const std::string& session_id, Action&& action) {
        const auto session = get_session(session_id);
        if (!session) {
            return detail::failure(NETSYS_ERR_SESSION_NOT_FOUND);
        }
        std::forward<Action>(action)(*session);
        return ok();
    }

    const std::shared_ptr<detail::server_core> core_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::core
