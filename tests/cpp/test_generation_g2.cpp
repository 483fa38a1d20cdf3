// Written as programs of 27 October 2025 are: the callbacks of the stream family, passed as generic lambdas.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <future>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "network_system/core/messaging_client.h"
#include "network_system/core/messaging_server.h"
#include "support.h"

namespace {

using network_system::core::messaging_client;
using network_system::core::messaging_server;
using network_system::session::messaging_session;
using test_support::bytes_of;
using test_support::event;
using test_support::journal;
using test_support::raw_listener;
using test_support::raw_peer;
using test_support::recorder;
using test_support::refusing_port;
using test_support::stream_sink;
using test_support::text_of;

using session_ptr = std::shared_ptr<messaging_session>;

// What programs compare the system's errors with: asio's names for them, where there is asio.
#ifdef ASIO_VERSION
const std::error_code refused = asio::error::connection_refused;
const std::error_code reset = asio::error::connection_reset;
#else
const std::error_code refused(ECONNREFUSED, std::system_category());
const std::error_code reset(ECONNRESET, std::system_category());
#endif

TEST(GenerationG2, EchoThroughGenericLambdas) {
    stream_sink echoed;
    event connected;
    auto server = std::make_shared<messaging_server>("echo");
    server->set_connection_callback([](auto session) { EXPECT_EQ("echo", session->server_id()); });
    server->set_disconnection_callback([](const auto& id) { EXPECT_EQ("echo", id); });
    server->set_receive_callback([](auto session, const auto& data) {
        auto copy = data;
        session->send_packet(std::move(copy));
    });
    server->set_error_callback([](auto, auto) {});
    ASSERT_TRUE(server->start_server(0));

    auto client = std::make_shared<messaging_client>("client");
    client->set_connected_callback([&] { connected.set(); });
    client->set_receive_callback([&](const auto& data) { echoed.add(data); });
    client->set_disconnected_callback([] {});
    client->set_error_callback([](auto) {});
    ASSERT_TRUE(client->start_client("127.0.0.1", server->port()));
    ASSERT_TRUE(connected.wait());
    EXPECT_TRUE(client->is_connected());

    const std::string large(300000, 'x');
    EXPECT_TRUE(client->send_packet(bytes_of("small ")));
    EXPECT_TRUE(client->send_packet(bytes_of(large)));
    EXPECT_EQ("small " + large, echoed.wait_for(6 + large.size()));
    client->stop_client();
    server->stop_server();
}

TEST(GenerationG2, AFrameOfTheApplicationArrivesInOnePiece) {
    recorder<std::size_t> sizes;
    messaging_server server("server");
    server.set_receive_callback([&](auto, const auto& data) { sizes.add(data.size()); });
    ASSERT_TRUE(server.start_server(0));
    raw_peer peer(server.port());
    peer.send(std::string(8000, 'f'));
    ASSERT_TRUE(sizes.wait_for(1));
    EXPECT_EQ(8000u, sizes.last());
}

TEST(GenerationG2, ClientHearsTheEndOfTheStreamThenTheDisconnection) {
    raw_listener listener;
    journal heard;
    event connected;
    recorder<std::error_code> errors;
    auto client = std::make_shared<messaging_client>("client");
    client->set_connected_callback([&] { connected.set(); });
    client->set_error_callback([&](std::error_code code) {
        errors.add(code);
        heard.add("error");
    });
    client->set_disconnected_callback([&] { heard.add("disconnected"); });
    ASSERT_TRUE(client->start_client("127.0.0.1", listener.port()));
    ASSERT_TRUE(connected.wait());
    listener.accept().close();

    ASSERT_TRUE(heard.wait_for(2));
    EXPECT_EQ((std::vector<std::string>{"error", "disconnected"}), heard.all());
    EXPECT_EQ(2, errors.last().value());
    EXPECT_STREQ("asio.misc", errors.last().category().name());
    EXPECT_EQ("End of file", errors.last().message());
#ifdef ASIO_VERSION
    EXPECT_EQ(asio::error::eof, errors.last());
#endif
    client->wait_for_stop();
    EXPECT_FALSE(client->is_connected());
    EXPECT_EQ(-603, client->send_packet({1}).error().code);
    EXPECT_TRUE(client->stop_client());
    EXPECT_EQ(2u, heard.size()) << "the stop after it tells nothing more";
}

TEST(GenerationG2, ClientStartsAgainAfterThePeerClosed) {
    raw_listener listener;
    recorder<int> disconnections;
    auto client = std::make_shared<messaging_client>("client");
    client->set_disconnected_callback([&] { disconnections.add(1); });
    for (std::size_t round = 1; round <= 3; ++round) {
        ASSERT_TRUE(client->start_client("127.0.0.1", listener.port()));
        raw_peer peer = listener.accept();
        ASSERT_TRUE(client->wait_until_connected(test_support::patience));
        peer.close();
        ASSERT_TRUE(disconnections.wait_for(round));
    }
    client->stop_client();
}

TEST(GenerationG2, ClientStartsAgainInsideItsDisconnectedCallback) {
    raw_listener listener;
    recorder<bool> restarted;
    stream_sink received;
    auto client = std::make_shared<messaging_client>("client");
    client->set_receive_callback([&](const auto& data) { received.add(data); });
    client->set_disconnected_callback(
        [&] { restarted.add(client->start_client("127.0.0.1", listener.port()).is_ok()); });
    ASSERT_TRUE(client->start_client("127.0.0.1", listener.port()));
    {
        raw_peer first = listener.accept();
        ASSERT_TRUE(client->wait_until_connected(test_support::patience));
    }
    ASSERT_TRUE(restarted.wait_for(1));
    EXPECT_TRUE(restarted.last());
    EXPECT_TRUE(client->is_running());
    raw_peer second = listener.accept();
    second.send("back again");
    EXPECT_EQ("back again", received.wait_for(10));
    client->set_disconnected_callback(nullptr);
    client->stop_client();
}

TEST(GenerationG2, StoppedClientTellsNothing) {
    raw_listener listener;
    journal heard;
    event connected;
    auto client = std::make_shared<messaging_client>("client");
    client->set_connected_callback([&] { connected.set(); });
    client->set_disconnected_callback([&] { heard.add("disconnected"); });
    client->set_error_callback([&](auto code) { heard.add(code.message()); });
    ASSERT_TRUE(client->start_client("127.0.0.1", listener.port()));
    ASSERT_TRUE(connected.wait());
    client->stop_client();
    EXPECT_TRUE(heard.all().empty());
}

TEST(GenerationG2, FailureToConnectReachesTheErrorCallback) {
    refusing_port nobody;
    recorder<std::error_code> errors;
    auto client = std::make_shared<messaging_client>("client");
    client->set_error_callback([&](std::error_code code) { errors.add(code); });
    client->set_disconnected_callback([] { ADD_FAILURE() << "never connected"; });
    ASSERT_TRUE(client->start_client("127.0.0.1", nobody.port()));
    ASSERT_TRUE(errors.wait_for(1));
    EXPECT_EQ(refused, errors.last());
    EXPECT_FALSE(client->is_connected());
    EXPECT_TRUE(client->stop_client());
    EXPECT_EQ(1u, errors.size());
}

TEST(GenerationG2, ServerHearsTheEndOfTheStreamThenTheDisconnection) {
    journal heard;
    messaging_server server("the server");
    server.set_connection_callback([&](auto) { heard.add("connection"); });
    server.set_error_callback([&](session_ptr session, std::error_code code) {
        EXPECT_FALSE(session->is_stopped());
        heard.add(code.category().name() + std::string(" ") + std::to_string(code.value()));
    });
    server.set_disconnection_callback([&](const std::string& id) { heard.add("disconnection of " + id); });
    ASSERT_TRUE(server.start_server(0));
    {
        raw_peer peer(server.port());
        peer.send("x");
        ASSERT_TRUE(heard.wait_for(1));
    }
    ASSERT_TRUE(heard.wait_for(3));
    EXPECT_EQ((std::vector<std::string>{"connection", "asio.misc 2", "disconnection of the server"}), heard.all());
}

TEST(GenerationG2, ResetOfThePeerIsAnErrorOfTheSystem) {
    recorder<std::error_code> errors;
    event connected;
    event ended;
    messaging_server server("server");
    server.set_receive_callback([&](auto, const auto&) { connected.set(); });
    server.set_error_callback([&](auto, std::error_code code) { errors.add(code); });
    server.set_disconnection_callback([&](auto) { ended.set(); });
    ASSERT_TRUE(server.start_server(0));
    raw_peer peer(server.port());
    peer.send("x");
    ASSERT_TRUE(connected.wait());
    peer.reset();
    ASSERT_TRUE(ended.wait());
    ASSERT_EQ(1u, errors.size());
    EXPECT_EQ(reset, errors.last());
}

TEST(GenerationG2, StopReportsEachLiveSessionBeforeItReturns) {
    recorder<int> connections;
    recorder<int> disconnections;
    messaging_server server("server");
    server.set_connection_callback([&](auto) { connections.add(1); });
    server.set_disconnection_callback([&](auto) { disconnections.add(1); });
    ASSERT_TRUE(server.start_server(0));
    raw_peer first(server.port());
    raw_peer second(server.port());
    ASSERT_TRUE(connections.wait_for(2));
    EXPECT_EQ(2u, server.connection_count());
    server.stop_server();
    EXPECT_EQ(2u, disconnections.size());
    EXPECT_EQ(0u, server.connection_count());
}

TEST(GenerationG2, SessionCallbacksReplaceThoseOfTheServer) {
    journal heard;
    messaging_server server("server");
    server.set_connection_callback([&](session_ptr session) {
        session->set_receive_callback([&](const auto& data) { heard.add("session got " + text_of(data)); });
        session->set_error_callback([&](auto) { heard.add("session error"); });
        session->set_disconnection_callback([&](const auto& id) { heard.add("session end " + id); });
        session->start_session();
    });
    server.set_receive_callback([&](auto, const auto&) { heard.add("server got"); });
    server.set_error_callback([&](auto, auto) { heard.add("server error"); });
    server.set_disconnection_callback([&](auto) { heard.add("server end"); });
    ASSERT_TRUE(server.start_server(0));
    {
        raw_peer peer(server.port());
        peer.send("x");
        ASSERT_TRUE(heard.wait_for(1));
    }
    ASSERT_TRUE(heard.wait_for(3));
    EXPECT_EQ((std::vector<std::string>{"session got x", "session error", "session end server"}), heard.all());
}

TEST(GenerationG2, SessionMayBeStoppedInTheConnectionCallback) {
    event ended;
    recorder<bool> stopped;
    messaging_server server("server");
    server.set_connection_callback([&](session_ptr session) {
        session->stop_session();
        stopped.add(session->is_stopped());
        session->send_packet({1, 2, 3});
    });
    server.set_disconnection_callback([&](auto) { ended.set(); });
    ASSERT_TRUE(server.start_server(0));
    raw_peer peer(server.port());
    ASSERT_TRUE(ended.wait());
    EXPECT_TRUE(stopped.last());
    EXPECT_TRUE(peer.at_end());
}

TEST(GenerationG2, DisconnectionIsNotReportedFromInsideStopSession) {
    std::mutex own;
    recorder<session_ptr> sessions;
    event ended;
    messaging_server server("server");
    server.set_connection_callback([&](session_ptr session) { sessions.add(session); });
    server.set_disconnection_callback([&](auto) {
        const std::lock_guard<std::mutex> lock(own);
        ended.set();
    });
    ASSERT_TRUE(server.start_server(0));
    raw_peer peer(server.port());
    ASSERT_TRUE(sessions.wait_for(1));
    {
        const std::lock_guard<std::mutex> lock(own);
        sessions.last()->stop_session();
        EXPECT_TRUE(sessions.last()->is_stopped());
    }
    EXPECT_TRUE(ended.wait());
}

TEST(GenerationG2, CallbacksSetAfterTheStartServeFromTheNextEvent) {
    recorder<session_ptr> sessions;
    stream_sink received;
    messaging_server server("server");
    ASSERT_TRUE(server.start_server(0));
    server.set_connection_callback([&](session_ptr session) { sessions.add(session); });
    raw_peer peer(server.port());
    ASSERT_TRUE(sessions.wait_for(1));
    server.set_receive_callback([&](auto, const auto& data) { received.add(data); });
    peer.send("late");
    EXPECT_EQ("late", received.wait_for(4));
}

TEST(GenerationG2, CallbackReplacesItselfByNull) {
    journal heard;
    messaging_server server("server");
    server.set_receive_callback([&server, &heard, kept = std::string("still here")](auto session, const auto&) {
        server.set_receive_callback(nullptr);
        session->set_receive_callback([&heard](const auto&) { heard.add("next"); });
        heard.add(kept);
        session->send_packet({'.'});
    });
    ASSERT_TRUE(server.start_server(0));
    raw_peer peer(server.port());
    peer.send("1");
    EXPECT_EQ(".", peer.receive(1));
    peer.send("2");
    ASSERT_TRUE(heard.wait_for(2));
    EXPECT_EQ((std::vector<std::string>{"still here", "next"}), heard.all());
}

TEST(GenerationG2, SessionIsAMapKeyByServerId) {
    recorder<std::string> keys;
    event ended;
    messaging_server server("key");
    server.set_connection_callback([&](session_ptr session) { keys.add(session->server_id()); });
    server.set_disconnection_callback([&](const std::string& id) {
        EXPECT_EQ(keys.last(), id);
        ended.set();
    });
    ASSERT_TRUE(server.start_server(0));
    { raw_peer peer(server.port()); }
    ASSERT_TRUE(ended.wait());
    EXPECT_EQ("key", keys.last());
}

TEST(GenerationG2, SeveralThreadsWaitForTheStop) {
    auto server = std::make_shared<messaging_server>("server");
    server->wait_for_stop();
    ASSERT_TRUE(server->start_server(0));
    std::vector<std::future<void>> waiters;
    for (int i = 0; i < 3; ++i) {
        waiters.push_back(std::async(std::launch::async, [&] { server->wait_for_stop(); }));
    }
    server->stop_server();
    for (auto& waiter : waiters) {
        EXPECT_EQ(std::future_status::ready, waiter.wait_for(test_support::patience));
    }
}

}  // namespace
