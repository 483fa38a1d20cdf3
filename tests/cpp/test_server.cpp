// messaging_server: where it listens, its configuration and limits, starting again.
#include "network_system/core/messaging_server.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "network_system/core/messaging_client.h"
#include "support.h"

namespace network_system::test {
namespace {

using core::messaging_client;
using core::messaging_server;
using test_support::journal;
using test_support::patience;
using test_support::raw_peer;
using test_support::recorder;

using session_ptr = std::shared_ptr<session::messaging_session>;

static_assert(std::has_virtual_destructor_v<messaging_server>, "secure_messaging_server is one");

server_config on_free_port() {
    server_config config;
    config.port = 0;
    config.bind_address = "127.0.0.1";
    return config;
}

TEST(ServerConfig, HasTheDefaultsOfTheSpecification) {
    const server_config config;
    EXPECT_EQ(8080, config.port);
    EXPECT_EQ("0.0.0.0", config.bind_address);
    EXPECT_EQ(1000u, config.max_connections);
    EXPECT_EQ(1024u * 1024u, config.message_size_limit);
    EXPECT_EQ(std::chrono::seconds(30), config.timeout);
    EXPECT_TRUE(config.enable_keep_alive);
    EXPECT_TRUE(config.enable_nodelay);
    EXPECT_EQ(8192u, config.receive_buffer_size);
    EXPECT_EQ(8192u, config.send_buffer_size);
    EXPECT_TRUE(std::is_aggregate_v<server_config>);
    EXPECT_TRUE(std::is_aggregate_v<client_config>);
}

TEST(Server, TellsWhereItListens) {
    messaging_server server("server", on_free_port());
    EXPECT_EQ("server", server.server_id());
    EXPECT_EQ(0, server.port());
    ASSERT_TRUE(server.start_server());
    const unsigned short port = server.port();
    EXPECT_NE(0, port);
    EXPECT_EQ("127.0.0.1", server.bind_address());
    server.stop_server();
    EXPECT_EQ(0, server.port()) << "the configured one again";
    ASSERT_TRUE(server.start_server(port));
    EXPECT_EQ(port, server.port());
}

TEST(Server, RefusesAnAddressThatItCannotListenOn) {
    messaging_server server("server");
    const auto started = server.start_server("192.0.2.1", 0);
    ASSERT_TRUE(started.is_err());
    EXPECT_EQ(-662, started.error().code);
    EXPECT_FALSE(started.error().details.empty()) << "what the system says";
    EXPECT_FALSE(server.is_running());
    EXPECT_TRUE(server.start_server("127.0.0.1", 0));
}

TEST(Server, ServesFramedAndRawPeersOnOnePort) {
    messaging_server server("server", on_free_port());
    server.set_message_handler([](session_ptr session, const std::string& message) {
        session->send_message(session->client_id() + ":" + message);
    });
    ASSERT_TRUE(server.start_server());

    journal answers;
    messaging_client framed("framed");
    framed.set_message_handler([&](const std::string& message) { answers.add(message); });
    ASSERT_TRUE(framed.start_client("127.0.0.1", server.port()));
    ASSERT_TRUE(framed.wait_until_connected(patience));
    EXPECT_TRUE(framed.send_message("hello"));
    ASSERT_TRUE(answers.wait_for(1));
    EXPECT_EQ("framed:hello", answers.last());

    raw_peer raw(server.port());
    raw.send("hello");
    EXPECT_EQ(":hello", raw.receive(6));
}

TEST(Server, SilentRawPeerIsConnectedAfterAShortWhile) {
    messaging_server server("server", on_free_port());
    server.set_connect_handler([](session_ptr session) { session->send_message("welcome"); });
    ASSERT_TRUE(server.start_server());
    raw_peer peer(server.port());
    EXPECT_EQ("welcome", peer.receive(7));
}

TEST(Server, LimitsTakeEffectWhileItRuns) {
    messaging_server server("server", on_free_port());
    recorder<session_ptr> sessions;
    server.set_connection_callback([&](session_ptr session) { sessions.add(session); });
    ASSERT_TRUE(server.start_server());
    raw_peer first(server.port());
    ASSERT_TRUE(sessions.wait_for(1));

    server_config config = server.get_config();
    config.max_connections = 1;
    server.set_config(config);
    raw_peer second(server.port());
    EXPECT_EQ("", second.receive(1)) << "ended without having been served";
    EXPECT_EQ(1u, server.connection_count());

    const auto statistics = server.get_statistics();
    EXPECT_EQ(1u, statistics.total_connections);
    EXPECT_EQ(1u, statistics.rejected_connections);
}

TEST(Server, ItsMessageLimitIsKnownToItsClients) {
    server_config config = on_free_port();
    config.message_size_limit = 1000;
    messaging_server server("server", config);
    recorder<std::size_t> sizes;
    server.set_message_handler([&](auto, const std::string& message) { sizes.add(message.size()); });
    ASSERT_TRUE(server.start_server());

    messaging_client client("client");
    client.set_connect_handler([] {});
    ASSERT_TRUE(client.start_client("127.0.0.1", server.port()));
    ASSERT_TRUE(client.wait_until_connected(patience));
    EXPECT_EQ(-642, client.send_message(std::string(1001, 'x')).error().code);
    EXPECT_TRUE(client.send_message(std::string(1000, 'x')));
    ASSERT_TRUE(sizes.wait_for(1));
    EXPECT_EQ(1000u, sizes.last());
}

TEST(Server, SilentSessionEndsAfterTheTimeout) {
    server_config config = on_free_port();
    config.timeout = std::chrono::seconds(1);
    messaging_server server("server", config);
    journal reasons;
    server.set_disconnect_handler([&](auto, const std::string& reason) { reasons.add(reason); });
    ASSERT_TRUE(server.start_server());
    raw_peer peer(server.port());
    peer.send("and then nothing");
    EXPECT_TRUE(reasons.wait_for(1));
    EXPECT_TRUE(peer.at_end());
}

TEST(Server, BroadcastWithoutAStartIsRefused) {
    messaging_server server("server");
    EXPECT_EQ(-660, server.broadcast_message("x").error().code);
    EXPECT_EQ(-660, server.broadcast_to_group("group", "x").error().code);
    EXPECT_EQ(-660, server.disconnect_all_sessions().error().code);
    EXPECT_EQ(0u, server.connection_count());
    EXPECT_EQ(0u, server.get_statistics().total_connections);
}

TEST(Server, BroadcastAfterTheStopIsRefused) {
    messaging_server server("server", on_free_port());
    ASSERT_TRUE(server.start_server());
    EXPECT_TRUE(server.broadcast_message("nobody is there, which is no error"));
    ASSERT_TRUE(server.stop_server());
    EXPECT_EQ(-660, server.broadcast_message("x").error().code);
    EXPECT_EQ(-660, server.broadcast_to_group("group", "x").error().code);
    EXPECT_EQ(-660, server.disconnect_all_sessions().error().code);
}

TEST(Server, RunsOftenAndCountsEachRunAnew) {
    messaging_server server("server", on_free_port());
    recorder<int> connections;
    server.set_connection_callback([&](auto) { connections.add(1); });
    for (std::size_t run = 1; run <= 5; ++run) {
        ASSERT_TRUE(server.start_server());
        raw_peer peer(server.port());
        ASSERT_TRUE(connections.wait_for(run));
        ASSERT_TRUE(server.stop_server());
        EXPECT_EQ(1u, server.get_statistics().total_connections) << "readable after the stop";
    }
}

}  // namespace
}  // namespace network_system::test
