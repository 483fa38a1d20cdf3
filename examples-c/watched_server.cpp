// What a server does, as an operator sees it: initialize() with a logger and a monitoring of the application's own.
//
//   watched_server_cpp
//
// The logger gets the library's own lines and those of the NETWORK_LOG_* macros; the monitoring gets the figures of all
// servers and clients at each interval, and a last time at the shutdown. The server and its client run in one process.
// Ends with 0 only if both told what happened.
#include <network_system/network_system.h>

#include <atomic>
#include <chrono>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace {

using network_system::core::messaging_client;
using network_system::core::messaging_server;
using network_system::integration::log_level;
using network_system::integration::logger_interface;
using network_system::integration::monitoring_interface;
namespace metric_names = network_system::metrics::metric_names;

/// Prints the lines; called by any thread.
class console final : public logger_interface {
public:
    void log(log_level, const std::string& message) override {
        const std::lock_guard<std::mutex> lock(mutex_);
        std::cout << "log: " << message << '\n';
        told_of_server = told_of_server || message.find("watched server") != std::string::npos;
    }
    void log(log_level level, const std::string& message, const std::string&, int, const std::string&) override {
        log(level, message);
    }
    bool is_level_enabled(log_level level) const override { return level >= log_level::info; }
    void flush() override { std::cout.flush(); }

    std::atomic<bool> told_of_server{false};

private:
    std::mutex mutex_;
};

/// Adds the counters up, as a monitoring system does.
class totals final : public monitoring_interface {
public:
    using labels = std::map<std::string, std::string>;

    void report_counter(const std::string& name, double value, const labels&) override {
        const std::lock_guard<std::mutex> lock(mutex_);
        sums_[name] += value;
    }
    void report_gauge(const std::string&, double, const labels&) override {}
    void report_histogram(const std::string&, double, const labels&) override {}
    void report_health(const std::string&, bool, double, std::size_t, double) override {}

    double sum(const std::string& name) {
        const std::lock_guard<std::mutex> lock(mutex_);
        return sums_[name];
    }

private:
    std::mutex mutex_;
    std::map<std::string, double> sums_;
};

bool exchange(int messages) {
    messaging_server server("watched server");
    server.set_message_handler([](auto session, const std::string& text) { session->send_message(text); });
    if (!server.start_server("127.0.0.1", 0)) {
        return false;
    }
    int echoes = 0;
    std::promise<void> complete;
    messaging_client client("watched client");
    client.set_message_handler([&](const std::string&) {
        if (++echoes == messages) {
            complete.set_value();
        }
    });
    if (!client.start_client("127.0.0.1", server.port()) || !client.wait_until_connected(std::chrono::seconds(10))) {
        return false;
    }
    for (int sent = 0; sent < messages; ++sent) {
        client.send_message("watch me");
    }
    const bool in_time = complete.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready;
    client.stop_client();
    server.stop_server();
    return in_time;
}

}  // namespace

int main() {
    constexpr int messages = 10;
    const auto log = std::make_shared<console>();
    const auto monitoring = std::make_shared<totals>();

    network_system::config::network_system_config config;
    config.runtime.thread_pool.worker_count = 1;
    config.runtime.monitoring.service_name = "watched";
    config.logger = log;
    config.monitoring = monitoring;
    if (const auto started = network_system::initialize(config); started.is_err()) {
        std::cerr << "watched_server_cpp: " << started.error().message << '\n';
        return 1;
    }
    NETWORK_LOG_INFO("a line of the program");
    const bool exchanged = exchange(messages);
    network_system::shutdown();

    const double sent = monitoring->sum(metric_names::PACKETS_SENT);
    std::cout << monitoring->sum(metric_names::CONNECTIONS_TOTAL) << " ends of connections, " << sent
              << " messages sent\n";
    return exchanged && log->told_of_server && sent == 2 * messages ? 0 : 1;
}
