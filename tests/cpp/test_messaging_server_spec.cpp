// The four cases as the specification prints them, with the includes that they need added. They are left in the form in
// which they are printed.
// clang-format off
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "network_system/core/messaging_server.h"
#include "network_system/core/messaging_client.h"
#include "test_utils/network_test_utils.h"

namespace network_system::test {

class MessagingServerTest : public ::testing::Test {
protected:
    void SetUp() override {
        server_config config;
        config.port = test_utils::get_free_port();
        config.max_connections = 10;

        server_ = std::make_shared<core::messaging_server>("test_server", config);

        // handlers under test
        server_->set_message_handler([this](auto session, const std::string& msg) {
            received_messages_.push_back(msg);
            last_session_ = session;
        });

        server_->set_connect_handler([this](auto session) {
            connected_sessions_.push_back(session->session_id());
        });

        server_->set_disconnect_handler([this](auto session, const std::string& reason) {
            disconnected_sessions_.push_back(session->session_id());
            disconnect_reasons_.push_back(reason);
        });
    }

    void TearDown() override {
        if (server_ && server_->is_running()) {
            server_->stop_server();
        }
        server_.reset();
    }

    std::shared_ptr<core::messaging_server> server_;
    std::vector<std::string> received_messages_;
    std::vector<std::string> connected_sessions_;
    std::vector<std::string> disconnected_sessions_;
    std::vector<std::string> disconnect_reasons_;
    std::shared_ptr<session::messaging_session> last_session_;
};

TEST_F(MessagingServerTest, ServerStartStop) {
    EXPECT_FALSE(server_->is_running());

    EXPECT_TRUE(server_->start_server());
    EXPECT_TRUE(server_->is_running());

    server_->stop_server();
    EXPECT_FALSE(server_->is_running());
}

TEST_F(MessagingServerTest, ClientConnection) {
    ASSERT_TRUE(server_->start_server());

    auto client = std::make_shared<core::messaging_client>("test_client");

    bool connected = false;
    client->set_connect_handler([&connected]() {
        connected = true;
    });

    EXPECT_TRUE(client->start_client("127.0.0.1", server_->port()));

    // wait for the connection
    test_utils::wait_for_condition([&connected]() { return connected; },
                                   std::chrono::seconds(5));

    EXPECT_TRUE(connected);
    EXPECT_EQ(1, connected_sessions_.size());
    EXPECT_EQ(1, server_->connection_count());
}

TEST_F(MessagingServerTest, MessageExchange) {
    ASSERT_TRUE(server_->start_server());

    auto client = std::make_shared<core::messaging_client>("test_client");

    std::string received_message;
    client->set_message_handler([&received_message](const std::string& msg) {
        received_message = msg;
    });

    ASSERT_TRUE(client->start_client("127.0.0.1", server_->port()));

    // wait for the connection
    test_utils::wait_for_condition([this]() {
        return !connected_sessions_.empty();
    }, std::chrono::seconds(5));

    // client to server
    const std::string test_message = "Hello, Server!";
    client->send_message(test_message);

    // wait for the message
    test_utils::wait_for_condition([this]() {
        return !received_messages_.empty();
    }, std::chrono::seconds(5));

    EXPECT_EQ(1, received_messages_.size());
    EXPECT_EQ(test_message, received_messages_[0]);

    // server to client
    const std::string response_message = "Hello, Client!";
    ASSERT_NE(nullptr, last_session_);
    last_session_->send_message(response_message);

    // wait for the response
    test_utils::wait_for_condition([&received_message, &response_message]() {
        return received_message == response_message;
    }, std::chrono::seconds(5));

    EXPECT_EQ(response_message, received_message);
}

TEST_F(MessagingServerTest, MaxConnectionsLimit) {
    server_config config = server_->get_config();
    config.max_connections = 2;
    server_->set_config(config);

    ASSERT_TRUE(server_->start_server());

    // open clients up to and past the limit
    std::vector<std::shared_ptr<core::messaging_client>> clients;
    for (int i = 0; i < 3; ++i) {
        auto client = std::make_shared<core::messaging_client>(
            "test_client_" + std::to_string(i));
        clients.push_back(client);

        client->start_client("127.0.0.1", server_->port());
    }

    // wait a moment
    std::this_thread::sleep_for(std::chrono::milliseconds(100));

    // the limit was not exceeded
    EXPECT_LE(server_->connection_count(), 2);
}

} // namespace network_system::test
