// An order desk: what a service in production is made of, in one program.
//
//   service CONFIG [--metrics PORT]     CONFIG: see service.toml; prints "listening on <port>"; ends on SIGINT or
//   SIGTERM
//
// A configuration file, the log, a bridge with its connection and error events, a thread pool that the handlers run on,
// orders as container messages, and, with --metrics, pages that tell how it does: /metrics for Prometheus,
// /metrics.json and /status for people. Built with BUILD_WITH_THREAD_SYSTEM the pool is that of thread_system, and with
// BUILD_WITH_CONTAINER_SYSTEM orders are containers of container_system.

#include <network_system/network_system.h>
#include <pthread.h>

#include <any>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "desk.h"
#include "metrics_page.h"
#include "orders.h"

namespace {

using network_system::config::network_system_config;
using network_system::core::network_config;
using network_system::integration::container_interface;
using network_system::integration::container_manager;
using network_system::integration::messaging_bridge;
using network_system::integration::thread_pool_interface;
using network_system::utils::performance_monitor;
using session_ptr = std::shared_ptr<network_system::session::messaging_session>;

struct arguments {
    std::string config_file;
    std::optional<unsigned short> metrics_port;
};

std::optional<arguments> parse(int argc, char** argv) {
    arguments result;
    if (argc != 2 && !(argc == 4 && std::strcmp(argv[2], "--metrics") == 0)) {
        return std::nullopt;
    }
    result.config_file = argv[1];
    if (argc == 4) {
        unsigned short port = 0;
        const char* end = argv[3] + std::strlen(argv[3]);
        const auto [stop, error] = std::from_chars(argv[3], end, port);
        if (error != std::errc{} || stop != end) {
            return std::nullopt;
        }
        result.metrics_port = port;
    }
    return result;
}

/// Prints a line in one piece: the library's log, whose thread shares standard output, cannot come in between.
void say(const std::string& line) {
    std::cout << line + '\n' << std::flush;
}

std::shared_ptr<thread_pool_interface> make_pool(const network_config& config) {
#ifdef BUILD_WITH_THREAD_SYSTEM
    return network_system::integration::thread_system_pool_adapter::create_default(config.thread_pool.pool_name);
#else
    return std::make_shared<network_system::integration::basic_thread_pool>(
        config.thread_pool.worker_count, config.thread_pool.queue_capacity, config.thread_pool.pool_name);
#endif
}

/// Answers a message with a receipt. Runs on the pool: one message of a session at a time, those of several at once.
void serve(order_desk& desk, const container_interface& format, const session_ptr& session, const std::string& bytes) {
    const auto begin = std::chrono::steady_clock::now();
    const std::any content = format.deserialize({bytes.begin(), bytes.end()});
    receipt answer{0, 0, "this is no order"};
    if (const auto* wanted = std::any_cast<order>(&content)) {
        answer = desk.take(*wanted);
    } else {
        // A line for the first, the second, the fourth...: no peer fills the log, nor writes its own lines into it.
        static std::atomic<std::uint64_t> unreadable{0};
        const std::uint64_t count = ++unreadable;
        if ((count & (count - 1)) == 0) {
            NETWORK_LOG_WARN("no order, but " + std::to_string(bytes.size()) + " bytes in " + session->session_id() +
                             "; messages like it so far: " + std::to_string(count));
        }
    }
    session->send_raw_data(format.serialize(answer));
    performance_monitor::instance().record_latency(std::chrono::steady_clock::now() - begin);
}

int run(const arguments& options, const network_config& config, const sigset_t& stop_signals) {
    messaging_bridge bridge("orders");
    if (const auto fit = bridge.set_config(config.bridge); fit.is_err()) {
        NETWORK_LOG_ERROR(fit.error().message);
        return EXIT_FAILURE;
    }
    bridge.set_async_mode();  // handlers run on the pool of the process, which initialize() was given
    bridge.set_connection_event_handler([](const std::string& peer, bool connected) {
        NETWORK_LOG_INFO((connected ? "connected: " : "gone: ") + peer);
    });
    bridge.set_error_event_handler(
        [](const std::string& what, int code) { NETWORK_LOG_ERROR(what + " (" + std::to_string(code) + ')'); });

    order_desk desk;
    const auto format = container_manager::instance().get_container("orders");
    const auto server = bridge.create_server("order desk", config.server);
    server->set_message_handler([&desk, format](const session_ptr& session, const std::string& bytes) {
        serve(desk, *format, session, bytes);
    });

    metrics_page pages({
        {"/metrics",
         {"text/plain; version=0.0.4; charset=utf-8", [] { return performance_monitor::instance().to_prometheus(); }}},
        {"/metrics.json", {"application/json", [] { return performance_monitor::instance().to_json(); }}},
        {"/status", {"text/plain; charset=utf-8", [&bridge] { return bridge.get_status_report(); }}},
    });
    if (options.metrics_port) {
        if (const auto started = pages.start(*options.metrics_port); started.is_err()) {
            NETWORK_LOG_ERROR("the metrics page cannot be served: " + started.error().message);
            return EXIT_FAILURE;
        }
        say("metrics on http://127.0.0.1:" + std::to_string(pages.port()) + "/metrics");
    }
    bridge.start();  // what it cannot start, the error event handler hears of
    if (!server->is_running()) {
        return EXIT_FAILURE;
    }
    say("listening on " + std::to_string(server->port()));

    int received = 0;
    sigwait(&stop_signals, &received);
    NETWORK_LOG_INFO("asked to stop");
    bridge.stop();  // receipts that were sent arrive; no handler runs afterwards
    pages.stop();
    const auto total = bridge.get_metrics();
    say("sold " + desk.sold() + " in " + std::to_string(total.messages_received) + " messages on " +
        std::to_string(total.total_connections) + " connections");
    return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
    const auto options = parse(argc, argv);
    if (!options) {
        std::cerr << "usage: " << argv[0] << " CONFIG [--metrics PORT]\n";
        return 2;
    }
    const auto config = network_config::from_file(options->config_file);
    if (config.is_err()) {
        std::cerr << config.error().message << '\n';  // every fault, one a line
        return EXIT_FAILURE;
    }

    // Blocked before there are threads, which inherit the mask: sigwait is then the only receiver.
    sigset_t stop_signals;
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGINT);
    sigaddset(&stop_signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);

    container_manager::instance().register_container("orders", std::make_shared<order_format>());
    network_system_config setup;
    setup.runtime = config.value();
    setup.thread_pool = make_pool(config.value());
    if (const auto ready = network_system::initialize(setup); ready.is_err()) {
        std::cerr << "service: " << ready.error().message << '\n';
        return EXIT_FAILURE;
    }
    const int status = run(*options, config.value(), stop_signals);
    network_system::shutdown();  // the last lines of the log are written
    return status;
}
