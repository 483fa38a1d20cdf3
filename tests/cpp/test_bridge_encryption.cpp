// What a bridge's enable_encryption and enable_compression do to all that is started in it.

#include <gtest/gtest.h>
#include <network_system/integration/messaging_bridge.h>
#include <network_system/network_system.h>

#include <memory>
#include <string>

#include "support.h"
#include "tls_support.h"

namespace {

using network_system::config::bridge_config;
using network_system::core::client_config;
using network_system::core::compression_mode;
using network_system::core::framing_mode;
using network_system::core::messaging_client;
using network_system::core::messaging_server;
using network_system::core::server_config;
using network_system::integration::messaging_bridge;
using namespace test_support;

bridge_config encrypted() {
    bridge_config config;
    config.enable_encryption = true;
    show(config.server_tls, "server");
    config.client_tls.ca_file = certificates().pem("ca");
    return config;
}

server_config anywhere() {
    server_config config;
    config.port = 0;
    config.bind_address = "127.0.0.1";
    return config;
}

std::shared_ptr<messaging_server> echo_in(messaging_bridge& bridge, const server_config& config = anywhere()) {
    auto server = bridge.create_server("server", config);
    server->set_message_handler([](auto session, const std::string& text) { session->send_message(text); });
    return server;
}

client_config framed() {
    client_config config;
    config.framing = framing_mode::framed;
    return config;
}

TEST(BridgeEncryption, IsThatOfAllThatIsStarted) {
    messaging_bridge bridge;
    ASSERT_TRUE(bridge.set_config(encrypted()));
    const auto server = echo_in(bridge);
    ASSERT_TRUE(server->start_server());
    const auto client = bridge.create_client("client", framed());
    journal messages;
    client->set_message_handler([&](const std::string& text) { messages.add(text); });
    ASSERT_TRUE(connect(*client, server->port()));
    EXPECT_EQ("server", server_name(*client));
    ASSERT_TRUE(client->send_message("in a bridge"));
    EXPECT_EQ("in a bridge", messages.at(0));

    // Who is not of the bridge, and plain, is told.
    messaging_client stranger("stranger", framed());
    EXPECT_EQ(NETSYS_ERR_TLS_MISMATCH, connect(stranger, server->port()).error().code);
    const auto pool = bridge.get_connection_pool("127.0.0.1", server->port()).value();
    ASSERT_TRUE(pool->initialize());
    auto lease = pool->acquire();
    ASSERT_TRUE(lease);
    EXPECT_EQ("server", server_name(*lease));
}

TEST(BridgeEncryption, WhatIsAServersOwnWins) {
    messaging_bridge bridge;
    ASSERT_TRUE(bridge.set_config(encrypted()));
    server_config own = anywhere();
    encrypt_as(own, "renewed");
    const auto server = echo_in(bridge, own);
    ASSERT_TRUE(server->start_server());
    const auto client = bridge.create_client("client", framed());
    ASSERT_TRUE(connect(*client, server->port()));
    EXPECT_EQ("renewed", server_name(*client));

    client_config of_another = framed();
    encrypt_trusting(of_another, "stranger");
    const auto other = bridge.create_client("other", of_another);
    EXPECT_EQ(NETSYS_ERR_CERTIFICATE_UNTRUSTED, connect(*other, server->port()).error().code);
}

TEST(BridgeEncryption, AServerWithoutACertificateDoesNotStart) {
    messaging_bridge bridge;
    bridge_config config;
    config.enable_encryption = true;
    config.client_tls.ca_file = certificates().pem("ca");
    ASSERT_TRUE(bridge.set_config(config));
    const auto server = echo_in(bridge);
    const auto started = server->start_server();
    ASSERT_TRUE(started.is_err());
    EXPECT_EQ(-1, started.error().code);
    EXPECT_NE(std::string::npos, started.error().message.find("certificate")) << started.error().message;
    EXPECT_NE(std::string::npos, started.error().message.find("server_tls")) << started.error().message;
    EXPECT_FALSE(server->is_running());

    config.server_tls.alpn = "one";
    ASSERT_TRUE(bridge.set_config(config));
    EXPECT_EQ(-1, server->start_server().error().code);
}

TEST(BridgeEncryption, SettingsWithoutTheSwitchAreAnError) {
    messaging_bridge bridge;
    bridge_config config = encrypted();
    config.enable_encryption = false;
    EXPECT_EQ(-1, bridge.set_config(config).error().code);
    EXPECT_EQ(-1, echo_in(bridge)->start_server().error().code);
    EXPECT_EQ(-1, bridge.create_client("client", framed())->start_client("127.0.0.1", 1).error().code);
    config.server_tls = {};
    config.client_tls = {};
    config.client_tls.sni = false;
    EXPECT_EQ(-1, bridge.set_config(config).error().code);
    config.client_tls = {};
    config.client_tls.enabled = true;
    EXPECT_EQ(-1, bridge.set_config(config).error().code) << "whoever says this does not expect plain connections";
    config.client_tls = {};
    EXPECT_TRUE(bridge.set_config(config));
    EXPECT_TRUE(echo_in(bridge)->start_server());
}

TEST(BridgeEncryption, SettingsOfTheirOwnWithoutTheSwitchAreNotGivenUp) {
    messaging_bridge bridge;
    ASSERT_TRUE(bridge.set_config(encrypted()));
    server_config server = anywhere();
    server.tls.min_version = network_system::core::tls_version::tls_1_3;
    EXPECT_EQ(-1, echo_in(bridge, server)->start_server().error().code);
    client_config client = framed();
    client.tls.ca_file = certificates().pem("stranger");
    const auto started = bridge.create_client("client", client)->start_client("127.0.0.1", 1);
    ASSERT_TRUE(started.is_err());
    EXPECT_EQ(-1, started.error().code);
    EXPECT_NE(std::string::npos, started.error().message.find("tls.enabled")) << started.error().message;
}

TEST(BridgeEncryption, ClientsTrustWhomTheBridgeSays) {
    messaging_bridge serving;
    ASSERT_TRUE(serving.set_config(encrypted()));
    const auto server = echo_in(serving);
    ASSERT_TRUE(server->start_server());
    messaging_bridge bridge;
    bridge_config config;
    config.enable_encryption = true;
    ASSERT_TRUE(bridge.set_config(config));
    const auto client = bridge.create_client("client", framed());
    EXPECT_EQ(NETSYS_ERR_CERTIFICATE_UNTRUSTED, connect(*client, server->port()).error().code)
        << "the system's issuers";
    config.client_tls.dangerously_disable_verification = true;
    ASSERT_TRUE(bridge.set_config(config));
    ASSERT_TRUE(connect(*client, server->port()));
    EXPECT_FALSE(client->tls()->peer_verified);
}

TEST(BridgeCompression, LeavesFewerBytesOnTheWire) {
    messaging_bridge bridge;
    bridge_config config;
    config.enable_compression = true;
    ASSERT_TRUE(bridge.set_config(config));
    const auto server = echo_in(bridge);
    ASSERT_TRUE(server->start_server());
    const auto exchange = [&](messaging_client& client) {
        journal messages;
        client.set_message_handler([&](const std::string& text) { messages.add(text); });
        ASSERT_TRUE(connect(client, server->port()));
        ASSERT_TRUE(client.send_message(std::string(100000, 'x')));
        EXPECT_TRUE(messages.at(0) == std::string(100000, 'x'));
        client.stop_client();
    };
    const auto client = bridge.create_client("client", framed());
    exchange(*client);
    EXPECT_EQ(1u, client->get_statistics().wire.compressed_messages_sent);
    EXPECT_EQ(1u, client->get_statistics().wire.compressed_messages_received);
    EXPECT_LT(client->get_statistics().wire.bytes_sent, 10000u);

    // With a peer that has none, nothing is compressed.
    messaging_client plain("plain", framed());
    exchange(plain);
    EXPECT_GT(plain.get_statistics().wire.bytes_received, 100000u);
    EXPECT_EQ(1u, server->get_statistics().wire.compressed_messages_sent);
}

TEST(BridgeCompression, GoesWithEncryption) {
    messaging_bridge bridge;
    bridge_config config = encrypted();
    config.enable_compression = true;
    ASSERT_TRUE(bridge.set_config(config));
    const auto server = echo_in(bridge);
    ASSERT_TRUE(server->start_server());
    const auto client = bridge.create_client("client", framed());
    journal messages;
    client->set_message_handler([&](const std::string& text) { messages.add(text); });
    ASSERT_TRUE(connect(*client, server->port()));
    ASSERT_TRUE(client->send_message(std::string(100000, 'y')));
    EXPECT_TRUE(messages.at(0) == std::string(100000, 'y'));
    EXPECT_TRUE(client->tls());
    EXPECT_EQ(1u, client->get_statistics().wire.compressed_messages_sent);
}

}  // namespace
