// Where the handlers of a bridge's servers and clients run: on the program's pool, whatever becomes of it.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "bridge_support.h"

namespace network_system::test {
namespace {

using integration::basic_thread_pool;
using integration::messaging_bridge;
using integration::thread_integration_manager;
using integration::thread_pool_interface;
using test_support::bridge_client;
using test_support::connect;
using test_support::event;
using test_support::journal;
using test_support::on_loopback;
using test_support::patience;
using test_support::threads_of;

/// A pool of the program's own that does with tasks what a test says.
class scripted_pool : public thread_pool_interface {
public:
    using script = std::function<void(std::function<void()>)>;

    explicit scripted_pool(script take) : take_(std::move(take)) {}

    std::future<void> submit(std::function<void()> task) override {
        ++submitted;
        take_(std::move(task));
        return {};
    }
    std::future<void> submit_delayed(std::function<void()>, std::chrono::milliseconds) override { return {}; }
    size_t worker_count() const override { return 1; }
    bool is_running() const override { return running; }
    size_t pending_tasks() const override { return 0; }

    std::atomic<int> submitted{0};
    std::atomic<bool> running{true};

private:
    const script take_;
};

/// Several clients send numbered messages to an echo, all of one bridge: each gets back its own, whole and in order.
class BridgeThreads : public ::testing::Test {
protected:
    static constexpr int clients = 4;
    static constexpr int messages = 200;

    void start() {
        server_ = bridge_.create_server("server", on_loopback());
        server_->set_message_handler([this](auto session, const std::string& message) {
            note_thread();
            session->send_message(message);
        });
        ASSERT_TRUE(server_->start_server());
        for (int i = 0; i < clients; ++i) {
            heard_.push_back(std::make_unique<journal>());
            clients_.push_back(bridge_.create_client("client"));
            clients_.back()->set_message_handler([this, &heard = *heard_.back()](const std::string& message) {
                note_thread();
                heard.add(message);
            });
            connect(*clients_.back(), server_->port());
        }
    }

    /// `halfway` is called when some of it has happened.
    void expect_echoes(const std::function<void()>& halfway = [] {}) {
        start();
        for (int number = 0; number < messages; ++number) {
            if (number == messages / 2) {
                halfway();
            }
            for (const auto& client : clients_) {
                ASSERT_TRUE(client->send_message(std::to_string(number)));
            }
        }
        for (const auto& heard : heard_) {
            ASSERT_TRUE(heard->wait_for(messages)) << heard->size();
            int number = 0;
            for (const std::string& message : heard->all()) {
                EXPECT_EQ(std::to_string(number++), message);
            }
        }
        bridge_.stop();
        for (const auto& heard : heard_) {
            EXPECT_EQ(static_cast<std::size_t>(messages), heard->size());
        }
    }

    std::set<std::thread::id> handler_threads() {
        const std::lock_guard<std::mutex> lock(mutex_);
        return threads_;
    }

    void note_thread() {
        const std::lock_guard<std::mutex> lock(mutex_);
        threads_.insert(std::this_thread::get_id());
    }

    messaging_bridge bridge_;
    std::shared_ptr<core::messaging_server> server_;
    std::vector<bridge_client> clients_;
    std::vector<std::unique_ptr<journal>> heard_;
    std::mutex mutex_;
    std::set<std::thread::id> threads_;
};

TEST_F(BridgeThreads, HandlersRunOnThePool) {
    const auto pool = std::make_shared<basic_thread_pool>(3);
    bridge_.set_thread_pool_interface(pool);
    EXPECT_EQ(pool, bridge_.get_thread_pool_interface());
    const auto workers = threads_of(*pool, pool->worker_count());
    expect_echoes();
    for (const auto thread : handler_threads()) {
        EXPECT_EQ(1u, workers.count(thread));
    }
}

TEST_F(BridgeThreads, NothingIsLostWhenThePoolStops) {
    const auto pool = std::make_shared<basic_thread_pool>(2);
    bridge_.set_thread_pool(pool);
    expect_echoes([&] { pool->stop(false); });
}

TEST_F(BridgeThreads, NothingIsLostWhenThePoolDrains) {
    const auto pool = std::make_shared<basic_thread_pool>(2);
    bridge_.set_thread_pool(pool);
    expect_echoes([&] { pool->stop(true); });
}

TEST_F(BridgeThreads, NothingIsLostWhenThePoolIsFull) {
    bridge_.set_thread_pool(std::make_shared<basic_thread_pool>(1, 1, "small"));
    expect_echoes();
}

TEST_F(BridgeThreads, APoolThatHasStoppedIsDoneWithout) {
    const auto pool = std::make_shared<basic_thread_pool>(1);
    pool->stop();
    bridge_.set_thread_pool(pool);
    expect_echoes();
}

TEST_F(BridgeThreads, APoolMayThrow) {
    const auto pool = std::make_shared<scripted_pool>(
        [](const std::function<void()>&) { throw std::runtime_error("no more tasks today"); });
    bridge_.set_thread_pool(pool);
    expect_echoes();
    EXPECT_GT(pool->submitted, 0);
}

TEST_F(BridgeThreads, APoolMayThrowTasksAway) {
    const auto pool = std::make_shared<scripted_pool>([](const std::function<void()>&) {});
    bridge_.set_thread_pool(pool);
    expect_echoes();
    EXPECT_GT(pool->submitted, 0);
}

TEST_F(BridgeThreads, APoolMayRunTasksAtOnce) {
    const auto pool = std::make_shared<scripted_pool>([](const std::function<void()>& task) { task(); });
    bridge_.set_thread_pool(pool);
    expect_echoes();
    EXPECT_GT(pool->submitted, 0);
}

TEST_F(BridgeThreads, APoolMayRunTasksTwiceAndThrow) {
    const auto pool = std::make_shared<scripted_pool>([](const std::function<void()>& task) {
        task();
        task();
        throw std::runtime_error("afterwards");
    });
    bridge_.set_thread_pool(pool);
    expect_echoes();
}

TEST_F(BridgeThreads, APoolThatDoesNotRunIsNotAsked) {
    const auto pool = std::make_shared<scripted_pool>([](const std::function<void()>& task) { task(); });
    pool->running = false;
    bridge_.set_thread_pool(pool);
    expect_echoes();
    EXPECT_EQ(0, pool->submitted);
}

TEST_F(BridgeThreads, NullIsTheLibrarysOwnThreads) {
    const auto pool = std::make_shared<scripted_pool>([](const std::function<void()>& task) { task(); });
    bridge_.set_thread_pool(pool);
    bridge_.set_thread_pool(nullptr);
    EXPECT_EQ(1, pool.use_count());
    expect_echoes();
    EXPECT_EQ(0, pool->submitted);
}

TEST_F(BridgeThreads, AsyncModeGoesOffAndOn) {
    const auto pool = std::make_shared<scripted_pool>([](const std::function<void()>& task) { task(); });
    bridge_.set_thread_pool(pool);
    bridge_.set_async_mode(false);
    EXPECT_EQ(pool, bridge_.get_thread_pool_interface());
    start();
    EXPECT_EQ(0, pool->submitted);
    bridge_.set_async_mode();
    bridge_.stop();
    EXPECT_EQ(0, pool->submitted) << "what runs keeps its threads";
    bridge_.start();
    EXPECT_TRUE(clients_[0]->wait_until_connected(patience));
    EXPECT_GT(pool->submitted, 0);
}

TEST_F(BridgeThreads, WithoutAPoolItIsThatOfTheProcess) {
    auto& manager = thread_integration_manager::instance();
    const auto pool = std::make_shared<scripted_pool>([](const std::function<void()>& task) { task(); });
    bridge_.set_async_mode();
    manager.set_thread_pool(pool);  // later: it is looked for at each start
    EXPECT_EQ(pool, bridge_.get_thread_pool_interface());
    expect_echoes();
    EXPECT_GT(pool->submitted, 0);
    manager.set_thread_pool(nullptr);
    EXPECT_NE(nullptr, bridge_.get_thread_pool_interface());
}

TEST_F(BridgeThreads, WhatAConfigurationSaysIsNotOverruled) {
    const auto pool = std::make_shared<scripted_pool>([](const std::function<void()>& task) { task(); });
    bridge_.set_thread_pool(pool);
    auto config = on_loopback();
    config.dispatch = core::dispatch_mode::pool;
    const auto server = bridge_.create_server("pooled", config);
    ASSERT_TRUE(server->start_server());
    core::messaging_client client("client");
    client.set_message_handler([](const std::string&) {});
    connect(client, server->port());
    client.stop_client();
    server->stop_server();
    EXPECT_EQ(0, pool->submitted);
}

TEST_F(BridgeThreads, AnExecutorWithoutItsDispatchIsAnError) {
    bridge_.set_thread_pool(std::make_shared<scripted_pool>([](const std::function<void()>& task) { task(); }));
    auto kept = std::make_shared<int>();
    auto config = on_loopback();
    config.executor = [kept](const std::function<void()>&) { return false; };
    EXPECT_EQ(-1, bridge_.create_server("server", config)->start_server().error().code);
    config.executor = nullptr;
    EXPECT_EQ(1, kept.use_count()) << "and nobody keeps the executor";
}

TEST_F(BridgeThreads, APoolThatOnlyTheBridgeHoldsEndsWhenItIsReplaced) {
    const auto refuse = [](const std::function<void()>&) {};
    // What tasks that it waits for would do.
    const auto at_end = [this](scripted_pool* pool) {
        EXPECT_FALSE(bridge_.is_running());
        bridge_.set_async_mode(false);
        bridge_.get_config();
        delete pool;
    };
    bridge_.set_thread_pool(std::shared_ptr<scripted_pool>(new scripted_pool(refuse), at_end));
    bridge_.set_thread_pool(nullptr);
    EXPECT_EQ(thread_integration_manager::instance().get_thread_pool(), bridge_.get_thread_pool_interface());
}

TEST_F(BridgeThreads, ThePoolMayGoWithTheLastServer) {
    for (int round = 0; round < 20; ++round) {
        auto bridge = std::make_unique<messaging_bridge>();
        bridge->set_thread_pool(std::make_shared<basic_thread_pool>(2));
        auto server = bridge->create_server("server", on_loopback());
        event ended;
        server->set_message_handler([&](auto session, const std::string& message) {
            session->send_message(message);
            bridge.reset();
            server.reset();  // on one of the pool's threads
            ended.set();
        });
        ASSERT_TRUE(server->start_server());
        core::messaging_client client("client");
        journal heard;
        client.set_message_handler([&](const std::string& message) { heard.add(message); });
        connect(client, server->port());
        ASSERT_TRUE(client.send_message("end"));
        ASSERT_TRUE(ended.wait());
        EXPECT_EQ("end", heard.at(0));
        client.wait_for_stop();
    }
}

}  // namespace
}  // namespace network_system::test
