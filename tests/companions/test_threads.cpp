// The pool of thread_system behind a bridge and behind thread_pool_interface, over stand-ins for the library.
#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bridged_pair.h"

namespace {

using generation::make_pool;
using generation::pool;
using network_system::integration::basic_thread_pool;
using network_system::integration::bind_thread_system_pool_into_manager;
using network_system::integration::thread_integration_manager;
using network_system::integration::thread_system_pool_adapter;
using std::chrono::milliseconds;
using test_support::event;
using test_support::journal;
using test_support::patience;
using test_support::threads_of;

class BridgedThreads : public bridged_pair {
protected:
    /// Serves `count` clients that send `each` numbered messages, and checks that none is lost, out of order or handled
    /// beside another one of its session. `halfway` is called on a thread that handles nothing.
    template <typename Halfway>
    void exchange(int count, int each, Halfway&& halfway) {
        event all;
        std::atomic<int> handled{0};
        std::mutex mutex;
        std::map<std::string, int> next;
        std::map<std::string, bool> busy;
        std::atomic<int> faults{0};
        auto server = start_server();
        server->set_message_handler([&](const session_ptr& session, const std::string& message) {
            const std::string id = session->session_id();
            {
                const std::lock_guard<std::mutex> lock(mutex);
                threads_.insert(std::this_thread::get_id());
                faults += std::exchange(busy[id], true) || message != std::to_string(next[id]++) ? 1 : 0;
            }
            std::this_thread::yield();
            {
                const std::lock_guard<std::mutex> lock(mutex);
                busy[id] = false;
            }
            if (++handled == count * each) {
                all.set();
            }
        });
        std::vector<std::shared_ptr<client_type>> clients;
        for (int client = 0; client < count; ++client) {
            clients.push_back(connect(*server));
        }
        for (int message = 0; message < each; ++message) {
            for (const auto& client : clients) {
                ASSERT_TRUE(client->send_message(std::to_string(message)).is_ok());
            }
            if (message == each / 2) {
                halfway();
            }
        }
        EXPECT_TRUE(all.wait()) << handled << " of " << count * each;
        EXPECT_EQ(0, faults);
        server->stop_server();
    }

    std::set<std::thread::id> threads_;
};

TEST_F(BridgedThreads, HandlersRunOnThePoolInOrder) {
    const auto program = make_pool(4);
    ASSERT_FALSE(network_system::detail::has_failed(program->start()));
    bridge.set_thread_pool(program);
    const auto set = std::dynamic_pointer_cast<thread_system_pool_adapter>(bridge.get_thread_pool_interface());
    ASSERT_NE(nullptr, set);
    EXPECT_EQ(program, set->get_pool());
    exchange(8, 200, [] {});
    const auto workers = threads_of(*set, 4);
    EXPECT_EQ(4u, workers.size());
    for (const auto& thread : threads_) {
        EXPECT_EQ(1u, workers.count(thread)) << "a handler ran elsewhere";
    }
}

TEST_F(BridgedThreads, APoolThatStopsInTheMiddleLosesNothing) {
    for (const bool immediately : {false, true}) {
        const auto program = make_pool(2);
        program->start();
        bridge.set_thread_pool(program);
        exchange(4, 200, [&] { program->stop(immediately); });
    }
}

TEST_F(BridgedThreads, APoolThatWasNeverStartedLosesNothing) {
    bridge.set_thread_pool(make_pool(2));
    exchange(2, 50, [] {});
}

TEST_F(BridgedThreads, APoolWithoutWorkersLosesNothing) {
    const auto program = make_pool(0);
    EXPECT_TRUE(network_system::detail::has_failed(program->start()));
    bridge.set_thread_pool(program);
    exchange(2, 50, [] {});
}

TEST_F(BridgedThreads, NullBringsTheLibrarysOwnThreadsBack) {
    const auto program = make_pool(1);
    program->start();
    bridge.set_thread_pool(program);
    bridge.set_thread_pool(std::shared_ptr<pool>());
    exchange(2, 50, [] {});
    auto adapter = thread_system_pool_adapter(program);
    for (const auto& worker : threads_of(adapter, 1)) {
        EXPECT_EQ(0u, threads_.count(worker));
    }
}

/// The last to know the pool may be a handler on the pool's own thread, on which the pool could not wait for itself.
TEST_F(BridgedThreads, APoolMayGoInAHandlerOnIt) {
    std::weak_ptr<pool> watched;
    {
        auto program = make_pool(2);
        program->start();
        watched = program;
        bridge.set_thread_pool(std::move(program));
    }
    event handled;
    auto server = start_server();
    server->set_connect_handler(nullptr);  // which keeps the session, and with it the pool
    auto client = connect(*server);
    server->set_message_handler([&](const session_ptr&, const std::string&) {
        bridge.set_thread_pool(nullptr);
        server.reset();
        handled.set();
    });
    client->send_message("drop it");
    EXPECT_TRUE(handled.wait());
    client.reset();
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!watched.expired() && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::yield();
    }
    EXPECT_TRUE(watched.expired());
}

class ThreadSystemPool : public ::testing::Test {
protected:
    void SetUp() override { manager.set_thread_pool(nullptr); }
    void TearDown() override { manager.set_thread_pool(nullptr); }

    thread_integration_manager& manager = thread_integration_manager::instance();
};

TEST_F(ThreadSystemPool, RunsTasks) {
    const auto threads = thread_system_pool_adapter::create_default("title");
    EXPECT_TRUE(threads->is_running());
    EXPECT_LE(1u, threads->worker_count());
    const auto workers = threads_of(*threads, threads->worker_count());
    EXPECT_EQ(threads->worker_count(), workers.size());
    EXPECT_EQ(0u, threads->pending_tasks());
    EXPECT_THROW(threads->submit([] { throw std::logic_error("of the task"); }).get(), std::logic_error);
}

TEST_F(ThreadSystemPool, RunsDelayedTasksWhenTheyAreDue) {
    const auto threads = thread_system_pool_adapter::create_default();
    const auto begin = std::chrono::steady_clock::now();
    auto submitted = threads->submit_delayed([] {}, milliseconds(20));
    ASSERT_EQ(std::future_status::ready, submitted.wait_for(patience));
    EXPECT_LE(milliseconds(20), std::chrono::steady_clock::now() - begin);
}

TEST_F(ThreadSystemPool, RefusesWhatAStoppedPoolWouldNotRun) {
    const auto program = make_pool(1);
    thread_system_pool_adapter threads(program);
    EXPECT_FALSE(threads.is_running());
    EXPECT_THROW(threads.submit([] {}).get(), std::runtime_error);
    EXPECT_THROW(threads.submit_delayed([] {}, milliseconds(1)).get(), std::runtime_error);
    program->start();
    threads.submit([] {}).get();
    // Due after the stop: it is not run, and whoever waits for it is told.
    auto late = threads.submit_delayed([] {}, milliseconds(30));
    program->stop();
    EXPECT_THROW(late.get(), std::future_error);
    EXPECT_THROW(threads.submit([] {}).get(), std::runtime_error);
    EXPECT_THROW(thread_system_pool_adapter(nullptr), std::invalid_argument);
}

TEST_F(ThreadSystemPool, BecomesThatOfTheProcess) {
    ASSERT_TRUE(bind_thread_system_pool_into_manager("process"));
    const auto chosen = std::dynamic_pointer_cast<thread_system_pool_adapter>(manager.get_chosen_thread_pool());
    ASSERT_NE(nullptr, chosen);
    const auto workers = threads_of(*chosen, chosen->worker_count());
    std::thread::id ran_on;
    manager.submit_task([&] { ran_on = std::this_thread::get_id(); }).get();
    EXPECT_EQ(1u, workers.count(ran_on));
    EXPECT_TRUE(manager.get_metrics().is_running);
    EXPECT_EQ(chosen->worker_count(), manager.get_metrics().worker_threads);

    EXPECT_EQ(chosen, thread_system_pool_adapter::from_service_or_default("another"));
    ASSERT_TRUE(bind_thread_system_pool_into_manager("another"));
    EXPECT_EQ(chosen, manager.get_chosen_thread_pool());
    manager.set_thread_pool(std::make_shared<basic_thread_pool>(1));
    EXPECT_NE(chosen, thread_system_pool_adapter::from_service_or_default("another"));
}

}  // namespace
