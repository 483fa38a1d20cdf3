#include <gtest/gtest.h>
#include <network_system/network_system.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using network_system::core::client_config;
using network_system::core::framing_mode;
using network_system::core::messaging_client;
using network_system::core::messaging_server;
using network_system::core::send_policy;
using network_system::core::server_config;
using network_system::session::messaging_session;

TEST(Limits, EveryFieldArrivesInC) {
    server_config config;
    config.policy = send_policy::drop_oldest;
    config.send_queue_messages = 7;
    config.frame_timeout = 8ms;
    config.unresponsive_timeout = 9ms;
    config.max_connections_per_address = 10;
    config.accept_rate = 11;
    config.accept_burst = 12;
    config.exempt_addresses = "10.0.0.0/8";
    const auto c = network_system::detail::to_c(config, "id");
    EXPECT_EQ(c.send_policy, NETSYS_SEND_DROP_OLDEST);
    EXPECT_EQ(c.send_queue_messages, 7u);
    EXPECT_EQ(c.frame_timeout_ms, 8u);
    EXPECT_EQ(c.unresponsive_timeout_ms, 9u);
    EXPECT_EQ(c.max_connections_per_address, 10u);
    EXPECT_EQ(c.accept_rate, 11u);
    EXPECT_EQ(c.accept_burst, 12u);
    EXPECT_EQ(std::string(c.exempt_addresses.data, c.exempt_addresses.len), "10.0.0.0/8");
}

/// `messaging_server(id)` knows no limits; a configuration that says nothing has the library's.
TEST(Limits, WithoutAConfigurationThereAreNone) {
    const auto unlimited = network_system::detail::unlimited_server();
    EXPECT_EQ(network_system::detail::to_c(unlimited, "id").max_connections_per_address, NETSYS_UNLIMITED_U32);
    EXPECT_EQ(network_system::detail::to_c(server_config{}, "id").max_connections_per_address, 0u);
}

TEST(Limits, ARangeThatIsNoneKeepsTheServerFromStarting) {
    server_config config;
    config.port = 0;
    config.exempt_addresses = "ten/8";
    messaging_server server("id", config);
    const auto started = server.start_server();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, NETSYS_ERR_INVALID_ARGUMENT);
    EXPECT_NE(started.error().message.find("ten/8"), std::string::npos);
}

/// Not taken for 0, which would mean "never" or the default.
TEST(Limits, NegativeTimesAreRefusedAllAtOnce) {
    server_config config;
    config.port = 0;
    config.timeout = -1s;
    config.handshake_timeout = -2ms;
    messaging_server server("id", config);
    const auto started = server.start_server();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, NETSYS_ERR_INVALID_ARGUMENT);
    EXPECT_EQ(started.error().message,
              "timeout is -1000 ms: a time from 0 on is expected; handshake_timeout is -2 ms: a time from 0 on is "
              "expected");
    EXPECT_FALSE(server.is_running());

    client_config of_client;
    of_client.reconnect.max_delay = -1ms;
    messaging_client client("id", of_client);
    const auto connecting = client.start_client("127.0.0.1", 1);
    ASSERT_FALSE(connecting);
    EXPECT_EQ(connecting.error().message, "reconnect.max_delay is -1 ms: a time from 0 on is expected");
    of_client.reconnect.max_delay = 1ms;
    client.set_config(of_client);
    EXPECT_TRUE(client.start_client("127.0.0.1", 1));
}

TEST(Limits, ASessionsPolicyIsItsOwn) {
    server_config config;
    config.port = 0;
    config.bind_address = "127.0.0.1";
    config.send_queue_limit = 64 * 1024;
    std::promise<std::shared_ptr<messaging_session>> opened;
    messaging_server server("id", config);
    server.set_connect_handler([&](std::shared_ptr<messaging_session> session) { opened.set_value(session); });
    ASSERT_TRUE(server.start_server());

    client_config of_client;
    of_client.framing = framing_mode::framed;
    std::promise<void> held;
    std::promise<void> let_go;
    messaging_client client("slow", of_client);
    client.set_message_handler([&, first = true](const std::string&) mutable {
        if (std::exchange(first, false)) {
            held.set_value();
            let_go.get_future().wait();  // so that nothing is read meanwhile
        }
    });
    ASSERT_TRUE(client.start_client("127.0.0.1", server.port()));
    const auto session = opened.get_future().get();
    ASSERT_TRUE(session->send_message("hold"));
    held.get_future().wait();

    session->set_send_policy(send_policy::drop_newest);
    while (session->messages_dropped() < 10) {
        ASSERT_TRUE(session->send_raw_data(std::vector<std::uint8_t>(10000)));
    }
    session->set_send_policy(send_policy::would_block);
    for (;;) {
        const auto sent = session->send_raw_data(std::vector<std::uint8_t>(10000));
        if (!sent) {
            EXPECT_EQ(sent.error().code, NETSYS_ERR_WOULD_BLOCK);
            break;
        }
    }
    EXPECT_GE(session->messages_dropped(), 10u);
    let_go.set_value();
    client.stop_client();
    server.stop_server();
}

}  // namespace
