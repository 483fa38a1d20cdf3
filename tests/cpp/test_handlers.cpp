// What handlers may do: throw, stop, destroy and replace what they serve; and when they run no more.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "network_system/core/messaging_client.h"
#include "network_system/core/messaging_server.h"
#include "support.h"

namespace network_system::test {
namespace {

using core::messaging_client;
using core::messaging_server;
using test_support::event;
using test_support::journal;
using test_support::patience;
using test_support::raw_listener;
using test_support::raw_peer;
using test_support::recorder;
using test_support::refusing_port;

using session_ptr = std::shared_ptr<session::messaging_session>;

/// Each handler of a server that can be made to misbehave.
enum class server_slot { connection, connect, message, receive, state, disconnect, disconnection };

std::string name_of(server_slot slot) {
    const char* const names[] = {"connection", "connect", "message", "receive", "state", "disconnect", "disconnection"};
    return names[static_cast<int>(slot)];
}

/// Runs `action` in one handler of `server`, once. The others stay unset.
void run_in(messaging_server& server, server_slot slot, std::function<void()> action) {
    const auto once = [action = std::move(action), done = std::make_shared<std::atomic<bool>>(false)] {
        if (!done->exchange(true)) {
            action();
        }
    };
    switch (slot) {
        case server_slot::connection:
            return server.set_connection_callback([once](auto) { once(); });
        case server_slot::connect:
            return server.set_connect_handler([once](auto) { once(); });
        case server_slot::message:
            return server.set_message_handler([once](auto, const auto&) { once(); });
        case server_slot::receive:
            return server.set_receive_callback([once](auto, const auto&) { once(); });
        case server_slot::state:
            return server.set_connection_callback([once](session_ptr session) {
                session->set_state_change_handler([once](auto, auto) { once(); });  //
            });
        case server_slot::disconnect:
            return server.set_disconnect_handler([once](auto, const auto&) { once(); });
        case server_slot::disconnection:
            return server.set_disconnection_callback([once](const auto&) { once(); });
    }
}

class EveryServerHandler : public ::testing::TestWithParam<server_slot> {
protected:
    /// A session that goes through all its events.
    static void serve_one(unsigned short port) {
        raw_peer peer(port);
        peer.send("x");
        peer.receive(1);
    }
};

TEST_P(EveryServerHandler, MayStopTheServer) {
    messaging_server server("server");
    event stopped;
    run_in(server, GetParam(), [&] {
        EXPECT_TRUE(server.stop_server());
        EXPECT_FALSE(server.is_running());
        EXPECT_EQ(-661, server.start_server(0).error().code) << "the stop is at work";
        server.wait_for_stop();
        stopped.set();
    });
    ASSERT_TRUE(server.start_server("127.0.0.1", 0));
    raw_peer peer(server.port());
    peer.send("x");
    if (GetParam() == server_slot::disconnect || GetParam() == server_slot::disconnection) {
        peer.close();
    }
    ASSERT_TRUE(stopped.wait());
    server.wait_for_stop();
    EXPECT_EQ(0u, server.connection_count());
    EXPECT_TRUE(server.start_server("127.0.0.1", 0));
}

TEST_P(EveryServerHandler, MayDestroyTheServer) {
    auto server = std::make_unique<messaging_server>("server");
    event destroyed;
    run_in(*server, GetParam(), [&] {
        server.reset();
        destroyed.set();
    });
    ASSERT_TRUE(server->start_server("127.0.0.1", 0));
    raw_peer peer(server->port());
    peer.send("x");
    if (GetParam() == server_slot::disconnect || GetParam() == server_slot::disconnection) {
        peer.close();
        EXPECT_TRUE(destroyed.wait());
    } else {
        EXPECT_TRUE(destroyed.wait());
        peer.receive(1);  // until the library has ended the connection behind the handler
    }
}

TEST_P(EveryServerHandler, MayThrowAndTheServerGoesOn) {
    messaging_server server("server");
    recorder<int> codes;
    journal texts;
    run_in(server, GetParam(), [] { throw std::runtime_error("thrown on purpose"); });
    server.set_error_handler([&](const std::string& text, int code) {
        texts.add(text);
        codes.add(code);
    });
    ASSERT_TRUE(server.start_server("127.0.0.1", 0));
    raw_peer peer(server.port());
    peer.send("x");
    if (GetParam() == server_slot::disconnect || GetParam() == server_slot::disconnection) {
        peer.close();
    } else if (GetParam() == server_slot::state) {
        EXPECT_TRUE(codes.wait_for(1));
    } else {
        EXPECT_TRUE(peer.at_end()) << "the failure ends the session";
    }
    ASSERT_TRUE(codes.wait_for(1));
    EXPECT_EQ(-645, codes.last());
    EXPECT_EQ("thrown on purpose", texts.last());

    event served;
    server.set_receive_callback([&](auto, const auto&) { served.set(); });
    raw_peer next(server.port());
    next.send("y");
    EXPECT_TRUE(served.wait());
    EXPECT_EQ(1u, codes.size());
}

INSTANTIATE_TEST_SUITE_P(Handlers, EveryServerHandler,
                         ::testing::Values(server_slot::connection, server_slot::connect, server_slot::message,
                                           server_slot::receive, server_slot::state, server_slot::disconnect,
                                           server_slot::disconnection),
                         [](const auto& info) { return name_of(info.param); });

enum class client_slot { connect, connected, message, receive, disconnect, disconnected };

std::string name_of(client_slot slot) {
    const char* const names[] = {"connect", "connected", "message", "receive", "disconnect", "disconnected"};
    return names[static_cast<int>(slot)];
}

void run_in(messaging_client& client, client_slot slot, std::function<void()> action) {
    switch (slot) {
        case client_slot::connect:
            return client.set_connect_handler(std::move(action));
        case client_slot::connected:
            return client.set_connected_callback(std::move(action));
        case client_slot::message:
            return client.set_message_handler([action](const auto&) { action(); });
        case client_slot::receive:
            return client.set_receive_callback([action](const auto&) { action(); });
        case client_slot::disconnect:
            return client.set_disconnect_handler([action](const auto&) { action(); });
        case client_slot::disconnected:
            return client.set_disconnected_callback(std::move(action));
    }
}

class EveryClientHandler : public ::testing::TestWithParam<client_slot> {
protected:
    static client_config raw() {
        client_config config;
        config.framing = framing_mode::raw;
        return config;
    }

    raw_listener listener_;
};

TEST_P(EveryClientHandler, MayStopTheClient) {
    messaging_client client("client", raw());
    event stopped;
    run_in(client, GetParam(), [&] {
        EXPECT_TRUE(client.stop_client());
        EXPECT_FALSE(client.is_running());
        client.wait_for_stop();
        stopped.set();
    });
    ASSERT_TRUE(client.start_client("127.0.0.1", listener_.port()));
    raw_peer peer = listener_.accept();
    peer.send("x");
    if (GetParam() == client_slot::disconnect || GetParam() == client_slot::disconnected) {
        peer.close();
    }
    ASSERT_TRUE(stopped.wait());
    client.wait_for_stop();
    EXPECT_FALSE(client.is_connected());
    EXPECT_TRUE(client.start_client("127.0.0.1", listener_.port()));
}

TEST_P(EveryClientHandler, MayDestroyTheClient) {
    auto client = std::make_unique<messaging_client>("client", raw());
    event started;
    event destroyed;
    run_in(*client, GetParam(), [&] {
        EXPECT_TRUE(started.wait());
        client.reset();
        destroyed.set();
    });
    ASSERT_TRUE(client->start_client("127.0.0.1", listener_.port()));
    started.set();
    raw_peer peer = listener_.accept();
    peer.send("x");
    if (GetParam() == client_slot::disconnect || GetParam() == client_slot::disconnected) {
        peer.close();
        EXPECT_TRUE(destroyed.wait());
    } else {
        EXPECT_TRUE(destroyed.wait());
        peer.receive(1);  // until the library has ended the connection behind the handler
    }
}

TEST_P(EveryClientHandler, MayThrow) {
    messaging_client client("client", raw());
    recorder<int> codes;
    recorder<std::error_code> errors;
    run_in(client, GetParam(), [] { throw 42; });
    client.set_error_handler([&](const std::string& text, int code) {
        EXPECT_NE("", text);
        codes.add(code);
    });
    client.set_error_callback([&](std::error_code code) { errors.add(code); });
    ASSERT_TRUE(client.start_client("127.0.0.1", listener_.port()));
    raw_peer peer = listener_.accept();
    peer.send("x");
    if (GetParam() == client_slot::disconnect || GetParam() == client_slot::disconnected) {
        peer.close();
    } else {
        EXPECT_TRUE(peer.at_end()) << "the failure ends the connection";
    }
    client.wait_for_stop();
    ASSERT_EQ(1u, codes.size());
    EXPECT_EQ(-645, codes.last());
    ASSERT_LE(1u, errors.size());
    EXPECT_EQ(-645, errors.last().value());
    EXPECT_STREQ("network_system", errors.last().category().name());
}

INSTANTIATE_TEST_SUITE_P(Handlers, EveryClientHandler,
                         ::testing::Values(client_slot::connect, client_slot::connected, client_slot::message,
                                           client_slot::receive, client_slot::disconnect, client_slot::disconnected),
                         [](const auto& info) { return name_of(info.param); });

TEST(ErrorHandlers, MayStopDestroyAndThrow) {
    refusing_port nobody;
    {
        messaging_client client("stopped");
        event stopped;
        client.set_error_handler([&](const auto&, int) {
            client.stop_client();
            stopped.set();
        });
        ASSERT_TRUE(client.start_client("127.0.0.1", nobody.port()));
        EXPECT_TRUE(stopped.wait());
        client.wait_for_stop();
    }
    {
        auto client = std::make_unique<messaging_client>("destroyed");
        event started;
        event destroyed;
        client->set_error_handler([&](const auto&, int) {
            EXPECT_TRUE(started.wait());
            client.reset();
            destroyed.set();
        });
        client->set_error_callback([](auto) { ADD_FAILURE() << "after the destruction"; });
        ASSERT_TRUE(client->start_client("127.0.0.1", nobody.port()));
        started.set();
        EXPECT_TRUE(destroyed.wait());
    }
    {
        messaging_client client("throwing");
        event told;
        client.set_error_handler([](const auto&, int) { throw std::runtime_error("thrown on purpose"); });
        client.set_error_callback([&](auto) { told.set(); });
        ASSERT_TRUE(client.start_client("127.0.0.1", nobody.port()));
        EXPECT_TRUE(told.wait()) << "the other family is told all the same";
        client.wait_for_stop();
    }
}

TEST(Handlers, SessionWhoseConnectHandlerThrewGetsItsEnd) {
    journal heard;
    messaging_server server("server");
    server.set_connect_handler([&](auto) {
        heard.add("connect");
        throw std::runtime_error("no");
    });
    server.set_message_handler([](auto, const auto&) { ADD_FAILURE() << "the session has ended"; });
    server.set_disconnect_handler([&](auto, const std::string&) { heard.add("disconnect"); });
    server.set_connection_callback([&](auto) { heard.add("connection"); });
    server.set_disconnection_callback([&](auto) { heard.add("disconnection"); });
    ASSERT_TRUE(server.start_server(0));
    raw_peer peer(server.port());
    peer.send("x");
    ASSERT_TRUE(heard.wait_for(4));
    EXPECT_EQ((std::vector<std::string>{"connection", "connect", "disconnect", "disconnection"}), heard.all());
}

TEST(Handlers, PeerThatWasNeverIdentifiedGetsOnlyTheEndOfItsFamily) {
    journal heard;
    messaging_server server("server");
    server.set_connection_callback([&](auto) { heard.add("connection"); });
    server.set_connect_handler([&](auto) { heard.add("connect"); });
    server.set_disconnect_handler([&](auto, const auto&) { heard.add("disconnect"); });
    server.set_disconnection_callback([&](auto) { heard.add("disconnection"); });
    ASSERT_TRUE(server.start_server(0));
    raw_peer(server.port()).close();
    ASSERT_TRUE(heard.wait_for(2));
    server.stop_server();
    EXPECT_EQ((std::vector<std::string>{"connection", "disconnection"}), heard.all());
}

TEST(Handlers, NoneRunsAfterTheStopOfAServerUnderLoad) {
    for (int round = 0; round < 20; ++round) {
        messaging_server server("server");
        std::atomic<bool> stopped{false};
        event busy;
        recorder<int> connections;
        recorder<int> ends;
        const auto check = [&] { EXPECT_FALSE(stopped); };
        server.set_connect_handler([&](auto) {
            check();
            connections.add(1);
        });
        server.set_message_handler([&](session_ptr session, const std::string& message) {
            check();
            busy.set();
            session->send_message(message);
        });
        server.set_disconnect_handler([&](auto, const auto&) {
            check();
            ends.add(1);
        });
        ASSERT_TRUE(server.start_server("127.0.0.1", 0));

        messaging_client client("client");
        client.set_message_handler([&](const std::string& message) { client.send_message(message); });
        ASSERT_TRUE(client.start_client("127.0.0.1", server.port()));
        ASSERT_TRUE(client.wait_until_connected(patience));
        for (int i = 0; i < 10; ++i) {
            client.send_message("round and round");
        }
        ASSERT_TRUE(busy.wait());
        server.stop_server();
        stopped = true;
        EXPECT_EQ(connections.size(), ends.size());
    }
}

TEST(Handlers, NoneRunsAfterTheDestructionOfAClientUnderLoad) {
    messaging_server server("server");
    server.set_message_handler([](session_ptr session, const std::string& message) { session->send_message(message); });
    ASSERT_TRUE(server.start_server("127.0.0.1", 0));
    for (int round = 0; round < 20; ++round) {
        std::atomic<bool> destroyed{false};
        event busy;
        recorder<int> ends;
        {
            messaging_client client("client");
            client.set_message_handler([&](const std::string& message) {
                EXPECT_FALSE(destroyed);
                busy.set();
                client.send_message(message);
            });
            client.set_disconnect_handler([&](const auto&) {
                EXPECT_FALSE(destroyed);
                ends.add(1);
            });
            ASSERT_TRUE(client.start_client("127.0.0.1", server.port()));
            ASSERT_TRUE(client.wait_until_connected(patience));
            client.send_message("round and round");
            ASSERT_TRUE(busy.wait());
        }
        destroyed = true;
        EXPECT_EQ(1u, ends.size());
    }
}

TEST(Handlers, StopInsideAHandlerIsFinishedByTheStopOutside) {
    messaging_server server("server");
    event stopping;
    event go_on;
    std::atomic<bool> handler_running{false};
    server.set_message_handler([&](auto, const auto&) {
        handler_running = true;
        server.stop_server();
        stopping.set();
        EXPECT_TRUE(go_on.wait());
        handler_running = false;
    });
    ASSERT_TRUE(server.start_server("127.0.0.1", 0));
    raw_peer peer(server.port());
    peer.send("x");
    ASSERT_TRUE(stopping.wait());
    EXPECT_FALSE(server.is_running());
    std::thread helper([&] { go_on.set(); });
    server.stop_server();
    EXPECT_FALSE(handler_running) << "it waited for the handler";
    helper.join();
}

TEST(Handlers, MayBeReplacedByAnyThreadWhileTheyRun) {
    messaging_server server("server");
    ASSERT_TRUE(server.start_server("127.0.0.1", 0));
    std::atomic<int> served{0};
    std::atomic<bool> done{false};
    const auto handler = [&](session_ptr session, const std::string& message) {
        ++served;
        session->send_message(message);
    };
    server.set_message_handler(handler);
    std::thread replacer([&] {
        while (!done) {
            server.set_message_handler(handler);
            server.set_error_handler([](const auto&, int) {});
        }
    });
    raw_peer peer(server.port());
    for (int i = 0; i < 500; ++i) {
        peer.send("x");
        ASSERT_EQ("x", peer.receive(1));
    }
    done = true;
    replacer.join();
    EXPECT_EQ(500, served);
}

TEST(Handlers, WhatOneChangesHoldsForTheOtherFamilyAndTheSameMessage) {
    journal heard;
    messaging_server server("server");
    messaging_client client("client");
    server.set_message_handler([&](session_ptr session, const std::string& message) {
        heard.add("server " + message);
        session->set_message_handler([&](const std::string& again) { heard.add("session " + again); });
        session->set_receive_callback([&heard, own = session.get()](const auto&) {
            heard.add("bytes");
            own->send_message("back");
        });
    });
    client.set_receive_callback([&](const auto&) { heard.add("bytes that nobody wants any more"); });
    client.set_message_handler([&](const std::string& message) {
        heard.add("client " + message);
        client.set_message_handler([&](const std::string& again) { heard.add("client, replaced " + again); });
        client.set_receive_callback(nullptr);
        client.send_message("again");
    });
    ASSERT_TRUE(server.start_server("127.0.0.1", 0));
    ASSERT_TRUE(client.start_client("127.0.0.1", server.port()));
    ASSERT_TRUE(client.wait_until_connected(patience));
    client.send_message("first");
    ASSERT_TRUE(heard.wait_for(6));
    client.stop_client();
    EXPECT_EQ((std::vector<std::string>{"server first", "bytes", "client back", "session again", "bytes",
                                        "client, replaced back"}),
              heard.all());
}

TEST(Handlers, WhatTheyHoldIsFreedWithTheirObject) {
    auto held = std::make_shared<int>(0);
    {
        messaging_server server("server");
        messaging_client client("client");
        event connected;
        server.set_connect_handler([held, &connected](session_ptr session) {
            session->set_message_handler([held, session](const auto&) {});
            connected.set();
        });
        server.set_message_handler([held](auto, const auto&) {});
        client.set_message_handler([held](const auto&) {});
        ASSERT_TRUE(server.start_server("127.0.0.1", 0));
        ASSERT_TRUE(client.start_client("127.0.0.1", server.port()));
        ASSERT_TRUE(connected.wait());
        EXPECT_LE(4, held.use_count());
    }
    EXPECT_EQ(1, held.use_count()) << "also what a session's own handler holds, which holds the session";
}

TEST(Handlers, SendInsideAHandlerNeverWaits) {
    server_config config;
    config.send_queue_limit = 64 * 1024;
    config.send_hard_limit = 1024 * 1024;
    config.message_timeout = std::chrono::hours(1);
    config.kernel_send_buffer_size = 16 * 1024;
    config.drain_timeout = std::chrono::milliseconds(100);
    config.port = 0;
    messaging_server server("server", config);
    journal reasons;
    event flooded;
    server.set_receive_callback([&](session_ptr session, const auto&) {
        const std::vector<std::uint8_t> block(64 * 1024, 'b');
        while (session->send_packet(block)) {
        }
        flooded.set();
    });
    server.set_disconnect_handler([&](auto, const std::string& reason) { reasons.add(reason); });
    ASSERT_TRUE(server.start_server());
    raw_peer peer(server.port());
    peer.send("flood me");
    ASSERT_TRUE(flooded.wait()) << "past the hard limit sends fail";
    ASSERT_TRUE(reasons.wait_for(1)) << "and the session ends";
    EXPECT_NE("", reasons.last());
}

}  // namespace
}  // namespace network_system::test
