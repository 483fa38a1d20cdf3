#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "../cpp/support.h"
#include "generation.h"

/// A bridge with a server and clients that exchange framed messages.
class bridged_pair : public ::testing::Test {
protected:
    using bridge_type = network_system::integration::messaging_bridge;
    using server_type = network_system::core::messaging_server;
    using client_type = network_system::core::messaging_client;
    using session_ptr = std::shared_ptr<network_system::session::messaging_session>;

    void SetUp() override {
        bridge.set_error_event_handler(
            [this](const std::string& message, int code) { errors.add(std::to_string(code) + ' ' + message); });
    }

    void TearDown() override { bridge.stop(); }

    std::shared_ptr<server_type> start_server() {
        network_system::core::server_config config;
        config.bind_address = "127.0.0.1";
        config.port = 0;
        auto server = bridge.create_server("server", config);
        server->set_connect_handler([this](session_ptr session) { sessions.add(session); });
        EXPECT_TRUE(server->start_server().is_ok());
        return server;
    }

    std::shared_ptr<client_type> connect(const server_type& server) {
        network_system::core::client_config config;
        config.framing = network_system::core::framing_mode::framed;
        auto client = bridge.create_client("client", config);
        EXPECT_TRUE(client->start_client("127.0.0.1", server.port()).is_ok());
        EXPECT_TRUE(client->wait_until_connected(test_support::patience).is_ok());
        return client;
    }

    bridge_type bridge{"companions"};
    test_support::recorder<session_ptr> sessions;
    test_support::journal errors;
};
