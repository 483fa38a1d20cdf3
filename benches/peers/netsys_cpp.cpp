// The library under measurement through its C++17 headers: netsys.c, with messaging_server and messaging_client in
// place of the C ABI. What the two differ by is what the headers cost. Handlers are set on each session, as programs do
// that have something of their own for each connection.
//
// One thing the headers do not tell: how many sessions took a broadcast. A client that misses one does not end.
#include <unistd.h>

#include <condition_variable>
#include <mutex>

#include "network_system/network_system.h"
#include "workload.h"

namespace {

using network_system::core::client_config;
using network_system::core::dispatch_mode;
using network_system::core::framing_mode;
using network_system::core::messaging_client;
using network_system::core::messaging_server;
using network_system::core::send_policy;
using network_system::core::server_config;
using session_ptr = std::shared_ptr<network_system::session::messaging_session>;

void fail(const char* what, const std::string& why) {
    std::fprintf(stderr, "bench: %s: %s\n", what, why.c_str());
    std::exit(2);
}

void require(const network_system::VoidResult& result, const char* what) {
    if (result.is_err()) fail(what, result.error().message);
}

// First: a peer is its connection. One of the two pointers is null.
struct connection : workload_peer {
    connection() : workload_peer() {}

    std::unique_ptr<messaging_client> client;
    network_system::session::messaging_session* session = nullptr;  // owns the handler that owns this
};

// What the main thread waits for; the loop's thread reports it.
struct {
    std::mutex lock;
    std::condition_variable changed;
    bool finished = false;
    bool writable = false;
} shared;

messaging_server* own_server = nullptr;

}  // namespace

static bool transport_send(workload_peer* peer, const std::uint8_t* data, std::size_t len) {
    auto* to = static_cast<connection*>(peer);
    const network_system::VoidResult result = to->session != nullptr ? to->session->send_binary_message(data, len)
                                                                     : to->client->send_binary_message(data, len);
    if (result.is_ok()) return true;
    if (result.error().code != NETSYS_ERR_WOULD_BLOCK) fail("send", result.error().message);
    return false;
}

static std::size_t transport_broadcast(const std::uint8_t* data, std::size_t len) {
    require(own_server->broadcast_message(std::string(reinterpret_cast<const char*>(data), len)), "broadcast");
    return work.options.connections;
}

static void transport_finished() {
    const std::lock_guard<std::mutex> guard(shared.lock);
    shared.finished = true;
    shared.changed.notify_one();
}

namespace {

void handle(connection& from, const std::string& message) {
    workload_data(&from, reinterpret_cast<const std::uint8_t*>(message.data()), message.size());
}

void report_error(const std::string& text, int code) {
    std::fprintf(stderr, "bench: %d: %s\n", code, text.c_str());
    work.errors++;
}

template <typename Config>
Config configured() {
    Config config;
    config.framing = work.options.raw ? framing_mode::raw : framing_mode::framed;
    config.dispatch = work.options.dispatch == DISPATCH_POOL ? dispatch_mode::pool : dispatch_mode::inline_;
    config.message_size_limit = 0;
    config.timeout = std::chrono::seconds(0);
    return config;
}

void serve() {
    auto config = configured<server_config>();
    config.bind_address = "127.0.0.1";
    config.port = 0;
    config.max_connections = 0;
    if (work.options.certificate != nullptr) {
        if (work.options.key == nullptr) bench_fail("a server's certificate needs its --key");
        config.tls.enabled = true;
        config.tls.certificate_file = work.options.certificate;
        config.tls.key_file = work.options.key;
    }
    messaging_server server("bench", config);
    own_server = &server;
    server.set_error_handler(report_error);
    server.set_connect_handler([](session_ptr session) {
        auto own = std::make_shared<connection>();
        own->session = session.get();
        session->set_message_handler([own](const std::string& message) { handle(*own, message); });
        workload_opened(own.get());
    });
    require(server.start_server(), "server start");
    std::printf("%u\n", static_cast<unsigned>(server.port()));
    std::fflush(stdout);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) continue;  // the runner closes it when the client has ended
    workload_end();
    require(server.stop_server(), "server stop");
}

// False: the run has ended early.
bool wait_until_writable() {
    std::unique_lock<std::mutex> guard(shared.lock);
    shared.changed.wait(guard, [] { return shared.writable || shared.finished; });
    return std::exchange(shared.writable, false);
}

void send_from_this_thread(connection& to) {
    require(to.client->wait_until_connected(std::chrono::seconds(30)), "connect");
    workload_begin();
    do {
        workload_pump(&to);
    } while (to.sent < work.options.messages && wait_until_writable());
}

void set_handlers(connection& own) {
    own.client->set_error_handler(report_error);
    own.client->set_message_handler([&own](const std::string& message) { handle(own, message); });
    own.client->set_disconnect_handler([](const std::string&) { workload_closed(); });
    const bool from_handlers = work.options.sender == SENDER_CALLBACK;
    own.client->set_connect_handler([&own, from_handlers] {
        if (from_handlers) workload_opened(&own);
    });
    own.client->set_writable_handler([&own, from_handlers] {
        if (from_handlers) {
            workload_writable(&own);
            return;
        }
        const std::lock_guard<std::mutex> guard(shared.lock);
        shared.writable = true;
        shared.changed.notify_one();
    });
}

void drive() {
    auto config = configured<client_config>();
    config.policy = work.options.sender == SENDER_WAIT ? send_policy::wait : send_policy::would_block;
    if (work.options.certificate != nullptr) {
        config.tls.enabled = true;
        config.tls.ca_file = work.options.certificate;
    }
    std::vector<connection> connections(work.options.connections);
    for (std::uint32_t i = 0; i < work.options.connections; i++) {
        work.peers[i] = &connections[i];
        connections[i].client = std::make_unique<messaging_client>("bench", config);
        set_handlers(connections[i]);
    }
    for (auto& each : connections) require(each.client->start_client("127.0.0.1", work.options.port), "client start");
    if (work.options.sender != SENDER_CALLBACK) send_from_this_thread(connections[0]);

    std::unique_lock<std::mutex> guard(shared.lock);
    shared.changed.wait(guard, [] { return shared.finished; });
    guard.unlock();
    for (auto& each : connections) require(each.client->stop_client(), "client stop");
}

}  // namespace

int main(int argc, char** argv) {
    const bench_options options = bench_parse(argc, argv);
    if (options.sender != SENDER_CALLBACK && (options.work != WORK_STREAM || options.connections != 1)) {
        bench_fail("only a stream on one connection is sent from another thread");
    }
    workload_init(options);
    bench_raise_descriptor_limit();

    // One loop and one thread of the pool, as in netsys.c.
    network_system::config::network_system_config config;
    config.runtime.thread_pool.worker_count = 1;
    config.runtime.logger.async_logging = false;
    config.runtime.logger.min_level = network_system::integration::log_level::error;
    config.runtime.context.max_loops = 1;
    config.runtime.context.pool_threads = 1;
    config.runtime.context.busy_poll_us = work.options.busy_poll_us;
    require(network_system::core::network_context::instance().initialize(config), "initialize");
    if (options.server) {
        serve();
    } else {
        drive();
    }
    network_system::core::network_context::instance().shutdown();
    workload_report();
    workload_release();
    return 0;
}
