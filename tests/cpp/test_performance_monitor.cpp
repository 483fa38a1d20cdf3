// The figures of the process, and the numbers that they are made of.
#include <gtest/gtest.h>
#include <network_system/utils/performance_monitor.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "bridge_support.h"

namespace network_system::test {
namespace {

using test_support::connected_client;
using test_support::echo_server;
using test_support::journal;
using test_support::patience;
using test_support::traffic;
using test_support::traffic_of;
using test_support::wait_until;
using utils::counter;
using utils::performance_monitor;
using namespace std::chrono_literals;

// Counter

static_assert(std::is_nothrow_copy_constructible_v<counter> && std::is_nothrow_copy_assignable_v<counter>);
static_assert(std::is_convertible_v<counter, std::uint64_t>);

TEST(Counter, CountsAsAnAtomicDoes) {
    counter count;
    EXPECT_EQ(0, count);
    EXPECT_EQ(1u, ++count);
    EXPECT_EQ(1u, count++);
    EXPECT_EQ(2u, count.load());
    EXPECT_EQ(2u, count.fetch_add(5));
    EXPECT_EQ(7u, count.fetch_sub(1, std::memory_order_relaxed));
    EXPECT_EQ(10u, count += 4);
    EXPECT_EQ(9u, --count);
    EXPECT_EQ(9u, count--);
    EXPECT_EQ(5u, count -= 3);
    count.store(40, std::memory_order_release);
    EXPECT_EQ(40u, count.exchange(41));
    EXPECT_EQ(41u, count.load(std::memory_order_acquire));
    count = 42;
    const std::uint64_t number = count;
    EXPECT_EQ(42u, number);
    EXPECT_EQ("42", std::to_string(count));
    EXPECT_EQ(21u, count / 2);
    EXPECT_EQ(43u, count + 1);
}

TEST(Counter, IsCopied) {
    counter one{7};
    const counter other = one;
    ++one;
    EXPECT_EQ(7, other);
    EXPECT_EQ(8, one);
    one = other;
    EXPECT_EQ(one, other);
    ++one;
    EXPECT_NE(one, other);
}

template <typename Number>
void compare_with(Number seven) {
    const counter count{7};
    const Number eight = static_cast<Number>(seven + 1);
    EXPECT_TRUE(count == seven && seven == count);
    EXPECT_FALSE(count == eight || eight == count);
    EXPECT_TRUE(count != eight && eight != count);
    EXPECT_FALSE(count != seven || seven != count);
    EXPECT_TRUE(count < eight && eight > count);
    EXPECT_FALSE(count < seven || seven > count);
    EXPECT_TRUE(count <= seven && seven >= count);
    EXPECT_FALSE(eight <= count || count >= eight);
    EXPECT_TRUE(eight >= count && count <= eight);
    EXPECT_FALSE(eight < count || count > eight);
    EXPECT_EQ(count, seven);
    EXPECT_LT(count, eight);
    EXPECT_GE(eight, count);
}

TEST(Counter, ComparesWithNumbersOfAnyType) {
    compare_with<int>(7);
    compare_with<unsigned>(7);
    compare_with<std::int64_t>(7);
    compare_with<std::uint64_t>(7);
    compare_with<std::size_t>(7);
    compare_with<unsigned char>(7);
    const counter large{UINT64_MAX};
    const int negative = -1;
    EXPECT_FALSE(large == negative || negative == large);
    EXPECT_TRUE(large != negative && negative != large);
    EXPECT_TRUE(large > negative && negative < large);
    EXPECT_TRUE(counter{0} > negative && counter{0} >= negative);
    EXPECT_FALSE(counter{0} < negative || negative > counter{0});
    EXPECT_TRUE(counter{6} < counter{7} && counter{7} >= counter{7});
    EXPECT_TRUE(counter{7} < 7.5 && 6.5 < counter{7});
}

TEST(Counter, Prints) {
    std::ostringstream out;
    out << counter{UINT64_MAX} << ' ' << counter{};
    EXPECT_EQ("18446744073709551615 0", out.str());
    EXPECT_EQ("5", testing::PrintToString(counter{5}));
}

TEST(Counter, LosesNothingToThreads) {
    counter count;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int k = 0; k < 10000; ++k) {
                ++count;
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(40000, count);
}

// The monitor

static_assert(!std::is_copy_constructible_v<performance_monitor> &&
              !std::is_default_constructible_v<performance_monitor>);

class PerformanceMonitor : public ::testing::Test {
protected:
    void SetUp() override { monitor_.reset_metrics(); }

    performance_monitor& monitor_ = performance_monitor::instance();
};

TEST_F(PerformanceMonitor, IsOne) {
    EXPECT_EQ(&monitor_, &performance_monitor::instance());
}

TEST_F(PerformanceMonitor, StartsWithNothing) {
    const auto metrics = monitor_.get_metrics();
    EXPECT_EQ(0, metrics.total_connections);
    EXPECT_EQ(0, metrics.messages_sent);
    EXPECT_EQ(0, metrics.avg_latency_us);
    EXPECT_EQ(UINT64_MAX, metrics.min_latency_us);
    EXPECT_EQ(0, metrics.max_latency_us);
    EXPECT_LE(metrics.start_time, std::chrono::steady_clock::now());
    EXPECT_LE(metrics.start_time, metrics.last_update);
    EXPECT_GE(metrics.uptime(), 0ms);
    EXPECT_LT(metrics.uptime(), patience);
}

TEST_F(PerformanceMonitor, ConnectionsAndMessages) {
    monitor_.record_connection(true);
    monitor_.record_connection(true);
    monitor_.record_connection(false);
    monitor_.record_disconnection();
    monitor_.record_message_sent(100);
    monitor_.record_message_sent(50);
    monitor_.record_message_received(7);
    EXPECT_EQ((traffic{2, 1, 1, 2, 1, 150, 7}), traffic_of(monitor_.get_metrics()));
    monitor_.reset_metrics();
    EXPECT_EQ(0, monitor_.get_metrics().total_connections);
    EXPECT_EQ(1, monitor_.get_metrics().active_connections) << "the connections that there are stay";
    monitor_.record_disconnection();
    EXPECT_EQ(0, monitor_.get_metrics().active_connections);
}

TEST_F(PerformanceMonitor, Rates) {
    for (int i = 0; i < 1000; ++i) {
        monitor_.record_connection(true);
        monitor_.record_disconnection();
        monitor_.record_message_sent(1000);
    }
    // The window begins with the reset, and a second of it has to pass before there is a rate.
    ASSERT_TRUE(wait_until([&] { return monitor_.get_metrics().messages_per_second > 0; }));
    const auto metrics = monitor_.get_metrics();
    EXPECT_GT(metrics.messages_per_second, 0);
    EXPECT_GT(metrics.connections_per_second, 0);
    EXPECT_GT(metrics.bytes_per_second, metrics.messages_per_second);
}

TEST_F(PerformanceMonitor, Latencies) {
    for (int i = 1; i <= 100; ++i) {
        monitor_.record_latency(std::chrono::milliseconds(i));
    }
    monitor_.record_latency(std::chrono::microseconds(-5));  // a clock that went back
    const auto metrics = monitor_.get_metrics();
    EXPECT_EQ(0, metrics.min_latency_us);
    EXPECT_EQ(100000, metrics.max_latency_us);
    EXPECT_NEAR(50000.0, static_cast<double>(metrics.avg_latency_us), 500.0);
    EXPECT_NEAR(95000.0, static_cast<double>(metrics.p95_latency_us), 1000.0);
    EXPECT_NEAR(99000.0, static_cast<double>(metrics.p99_latency_us), 1000.0);
}

TEST_F(PerformanceMonitor, ErrorsByTheirKind) {
    for (const char* kind : {"send", "SEND_ERROR", "receive", "timeout", "connection", "connection_refused", "disk"}) {
        monitor_.record_error(kind);
    }
    const auto metrics = monitor_.get_metrics();
    EXPECT_EQ(2, metrics.send_errors);
    EXPECT_EQ(1, metrics.receive_errors);
    EXPECT_EQ(1, metrics.timeout_errors);
    EXPECT_EQ(2, metrics.connection_errors);
    EXPECT_EQ(1, metrics.other_errors);
}

TEST_F(PerformanceMonitor, Memory) {
    monitor_.update_realtime_stats();
    auto metrics = monitor_.get_metrics();
    EXPECT_GT(metrics.memory_usage_bytes, 100000) << "what is resident";
    EXPECT_GE(metrics.peak_memory_usage, metrics.memory_usage_bytes);
    monitor_.record_memory_usage(std::size_t{1} << 50);
    monitor_.record_memory_usage(4096);
    metrics = monitor_.get_metrics();
    EXPECT_EQ(4096, metrics.memory_usage_bytes);
    EXPECT_EQ(std::uint64_t{1} << 50, metrics.peak_memory_usage);
}

TEST_F(PerformanceMonitor, ReportsSayTheSame) {
    monitor_.record_connection(true);
    for (int i = 0; i < 12; ++i) {
        monitor_.record_message_sent(100);
    }
    monitor_.record_latency(2ms);
    const std::string json = monitor_.to_json();
    EXPECT_EQ('{', json.front());
    EXPECT_NE(std::string::npos, json.find("\"connections\": {\"total\": 1, \"current\": 1,")) << json;
    EXPECT_NE(std::string::npos, json.find("\"bytes\": {\"sent\": 1200,")) << json;
    const std::string text = monitor_.generate_report();
    EXPECT_NE(std::string::npos, text.find("12 sent")) << text;
    const std::string page = monitor_.to_prometheus();
    EXPECT_NE(std::string::npos, page.find("# TYPE ")) << page;
    EXPECT_NE(std::string::npos, page.find(" 1200\n")) << page;
    EXPECT_EQ('\n', page.back());
    monitor_.record_disconnection();
}

// Fed by bridges

std::uint64_t heard_by_monitor(bool monitored) {
    auto& monitor = performance_monitor::instance();
    integration::messaging_bridge bridge;
    config::bridge_config settings;
    settings.enable_performance_monitoring = monitored;
    EXPECT_TRUE(bridge.set_config(settings));
    auto config = test_support::on_loopback();
    config.heartbeat_interval = 10ms;
    const auto server = echo_server(bridge, config);
    journal heard;
    const auto client = connected_client(bridge, server->port(), heard);
    const auto before = monitor.get_metrics().messages_received;
    EXPECT_TRUE(client->send_message("one"));
    EXPECT_TRUE(heard.wait_for(1));
    EXPECT_TRUE(wait_until([&] { return !monitored || monitor.get_metrics().avg_round_trip_us > 0; }));
    EXPECT_EQ(monitored ? 2 : 0, monitor.get_metrics().active_connections);
    client->stop_client();
    server->stop_server();
    EXPECT_EQ(0, monitor.get_metrics().active_connections);
    return monitor.get_metrics().messages_received - before;
}

TEST_F(PerformanceMonitor, BridgesFeedIt) {
    EXPECT_EQ(2u, heard_by_monitor(true));
    const auto metrics = monitor_.get_metrics();
    EXPECT_EQ(2, metrics.total_connections);
    EXPECT_EQ(2, metrics.messages_sent);
    EXPECT_EQ(6, metrics.bytes_received);
    EXPECT_GT(metrics.avg_round_trip_us, 0);
    EXPECT_LE(metrics.p95_round_trip_us, metrics.p99_round_trip_us);
    EXPECT_LE(metrics.p95_handler_time_us, metrics.p99_handler_time_us);
    EXPECT_EQ(UINT64_MAX, metrics.min_latency_us) << "latencies are what the program records";
}

TEST_F(PerformanceMonitor, BridgesWithoutMonitoringDoNot) {
    EXPECT_EQ(0u, heard_by_monitor(false));
    EXPECT_EQ(0, monitor_.get_metrics().total_connections);
}

TEST_F(PerformanceMonitor, WhatIsOfNoBridgeIsNotInIt) {
    core::messaging_server server("server", test_support::on_loopback());
    ASSERT_TRUE(server.start_server());
    core::messaging_client client("client");
    client.set_message_handler([](const std::string&) {});
    test_support::connect(client, server.port());
    EXPECT_EQ(0, monitor_.get_metrics().total_connections);
    EXPECT_EQ(1u, server.get_statistics().total_connections);
}

}  // namespace
}  // namespace network_system::test
