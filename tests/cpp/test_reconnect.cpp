// Clients that connect again.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "network_system/network_system.h"
#include "support.h"

namespace {

using namespace network_system;
using namespace test_support;

class reconnecting : public ::testing::Test {
protected:
    /// A client that tries again after some milliseconds.
    static std::shared_ptr<core::messaging_client> quick_client() {
        client_config config;
        config.reconnect.enabled = true;
        config.reconnect.first_delay = std::chrono::milliseconds(1);
        config.reconnect.max_delay = std::chrono::milliseconds(20);
        return std::make_shared<core::messaging_client>("client", config);
    }

    std::unique_ptr<core::messaging_server> start_server(unsigned short port) {
        auto server = std::make_unique<core::messaging_server>("server");
        server->set_message_handler([this](auto, const std::string& message) { received.add(message); });
        EXPECT_TRUE(server->start_server(port));
        return server;
    }

    /// A port on which servers come and go.
    const refusing_port port;
    journal received;
    journal events;
};

TEST_F(reconnecting, is_off_unless_it_is_asked_for) {
    auto client = std::make_shared<core::messaging_client>("client");
    client->set_error_handler([this](const std::string&, int code) { events.add(std::to_string(code)); });
    ASSERT_TRUE(client->start_client("127.0.0.1", port.port()));
    client->wait_for_stop();
    EXPECT_FALSE(client->is_running());
    EXPECT_EQ(events.all(), std::vector<std::string>{"-601"});
    EXPECT_EQ(client->send_message("nobody is there").error().code, NETSYS_ERR_CONNECTION_CLOSED);
    EXPECT_EQ(client->get_statistics().failed_attempts, 1u);
}

TEST_F(reconnecting, keeps_what_is_sent_meanwhile_and_runs_the_handlers_of_both_families_for_each_connection) {
    const auto client = quick_client();
    event refused;
    client->set_connect_handler([this] { events.add("connect"); });
    client->set_connected_callback([this] { events.add("connected"); });
    client->set_disconnect_handler([this](const std::string& reason) { events.add("disconnect: " + reason); });
    client->set_disconnected_callback([this] { events.add("disconnected"); });
    client->set_error_handler([&](const std::string&, int code) {
        EXPECT_EQ(code, NETSYS_ERR_CONNECTION_REFUSED);
        refused.set();
    });
    ASSERT_TRUE(client->start_client("127.0.0.1", port.port()));
    ASSERT_TRUE(refused.wait());
    EXPECT_TRUE(client->is_running());
    EXPECT_FALSE(client->is_connected());
    EXPECT_EQ(client->start_client("127.0.0.1", port.port()).error().code, NETSYS_ERR_ALREADY_EXISTS);

    std::vector<std::string> sent;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 3; ++i) {
            sent.push_back(std::to_string(round) + "." + std::to_string(i));
            ASSERT_TRUE(client->send_message(sent.back()));
        }
        EXPECT_GT(client->queued_bytes(), 0u);
        auto server = start_server(port.port());
        ASSERT_TRUE(client->wait_until_connected(patience));
        EXPECT_TRUE(client->is_connected());
        EXPECT_EQ(client->remote_port(), port.port());
        ASSERT_TRUE(received.wait_for(sent.size()));
        server->stop_server();
        ASSERT_TRUE(events.wait_for(4u * static_cast<unsigned>(round + 1)));
        EXPECT_FALSE(client->is_connected());
        EXPECT_TRUE(client->is_running());
    }
    EXPECT_EQ(received.all(), sent);
    const std::vector<std::string> each{"connect", "connected", "disconnect: stopped", "disconnected"};
    const auto told = events.all();
    ASSERT_EQ(told.size(), 12u);
    for (std::size_t round = 0; round < 3; ++round) {
        EXPECT_TRUE(std::equal(each.begin(), each.end(), told.begin() + static_cast<std::ptrdiff_t>(4 * round)));
    }
    client->stop_client();
    EXPECT_FALSE(client->is_running());
    EXPECT_EQ(events.size(), 12u) << "no connection ended with the stop";
    const auto statistics = client->get_statistics();
    EXPECT_EQ(statistics.reconnects, 2u);
    EXPECT_GT(statistics.failed_attempts, 0u);
    EXPECT_EQ(statistics.messages_unsent, 0u);
}

TEST_F(reconnecting, a_stop_while_connected_says_stopped_and_a_start_after_it_connects_again) {
    const auto client = quick_client();
    client->set_disconnect_handler([this](const std::string& reason) { events.add(reason); });
    client->set_disconnected_callback([this] { events.add("disconnected"); });
    auto server = start_server(port.port());
    for (std::size_t round = 1; round <= 3; ++round) {
        ASSERT_TRUE(client->start_client("127.0.0.1", port.port()));
        ASSERT_TRUE(client->wait_until_connected(patience));
        ASSERT_TRUE(client->send_message("hello"));
        ASSERT_TRUE(client->stop_client());
        EXPECT_FALSE(client->is_running());
        EXPECT_FALSE(client->is_connected());
        EXPECT_EQ(events.all(), std::vector<std::string>(round, "stopped"));
        EXPECT_EQ(client->send_message("late").error().code, NETSYS_ERR_CONNECTION_CLOSED);
        ASSERT_TRUE(received.wait_for(round));
    }
}

TEST_F(reconnecting, what_is_left_at_the_end_is_told) {
    const auto client = quick_client();
    client->set_error_handler([this](const std::string& text, int code) {
        if (code == NETSYS_ERR_SEND_FAILED) {
            events.add(text);
        }
    });
    ASSERT_TRUE(client->start_client("127.0.0.1", port.port()));
    ASSERT_TRUE(client->send_message("one"));
    ASSERT_TRUE(client->send_binary_message("two", 3));
    client->stop_client();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_NE(events.last().find("2 (6 bytes)"), std::string::npos) << events.last();
    EXPECT_EQ(client->get_statistics().messages_unsent, 2u);
}

TEST_F(reconnecting, gives_up_after_so_many_attempts_and_may_be_started_again) {
    const auto client = quick_client();
    auto config = client->get_config();
    config.reconnect.max_attempts = 3;
    client->set_config(config);
    client->set_error_handler([this](const std::string& text, int) { events.add(text); });
    ASSERT_TRUE(client->start_client("127.0.0.1", port.port()));
    EXPECT_EQ(client->wait_until_connected(patience).error().code, NETSYS_ERR_CONNECTION_REFUSED);
    client->wait_for_stop();
    EXPECT_FALSE(client->is_running());
    EXPECT_EQ(events.size(), 3u);
    EXPECT_NE(events.last().find("attempt 3 of 3"), std::string::npos) << events.last();

    auto server = start_server(port.port());
    ASSERT_TRUE(client->start_client("127.0.0.1", port.port()));
    ASSERT_TRUE(client->wait_until_connected(patience));
}

TEST_F(reconnecting, a_byte_stream_goes_on_too) {
    const auto client = quick_client();
    client->set_connected_callback([this] { events.add("connected"); });
    client->set_error_callback([this](std::error_code code) { events.add(code.message()); });
    raw_listener listener;
    ASSERT_TRUE(client->start_client("127.0.0.1", listener.port()));
    for (int round = 0; round < 3; ++round) {
        raw_peer peer = listener.accept();
        ASSERT_TRUE(client->wait_until_connected(patience));
        ASSERT_TRUE(client->send_packet(bytes_of("hello")));
        EXPECT_EQ(peer.receive(5), "hello");
        peer.reset();
        // The loss is an error each time, and the next connection follows.
        ASSERT_TRUE(events.wait_for(2u * static_cast<unsigned>(round + 1)));
    }
    client->stop_client();
}

TEST_F(reconnecting, handlers_never_overlap_on_a_pool_whichever_connection_they_concern) {
    client_config config;
    config.dispatch = dispatch_mode::pool;
    config.reconnect.enabled = true;
    config.reconnect.first_delay = std::chrono::milliseconds(1);
    core::messaging_client client("client", config);
    std::unique_ptr<core::messaging_server> server;
    std::promise<void> connected;
    bool overlapped = false;
    // The first failure lasts until the client has its connection, and a moment longer.
    std::once_flag first;
    client.set_error_handler([&](const std::string&, int) {
        std::call_once(first, [&] {
            server = start_server(port.port());
            while (!client.is_connected()) {
                std::this_thread::yield();
            }
            const auto moment = std::chrono::milliseconds(100);
            overlapped = connected.get_future().wait_for(moment) == std::future_status::ready;
            events.add("failure handled");
        });
    });
    client.set_connect_handler([&] {
        connected.set_value();
        events.add("connected");
    });
    ASSERT_TRUE(client.start_client("127.0.0.1", port.port()));
    ASSERT_TRUE(events.wait_for(2));
    EXPECT_EQ(events.all(), (std::vector<std::string>{"failure handled", "connected"}));
    EXPECT_FALSE(overlapped);
    client.stop_client();
}

TEST_F(reconnecting, waits_that_make_no_sense_are_refused) {
    const auto client = quick_client();
    auto config = client->get_config();
    config.reconnect.first_delay = std::chrono::seconds(1);
    client->set_config(config);
    EXPECT_EQ(client->start_client("127.0.0.1", port.port()).error().code, NETSYS_ERR_INVALID_ARGUMENT);
    EXPECT_FALSE(client->is_running());
}

}  // namespace
