#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "network_system/config/bridge_config.h"
#include "network_system/core/messaging_client.h"
#include "network_system/core/messaging_server.h"
#include "network_system/detail/bridge_core.h"
#include "network_system/detail/client_access.h"
#include "network_system/detail/container_handler.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/network_module_names.h"
#include "network_system/detail/pool_executor.h"
#include "network_system/detail/pooled_clients.h"
#include "network_system/detail/server_access.h"
#include "network_system/detail/steady_time.h"
#include "network_system/integration/container_integration.h"
#include "network_system/integration/thread_integration.h"
#include "network_system/integration/thread_system_adapter.h"
#include "network_system/session/connection_pool.h"
#include "network_system/session/messaging_session.h"
#include "network_system/utils/counter.h"
#include "network_system/utils/performance_monitor.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::integration {

/// Servers and clients under one configuration, counted together, with one place for their events, and with the
/// program's thread pool and containers.
///
/// Every function may be called on any thread, at any time, also in a handler. Servers and clients belong to whoever
/// holds them, and may outlive the bridge; its handlers are not called any more then.
class messaging_bridge {
public:
    using bridge_config = config::bridge_config;

    /// What its servers and clients have done since it was made or `reset_metrics`, those that have ended included. All
    /// zero while monitoring is switched off.
    struct performance_metrics {
        // connections
        utils::counter total_connections;
        utils::counter active_connections;
        utils::counter connections_active;  ///< the same
        utils::counter failed_connections;  ///< could not be made, or were refused

        // messages
        utils::counter messages_sent;
        utils::counter messages_received;
        utils::counter bytes_sent;  ///< of messages
        utils::counter bytes_received;

        // from a heartbeat to its answer, on framed sessions
        utils::counter avg_latency_us;
        utils::counter max_latency_us;
        utils::counter min_latency_us{UINT64_MAX};  ///< the largest number when there is none
        std::chrono::milliseconds avg_latency{0};   ///< the same as avg_latency_us

        // errors
        utils::counter send_errors;
        utils::counter receive_errors;
        utils::counter timeout_errors;

        std::chrono::steady_clock::time_point start_time;  ///< or of the last reset
        std::chrono::steady_clock::time_point last_update;
    };

    using connection_event_handler = std::function<void(const std::string& endpoint, bool connected)>;
    using error_event_handler = std::function<void(const std::string& error_msg, int error_code)>;

    /// For programs that took the classes and functions from here.
    struct compat {
        using messaging_server = core::messaging_server;
        using messaging_client = core::messaging_client;
        using messaging_session = session::messaging_session;

        /// Of no bridge, and without a configuration.
        static std::shared_ptr<messaging_server> make_messaging_server(const std::string& server_id) {
            return std::make_shared<messaging_server>(server_id);
        }
        static std::shared_ptr<messaging_client> make_messaging_client(const std::string& client_id) {
            return std::make_shared<messaging_client>(client_id);
        }
    };

    explicit messaging_bridge(const std::string& bridge_id = "default")
        : core_(std::make_shared<detail::bridge_core>(bridge_id)) {}

    messaging_bridge(const messaging_bridge&) = delete;
    messaging_bridge& operator=(const messaging_bridge&) = delete;
    messaging_bridge(messaging_bridge&&) = delete;
    messaging_bridge& operator=(messaging_bridge&&) = delete;

    /// Afterwards no handler of the bridge runs; in a handler, where nothing waits, none begins any more. Servers and
    /// clients go on.
    ~messaging_bridge() { core_->silence(); }

    /// Whether servers and clients can be made. Not so after a configuration that cannot be, whose error the starts
    /// give.
    bool is_initialized() const { return core_->fitness().is_ok(); }

    // Servers, clients, and pools of connections. What their configurations leave at the default is as that of the
    // bridge says.

    /// Without limits on connections, message size and silence. `start()` does not start it before it was started once,
    /// since nothing says where it is to listen.
    std::shared_ptr<core::messaging_server> create_server(const std::string& server_id) {
        return keep(std::make_shared<core::messaging_server>(server_id), false);
    }
    std::shared_ptr<core::messaging_server> create_server(const std::string& server_id,
                                                          const core::server_config& config) {
        return keep(std::make_shared<core::messaging_server>(server_id, config), true);
    }

    /// Without limits on message size and silence.
    std::shared_ptr<core::messaging_client> create_client(const std::string& client_id) {
        return keep(std::make_shared<core::messaging_client>(client_id));
    }
    std::shared_ptr<core::messaging_client> create_client(const std::string& client_id,
                                                          const core::client_config& config) {
        return keep(std::make_shared<core::messaging_client>(client_id, config));
    }

    /// The connections to a server, of which there are at most `max_connections_per_client`: one pool for each host and
    /// port, made at the first call. Errors: unsupported (-22) when pooling is switched off, invalid_argument (-1), and
    /// that of a configuration that cannot be.
    Result<std::shared_ptr<session::connection_pool>> get_connection_pool(const std::string& host,
                                                                          unsigned short port) {
        if (const VoidResult fitness = core_->fitness(); fitness.is_err()) {
            return fitness.error();
        }
        const bridge_config settings = core_->config();
        if (!settings.enable_connection_pooling) {
            return error<std::shared_ptr<session::connection_pool>>(
                NETSYS_ERR_UNSUPPORTED, "connection pooling is switched off in the configuration of the bridge");
        }
        if (host.empty() || port == 0) {
            return error<std::shared_ptr<session::connection_pool>>(
                NETSYS_ERR_INVALID_ARGUMENT, "a host and a port are expected, as in get_connection_pool(\"host\", 80)");
        }
        const std::lock_guard<std::mutex> lock(mutex_);
        if (const auto known = pools_.find({host, port}); known != pools_.end()) {
            return ok(std::shared_ptr<session::connection_pool>(known->second));
        }
        session::connection_pool_config config;
        config.max_connections_per_client = settings.max_connections_per_client;
        config.acquire_timeout = settings.connection_timeout;
        config.client_id = core_->id();
        std::shared_ptr<session::connection_pool> pool(
            new session::connection_pool(host, port, config, core::client_config(), core_));
        if (pool->start_.is_err()) {
            return pool->start_.error();
        }
        pools_.emplace(endpoint(host, port), pool);
        return ok(std::move(pool));
    }

    // Life cycle

    // What several calls at a time ask for last, prevails. In a handler, where nothing waits, they return at once while
    // another thread is at it, which then does what they ask for too.

    /// Starts the servers that have a configuration and do not run, where that says, and what `stop()` has stopped and
    /// this has not started again, where it was. What cannot be started is told to the error event handler, and tried
    /// again next time; so is, in a handler, what still stops.
    void start() { become(true); }

    /// Stops its servers, clients and pools, all at once, and waits for that, and for those that are stopping already;
    /// in a handler it returns at once. Of a pool, connections that are leased go on until they are returned.
    void stop() {
        become(false);
        wait_for_ends();  // also of what a handler has stopped, or another thread, which may not have waited
    }

    /// Between `start()` and `stop()`. Servers and clients that the program itself starts run without.
    bool is_running() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return running_;
    }

    // Configuration

    /// For servers, clients and pools that are started from now on. Errors: invalid_argument (-1) for times and sizes
    /// that cannot be, unsupported (-22). After an error nothing can be started until there is a configuration that can
    /// be, so that nothing runs with less than was asked for.
    VoidResult set_config(const bridge_config& config) { return core_->configure(config); }
    bridge_config get_config() const { return core_->config(); }

    // Events, one at a time, in order, on the threads of servers and clients and on those that call the bridge

    /// Gets each beginning (true) and end of a session of its servers and clients, with the peer: "192.0.2.1:8080".
    void set_connection_event_handler(connection_event_handler handler) {
        core_->events().handlers.set(&detail::bridge_handlers::connection, std::move(handler));
    }
    /// Gets the failures of its servers and clients, those of starts included, and messages that are no containers,
    /// of which there may be ten a second. A start that is refused since its configuration cannot be is told on the
    /// thread that asks for it: do not hold a lock there that the handler takes.
    void set_error_event_handler(error_event_handler handler) {
        core_->events().handlers.set(&detail::bridge_handlers::error, std::move(handler));
    }

    // Figures

    performance_metrics get_metrics() const {
        netsys_metrics found{};
        found.struct_size = sizeof(found);
        netsys_bridge_metrics(core_->handle(), &found);
        const std::uint64_t mean_ns =
            found.round_trip.count == 0 ? 0 : found.round_trip.sum_ns / found.round_trip.count;
        performance_metrics result;
        result.total_connections = found.connections_total;
        result.active_connections = found.connections_current;
        result.connections_active = found.connections_current;
        result.failed_connections = found.connections_failed;
        result.messages_sent = found.messages_sent;
        result.messages_received = found.messages_received;
        result.bytes_sent = found.bytes_sent;
        result.bytes_received = found.bytes_received;
        result.avg_latency_us = mean_ns / 1000;
        result.max_latency_us = found.round_trip.max_ns / 1000;
        result.min_latency_us = found.round_trip.count == 0 ? UINT64_MAX : found.round_trip.min_ns / 1000;
        result.avg_latency = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::nanoseconds(mean_ns));
        result.send_errors = found.send_errors;
        result.receive_errors = found.receive_errors;
        result.timeout_errors = found.timeout_errors;
        result.start_time = detail::to_time_point(found.start_ns);
        result.last_update = detail::to_time_point(found.last_update_ns);
        return result;
    }
    /// Begins anew. The connections that there are stay, and so do the statistics of servers and clients.
    void reset_metrics() { netsys_bridge_reset_metrics(core_->handle()); }

    /// How it stands, for people: its servers and clients, its figures, its settings.
    std::string get_status_report() const {
        return detail::read_string([&](auto... out) { return netsys_bridge_status_report(core_->handle(), out...); });
    }

    /// Has it log each beginning and end of a connection and each error as information, not for debugging only.
    void enable_debug_logging(bool enable = true) { netsys_bridge_set_debug_logging(core_->handle(), enable ? 1 : 0); }

    // Threads. Where handlers run takes effect when a server or client is started. Those of one session keep their
    // order and never overlap. What a pool does not take, since it has stopped or is full, runs on the library's own
    // threads.

    /// Has handlers run on the program's pool. Null: on the library's own threads.
    void set_thread_pool_interface(std::shared_ptr<thread_pool_interface> pool) {
        const std::lock_guard<std::mutex> lock(mutex_);
        async_ = pool != nullptr;
        pool_.swap(pool);  // the replaced one goes after the lock: its end waits for its tasks
        choose_threads();
    }
    void set_thread_pool(std::shared_ptr<thread_pool_interface> pool) { set_thread_pool_interface(std::move(pool)); }
    void set_thread_pool(std::nullptr_t) { set_thread_pool_interface(nullptr); }
#ifdef BUILD_WITH_THREAD_SYSTEM
    void set_thread_pool(std::shared_ptr<kcenon::thread::thread_pool> pool) {
        set_thread_pool_interface(pool ? std::make_shared<thread_system_pool_adapter>(std::move(pool)) : nullptr);
    }
#endif

    /// The pool that was set, or that of the process (`thread_integration_manager`).
    std::shared_ptr<thread_pool_interface> get_thread_pool_interface() const {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (pool_) {
                return pool_;
            }
        }
        return thread_integration_manager::instance().get_thread_pool();
    }

    /// Whether handlers run on `get_thread_pool_interface()`. To set a pool switches it on.
    void set_async_mode(bool async = true) {
        const std::lock_guard<std::mutex> lock(mutex_);
        async_ = async;
        choose_threads();
    }

#ifdef BUILD_WITH_CONTAINER_SYSTEM
    // Containers of the container_system library. They travel as one binary message each, made and read by that
    // library.

    using container_type = container_module::value_container;

    /// Gets each message that the servers and clients receive whole and that is a container, after their own handlers,
    /// and where those run: a `std::shared_ptr<value_container>` or a `const value_container&`. Any other message goes
    /// to the error event handler (receive_failed, -641). Null: none.
    template <typename MessageHandler>
    void set_container_message_handler(MessageHandler&& handler) {
        if constexpr (std::is_null_pointer_v<std::decay_t<MessageHandler>>) {
            containers_->set_function(nullptr);
        } else {
            containers_->set_function(
                detail::container_handler<container_type>::wrap(std::forward<MessageHandler>(handler)));
        }
        read_containers();
    }

    /// Makes the containers that messages are read into. Null: the library's own.
    void set_container_factory(std::function<std::shared_ptr<container_type>()> factory) {
        containers_->set_factory(std::move(factory));
    }

    /// Whether messages are read as containers; they are until this says otherwise.
    void enable_container_serialization(bool enable = true) {
        containers_->set_enabled(enable);
        read_containers();
    }

    /// The container that `send_container` sends when it is given none.
    void set_container(std::shared_ptr<container_type> container) {
        const std::lock_guard<std::mutex> lock(mutex_);
        container_.swap(container);  // the replaced one goes after the lock
    }

    /// Sends a container to a session or a client's server. Errors: those of `send_binary_message`, and
    /// invalid_argument (-1) for a container that its library cannot write.
    template <typename Receiver>
    VoidResult send_container(Receiver& receiver, const container_type& container) const {
        const std::vector<std::uint8_t> bytes = detail::container_to_bytes(container);
        if (bytes.empty()) {
            return error_void(NETSYS_ERR_INVALID_ARGUMENT, "container_system could not write the container");
        }
        return receiver.send_binary_message(bytes.data(), bytes.size());
    }

    /// Sends what `set_container` was given.
    template <typename Receiver>
    VoidResult send_container(Receiver& receiver) const {
        std::shared_ptr<container_type> container;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            container = container_;
        }
        return container ? send_container(receiver, *container)
                         : error_void(NETSYS_ERR_INVALID_ARGUMENT, "there is no container: set_container gives one");
    }
#endif

private:
    using endpoint = std::pair<std::string, unsigned short>;

    /// A server or client that it made.
    template <typename Object>
    struct made {
        std::weak_ptr<Object> object;
        bool configured;                       // its configuration says where to start it
        std::optional<endpoint> stopped_at{};  // `stop()` has stopped it, when it was listening or connecting there
    };
    template <typename Object>
    using present = std::vector<std::pair<std::shared_ptr<Object>, made<Object>>>;

    std::shared_ptr<core::messaging_server> keep(std::shared_ptr<core::messaging_server> server, bool configured) {
        detail::server_access::join(*server, core_);
        return remember(servers_, std::move(server), configured);
    }

    std::shared_ptr<core::messaging_client> keep(std::shared_ptr<core::messaging_client> client) {
        detail::client_access::join(*client, core_);
        return remember(clients_, std::move(client), false);
    }

    template <typename Object>
    std::shared_ptr<Object> remember(std::vector<made<Object>>& list, std::shared_ptr<Object> object, bool configured) {
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto is_gone = [](const made<Object>& known) { return known.object.expired(); };
        list.erase(std::remove_if(list.begin(), list.end(), is_gone), list.end());
        list.push_back({object, configured});
        return object;
    }

    /// Those that somebody still has. Their last owner may be the result: it must not be destroyed under the lock.
    template <typename Object>
    present<Object> get_present(const std::vector<made<Object>>& list) const {
        present<Object> found;
        const std::lock_guard<std::mutex> lock(mutex_);
        for (const auto& known : list) {
            if (auto object = known.object.lock()) {
                found.emplace_back(std::move(object), known);
            }
        }
        return found;
    }

    template <typename Object>
    void set_stopped_at(std::vector<made<Object>>& list, const std::shared_ptr<Object>& object,
                        const std::optional<endpoint>& where) {
        const std::lock_guard<std::mutex> lock(mutex_);
        for (auto& known : list) {
            if (!known.object.owner_before(object) && !object.owner_before(known.object)) {
                known.stopped_at = where;
            }
        }
    }

    /// Starts or stops all. Of several threads that ask for it at a time, the first does it for the others.
    void become(bool running) {
        std::unique_lock<std::mutex> lock(mutex_);
        running_ = running;
        ++asked_;
        if (changing_) {
            lock.unlock();
            const bool may_wait = !core_->must_not_wait();
            lock.lock();
            changed_.wait(lock, [&] { return !may_wait || !changing_; });
            return;
        }
        changing_ = true;
        std::uint64_t heard = 0;
        while (heard != asked_) {
            heard = asked_;
            const bool wanted = running_;
            lock.unlock();
            detail::guarded([&] { wanted ? start_all() : stop_all(); }, detail::log_failure);
            lock.lock();
        }
        changing_ = false;
        changed_.notify_all();
    }

    void start_all() {
        start_those(servers_);
        start_those(clients_);
    }

    template <typename Object>
    void start_those(std::vector<made<Object>>& list) {
        for (const auto& [object, known] : get_present(list)) {
            if (!object->is_running() && (known.configured || known.stopped_at)) {
                const VoidResult started = start_one(*object, known.stopped_at);
                // Of other failures the bridge knows by itself.
                if (started.is_err() && !object->is_running() && still_stops(started.error().code)) {
                    core_->report(started.error());
                }
            }
            if (known.stopped_at && object->is_running()) {
                set_stopped_at(list, object, std::nullopt);
            }
        }
    }

    static bool still_stops(int code) {
        return code == NETSYS_ERR_SERVER_ALREADY_RUNNING || code == NETSYS_ERR_ALREADY_EXISTS;
    }

    static VoidResult start_one(core::messaging_server& server, const std::optional<endpoint>& where) {
        return where ? server.start_server(where->first, where->second) : server.start_server();
    }
    static VoidResult start_one(core::messaging_client& client, const std::optional<endpoint>& where) {
        return client.start_client(where->first,
                                   where->second);  // there is no client that its configuration says where
    }

    static endpoint place_of(const core::messaging_server& server) {
        return {server.bind_address(), server.port()};
    }
    static endpoint place_of(const core::messaging_client& client) {
        return detail::client_access::peer(client);
    }

    static auto& life_of(const core::messaging_server& server) {
        return detail::server_access::life(server);
    }
    static auto& life_of(const core::messaging_client& client) {
        return detail::client_access::life(client);
    }

    /// Those that run, of which it is noted where `start()` is to start them again.
    template <typename Object>
    std::vector<std::shared_ptr<Object>> note_running(std::vector<made<Object>>& list) {
        std::vector<std::shared_ptr<Object>> running;
        for (const auto& [object, known] : get_present(list)) {
            if (object->is_running()) {
                set_stopped_at(list, object, place_of(*object));
                running.push_back(object);
            }
        }
        return running;
    }

    template <typename Object>
    static void stop_those(const std::vector<std::shared_ptr<Object>>& running) {
        for (const auto& object : running) {
            life_of(*object).request_stop();
        }
    }

    void stop_all() {
        // Before any is stopped: a client of one of the servers ends with that.
        const auto servers = note_running(servers_);
        const auto clients = note_running(clients_);
        stop_those(servers);
        stop_those(clients);
        std::map<endpoint, std::shared_ptr<session::connection_pool>> pools;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            pools.swap(pools_);
            const auto is_gone = [](const auto& clients) { return clients.expired(); };
            closing_.erase(std::remove_if(closing_.begin(), closing_.end(), is_gone), closing_.end());
            for (const auto& [where, pool] : pools) {
                closing_.push_back(pool->clients_);
            }
        }
        for (const auto& [where, pool] : pools) {
            pool->close();
        }
        wait_for_ends();
    }

    /// Waits for what is ending, but not on a library thread.
    void wait_for_ends() {
        wait_for_those(servers_);
        wait_for_those(clients_);
        if (core_->must_not_wait()) {
            return;
        }
        std::vector<std::weak_ptr<detail::pooled_clients>> closing;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            closing = closing_;
        }
        for (const auto& pool : closing) {
            if (const auto clients = pool.lock()) {
                clients->wait_for_unleased();
            }
        }
    }

    template <typename Object>
    void wait_for_those(const std::vector<made<Object>>& list) {
        for (const auto& [object, known] : get_present(list)) {
            auto& life = life_of(*object);
            if (const auto run = life.ending_run(); run.id != 0) {
                life.wait_for_end(run);
            }
        }
    }

    /// With the mutex held.
    void choose_threads() {
        if (!async_) {
            core_->set_executor_source(nullptr);
            return;
        }
        core_->set_executor_source([pool = pool_] {
            return detail::to_executor(pool ? pool : thread_integration_manager::instance().get_thread_pool());
        });
    }

#ifdef BUILD_WITH_CONTAINER_SYSTEM
    void read_containers() {
        std::function<void(const netsys_message&)> read;
        const std::lock_guard<std::mutex> lock(mutex_);  // what was asked for last is installed last
        if (containers_->is_wanted()) {
            read = [containers = containers_, bridge = core_->handle()](const netsys_message& message) {
                containers->handle(message, bridge);
            };
        }
        core_->events().handlers.set(&detail::bridge_handlers::message, std::move(read));
    }

    const std::shared_ptr<detail::container_handler<container_type>> containers_ =
        std::make_shared<detail::container_handler<container_type>>();
    std::shared_ptr<container_type> container_;
#endif

    const std::shared_ptr<detail::bridge_core> core_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool running_ = false;
    bool changing_ = false;    // a thread is starting or stopping all
    std::uint64_t asked_ = 0;  // how often that was asked for
    bool async_ = false;
    std::shared_ptr<thread_pool_interface> pool_;
    std::vector<made<core::messaging_server>> servers_;
    std::vector<made<core::messaging_client>> clients_;
    std::map<endpoint, std::shared_ptr<session::connection_pool>> pools_;
    std::vector<std::weak_ptr<detail::pooled_clients>> closing_;  // of pools that `stop()` has closed
};

/// The namespaces under other names, as programs know them.
namespace bridge = NETWORK_SYSTEM_NAMESPACE::integration;
namespace compat {
namespace network_module = NETWORK_SYSTEM_NAMESPACE;
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::integration

namespace NETWORK_SYSTEM_NAMESPACE::detail {

inline std::shared_ptr<integration::messaging_bridge> create_bridge() {
    return std::make_shared<integration::messaging_bridge>();
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail

namespace network_module {
using NETWORK_SYSTEM_NAMESPACE::detail::create_bridge;
using NETWORK_SYSTEM_NAMESPACE::integration::messaging_bridge;
}  // namespace network_module
