// Handlers on the pool, on an executor of the program's, in the program's own loop, and over several threads.

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "network_system/core/dispatch.h"
#include "network_system/core/messaging_client.h"
#include "network_system/core/messaging_server.h"
#include "support.h"

namespace {

using network_system::client_config;
using network_system::dispatch_mode;
using network_system::server_config;
using network_system::core::messaging_client;
using network_system::core::messaging_server;

server_config dispatched(dispatch_mode mode) {
    server_config config;
    config.port = 0;
    config.bind_address = "127.0.0.1";
    config.dispatch = mode;
    return config;
}

/// Threads of the program's own, with a queue.
class workers {
public:
    explicit workers(int count) {
        for (int i = 0; i < count; ++i) {
            threads_.emplace_back([this] { serve(); });
        }
    }
    ~workers() { stop(); }

    bool submit(std::function<void()> job) {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (stopped_) {
                return false;
            }
            jobs_.push_back(std::move(job));
        }
        changed_.notify_one();
        return true;
    }

    /// Throws away what waits.
    void stop() {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            stopped_ = true;
        }
        changed_.notify_all();
        for (auto& thread : threads_) {
            thread.join();
        }
        threads_.clear();
        jobs_.clear();
    }

    std::set<std::thread::id> ids() const {
        std::set<std::thread::id> ids;
        for (const auto& thread : threads_) {
            ids.insert(thread.get_id());
        }
        return ids;
    }

private:
    void serve() {
        std::unique_lock<std::mutex> lock(mutex_);
        while (!stopped_) {
            if (jobs_.empty()) {
                changed_.wait(lock);
                continue;
            }
            const auto job = std::move(jobs_.front());
            jobs_.pop_front();
            lock.unlock();
            job();
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> jobs_;
    bool stopped_ = false;
    std::vector<std::thread> threads_;
};

/// Each client sends numbered messages, the server echoes them: all come back, in order, whole.
void expect_echoes(messaging_server& server, int count) {
    constexpr int messages = 200;
    server.set_message_handler([](std::shared_ptr<network_system::session::messaging_session> session,
                                  const std::string& message) { session->send_message(message); });
    ASSERT_TRUE(server.start_server());
    std::vector<std::shared_ptr<messaging_client>> clients;
    std::vector<std::unique_ptr<test_support::journal>> echoes;
    for (int i = 0; i < count; ++i) {
        auto client = std::make_shared<messaging_client>("client " + std::to_string(i));
        echoes.push_back(std::make_unique<test_support::journal>());
        client->set_message_handler([&box = *echoes.back()](const std::string& message) { box.add(message); });
        ASSERT_TRUE(client->start_client("127.0.0.1", server.port()));
        ASSERT_TRUE(client->wait_until_connected(test_support::patience));
        clients.push_back(client);
    }
    for (int number = 0; number < messages; ++number) {
        for (const auto& client : clients) {
            ASSERT_TRUE(client->send_message(client->client_id() + ": " + std::to_string(number)));
        }
    }
    for (int i = 0; i < count; ++i) {
        for (int number = 0; number < messages; ++number) {
            ASSERT_EQ(echoes[i]->at(number), clients[i]->client_id() + ": " + std::to_string(number));
        }
    }
}

TEST(Dispatch, TheHandlersOfSeveralSessionsRunOnThePool) {
    messaging_server server("server", dispatched(dispatch_mode::pool));
    expect_echoes(server, 4);
}

TEST(Dispatch, TheHandlersOfSeveralSessionsRunOnSeveralLoops) {
    auto config = dispatched(dispatch_mode::inline_);
    config.io_threads = 3;
    messaging_server server("server", config);
    expect_echoes(server, 6);
}

TEST(Dispatch, HandlersRunOnTheProgramsExecutor) {
    workers pool(2);
    const auto ids = pool.ids();
    std::atomic<bool> elsewhere{false};
    {
        auto config = dispatched(dispatch_mode::executor);
        config.executor = [&](std::function<void()> job) {
            return pool.submit([&, job = std::move(job)] {
                elsewhere = elsewhere || ids.count(std::this_thread::get_id()) == 0;
                job();
            });
        };
        messaging_server server("server", config);
        expect_echoes(server, 4);
        server.stop_server();
    }
    EXPECT_FALSE(elsewhere);
}

TEST(Dispatch, AnExecutorThatStopsLosesNothing) {
    workers pool(1);
    auto config = dispatched(dispatch_mode::executor);
    config.executor = [&](std::function<void()> job) { return pool.submit(std::move(job)); };
    messaging_server server("server", config);
    test_support::journal heard;
    std::mutex gate;
    test_support::event begun;
    server.set_message_handler([&](auto, const std::string& message) {
        begun.set();
        const std::lock_guard<std::mutex> pass(gate);
        heard.add(message);
    });
    ASSERT_TRUE(server.start_server());
    std::unique_lock<std::mutex> closed(gate);
    std::vector<std::shared_ptr<messaging_client>> clients;
    for (int i = 0; i < 3; ++i) {
        clients.push_back(std::make_shared<messaging_client>("client"));
        clients.back()->set_connect_handler([] {});
        ASSERT_TRUE(clients.back()->start_client("127.0.0.1", server.port()));
        ASSERT_TRUE(clients.back()->wait_until_connected(test_support::patience));
    }
    for (const auto& client : clients) {
        ASSERT_TRUE(client->send_message("not lost"));
    }
    ASSERT_TRUE(begun.wait());
    std::thread stopper([&] { pool.stop(); });
    closed.unlock();
    stopper.join();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(heard.at(i), "not lost");
    }
    server.stop_server();
}

TEST(Dispatch, AnExecutorThatIsMissingIsAnErrorThatSaysSo) {
    messaging_server server("server", dispatched(dispatch_mode::executor));
    const auto started = server.start_server();
    ASSERT_TRUE(started.is_err());
    EXPECT_EQ(started.error().code, NETSYS_ERR_INVALID_ARGUMENT);
    EXPECT_NE(started.error().message.find("execute is NULL"), std::string::npos) << started.error().message;
}

TEST(Dispatch, ThrowingHandlersEndTheirSessionOnly) {
    for (const auto mode : {dispatch_mode::pool, dispatch_mode::inline_}) {
        messaging_server server("server", dispatched(mode));
        test_support::journal errors;
        server.set_error_handler([&](const std::string& what, int) { errors.add(what); });
        server.set_message_handler([](auto session, const std::string& message) {
            if (message == "throw") {
                throw std::runtime_error("as a test");
            }
            session->send_message(message);
        });
        ASSERT_TRUE(server.start_server());
        messaging_client bad("bad");
        messaging_client good("good");
        test_support::journal echo;
        good.set_message_handler([&](const std::string& message) { echo.add(message); });
        for (auto* client : {&bad, &good}) {
            client->set_connect_handler([] {});
            ASSERT_TRUE(client->start_client("127.0.0.1", server.port()));
            ASSERT_TRUE(client->wait_until_connected(test_support::patience));
        }
        ASSERT_TRUE(bad.send_message("throw"));
        EXPECT_EQ(errors.at(0), "as a test");
        ASSERT_TRUE(good.send_message("still here"));
        EXPECT_EQ(echo.at(0), "still here");
        server.stop_server();
    }
}

TEST(Dispatch, TheProgramsOwnLoopRunsTheHandlers) {
    const auto descriptor = network_system::core::poll_descriptor();
    ASSERT_TRUE(descriptor.is_ok());
    messaging_server server("server", dispatched(dispatch_mode::manual));
    std::set<std::thread::id> threads;
    std::string heard;
    std::atomic<int> nested{0};
    server.set_message_handler([&](auto session, const std::string& message) {
        threads.insert(std::this_thread::get_id());
        nested = network_system::core::poll_events(std::chrono::milliseconds(0)).error().code;
        heard = message;
        session->send_message("answer");
    });
    ASSERT_TRUE(server.start_server());
    client_config config;
    config.dispatch = dispatch_mode::manual;
    messaging_client client("client", config);
    std::string answer;
    client.set_connect_handler([&] { client.send_message("question"); });
    client.set_message_handler([&](const std::string& message) { answer = message; });
    ASSERT_TRUE(client.start_client("127.0.0.1", server.port()));
    while (answer.empty()) {
        pollfd readable{descriptor.value(), POLLIN, 0};
        ASSERT_EQ(poll(&readable, 1, 20000), 1) << "nothing to run";
        ASSERT_TRUE(network_system::core::poll_events(std::chrono::milliseconds(0)).is_ok());
    }
    EXPECT_EQ(heard, "question");
    EXPECT_EQ(answer, "answer");
    EXPECT_EQ(nested, NETSYS_ERR_WOULD_DEADLOCK);
    EXPECT_EQ(threads, std::set<std::thread::id>{std::this_thread::get_id()});
    client.stop_client();  // runs what it waits for
    server.stop_server();
}

}  // namespace
