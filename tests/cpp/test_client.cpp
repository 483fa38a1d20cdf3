// messaging_client: connecting, framing, sending, the end of the connection.
#include "network_system/core/messaging_client.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "network_system/core/messaging_server.h"
#include "support.h"

namespace network_system::test {
namespace {

using core::messaging_client;
using core::messaging_server;
using test_support::bytes_of;
using test_support::event;
using test_support::journal;
using test_support::patience;
using test_support::raw_listener;
using test_support::raw_peer;
using test_support::recorder;
using test_support::refusing_port;
using test_support::text_of;

using session_ptr = std::shared_ptr<session::messaging_session>;

/// A server that keeps what it hears.
class ClientTest : public ::testing::Test {
protected:
    void SetUp() override {
        server_.set_connect_handler([this](auto session) {
            happened_.add("server connected " + session->client_id());
            sessions_.add(session);
        });
        server_.set_message_handler([this](auto, const std::string& message) { messages_.add(message); });
        server_.set_disconnect_handler([this](auto, const std::string& reason) { reasons_.add(reason); });
        ASSERT_TRUE(server_.start_server("127.0.0.1", 0));
    }

    VoidResult connect(messaging_client& client) {
        const auto started = client.start_client("127.0.0.1", server_.port());
        return started ? client.wait_until_connected(patience) : started;
    }

    journal happened_;
    recorder<session_ptr> sessions_;
    journal messages_;
    journal reasons_;
    messaging_server server_{"server"};
};

TEST_F(ClientTest, FramedClientSaysWhoItIsAndLearnsLastThatItIsConnected) {
    messaging_client client("the client");
    event connected;
    client.set_connect_handler([&] {
        happened_.add("client connected");
        connected.set();
    });
    ASSERT_TRUE(client.start_client("127.0.0.1", server_.port()));
    ASSERT_TRUE(connected.wait());
    EXPECT_EQ((std::vector<std::string>{"server connected the client", "client connected"}), happened_.all());
    EXPECT_TRUE(client.is_connected());
    EXPECT_TRUE(client.is_running());
}

TEST_F(ClientTest, MessagesOfEveryKindArriveWholeAndInOrder) {
    messaging_client client("client");
    client.set_connect_handler([] {});
    ASSERT_TRUE(connect(client));
    const std::string binary("\0\1\2", 3);
    EXPECT_TRUE(client.send_message("text"));
    EXPECT_TRUE(client.send_message(""));
    EXPECT_TRUE(client.send_binary_message(binary.data(), binary.size()));
    EXPECT_TRUE(client.send_raw_data({'r', 'a', 'w'}));
    EXPECT_TRUE(client.send_packet({'p'}));
    EXPECT_TRUE(client.send_message(std::string(500000, 'l')));
    ASSERT_TRUE(messages_.wait_for(6));
    EXPECT_EQ((std::vector<std::string>{"text", "", binary, "raw", "p", std::string(500000, 'l')}), messages_.all());
}

TEST_F(ClientTest, FirstSendDecidesTheFramingOfAClientWithoutHandlers) {
    messaging_client framed("framed");
    ASSERT_TRUE(connect(framed));
    EXPECT_TRUE(framed.send_message("a message"));
    ASSERT_TRUE(messages_.wait_for(1));
    EXPECT_EQ("framed", sessions_.last()->client_id());

    messaging_client raw("raw");
    ASSERT_TRUE(connect(raw));
    EXPECT_TRUE(raw.send_packet({'b', 'y', 't', 'e', 's'}));
    ASSERT_TRUE(messages_.wait_for(2));
    EXPECT_EQ("", sessions_.last()->client_id());
    EXPECT_EQ((std::vector<std::string>{"a message", "bytes"}), messages_.all());
}

TEST_F(ClientTest, AFirstMessageLargerThanTheQueueArrivesToo) {
    messaging_client client("client");
    ASSERT_TRUE(connect(client));
    const std::string large(3 * client_config().send_queue_limit, 'x');
    const auto sent = client.send_message(large);
    ASSERT_TRUE(sent) << sent.error().message;
    EXPECT_EQ(large.size(), messages_.at(0).size());
}

TEST_F(ClientTest, ConfigurationOverridesTheFraming) {
    client_config config;
    config.framing = framing_mode::raw;
    messaging_client client("client", config);
    client.set_connect_handler([] {});
    ASSERT_TRUE(connect(client));
    EXPECT_TRUE(client.send_message("the bytes alone"));
    ASSERT_TRUE(messages_.wait_for(1));
    EXPECT_EQ("the bytes alone", messages_.last());
    EXPECT_EQ("", sessions_.last()->client_id());
}

TEST_F(ClientTest, BothHandlerFamiliesAreCalled) {
    messaging_client client("client");
    journal heard;
    client.set_message_handler([&](const std::string& message) { heard.add("message " + message); });
    client.set_receive_callback([&](const auto& bytes) { heard.add("bytes " + text_of(bytes)); });
    ASSERT_TRUE(connect(client));
    ASSERT_TRUE(sessions_.wait_for(1));
    EXPECT_TRUE(sessions_.last()->send_message("hello"));
    ASSERT_TRUE(heard.wait_for(2));
    EXPECT_EQ((std::vector<std::string>{"message hello", "bytes hello"}), heard.all());
}

TEST_F(ClientTest, ExplicitStopTellsTheDisconnectHandlerOnceBeforeItReturns) {
    messaging_client client("client");
    journal reasons;
    client.set_disconnect_handler([&](const std::string& reason) { reasons.add(reason); });
    client.set_disconnected_callback([] { ADD_FAILURE() << "only for the end by the peer or the network"; });
    ASSERT_TRUE(connect(client));
    EXPECT_TRUE(client.stop_client());
    EXPECT_EQ(std::vector<std::string>{"stopped"}, reasons.all());
    EXPECT_FALSE(client.is_running());
    EXPECT_FALSE(client.is_connected());
    EXPECT_TRUE(client.stop_client());
    EXPECT_EQ(1u, reasons.size());
    EXPECT_TRUE(reasons_.wait_for(1));
}

TEST_F(ClientTest, WhatWasSentBeforeTheStopArrives) {
    messaging_client client("client");
    client.set_connect_handler([] {});
    ASSERT_TRUE(connect(client));
    for (int i = 0; i < 1000; ++i) {
        ASSERT_TRUE(client.send_message(std::string(1000, 'm')));
    }
    client.stop_client();
    ASSERT_TRUE(reasons_.wait_for(1));
    EXPECT_EQ(1000u, messages_.size());
}

TEST_F(ClientTest, ReasonOfTheServerReachesTheDisconnectHandler) {
    messaging_client client("client");
    journal reasons;
    event disconnected;
    client.set_disconnect_handler([&](const std::string& reason) { reasons.add(reason); });
    client.set_disconnected_callback([&] { disconnected.set(); });
    ASSERT_TRUE(connect(client));
    ASSERT_TRUE(sessions_.wait_for(1));
    sessions_.last()->disconnect("enough of this");
    ASSERT_TRUE(disconnected.wait());
    EXPECT_EQ(std::vector<std::string>{"enough of this"}, reasons.all());
}

TEST_F(ClientTest, EndOfTheServerEndsTheClient) {
    messaging_client client("client");
    event disconnected;
    client.set_disconnect_handler([&](const auto&) { disconnected.set(); });
    ASSERT_TRUE(connect(client));
    server_.stop_server();
    ASSERT_TRUE(disconnected.wait());
    client.wait_for_stop();
    EXPECT_FALSE(client.is_running());
    EXPECT_EQ(-603, client.send_message("too late").error().code);
}

TEST_F(ClientTest, AddressesAndStatistics) {
    messaging_client client("client");
    EXPECT_EQ("", client.remote_address());
    EXPECT_EQ(0, client.remote_port());
    client.set_message_handler([](const auto&) {});
    const auto before = std::chrono::steady_clock::now();
    ASSERT_TRUE(connect(client));
    EXPECT_EQ("127.0.0.1", client.remote_address());
    EXPECT_EQ(server_.port(), client.remote_port());
    EXPECT_EQ("127.0.0.1", client.local_address());
    ASSERT_TRUE(sessions_.wait_for(1));
    EXPECT_EQ(sessions_.last()->remote_port(), client.local_port());

    EXPECT_TRUE(client.send_message("12345"));
    client.stop_client();
    const auto statistics = client.get_statistics();
    EXPECT_EQ(1u, statistics.total_connections);
    EXPECT_EQ(1u, statistics.messages_sent);
    EXPECT_EQ(5u, statistics.bytes_sent);
    EXPECT_EQ(0u, statistics.messages_received);
    EXPECT_LE(before, statistics.start_time);
    EXPECT_LE(statistics.start_time, std::chrono::steady_clock::now());
    client.reset_statistics();
    EXPECT_EQ(0u, client.get_statistics().messages_sent);
}

TEST_F(ClientTest, MessageOverTheLimitIsRefused) {
    client_config config;
    config.message_size_limit = 100;
    messaging_client client("client", config);
    client.set_connect_handler([] {});
    ASSERT_TRUE(connect(client));
    EXPECT_EQ(-642, client.send_message(std::string(101, 'x')).error().code);
    EXPECT_TRUE(client.send_message(std::string(100, 'x')));
    ASSERT_TRUE(messages_.wait_for(1));
    EXPECT_EQ(100u, messages_.last().size());
}

TEST_F(ClientTest, PausedClientHandsItsPressureToTheServer) {
    messaging_client client("client");
    recorder<std::size_t> received;
    client.set_message_handler([&](const std::string& message) {
        if (received.size() == 0) {
            client.pause_reading();
        }
        received.add(message.size());
    });
    ASSERT_TRUE(connect(client));
    ASSERT_TRUE(sessions_.wait_for(1));
    EXPECT_TRUE(sessions_.last()->send_message("1"));
    EXPECT_TRUE(sessions_.last()->send_message("22"));
    ASSERT_TRUE(received.wait_for(1));
    client.resume_reading();
    ASSERT_TRUE(received.wait_for(2));
    EXPECT_EQ((std::vector<std::size_t>{1, 2}), received.all());
}

TEST_F(ClientTest, IsFreedByItsLastReferenceInsideItsOwnHandler) {
    auto client = std::make_shared<messaging_client>("client");
    std::weak_ptr<messaging_client> watch = client;
    event gone;
    client->set_message_handler([&client, &gone](const auto&) {
        client.reset();
        gone.set();
    });
    client->set_disconnect_handler([](const auto&) { ADD_FAILURE() << "after the destruction"; });
    ASSERT_TRUE(connect(*client));
    ASSERT_TRUE(sessions_.wait_for(1));
    sessions_.last()->send_message("go");
    ASSERT_TRUE(gone.wait());
    EXPECT_TRUE(watch.expired());
    EXPECT_TRUE(reasons_.wait_for(1)) << "the connection ends with it";
}

TEST(Client, FailureToConnectTellsWhy) {
    refusing_port nobody;
    messaging_client client("client");
    recorder<int> codes;
    journal texts;
    client.set_error_handler([&](const std::string& text, int code) {
        texts.add(text);
        codes.add(code);
    });
    client.set_disconnect_handler([](const auto&) { ADD_FAILURE() << "was never connected"; });
    ASSERT_TRUE(client.start_client("127.0.0.1", nobody.port()));
    const auto connected = client.wait_until_connected(patience);
    ASSERT_TRUE(connected.is_err());
    EXPECT_EQ(-601, connected.error().code);
    ASSERT_TRUE(codes.wait_for(1));
    EXPECT_EQ(-601, codes.last());
    EXPECT_FALSE(texts.last().empty());
    client.wait_for_stop();
    EXPECT_FALSE(client.is_running());
}

TEST(Client, StartsAgainAsSoonAsItIsKnownThatTheConnectionFailed) {
    refusing_port nobody;
    raw_listener listener;
    messaging_client client("client");
    ASSERT_TRUE(client.start_client("127.0.0.1", nobody.port()));
    EXPECT_FALSE(client.wait_until_connected(patience));
    EXPECT_TRUE(client.start_client("127.0.0.1", listener.port()));
    EXPECT_TRUE(client.wait_until_connected(patience));
    client.stop_client();
}

TEST(Client, StartsAgainInsideItsErrorHandler) {
    refusing_port nobody;
    raw_listener listener;
    client_config config;
    config.framing = framing_mode::raw;
    messaging_client client("client", config);
    event connected;
    client.set_connect_handler([&] { connected.set(); });
    client.set_error_handler([&](const auto&, int) {
        EXPECT_TRUE(client.start_client("127.0.0.1", listener.port()));
        EXPECT_EQ(-7, client.start_client("127.0.0.1", listener.port()).error().code);
    });
    ASSERT_TRUE(client.start_client("127.0.0.1", nobody.port()));
    ASSERT_TRUE(connected.wait());
    client.stop_client();
}

TEST(Client, StopInsideItsHandlerForbidsTheRestartThere) {
    raw_listener listener;
    client_config config;
    config.framing = framing_mode::raw;
    messaging_client client("client", config);
    recorder<int> codes;
    client.set_connect_handler([&] {
        EXPECT_TRUE(client.stop_client());
        EXPECT_FALSE(client.is_running());
        const auto again = client.start_client("127.0.0.1", listener.port());
        codes.add(again ? 0 : again.error().code);
    });
    ASSERT_TRUE(client.start_client("127.0.0.1", listener.port()));
    ASSERT_TRUE(codes.wait_for(1));
    EXPECT_EQ(-7, codes.last());
    client.set_connect_handler(nullptr);
    EXPECT_TRUE(client.start_client("127.0.0.1", listener.port())) << "waits for the stop";
    EXPECT_TRUE(client.wait_until_connected(patience));
    client.stop_client();
}

TEST(Client, WithoutAConfigurationReceivingFirstMakesItRaw) {
    raw_listener listener;
    messaging_client client("client");
    test_support::stream_sink received;
    client.set_receive_callback([&](const auto& bytes) { received.add(bytes); });
    ASSERT_TRUE(client.start_client("127.0.0.1", listener.port()));
    raw_peer peer = listener.accept();
    peer.send("welcome");
    EXPECT_EQ("welcome", received.wait_for(7));
    EXPECT_TRUE(client.send_message("bytes"));
    EXPECT_EQ("bytes", peer.receive(5));
    client.stop_client();
}

TEST(Client, WaitingForAConnectionThatNobodyMakesFailsAtOnce) {
    messaging_client client("client");
    const auto waited = client.wait_until_connected(patience);
    EXPECT_EQ(-603, waited.error().code);
    EXPECT_EQ("the client was not started", waited.error().message);
}

TEST(Client, SendsBeforeTheConnectionAreRefused) {
    messaging_client client("client");
    EXPECT_EQ(-603, client.send_message("x").error().code);
    EXPECT_EQ(-603, client.send_binary_message("x", 1).error().code);
    EXPECT_EQ(-603, client.send_raw_data({1}).error().code);
    EXPECT_FALSE(client.is_running());
    EXPECT_FALSE(client.is_connected());
    EXPECT_FALSE(client.wait_until_connected(std::chrono::milliseconds(1)));
}

/// A client whose peer reads nothing, with room for little.
class FullQueueTest : public ::testing::Test {
protected:
    static client_config narrow(send_policy policy) {
        client_config config;
        config.framing = framing_mode::raw;
        config.policy = policy;
        config.send_queue_limit = 64 * 1024;
        config.message_timeout = std::chrono::milliseconds(100);
        config.kernel_send_buffer_size = 16 * 1024;
        config.drain_timeout = std::chrono::milliseconds(100);
        return config;
    }

    /// Sends until a send fails, and tells what with.
    int fill(messaging_client& client) {
        const std::vector<std::uint8_t> block(16 * 1024, 'b');
        for (;;) {
            const auto sent = client.send_packet(block);
            if (!sent) {
                return sent.error().code;
            }
            sent_ += block.size();
        }
    }

    std::size_t sent_ = 0;
    raw_listener listener_;
};

TEST_F(FullQueueTest, WaitingSendFailsAfterTheMessageTimeoutAndTellsTheErrorHandler) {
    messaging_client client("client", narrow(send_policy::wait));
    recorder<int> codes;
    client.set_error_handler([&](const auto&, int code) { codes.add(code); });
    ASSERT_TRUE(client.start_client("127.0.0.1", listener_.port()));
    ASSERT_TRUE(client.wait_until_connected(patience));
    raw_peer peer = listener_.accept();
    EXPECT_EQ(-640, fill(client));
    EXPECT_GT(client.queued_bytes(), 0u);
    ASSERT_TRUE(codes.wait_for(1));
    EXPECT_EQ(-640, codes.all().front());
    client.stop_client();
}

TEST_F(FullQueueTest, NothingThatWasAcceptedIsLostWhenThePeerReadsLater) {
    messaging_client client("client", narrow(send_policy::would_block));
    event writable;
    client.set_writable_handler([&] { writable.set(); });
    ASSERT_TRUE(client.start_client("127.0.0.1", listener_.port()));
    ASSERT_TRUE(client.wait_until_connected(patience));
    raw_peer peer = listener_.accept();
    EXPECT_EQ(-643, fill(client));
    EXPECT_EQ(sent_, peer.receive(sent_).size());
    EXPECT_TRUE(writable.wait());
    EXPECT_TRUE(client.send_packet({'e'}));
    EXPECT_EQ("e", peer.receive(1));
    client.stop_client();
    EXPECT_TRUE(peer.at_end());
}

}  // namespace
}  // namespace network_system::test
