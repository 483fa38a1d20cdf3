// The connection and error events of bridges: whole, in order, one at a time, and none too late.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bridge_support.h"

namespace network_system::test {
namespace {

using namespace std::chrono_literals;
using integration::messaging_bridge;
using test_support::bridge_client;
using test_support::connect;
using test_support::connected_client;
using test_support::echo_server;
using test_support::event;
using test_support::journal;
using test_support::on_loopback;
using test_support::patience;

using told = std::pair<std::string, bool>;

TEST(BridgeEvents, EachBeginningHasItsEnd) {
    messaging_bridge bridge;
    test_support::recorder<told> events;
    std::atomic<bool> overlap{false};
    std::atomic_flag telling = ATOMIC_FLAG_INIT;
    bridge.set_connection_event_handler([&](const std::string& endpoint, bool connected) {
        overlap = overlap || telling.test_and_set();
        events.add({endpoint, connected});
        telling.clear();
    });
    auto config = on_loopback();
    config.io_threads = 2;
    const auto server = echo_server(bridge, config);
    constexpr std::size_t count = 8;
    journal heard;
    std::vector<bridge_client> clients;
    for (std::size_t i = 0; i < count; ++i) {
        clients.push_back(connected_client(bridge, server->port(), heard));
    }
    std::vector<std::thread> ending;
    for (const auto& client : clients) {
        ending.emplace_back([&client] { client->stop_client(); });
    }
    for (auto& thread : ending) {
        thread.join();
    }
    ASSERT_TRUE(events.wait_for(4 * count)) << "the server's sessions and the clients'";
    server->stop_server();

    std::map<std::string, int> open;
    for (const auto& [endpoint, connected] : events.all()) {
        EXPECT_EQ(0u, endpoint.find("127.0.0.1:")) << endpoint;
        open[endpoint] += connected ? 1 : -1;
        EXPECT_GE(open[endpoint], 0) << "an end before its beginning";
    }
    for (const auto& [endpoint, still] : open) {
        EXPECT_EQ(0, still) << endpoint;
    }
    EXPECT_EQ(count + 1, open.size()) << "the clients' own addresses, and the server's";
    EXPECT_EQ(4 * count, events.size());
    EXPECT_FALSE(overlap);
}

TEST(BridgeEvents, FailuresAreToldWithTheirCode) {
    messaging_bridge bridge;
    test_support::recorder<std::pair<std::string, int>> errors;
    bridge.set_error_event_handler([&](const std::string& what, int code) { errors.add({what, code}); });
    const test_support::refusing_port nobody;
    const auto client = bridge.create_client("client");
    ASSERT_TRUE(client->start_client("127.0.0.1", nobody.port()));
    EXPECT_EQ(-601, errors.at(0).second);
    EXPECT_FALSE(errors.at(0).first.empty());
    EXPECT_FALSE(client->is_running()) << "a client that has failed does not run when the bridge tells of it";

    const auto server = echo_server(bridge);
    auto taken = on_loopback();
    taken.port = server->port();
    EXPECT_EQ(-662, bridge.create_server("other", taken)->start_server().error().code);
    EXPECT_EQ(-662, errors.at(1).second);

    client->set_message_handler([](const std::string&) { throw std::runtime_error("no room"); });
    connect(*client, server->port());
    ASSERT_TRUE(client->send_message("back"));
    client->wait_for_stop();
    EXPECT_EQ(-645, errors.at(2).second);
    EXPECT_EQ("no room", errors.at(2).first) << "what its handlers throw, a client tells its own error handler too";
}

TEST(BridgeEvents, StartsThatFailBeforeTheyBeginAreToldToo) {
    messaging_bridge bridge;
    test_support::recorder<int> errors;
    bridge.set_error_event_handler([&](const std::string&, int code) { errors.add(code); });
    auto config = on_loopback();
    config.timeout = std::chrono::seconds(-1);
    const auto server = bridge.create_server("server", config);
    bridge.start();
    EXPECT_EQ(-1, errors.at(0));
    EXPECT_FALSE(server->is_running());

    config::bridge_config secret;
    secret.client_tls.ca_file = "ca.pem";
    EXPECT_TRUE(bridge.set_config(secret).is_err()) << "encryption is not switched on";
    EXPECT_EQ(-1, bridge.create_client("client")->start_client("127.0.0.1", 1).error().code);
    EXPECT_EQ(-1, errors.at(1));
    EXPECT_EQ(-1, bridge.create_client("client")->start_client("", 1).error().code);
    EXPECT_EQ(-1, errors.at(2));
    EXPECT_EQ(3u, errors.size());
    bridge.set_error_event_handler(nullptr);
}

TEST(BridgeEvents, AHandlerMayAskTheServerWhoseStartHasFailed) {
    messaging_bridge bridge;
    const auto holder = echo_server(bridge);
    auto taken = on_loopback();
    taken.port = holder->port();
    const auto server = bridge.create_server("server", taken);
    event asked;
    bridge.set_error_event_handler([&](const std::string&, int code) {
        EXPECT_EQ(-662, code);
        EXPECT_FALSE(server->is_running());
        server->stop_server();
        bridge.stop();
        asked.set();
    });
    std::thread starting([&] { EXPECT_EQ(-662, server->start_server().error().code); });
    EXPECT_TRUE(asked.wait());
    starting.join();
    holder->wait_for_stop();
    bridge.set_error_event_handler(nullptr);
}

TEST(BridgeEvents, AHandlerThatThrowsEndsNothing) {
    messaging_bridge bridge;
    std::atomic<int> thrown{0};
    bridge.set_connection_event_handler([&](const std::string&, bool) {
        ++thrown;
        throw std::runtime_error("not now");
    });
    const auto server = echo_server(bridge);
    journal heard;
    const auto client = connected_client(bridge, server->port(), heard);
    ASSERT_TRUE(client->send_message("goes on"));
    EXPECT_EQ("goes on", heard.at(0));
    EXPECT_EQ(2, thrown);
}

TEST(BridgeEvents, NullRemovesAHandler) {
    messaging_bridge bridge;
    std::atomic<int> calls{0};
    bridge.set_connection_event_handler([&](const std::string&, bool) { ++calls; });
    bridge.set_connection_event_handler(nullptr);
    const auto server = echo_server(bridge);
    journal heard;
    connected_client(bridge, server->port(), heard)->stop_client();
    EXPECT_EQ(0, calls);
}

TEST(BridgeEvents, AHandlerMayStopTheBridge) {
    event stopped;
    event leave;
    std::atomic<int> inside{0};
    messaging_bridge bridge;
    const auto server = echo_server(bridge);
    bridge.set_connection_event_handler([&](const std::string&, bool connected) {
        if (connected) {
            ++inside;
            bridge.stop();
            stopped.set();
            leave.wait();
            --inside;
        }
    });
    const auto client = bridge.create_client("client");
    client->set_message_handler([](const std::string&) {});
    ASSERT_TRUE(client->start_client("127.0.0.1", server->port()));
    ASSERT_TRUE(stopped.wait());
    auto other = std::async(std::launch::async, [&] {
        bridge.stop();
        return inside.load();
    });
    EXPECT_EQ(std::future_status::timeout, other.wait_for(50ms)) << "it waits for what the handler has stopped";
    leave.set();
    EXPECT_EQ(0, other.get());
    EXPECT_FALSE(server->is_running());
    EXPECT_FALSE(client->is_running());
}

TEST(BridgeEvents, AStopWaitsForThePoolsToo) {
    event ending;
    event leave;
    std::atomic<bool> inside{false};
    messaging_bridge bridge;
    core::messaging_server server("server", on_loopback());
    ASSERT_TRUE(server.start_server());
    const auto pool = bridge.get_connection_pool("127.0.0.1", server.port()).value();
    bridge.set_connection_event_handler([&](const std::string&, bool connected) {
        if (!connected) {
            inside = true;
            ending.set();
            leave.wait();
            inside = false;
        }
    });
    auto leased = pool->acquire();
    ASSERT_TRUE(leased);
    ASSERT_TRUE(pool->acquire()) << "and one that is returned at once";
    auto stopped = std::async(std::launch::async, [&] {
        bridge.stop();
        return inside.load();
    });
    ASSERT_TRUE(ending.wait());
    EXPECT_EQ(std::future_status::timeout, stopped.wait_for(50ms)) << "somebody else has the pool, too";
    leave.set();
    EXPECT_FALSE(stopped.get());
    EXPECT_TRUE(leased->is_connected()) << "what is leased goes on";
}

TEST(BridgeEvents, AStartOfWhatStillStopsIsTold) {
    test_support::recorder<int> errors;
    messaging_bridge bridge;
    bridge.set_error_event_handler([&](const std::string&, int code) { errors.add(code); });
    const auto server = bridge.create_server("server", on_loopback());
    server->set_message_handler([&](auto, const std::string&) {
        bridge.stop();
        bridge.start();
    });
    ASSERT_TRUE(server->start_server());
    core::messaging_client client("client");
    client.set_message_handler([](const std::string&) {});
    connect(client, server->port());
    ASSERT_TRUE(client.send_message("restart"));
    EXPECT_EQ(-661, errors.at(0));
    server->wait_for_stop();
    bridge.start();
    EXPECT_TRUE(server->is_running()) << "it is tried again";
}

TEST(BridgeEvents, AHandlerMayDestroyTheBridge) {
    auto bridge = std::make_unique<messaging_bridge>();
    const auto server = echo_server(*bridge);
    event destroyed;
    const auto owned = std::make_shared<int>(1);
    bridge->set_connection_event_handler([&, owned](const std::string&, bool) {
        bridge.reset();
        EXPECT_EQ(1, *owned) << "what the handler holds lives while it runs";
        destroyed.set();
    });
    const auto client = bridge->create_client("client");
    journal heard;
    client->set_message_handler([&](const std::string& message) { heard.add(message); });
    connect(*client, server->port());
    ASSERT_TRUE(destroyed.wait());
    ASSERT_TRUE(client->send_message("goes on"));
    EXPECT_EQ("goes on", heard.at(0));
    client->stop_client();
    server->stop_server();
    EXPECT_EQ(1, owned.use_count()) << "and is let go";
}

TEST(BridgeEvents, AHandlerOfAServerMayDestroyTheBridge) {
    auto bridge = std::make_unique<messaging_bridge>();
    event destroyed;
    const auto server = bridge->create_server("server", on_loopback());
    server->set_message_handler([&](auto session, const std::string& message) {
        bridge.reset();
        session->send_message(message);
        destroyed.set();
    });
    ASSERT_TRUE(server->start_server());
    journal heard;
    const auto client = connected_client(*bridge, server->port(), heard);
    ASSERT_TRUE(client->send_message("end"));
    ASSERT_TRUE(destroyed.wait());
    EXPECT_EQ("end", heard.at(0));
}

TEST(BridgeEvents, NoneComesAfterTheDestructor) {
    for (int round = 0; round < 100; ++round) {
        auto bridge = std::make_unique<messaging_bridge>();
        const auto server = echo_server(*bridge);
        auto alive = std::make_unique<std::atomic<bool>>(true);
        std::atomic<int> late{0};
        const auto check = [&late, flag = alive.get()] { late += *flag ? 0 : 1; };
        bridge->set_connection_event_handler([check](const std::string&, bool) { check(); });
        bridge->set_error_event_handler([check](const std::string&, int) { check(); });
        std::vector<bridge_client> clients;
        for (int i = 0; i < 4; ++i) {
            clients.push_back(bridge->create_client("client"));
            clients.back()->set_message_handler([](const std::string&) {});
        }
        std::vector<std::thread> threads;
        for (const auto& client : clients) {
            threads.emplace_back([&client, port = server->port()] {
                for (int i = 0; i < 3; ++i) {
                    client->start_client("127.0.0.1", port);
                    client->wait_until_connected(patience);
                    client->stop_client();
                }
            });
        }
        bridge.reset();
        *alive = false;
        for (auto& thread : threads) {
            thread.join();
        }
        server->stop_server();
        EXPECT_EQ(0, late) << "round " << round;
    }
}

/// What the container handler is made of: the destructor waits for it as for the others.
TEST(BridgeEvents, TheDestructorWaitsForAMessageThatIsBeingHandled) {
    {
        const auto core = std::make_shared<detail::bridge_core>("bridge");
        core::messaging_server server("server", on_loopback());
        detail::server_access::join(server, core);
        event entered;
        event leave;
        std::atomic<bool> running{false};
        core->events().handlers.set(&detail::bridge_handlers::message,
                                    std::function<void(const netsys_message&)>([&](const netsys_message&) {
                                        running = true;
                                        entered.set();
                                        leave.wait();
                                        running = false;
                                    }));
        ASSERT_TRUE(server.start_server());
        core::messaging_client client("client");
        client.set_message_handler([](const std::string&) {});
        connect(client, server.port());
        ASSERT_TRUE(client.send_message("one"));
        ASSERT_TRUE(entered.wait());
        auto silenced = std::async(std::launch::async, [&] {
            core->silence();
            return running.load();
        });
        EXPECT_EQ(std::future_status::timeout, silenced.wait_for(50ms));
        leave.set();
        EXPECT_FALSE(silenced.get());
        client.stop_client();
        server.stop_server();
    }
}

TEST(BridgeEvents, ABridgeCanBeDestroyedInAForkedChild) {
    messaging_bridge* bridge = new messaging_bridge;
    event entered;
    event leave;
    bridge->set_connection_event_handler([&](const std::string&, bool) {
        entered.set();
        leave.wait();
    });
    const auto server = echo_server(*bridge);
    test_support::raw_peer peer(server->port());
    peer.send("raw");
    ASSERT_TRUE(entered.wait());
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(static_cast<unsigned>(patience.count()));
        delete bridge;  // while a handler runs, in the parent
        ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(child, ::waitpid(child, &status, 0));
    EXPECT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
    leave.set();
    delete bridge;
}

}  // namespace
}  // namespace network_system::test
