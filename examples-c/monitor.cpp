// monitor: the figures of the process, for people, for programs and for Prometheus.
//
//   monitor_cpp
//
// What the program measures itself, it records; what the servers and clients of a bridge do, is counted for it. Ends
// with 0 only if the figures are right.
#include <network_system/integration/messaging_bridge.h>
#include <network_system/utils/performance_monitor.h>

#include <chrono>
#include <cstdlib>
#include <future>
#include <iostream>
#include <string>

namespace {

using network_system::utils::performance_monitor;
using clock_type = std::chrono::steady_clock;

constexpr int questions = 100;

/// Asks, waits for the answer, and tells the monitor how long that took.
bool ask(network_system::core::messaging_client& client, const std::string& question) {
    auto& monitor = performance_monitor::instance();
    std::promise<std::string> promise;
    auto answer = promise.get_future();
    client.set_message_handler([&](const std::string& text) { promise.set_value(text); });
    const auto asked = clock_type::now();
    client.send_message(question);
    if (answer.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
        monitor.record_error("answer timeout");
        std::cerr << "no answer\n";
        std::exit(1);
    }
    monitor.record_latency(clock_type::now() - asked);
    return answer.get() == "re: " + question;
}

}  // namespace

int main() {
    auto& monitor = performance_monitor::instance();
    network_system::integration::messaging_bridge bridge;
    network_system::server_config config;
    config.bind_address = "127.0.0.1";
    config.port = 0;
    const auto server = bridge.create_server("answers", config);
    server->set_message_handler([](auto session, const std::string& text) { session->send_message("re: " + text); });
    bridge.start();

    const auto client = bridge.create_client("questions");
    client->set_message_handler([](const std::string&) {});  // so that it speaks whole messages
    client->start_client("127.0.0.1", server->port());
    if (const auto connected = client->wait_until_connected(std::chrono::seconds(20)); connected.is_err()) {
        std::cerr << connected.error().message << "\n";
        return 1;
    }
    bool good = true;
    for (int i = 0; i < questions; ++i) {
        good &= ask(*client, std::to_string(i));
    }
    bridge.stop();

    std::cout << monitor.generate_report() << "\n" << monitor.to_json() << "\n" << monitor.to_prometheus() << "\n";
    const auto metrics = monitor.get_metrics();
    good &= metrics.total_connections == 2 && metrics.active_connections == 0;
    good &= metrics.messages_sent == 2 * questions && metrics.messages_received == 2 * questions;
    good &= metrics.min_latency_us <= metrics.avg_latency_us && metrics.avg_latency_us <= metrics.max_latency_us;
    good &= metrics.timeout_errors == 0 && metrics.memory_usage_bytes > 0;
    std::cout << questions << " answers, 99 of 100 within " << metrics.p99_latency_us << " us\n";
    return good ? 0 : 1;
}
