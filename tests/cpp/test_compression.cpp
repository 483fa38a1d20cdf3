#include <gtest/gtest.h>
#include <network_system/network_system.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "waiting.h"

namespace {

using network_system::core::client_config;
using network_system::core::compression_mode;
using network_system::core::framing_mode;
using network_system::core::messaging_client;
using network_system::core::messaging_server;
using network_system::core::server_config;
using network_system::session::messaging_session;
using test_support::event;
using test_support::journal;

TEST(Compression, TheSettingsArriveInC) {
    server_config config;
    EXPECT_EQ(network_system::detail::to_c(config, "id").compression, NETSYS_COMPRESSION_OFF);
    config.compression = compression_mode::zstd;
    config.compression_threshold = 7;
    config.compression_level = 8;
    const auto c = network_system::detail::to_c(config, "id");
    EXPECT_EQ(c.compression, NETSYS_COMPRESSION_ZSTD);
    EXPECT_EQ(c.compression_threshold_bytes, 7u);
    EXPECT_EQ(c.compression_level, 8u);
}

TEST(Compression, MessagesArriveAsTheyWere) {
    for (const auto mode : {compression_mode::automatic, compression_mode::lz4, compression_mode::zstd}) {
        server_config config;
        config.port = 0;
        config.bind_address = "127.0.0.1";
        config.compression = mode;
        messaging_server server("id", config);
        server.set_message_handler([](std::shared_ptr<messaging_session> session, const std::string& text) {
            EXPECT_TRUE(session->send_message(text));
        });
        ASSERT_TRUE(server.start_server());

        client_config of_client;
        of_client.framing = framing_mode::framed;
        of_client.compression = mode;
        journal echoed;
        messaging_client client("id", of_client);
        client.set_message_handler([&](const std::string& text) { echoed.add(text); });
        ASSERT_TRUE(client.start_client("127.0.0.1", server.port()));
        ASSERT_TRUE(client.wait_until_connected(std::chrono::seconds(20)));
        const std::string text(100000, 'x');
        ASSERT_TRUE(client.send_message(text));
        EXPECT_EQ(echoed.at(0), text);
        client.stop_client();
        server.stop_server();

        const auto of_client_wire = client.get_statistics().wire;
        const auto of_server_wire = server.get_statistics().wire;
        for (const auto& wire : {of_client_wire, of_server_wire}) {
            EXPECT_EQ(wire.compressed_messages_sent, 1u);
            EXPECT_EQ(wire.compressed_messages_received, 1u);
            EXPECT_EQ(wire.uncompressed_bytes_sent, text.size());
            EXPECT_EQ(wire.uncompressed_bytes_received, text.size());
            EXPECT_GT(wire.compressed_bytes_sent, 0u);
            EXPECT_LT(wire.bytes_sent, text.size() / 10);
            EXPECT_LT(wire.bytes_received, text.size() / 10);
            EXPECT_GT(wire.bytes_sent, wire.compressed_bytes_sent);
        }
        EXPECT_EQ(of_client_wire.compressed_bytes_sent, of_server_wire.compressed_bytes_received);
        EXPECT_EQ(of_server_wire.compressed_bytes_sent, of_client_wire.compressed_bytes_received);
    }
}

TEST(Compression, WithoutItTheWireCarriesMoreThanTheMessages) {
    server_config config;
    config.port = 0;
    config.bind_address = "127.0.0.1";
    messaging_server server("id", config);
    event arrived;
    server.set_message_handler([&](auto, const std::string&) { arrived.set(); });
    ASSERT_TRUE(server.start_server());
    messaging_client client("id");
    client.set_message_handler([](const std::string&) {});
    ASSERT_TRUE(client.start_client("127.0.0.1", server.port()));
    ASSERT_TRUE(client.wait_until_connected(std::chrono::seconds(20)));
    ASSERT_TRUE(client.send_message(std::string(100000, 'x')));
    ASSERT_TRUE(arrived.wait());
    client.stop_client();
    const auto wire = client.get_statistics().wire;
    EXPECT_EQ(wire.compressed_messages_sent, 0u);
    EXPECT_EQ(wire.compressed_bytes_sent, 0u);
    EXPECT_EQ(wire.uncompressed_bytes_sent, 0u);
    EXPECT_GT(wire.bytes_sent, 100000u);
    EXPECT_GT(wire.bytes_received, 0u) << "the greeting";
}

TEST(Compression, RawSessionsHaveNone) {
    server_config config;
    config.port = 0;
    config.framing = framing_mode::raw;
    config.compression = compression_mode::automatic;
    messaging_server server("id", config);
    const auto started = server.start_server();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, NETSYS_ERR_INVALID_ARGUMENT);
    EXPECT_NE(started.error().message.find("framing is raw"), std::string::npos);
}

}  // namespace
