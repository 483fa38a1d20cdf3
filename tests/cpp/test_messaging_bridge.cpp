// The bridge: messages and figures, settings, pools, starting and stopping all that it made.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "bridge_support.h"
#include "network_system/compatibility.h"
#include "network_system/integration/logger_integration.h"
#include "network_system/utils/network_utils.h"

namespace network_system::test {
namespace {

using config::bridge_config;
using integration::messaging_bridge;
using test_support::connect;
using test_support::connected_client;
using test_support::echo_server;
using test_support::event;
using test_support::journal;
using test_support::on_loopback;
using test_support::patience;
using test_support::traffic;
using test_support::traffic_of;
using test_support::wait_until;
using namespace std::chrono_literals;

static_assert(std::is_same_v<messaging_bridge::bridge_config, bridge_config>);
static_assert(std::is_same_v<messaging_bridge::compat::messaging_server, core::messaging_server>);
static_assert(std::is_same_v<messaging_bridge::compat::messaging_client, core::messaging_client>);
static_assert(std::is_same_v<messaging_bridge::compat::messaging_session, session::messaging_session>);
static_assert(std::is_same_v<network_module::messaging_bridge, messaging_bridge>);
static_assert(
    std::is_same_v<messaging_bridge::performance_metrics, decltype(std::declval<messaging_bridge>().get_metrics())>);
static_assert(
    std::is_same_v<messaging_bridge::connection_event_handler, std::function<void(const std::string&, bool)>>);
static_assert(std::is_same_v<messaging_bridge::error_event_handler, std::function<void(const std::string&, int)>>);
static_assert(std::is_same_v<integration::bridge::messaging_bridge, messaging_bridge>);
static_assert(std::is_same_v<integration::compat::network_module::core::messaging_server, core::messaging_server>);
static_assert(!std::is_copy_constructible_v<messaging_bridge> && !std::is_move_constructible_v<messaging_bridge>);
static_assert(!std::is_convertible_v<std::string, messaging_bridge>);

/// A message has been received a moment before it is counted as sent: both, when as many as this have been.
bool counts(const messaging_bridge& bridge, std::uint64_t messages) {
    return wait_until([&] {
        const auto metrics = bridge.get_metrics();
        return metrics.messages_sent == messages && metrics.messages_received == messages;
    });
}

bridge_config settings(void (*change)(bridge_config&)) {
    bridge_config config;
    change(config);
    return config;
}

// Messages and figures

TEST(MessagingBridge, MessagesGoBothWaysAndAreCounted) {
    messaging_bridge bridge("exchange");
    EXPECT_TRUE(bridge.is_initialized());
    const auto before = std::chrono::steady_clock::now();
    bridge.reset_metrics();
    const auto server = echo_server(bridge);
    journal heard;
    const auto client = connected_client(bridge, server->port(), heard);
    for (const char* text : {"one", "three", ""}) {
        ASSERT_TRUE(client->send_message(text));
    }
    ASSERT_TRUE(counts(bridge, 6));
    EXPECT_EQ((std::vector<std::string>{"one", "three", ""}), heard.all());

    const auto metrics = bridge.get_metrics();
    EXPECT_EQ((traffic{2, 2, 0, 6, 6, 16, 16}), traffic_of(metrics)) << "the server's session and the client's";
    EXPECT_EQ(2, metrics.connections_active);
    EXPECT_EQ(0, metrics.send_errors);
    EXPECT_EQ(0, metrics.receive_errors);
    EXPECT_EQ(0, metrics.timeout_errors);
    EXPECT_GE(metrics.start_time, before);
    EXPECT_LE(metrics.start_time, metrics.last_update);
    EXPECT_LE(metrics.last_update, std::chrono::steady_clock::now());

    client->stop_client();
    server->stop_server();
    const auto after = bridge.get_metrics();
    EXPECT_EQ(0, after.active_connections);
    EXPECT_EQ(0, after.connections_active);
    EXPECT_EQ(2, after.total_connections);
    EXPECT_EQ(6, after.messages_sent) << "those that have ended count too";
}

TEST(MessagingBridge, ResetBeginsAnewAndLeavesTheConnectionsThereAre) {
    messaging_bridge bridge;
    const auto server = echo_server(bridge);
    journal heard;
    const auto client = connected_client(bridge, server->port(), heard);
    ASSERT_TRUE(client->send_message("before"));
    ASSERT_TRUE(counts(bridge, 2));
    const auto reset = std::chrono::steady_clock::now();
    bridge.reset_metrics();
    auto metrics = bridge.get_metrics();
    EXPECT_EQ(0, metrics.messages_sent);
    EXPECT_EQ(0, metrics.total_connections);
    EXPECT_EQ(2, metrics.connections_active);
    EXPECT_GE(metrics.start_time, reset);
    EXPECT_EQ(1u, server->get_statistics().messages_received) << "the server's own statistics stay";
    ASSERT_TRUE(client->send_message("after"));
    ASSERT_TRUE(counts(bridge, 2));
    metrics = bridge.get_metrics();
    EXPECT_EQ(2, metrics.messages_sent);
    EXPECT_EQ(10, metrics.bytes_received);
}

TEST(MessagingBridge, HeartbeatsGiveTheLatency) {
    messaging_bridge bridge;
    const auto none = bridge.get_metrics();
    EXPECT_EQ(UINT64_MAX, none.min_latency_us);
    EXPECT_EQ(0, none.max_latency_us);
    EXPECT_EQ(0, none.avg_latency_us);

    auto config = on_loopback();
    config.heartbeat_interval = 10ms;
    const auto server = echo_server(bridge, config);
    journal heard;
    const auto client = connected_client(bridge, server->port(), heard);
    ASSERT_TRUE(wait_until([&] { return bridge.get_metrics().max_latency_us > 0; }));
    const auto metrics = bridge.get_metrics();
    EXPECT_LE(metrics.min_latency_us, metrics.avg_latency_us);
    EXPECT_LE(metrics.avg_latency_us, metrics.max_latency_us);
    EXPECT_EQ(static_cast<std::uint64_t>(metrics.avg_latency.count()), metrics.avg_latency_us / 1000);
}

TEST(MessagingBridge, FailuresAreCounted) {
    messaging_bridge bridge;
    const test_support::refusing_port nobody;
    const auto client = bridge.create_client("client", core::client_config());
    ASSERT_TRUE(client->start_client("127.0.0.1", nobody.port()));
    EXPECT_EQ(-601, client->wait_until_connected(patience).error().code);
    client->wait_for_stop();
    EXPECT_EQ(1, bridge.get_metrics().failed_connections);
    EXPECT_EQ(0, bridge.get_metrics().total_connections);

    // One that answers nothing to the hello.
    const test_support::raw_listener silent;
    core::client_config hasty;
    hasty.connection_timeout = 50ms;
    hasty.framing = core::framing_mode::framed;
    const auto waiting = bridge.create_client("waiting", hasty);
    ASSERT_TRUE(waiting->start_client("127.0.0.1", silent.port()));
    EXPECT_EQ(-602, waiting->wait_until_connected(patience).error().code);
    waiting->wait_for_stop();
    EXPECT_EQ(2, bridge.get_metrics().failed_connections);
    EXPECT_EQ(1, bridge.get_metrics().timeout_errors);

    // One that begins as a framed peer does, and goes on with nonsense.
    const auto server = echo_server(bridge);
    test_support::raw_peer peer(server->port());
    peer.send("NSYS\r\n\x1a\n" + std::string(60, '\xff'));
    EXPECT_TRUE(wait_until([&] { return bridge.get_metrics().receive_errors > 0; })) << bridge.get_status_report();
}

TEST(MessagingBridge, WithoutMonitoringNothingIsCounted) {
    messaging_bridge bridge;
    ASSERT_TRUE(bridge.set_config(settings([](auto& config) { config.enable_performance_monitoring = false; })));
    const auto server = echo_server(bridge);
    journal heard;
    const auto client = connected_client(bridge, server->port(), heard);
    ASSERT_TRUE(client->send_message("one"));
    ASSERT_TRUE(heard.wait_for(1));
    EXPECT_EQ(0, bridge.get_metrics().total_connections);
    EXPECT_EQ(0, bridge.get_metrics().messages_sent);
    EXPECT_EQ(1u, server->get_statistics().messages_received) << "the server's own statistics go on";
}

TEST(MessagingBridge, TwoCountApart) {
    messaging_bridge one("one");
    messaging_bridge other("other");
    const auto server = echo_server(one);
    journal heard;
    const auto client = connected_client(other, server->port(), heard);
    ASSERT_TRUE(client->send_message("across"));
    for (const messaging_bridge* bridge : {&one, &other}) {
        ASSERT_TRUE(counts(*bridge, 1));
        EXPECT_EQ(1, bridge->get_metrics().connections_active);
        EXPECT_EQ(1, bridge->get_metrics().messages_sent);
        EXPECT_EQ(6, bridge->get_metrics().bytes_received);
    }
}

// Settings

TEST(MessagingBridge, HasTheSettingsThatTheSpecificationPrints) {
    const bridge_config config = messaging_bridge().get_config();
    EXPECT_TRUE(config.enable_performance_monitoring);
    EXPECT_FALSE(config.enable_message_logging);
    EXPECT_TRUE(config.enable_connection_pooling);
    EXPECT_EQ(10u, config.max_connections_per_client);
    EXPECT_EQ(30s, config.connection_timeout);
    EXPECT_EQ(5s, config.message_timeout);
    EXPECT_EQ(8192u, config.message_buffer_size);
    EXPECT_FALSE(config.enable_compression);
    EXPECT_FALSE(config.enable_encryption);
}

TEST(MessagingBridge, ItsSettingsTakeThePlaceOfDefaults) {
    messaging_bridge bridge;
    ASSERT_TRUE(bridge.set_config(settings([](auto& config) { config.connection_timeout = 50ms; })));
    EXPECT_EQ(50ms, bridge.get_config().connection_timeout);
    const test_support::raw_listener silent;
    core::client_config config;
    config.framing = core::framing_mode::framed;
    config.drain_timeout = 1ms;
    const auto hasty = bridge.create_client("hasty", config);
    ASSERT_TRUE(hasty->start_client("127.0.0.1", silent.port()));
    EXPECT_EQ(-602, hasty->wait_until_connected(patience).error().code);

    config.connection_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(patience * 2);
    const auto patient = bridge.create_client("patient", config);
    ASSERT_TRUE(patient->start_client("127.0.0.1", silent.port()));
    EXPECT_EQ(-4, patient->wait_until_connected(200ms).error().code) << "what the client says is not overruled";
    patient->stop_client();
}

/// Fills the way to a peer that does not read, and gives what the last send said.
VoidResult send_until_full(core::messaging_client& client) {
    const std::vector<std::uint8_t> piece(256 * 1024);
    VoidResult sent = ok();
    for (int i = 0; i < 1000 && sent; ++i) {
        sent = client.send_packet(piece);
    }
    return sent;
}

TEST(MessagingBridge, SendsWaitAsLongAsItSays) {
    messaging_bridge bridge;
    ASSERT_TRUE(bridge.set_config(settings([](auto& config) { config.message_timeout = 20ms; })));
    test_support::raw_listener listener;
    core::client_config config;
    config.kernel_send_buffer_size = 16 * 1024;
    config.framing = core::framing_mode::raw;
    config.drain_timeout = 1ms;
    const auto client = bridge.create_client("client", config);
    connect(*client, listener.port());
    const auto peer = listener.accept();
    EXPECT_EQ(-640, send_until_full(*client).error().code);
    EXPECT_TRUE(wait_until([&] { return bridge.get_metrics().send_errors > 0; }));
    client->stop_client();
}

TEST(MessagingBridge, ConfigurationsThatCannotBeLetNothingStart) {
    messaging_bridge bridge;
    std::vector<std::pair<bridge_config, int>> wrong{
        {settings([](auto& config) { config.client_tls.ca_file = "ca.pem"; }), -1},
        {settings([](auto& config) { config.server_tls.certificate_file = "server.pem"; }), -1},
        {settings([](auto& config) { config.max_connections_per_client = 0; }), -1},
        {settings([](auto& config) { config.connection_timeout = 0ms; }), -1},
        {settings([](auto& config) { config.message_timeout = -1ms; }), -1},
        {settings([](auto& config) { config.message_timeout = 0ms; }), -1},
    };
    const auto server = bridge.create_server("server", on_loopback());
    const auto client = bridge.create_client("client");
    ASSERT_TRUE(server->start_server());
    const unsigned short port = server->port();
    for (const auto& [config, code] : wrong) {
        const auto set = bridge.set_config(config);
        ASSERT_TRUE(set.is_err());
        EXPECT_EQ(code, set.error().code);
        EXPECT_FALSE(set.error().message.empty());
        EXPECT_FALSE(bridge.is_initialized());
        EXPECT_TRUE(server->is_running()) << "what runs goes on";
        const auto started = client->start_client("127.0.0.1", port);
        EXPECT_EQ(code, started.error().code);
        EXPECT_EQ(set.error().message, started.error().message);
        EXPECT_FALSE(client->is_running());
        EXPECT_EQ(code, bridge.create_server("new", on_loopback())->start_server().error().code);
        EXPECT_EQ(code, bridge.get_connection_pool("127.0.0.1", port).error().code);
        EXPECT_EQ(config.client_tls.ca_file, bridge.get_config().client_tls.ca_file);
    }
    ASSERT_TRUE(bridge.set_config(bridge_config()));
    EXPECT_TRUE(bridge.is_initialized());
    connect(*client, port);
}

TEST(MessagingBridge, AnIdThatIsTooLongIsTold) {
    messaging_bridge bridge(std::string(1000, 'x'));
    EXPECT_FALSE(bridge.is_initialized());
    EXPECT_EQ(-1, bridge.create_server("server", on_loopback())->start_server().error().code);
    EXPECT_EQ(0, bridge.get_metrics().total_connections);
    EXPECT_TRUE(bridge.set_config(bridge_config()).is_err()) << "no configuration cures that";
    bridge.start();
    bridge.stop();
}

/// Keeps the lines that hold a word.
class listening_logger : public integration::logger_interface {
public:
    void log(integration::log_level level, const std::string& message) override { take(level, message); }
    void log(integration::log_level level, const std::string& message, const std::string&, int,
             const std::string&) override {
        take(level, message);
    }
    bool is_level_enabled(integration::log_level level) const override { return level >= integration::log_level::info; }
    void flush() override {}

    bool hears(const std::string& word) {
        return wait_until([&] {
            for (const std::string& line : lines.all()) {
                if (line.find(word) != std::string::npos) {
                    return true;
                }
            }
            return false;
        });
    }

    journal lines;

private:
    void take(integration::log_level level, const std::string& message) {
        if (is_level_enabled(level)) {
            lines.add(message);
        }
    }
};

TEST(MessagingBridge, MessagesAndConnectionsAreLoggedWhenThatIsAskedFor) {
    const auto logger = std::make_shared<listening_logger>();
    integration::logger_integration_manager::instance().set_logger(logger);
    {
        messaging_bridge bridge("talkative");
        ASSERT_TRUE(bridge.set_config(settings([](auto& config) { config.enable_message_logging = true; })));
        bridge.enable_debug_logging();
        const auto server = echo_server(bridge);
        journal heard;
        const auto client = connected_client(bridge, server->port(), heard);
        ASSERT_TRUE(client->send_message("not to be seen in a log"));
        ASSERT_TRUE(heard.wait_for(1));
        EXPECT_TRUE(logger->hears("bytes=23"));
        EXPECT_TRUE(logger->hears("bridge \"talkative\": connected with 127.0.0.1:"));
        client->stop_client();
        EXPECT_TRUE(logger->hears("bridge \"talkative\": disconnected from 127.0.0.1:"));
        const auto lines_of_the_bridge = [&] {
            const auto all = logger->lines.all();
            return std::count_if(all.begin(), all.end(), [](const std::string& line) {
                return line.find("bridge \"talkative\"") != std::string::npos;
            });
        };
        EXPECT_TRUE(wait_until([&] { return lines_of_the_bridge() == 4; })) << "at both ends";
        bridge.enable_debug_logging(false);
        ASSERT_TRUE(connected_client(bridge, server->port(), heard)->send_message("as silent"));
        ASSERT_TRUE(heard.wait_for(2));
        bridge.stop();
        EXPECT_EQ(4, lines_of_the_bridge());
        for (const std::string& line : logger->lines.all()) {
            EXPECT_EQ(std::string::npos, line.find("not to be seen")) << line;
        }
    }
    integration::logger_integration_manager::instance().set_logger(nullptr);
}

TEST(MessagingBridge, ItsStatusIsForPeople) {
    messaging_bridge bridge("desk");
    EXPECT_NE(std::string::npos, bridge.get_status_report().find("nothing runs"));
    const auto server = echo_server(bridge);
    journal heard;
    const auto client = connected_client(bridge, server->port(), heard);
    const std::string report = bridge.get_status_report();
    for (const std::string& part : {std::string("bridge \"desk\""), "127.0.0.1:" + std::to_string(server->port()),
                                    std::string("client \"client\" runs"), std::string("settings")}) {
        EXPECT_NE(std::string::npos, report.find(part)) << part << "\n" << report;
    }
}

// Pools

TEST(MessagingBridge, PoolsHaveAtMostSoManyConnections) {
    messaging_bridge bridge;
    ASSERT_TRUE(bridge.set_config(settings([](auto& config) { config.max_connections_per_client = 2; })));
    const auto server = echo_server(bridge);
    const auto pool = bridge.get_connection_pool("127.0.0.1", server->port());
    ASSERT_TRUE(pool);
    EXPECT_EQ(2u, pool.value()->pool_size());
    EXPECT_EQ(pool.value(), bridge.get_connection_pool("127.0.0.1", server->port()).value());
    EXPECT_NE(pool.value(), bridge.get_connection_pool("localhost", server->port()).value());
    auto one = pool.value()->acquire();
    auto two = pool.value()->acquire();
    ASSERT_TRUE(one && two);
    EXPECT_EQ(-4, pool.value()->try_acquire().error().code);

    journal heard;
    one->set_message_handler([&](const std::string& message) { heard.add(message); });
    ASSERT_TRUE(one->send_message("through a pool"));
    ASSERT_TRUE(counts(bridge, 2));
    const auto metrics = bridge.get_metrics();
    EXPECT_EQ(4, metrics.total_connections) << "two of the pool, and the server's two";
    EXPECT_EQ(2, metrics.messages_sent);
    EXPECT_EQ(28, metrics.bytes_received);
}

TEST(MessagingBridge, WhatCannotBeAPoolIsAnError) {
    messaging_bridge bridge;
    EXPECT_EQ(-1, bridge.get_connection_pool("", 80).error().code);
    EXPECT_EQ(-1, bridge.get_connection_pool("localhost", 0).error().code);
    ASSERT_TRUE(bridge.set_config(settings([](auto& config) { config.enable_connection_pooling = false; })));
    const auto none = bridge.get_connection_pool("localhost", 80);
    EXPECT_EQ(NETSYS_ERR_UNSUPPORTED, none.error().code);
    EXPECT_FALSE(none.error().message.empty());
}

TEST(MessagingBridge, StopClosesPoolsAndLaterOnesAreNew) {
    messaging_bridge bridge;
    const auto server = echo_server(bridge);
    const unsigned short port = server->port();
    const auto pool = bridge.get_connection_pool("127.0.0.1", port).value();
    pool->acquire().release();
    bridge.stop();
    EXPECT_EQ(-5, pool->acquire(patience).error().code);
    bridge.start();
    const auto next = bridge.get_connection_pool("127.0.0.1", port).value();
    EXPECT_NE(pool, next);
    EXPECT_TRUE(next->acquire(patience));
}

// Starting and stopping all

TEST(MessagingBridge, StartsWhatSaysWhereAndResumesWhatItStopped) {
    messaging_bridge bridge;
    EXPECT_FALSE(bridge.is_running());
    const auto configured = bridge.create_server("configured", on_loopback());
    const auto other = bridge.create_server("other");
    const auto client = bridge.create_client("client");
    client->set_message_handler([](const std::string&) {});
    bridge.start();
    EXPECT_TRUE(bridge.is_running());
    EXPECT_TRUE(configured->is_running());
    EXPECT_FALSE(other->is_running()) << "nothing says where";
    EXPECT_FALSE(client->is_running());
    ASSERT_TRUE(other->start_server("127.0.0.1", 0));
    connect(*client, other->port());
    const unsigned short ports[] = {configured->port(), other->port()};

    bridge.stop();
    EXPECT_FALSE(bridge.is_running());
    EXPECT_FALSE(configured->is_running());
    EXPECT_FALSE(other->is_running());
    EXPECT_FALSE(client->is_running());
    bridge.stop();

    bridge.start();
    EXPECT_EQ(ports[0], configured->port());
    EXPECT_TRUE(other->is_running());
    EXPECT_EQ(ports[1], other->port());
    EXPECT_EQ("127.0.0.1", other->bind_address());
    EXPECT_TRUE(client->wait_until_connected(patience));
    EXPECT_EQ(ports[1], client->remote_port());
    bridge.start();
    EXPECT_EQ(ports[0], configured->port()) << "what runs goes on";
}

TEST(MessagingBridge, WhatTheProgramStoppedStaysStopped) {
    messaging_bridge bridge;
    const auto server = bridge.create_server("server");
    ASSERT_TRUE(server->start_server("127.0.0.1", 0));
    server->stop_server();
    bridge.stop();
    bridge.start();
    EXPECT_FALSE(server->is_running());
}

TEST(MessagingBridge, AStartThatFailedIsTriedAgainAtTheNext) {
    messaging_bridge bridge;
    test_support::recorder<int> errors;
    bridge.set_error_event_handler([&](const std::string&, int code) { errors.add(code); });
    const auto server = bridge.create_server("server");
    ASSERT_TRUE(server->start_server("127.0.0.1", 0));
    const unsigned short port = server->port();
    bridge.stop();
    core::messaging_server intruder("intruder");
    ASSERT_TRUE(intruder.start_server("127.0.0.1", port));
    bridge.start();
    EXPECT_FALSE(server->is_running());
    EXPECT_EQ(-662, errors.at(0));
    intruder.stop_server();
    bridge.start();
    EXPECT_TRUE(server->is_running());
    EXPECT_EQ(port, server->port());
    EXPECT_EQ(1u, errors.size());
    bridge.set_error_event_handler(nullptr);
}

TEST(MessagingBridge, StopInAHandlerReturnsAtOnceAndEndsAll) {
    messaging_bridge bridge;
    const auto server = bridge.create_server("server", on_loopback());
    event stopped;
    server->set_message_handler([&](auto, const std::string&) {
        bridge.stop();
        EXPECT_FALSE(bridge.is_running());
        EXPECT_FALSE(server->is_running());
        stopped.set();
    });
    ASSERT_TRUE(server->start_server());
    journal heard;
    const auto client = connected_client(bridge, server->port(), heard);
    ASSERT_TRUE(client->send_message("stop"));
    ASSERT_TRUE(stopped.wait());
    server->wait_for_stop();
    client->wait_for_stop();
    EXPECT_EQ(0, bridge.get_metrics().active_connections);
}

TEST(MessagingBridge, StartsAndStopsThatRaceEndAsTheLastSays) {
    messaging_bridge bridge;
    std::vector<std::shared_ptr<core::messaging_server>> servers;
    for (int i = 0; i < 4; ++i) {
        servers.push_back(bridge.create_server("server", on_loopback()));
    }
    for (int round = 0; round < 50; ++round) {
        std::thread starting([&] { bridge.start(); });
        std::thread stopping([&] { bridge.stop(); });
        starting.join();
        stopping.join();
        for (const auto& server : servers) {
            EXPECT_EQ(bridge.is_running(), server->is_running()) << "round " << round;
        }
    }
    bridge.stop();
}

TEST(MessagingBridge, WhatItMadeOutlivesIt) {
    auto bridge = std::make_unique<messaging_bridge>();
    const auto server = echo_server(*bridge);
    const auto pool = bridge->get_connection_pool("127.0.0.1", server->port()).value();
    journal heard;
    const auto client = connected_client(*bridge, server->port(), heard);
    bridge.reset();
    ASSERT_TRUE(client->send_message("still here"));
    EXPECT_EQ("still here", heard.at(0));
    EXPECT_TRUE(pool->acquire(patience));
    client->stop_client();
    connect(*client, server->port());
    ASSERT_TRUE(client->send_message("and again"));
    EXPECT_EQ("and again", heard.at(1));
}

TEST(MessagingBridge, ItForgetsWhatIsGone) {
    messaging_bridge bridge;
    for (int i = 0; i < 3; ++i) {
        echo_server(bridge);
        bridge.create_client("client");
    }
    bridge.start();
    EXPECT_NE(std::string::npos, bridge.get_status_report().find("nothing runs"));
}

// Names

TEST(MessagingBridge, EarlierNames) {
    const auto bridge = network_module::create_bridge();
    EXPECT_TRUE(bridge->is_initialized());
    const auto server = messaging_bridge::compat::make_messaging_server("server");
    const auto client = messaging_bridge::compat::make_messaging_client("client");
    EXPECT_EQ("server", server->server_id());
    EXPECT_EQ("client", client->client_id());
    ASSERT_TRUE(server->start_server("127.0.0.1", 0));
    client->set_message_handler([](const std::string&) {});
    connect(*client, server->port());
    EXPECT_EQ(0, bridge->get_metrics().total_connections) << "these are of no bridge";
}

}  // namespace
}  // namespace network_system::test
