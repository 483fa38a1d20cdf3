#include <network_system/core/connection_pool.h>
#include <network_system/core/messaging_server.h>

#include <atomic>
#include <set>
#include <thread>
#include <type_traits>

#include "support.h"

namespace {

using namespace network_system;
using session::connection_pool;
using session::connection_pool_config;
using test_support::bytes_of;
using test_support::patience;

static_assert(std::is_same_v<core::connection_pool, session::connection_pool>);
static_assert(!std::is_copy_constructible_v<connection_pool::lease>);

/// A server that gives back what it gets.
class echo {
public:
    echo() : server_("echo") {
        server_.set_receive_callback([](auto session, const auto& data) { session->send_packet(data); });
        EXPECT_TRUE(server_.start_server(0));
    }
    ~echo() { server_.stop_server(); }

    unsigned short port() { return server_.port(); }
    core::messaging_server& server() { return server_; }

private:
    core::messaging_server server_;
};

std::string ask(core::messaging_client& client, const std::string& question) {
    test_support::stream_sink answer;
    client.set_receive_callback([&](const std::vector<std::uint8_t>& data) { answer.add(data); });
    EXPECT_TRUE(client.send_packet(bytes_of(question)));
    auto text = answer.wait_for(question.size());
    client.set_receive_callback(nullptr);
    return text;
}

template <typename Condition>
bool eventually(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        std::this_thread::yield();
    }
    return true;
}

TEST(ConnectionPool, ConnectionsAreUsedAgain) {
    echo server;
    connection_pool pool("127.0.0.1", server.port(), 2);
    unsigned short port = 0;
    {
        auto leased = pool.acquire(patience);
        ASSERT_TRUE(leased) << leased.error().message;
        auto client = std::move(leased.value());
        EXPECT_TRUE(client->is_connected());
        port = client->local_port();
        EXPECT_EQ("hello", ask(*client, "hello"));
        EXPECT_EQ(1u, pool.active_count());
    }
    EXPECT_EQ(0u, pool.active_count());
    auto again = pool.acquire();
    ASSERT_TRUE(again != nullptr);
    EXPECT_EQ(port, again->local_port());
    EXPECT_EQ("once more", ask(*again, "once more"));
    const auto statistics = pool.get_statistics();
    EXPECT_EQ(2u, statistics.acquired);
    EXPECT_EQ(1u, statistics.connected);
    EXPECT_EQ(2u, statistics.max_connections);
}

// As the programs of its time wrote it.
TEST(ConnectionPool, TheOlderSurface) {
    echo server;
    core::connection_pool pool("127.0.0.1", server.port(), 3);
    ASSERT_TRUE(pool.initialize());
    EXPECT_EQ(3u, pool.pool_size());
    EXPECT_EQ(0u, pool.active_count());
    EXPECT_EQ(3u, pool.get_statistics().idle);

    auto c = pool.acquire();
    ASSERT_TRUE(c);
    EXPECT_EQ(1u, pool.active_count());
    EXPECT_TRUE(c->send_packet(bytes_of("x")));
    pool.release(std::move(c));
    EXPECT_FALSE(c);

    std::unique_ptr<core::messaging_client> client = pool.acquire();
    ASSERT_NE(nullptr, client);
    EXPECT_EQ(1u, pool.active_count());
    pool.release(std::move(client));
    EXPECT_EQ(0u, pool.active_count());
    pool.release(std::unique_ptr<core::messaging_client>());
}

TEST(ConnectionPool, HandlersDoNotOutliveTheLease) {
    echo server;
    connection_pool pool("127.0.0.1", server.port(), 1);
    auto held = std::make_shared<int>(0);
    auto client = pool.acquire();
    ASSERT_TRUE(client);
    client->set_error_callback([held](std::error_code) {});
    client->set_message_handler([held](const std::string&) {});
    EXPECT_EQ(3, held.use_count());
    // The loop keeps the handlers it saw last until its next event, which this provides.
    client.release();
    auto next = pool.acquire();
    ASSERT_TRUE(next);
    EXPECT_EQ("new", ask(*next, "new"));
    EXPECT_TRUE(eventually([&] { return held.use_count() == 1; }));
}

TEST(ConnectionPool, AClientThatIsDestroyedMakesRoom) {
    echo server;
    connection_pool pool("127.0.0.1", server.port(), 1);
    std::unique_ptr<core::messaging_client> client = pool.acquire();
    ASSERT_TRUE(client);
    const auto timed_out = pool.acquire(std::chrono::milliseconds(1));
    ASSERT_TRUE(timed_out.is_err());
    EXPECT_EQ(error_codes::common_errors::timeout, timed_out.error().code);
    client.reset();
    EXPECT_TRUE(pool.acquire(patience));
    EXPECT_EQ(2u, pool.get_statistics().connected);
}

TEST(ConnectionPool, AClientThatWasStoppedOrStartedAnewIsNotTakenBack) {
    echo server;
    connection_pool pool("127.0.0.1", server.port(), 1);
    auto stopped = pool.acquire();
    ASSERT_TRUE(stopped);
    stopped->stop_client();
    pool.release(std::move(stopped));
    std::unique_ptr<core::messaging_client> restarted = pool.acquire();
    ASSERT_TRUE(restarted);
    restarted->stop_client();
    ASSERT_TRUE(restarted->start_client("127.0.0.1", server.port()));
    pool.release(std::move(restarted));
    auto fresh = pool.acquire();
    ASSERT_TRUE(fresh);
    EXPECT_EQ("fresh", ask(*fresh, "fresh"));
    EXPECT_EQ(3u, pool.get_statistics().connected);
}

TEST(ConnectionPool, WhatIsDiscardedOrBreaksIsReplaced) {
    echo server;
    connection_pool pool("127.0.0.1", server.port(), 1);
    auto client = pool.acquire();
    ASSERT_TRUE(client);
    client.discard();
    client = pool.acquire();
    ASSERT_TRUE(client);
    EXPECT_EQ("accepted", ask(*client, "accepted"));
    server.server().disconnect_all_sessions();
    ASSERT_TRUE(eventually([&] { return !client->is_connected(); }));
    pool.discard(std::move(client));
    client = pool.acquire();
    ASSERT_TRUE(client);
    EXPECT_EQ("alive", ask(*client, "alive"));
    EXPECT_EQ(3u, pool.get_statistics().connected);
    EXPECT_EQ(1u, pool.get_statistics().discarded);
    EXPECT_EQ(1u, pool.get_statistics().broken);
}

TEST(ConnectionPool, ErrorsSayWhy) {
    test_support::refusing_port nobody;
    connection_pool pool("127.0.0.1", nobody.port());
    EXPECT_EQ(error_codes::network_system::connection_refused, pool.initialize().error().code);
    EXPECT_EQ(error_codes::network_system::connection_refused, pool.acquire(patience).error().code);
    EXPECT_FALSE(pool.acquire());
    EXPECT_EQ(error_codes::common_errors::timeout, pool.try_acquire().error().code);

    connection_pool nowhere("", 1);
    const auto no_host = nowhere.acquire(patience);
    EXPECT_EQ(error_codes::common_errors::invalid_argument, no_host.error().code);

    core::client_config stubborn;
    stubborn.reconnect.enabled = true;
    connection_pool replaced("127.0.0.1", nobody.port(), {}, stubborn);
    EXPECT_EQ(error_codes::network_system::connection_refused, replaced.acquire(patience).error().code)
        << "a connection is the pool's to make, not the client's";

    core::client_config manual;
    manual.dispatch = dispatch_mode::manual;
    EXPECT_EQ(-1, connection_pool("127.0.0.1", nobody.port(), {}, manual).acquire(patience).error().code);

    core::client_config negative;
    negative.timeout = std::chrono::seconds(-1);
    const auto refused = connection_pool("127.0.0.1", nobody.port(), {}, negative).initialize();
    EXPECT_EQ(-1, refused.error().code);
    EXPECT_EQ("timeout is -1000 ms: a time from 0 on is expected", refused.error().message);

    connection_pool empty("127.0.0.1", nobody.port(), 0);
    EXPECT_EQ(error_codes::common_errors::invalid_argument, empty.initialize().error().code);
    EXPECT_EQ(error_codes::common_errors::invalid_argument, empty.acquire(patience).error().code);
    EXPECT_FALSE(empty.acquire());
}

TEST(ConnectionPool, AClosedPoolCancels) {
    echo server;
    auto pool = std::make_unique<connection_pool>("127.0.0.1", server.port(), 1);
    auto client = pool->acquire();
    ASSERT_TRUE(client);
    std::thread waiting(
        [&] { EXPECT_EQ(error_codes::common_errors::cancelled, pool->acquire(patience).error().code); });
    ASSERT_TRUE(eventually([&] { return pool->get_statistics().waiting == 1; }));
    pool->close();
    waiting.join();
    pool.reset();
    // What is leased stays usable.
    EXPECT_EQ("still here", ask(*client, "still here"));
    client.release();
    EXPECT_TRUE(eventually([&] { return server.server().connection_count() == 0; }));
}

TEST(ConnectionPool, IdleConnectionsEndDownToTheMinimum) {
    echo server;
    connection_pool_config config;
    config.max_connections_per_client = 3;
    config.min_idle = 1;
    config.idle_timeout = std::chrono::milliseconds(20);
    connection_pool pool("127.0.0.1", server.port(), config);
    ASSERT_TRUE(pool.initialize());
    EXPECT_TRUE(eventually([&] {
        const auto now = pool.get_statistics();
        return now.expired >= 2 && now.connections == 1 && now.idle == 1;
    }));
}

TEST(ConnectionPool, HandlersGetWhatIsIdle) {
    echo server;
    connection_pool pool("127.0.0.1", server.port(), 2);
    ASSERT_TRUE(pool.initialize());
    auto client = pool.acquire();
    auto other = pool.acquire();
    ASSERT_TRUE(client && other);
    std::atomic<int> refused{0};
    std::atomic<int> got{0};
    client->set_receive_callback([&](const std::vector<std::uint8_t>&) {
        auto lease = pool.acquire(patience);
        lease ? ++got : refused = lease.error().code;
    });
    ASSERT_TRUE(client->send_packet(bytes_of("none is idle")));
    ASSERT_TRUE(eventually([&] { return refused != 0; }));
    EXPECT_EQ(NETSYS_ERR_WOULD_DEADLOCK, refused);
    other.release();
    ASSERT_TRUE(client->send_packet(bytes_of("one is idle")));
    EXPECT_TRUE(eventually([&] { return got == 1; }));
}

TEST(ConnectionPool, ManyThreadsShareFewConnections) {
    echo server;
    connection_pool pool("127.0.0.1", server.port(), 3);
    std::mutex mutex;
    std::set<core::messaging_client*> in_use;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 8; ++thread) {
        threads.emplace_back([&, thread] {
            for (int round = 0; round < 25; ++round) {
                auto leased = pool.acquire(patience);
                ASSERT_TRUE(leased) << leased.error().message;
                auto client = std::move(leased.value());
                {
                    const std::lock_guard<std::mutex> lock(mutex);
                    ASSERT_TRUE(in_use.insert(client.get()).second);
                }
                const std::string question = std::to_string(thread) + "/" + std::to_string(round);
                EXPECT_EQ(question, ask(*client, question));
                {
                    const std::lock_guard<std::mutex> lock(mutex);
                    in_use.erase(client.get());
                }
                if (round % 9 == 8) {
                    client.discard();
                } else if (round % 2 == 1) {
                    std::unique_ptr<core::messaging_client> taken = std::move(client);
                    pool.release(std::move(taken));
                }
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    const auto statistics = pool.get_statistics();
    EXPECT_EQ(0u, statistics.leased);
    EXPECT_EQ(200u, statistics.acquired);
    EXPECT_EQ(16u, statistics.discarded);
}

TEST(ConnectionPool, AnEmptyHostIsRefusedInWords) {
    connection_pool pool("", 1);
    for (const auto& result : {pool.initialize(), VoidResult(pool.acquire(patience).error())}) {
        EXPECT_EQ(-1, result.error().code);
        EXPECT_NE(std::string::npos, result.error().message.find("host is empty")) << result.error().message;
    }
}

}  // namespace
