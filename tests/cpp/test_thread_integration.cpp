#include <gtest/gtest.h>
#include <network_system/integration/thread_integration.h>
#include <network_system/integration/thread_system_adapter.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace network_system::integration {
namespace {

using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

constexpr std::chrono::seconds patience{20};

static_assert(std::is_same_v<thread_integration, thread_integration_manager>);
static_assert(std::is_base_of_v<thread_pool_interface, basic_thread_pool>);
static_assert(!std::is_convertible_v<size_t, basic_thread_pool>);
// Without thread_system (tests/companions has it) its adapter is a name that nothing can be made of.
static_assert(std::is_class_v<thread_system_pool_adapter>);
static_assert(!std::is_default_constructible_v<thread_system_pool_adapter>);

/// Occupies a worker until it is opened.
class gate {
public:
    std::function<void()> task() {
        return [this] {
            entered_.set_value();
            opened_.wait();
        };
    }
    void await_entered() { ASSERT_EQ(std::future_status::ready, entered_.get_future().wait_for(patience)); }
    void open() { open_.set_value(); }

private:
    std::promise<void> entered_;
    std::promise<void> open_;
    std::shared_future<void> opened_ = open_.get_future().share();
};

void expect_ready(const std::future<void>& future) {
    ASSERT_TRUE(future.valid());
    ASSERT_EQ(std::future_status::ready, future.wait_for(patience));
}

void expect_refused(std::future<void> future) {
    expect_ready(future);
    try {
        future.get();
        FAIL() << "the task was accepted";
    } catch (const std::runtime_error& error) {
        EXPECT_STREQ("Thread pool is not running", error.what());
    }
}

void expect_broken(std::future<void> future) {
    expect_ready(future);
    try {
        future.get();
        FAIL() << "the task ran";
    } catch (const std::future_error& error) {
        EXPECT_EQ(std::future_errc::broken_promise, error.code());
    }
}

class inline_pool : public thread_pool_interface {
public:
    std::future<void> submit(std::function<void()> task) override {
        std::packaged_task<void()> job(std::move(task));
        job();
        return job.get_future();
    }
    std::future<void> submit_delayed(std::function<void()> task, milliseconds) override {
        return submit(std::move(task));
    }
    size_t worker_count() const override { return 7; }
    bool is_running() const override { return running; }
    size_t pending_tasks() const override { return 3; }

    bool running = true;
};

TEST(BasicThreadPool, TakesTheNumberOfProcessorsByDefault) {
    const unsigned processors = std::thread::hardware_concurrency();
    EXPECT_EQ(processors == 0 ? 2 : processors, basic_thread_pool().worker_count());
    EXPECT_EQ(3u, basic_thread_pool(3).worker_count());
}

TEST(BasicThreadPool, RunsTasksInTheOrderOfSubmission) {
    basic_thread_pool pool(1);
    std::vector<int> order;
    std::future<void> last;
    for (int i = 0; i < 1000; ++i) {
        last = pool.submit([&order, i] { order.push_back(i); });
    }
    expect_ready(last);
    ASSERT_EQ(1000u, order.size());
    for (int i = 0; i < 1000; ++i) {
        ASSERT_EQ(i, order[static_cast<size_t>(i)]);
    }
}

TEST(BasicThreadPool, RunsAsManyTasksAtOnceAsItHasWorkers) {
    basic_thread_pool pool(2);
    std::promise<void> first;
    std::promise<void> second;
    auto one = pool.submit([&] {
        first.set_value();
        second.get_future().wait();
    });
    auto two = pool.submit([&] {
        first.get_future().wait();
        second.set_value();
    });
    expect_ready(one);
    expect_ready(two);
}

TEST(BasicThreadPool, HandsTheExceptionOfATaskToItsFuture) {
    basic_thread_pool pool(1);
    auto failing = pool.submit([] { throw std::out_of_range("task"); });
    EXPECT_THROW(failing.get(), std::out_of_range);
    EXPECT_THROW(pool.submit(nullptr).get(), std::bad_function_call);
    pool.stop();
    EXPECT_EQ(2u, pool.completed_tasks());
}

TEST(BasicThreadPool, CountsPendingAndCompletedTasks) {
    basic_thread_pool pool(1);
    gate busy;
    auto running = pool.submit(busy.task());
    busy.await_entered();
    EXPECT_EQ(0u, pool.pending_tasks());
    auto queued = pool.submit([] {});
    auto delayed = pool.submit_delayed([] {}, milliseconds(1));
    EXPECT_EQ(2u, pool.pending_tasks());
    EXPECT_EQ(0u, pool.completed_tasks());
    busy.open();
    pool.stop();
    EXPECT_EQ(0u, pool.pending_tasks());
    EXPECT_EQ(3u, pool.completed_tasks());
}

TEST(BasicThreadPool, StopRunsWhatWasAccepted) {
    basic_thread_pool pool(1);
    gate busy;
    auto running = pool.submit(busy.task());
    busy.await_entered();
    std::atomic<int> ran{0};
    for (int i = 0; i < 100; ++i) {
        pool.submit([&ran] { ++ran; });
    }
    pool.submit_delayed([&ran] { ++ran; }, milliseconds(20));
    busy.open();
    pool.stop();
    EXPECT_EQ(101, ran);
    EXPECT_FALSE(pool.is_running());
    EXPECT_EQ(0u, pool.worker_count());
    expect_refused(pool.submit([&ran] { ++ran; }));
    expect_refused(pool.submit_delayed([&ran] { ++ran; }, milliseconds(1)));
    pool.stop();
    pool.stop(false);
    EXPECT_EQ(101, ran);
}

TEST(BasicThreadPool, StopWithoutWaitingBreaksThePromisesOfQueuedTasks) {
    basic_thread_pool pool(1);
    gate busy;
    auto running = pool.submit(busy.task());
    busy.await_entered();
    auto queued = pool.submit([] { ADD_FAILURE() << "a discarded task ran"; });
    auto delayed = pool.submit_delayed([] { ADD_FAILURE() << "a discarded task ran"; }, std::chrono::hours(1));
    auto stopper = std::async(std::launch::async, [&pool] { pool.stop(false); });
    expect_broken(std::move(queued));
    expect_broken(std::move(delayed));
    busy.open();
    expect_ready(stopper);
    expect_ready(running);
    EXPECT_NO_THROW(running.get());
    EXPECT_EQ(0u, pool.worker_count());
}

TEST(BasicThreadPool, DestructionRunsWhatWasAccepted) {
    std::atomic<int> ran{0};
    {
        basic_thread_pool pool(2);
        for (int i = 0; i < 200; ++i) {
            pool.submit([&ran] { ++ran; });
        }
    }
    EXPECT_EQ(200, ran);
}

TEST(BasicThreadPool, ATaskMayStopItsPool) {
    basic_thread_pool pool(2);
    auto stopping = pool.submit([&pool] {
        pool.stop();
        pool.stop(false);
    });
    expect_ready(stopping);
    EXPECT_FALSE(pool.is_running());
    pool.stop();
    EXPECT_EQ(0u, pool.worker_count());
}

TEST(BasicThreadPool, ATaskMayDropTheLastReferenceToItsPool) {
    std::promise<void> dropped;
    std::promise<void> after;
    auto pool = std::make_shared<basic_thread_pool>(2);
    gate hold;
    pool->submit([&hold, owner = std::optional(pool), &dropped]() mutable {
        hold.task()();
        owner.reset();
        dropped.set_value();
    });
    hold.await_entered();
    pool->submit_delayed([&after] { after.set_value(); }, milliseconds(5));
    pool.reset();
    hold.open();
    EXPECT_EQ(std::future_status::ready, dropped.get_future().wait_for(patience));
    EXPECT_EQ(std::future_status::ready, after.get_future().wait_for(patience));
}

TEST(BasicThreadPool, SeveralThreadsMayStopAtOnce) {
    basic_thread_pool pool(4);
    std::atomic<int> ran{0};
    for (int i = 0; i < 1000; ++i) {
        pool.submit([&ran] { ++ran; });
    }
    std::vector<std::thread> stoppers;
    for (int i = 0; i < 4; ++i) {
        stoppers.emplace_back([&] {
            pool.stop();
            EXPECT_EQ(0u, pool.worker_count());
            EXPECT_EQ(1000, ran);
        });
    }
    for (auto& stopper : stoppers) {
        stopper.join();
    }
}

TEST(BasicThreadPool, DestroysATaskBeforeWaitingForTheNext) {
    basic_thread_pool pool(1);
    auto captured = std::make_shared<int>(1);
    std::weak_ptr<int> watched = captured;
    pool.submit([captured = std::move(captured)] { EXPECT_EQ(1, *captured); });
    expect_ready(pool.submit([] {}));
    EXPECT_TRUE(watched.expired());
}

TEST(BasicThreadPoolDelay, HoldsATaskBackForAtLeastItsDelay) {
    basic_thread_pool pool(1);
    const auto start = clock::now();
    expect_ready(pool.submit_delayed([] {}, milliseconds(50)));
    EXPECT_GE(clock::now() - start, milliseconds(50));
}

TEST(BasicThreadPoolDelay, OccupiesNoWorker) {
    basic_thread_pool pool(1);
    auto far = pool.submit_delayed([] {}, std::chrono::hours(24));
    expect_ready(pool.submit([] {}));
    EXPECT_EQ(std::future_status::timeout, far.wait_for(milliseconds(0)));
    pool.stop(false);
    expect_broken(std::move(far));
}

TEST(BasicThreadPoolDelay, OrdersByTimeAndThenBySubmission) {
    basic_thread_pool pool(1);
    gate busy;
    pool.submit(busy.task());
    busy.await_entered();
    std::string order;
    auto last = pool.submit_delayed([&order] { order += 'd'; }, milliseconds(60));
    pool.submit_delayed([&order] { order += 'c'; }, milliseconds(30));
    pool.submit_delayed([&order] { order += 'a'; }, milliseconds(-5));
    pool.submit_delayed([&order] { order += 'b'; }, milliseconds(0));
    busy.open();
    expect_ready(last);
    EXPECT_EQ("abcd", order);
}

TEST(BasicThreadPoolDelay, ADueTaskFindsAnIdleWorkerWhileAnotherIsBusy) {
    basic_thread_pool pool(2);
    auto delayed = pool.submit_delayed([] {}, milliseconds(30));
    gate busy;
    auto running = pool.submit(busy.task());
    busy.await_entered();
    expect_ready(delayed);
    busy.open();
    expect_ready(running);
}

TEST(BasicThreadPoolDelay, AnEarlierTaskOvertakesALaterOne) {
    basic_thread_pool pool(1);
    auto later = pool.submit_delayed([] {}, std::chrono::hours(1));
    expect_ready(pool.submit_delayed([] {}, milliseconds(1)));
    pool.stop(false);
}

TEST(BasicThreadPoolDelay, TakesTheLongestDelay) {
    basic_thread_pool pool(1);
    auto never = pool.submit_delayed([] {}, milliseconds::max());
    expect_ready(pool.submit([] {}));
    EXPECT_EQ(1u, pool.pending_tasks());
    pool.stop(false);
    expect_broken(std::move(never));
}

class ThreadIntegrationManager : public ::testing::Test {
protected:
    void SetUp() override { manager.set_thread_pool(nullptr); }
    void TearDown() override { manager.set_thread_pool(nullptr); }

    thread_integration_manager& manager = thread_integration_manager::instance();
};

TEST_F(ThreadIntegrationManager, IsOneForTheProcess) {
    EXPECT_EQ(&manager, &thread_integration_manager::instance());
}

TEST_F(ThreadIntegrationManager, MakesAPoolAtFirstUseAndNotForMetrics) {
    auto metrics = manager.get_metrics();
    EXPECT_EQ(0u, metrics.worker_threads);
    EXPECT_FALSE(metrics.is_running);

    const auto pool = std::dynamic_pointer_cast<basic_thread_pool>(manager.get_thread_pool());
    ASSERT_NE(nullptr, pool);
    EXPECT_EQ(pool, manager.get_thread_pool());
    expect_ready(manager.submit_task([] {}));
    expect_ready(manager.submit_delayed_task([] {}, milliseconds(1)));

    metrics = manager.get_metrics();
    EXPECT_EQ(pool->worker_count(), metrics.worker_threads);
    EXPECT_TRUE(metrics.is_running);
    pool->stop();
    EXPECT_EQ(2u, manager.get_metrics().completed_tasks);
    EXPECT_FALSE(manager.get_metrics().is_running);
}

TEST_F(ThreadIntegrationManager, ReplacesAStoppedPoolThatItMade) {
    const auto first = manager.get_thread_pool();
    std::dynamic_pointer_cast<basic_thread_pool>(first)->stop();
    expect_ready(manager.submit_task([] {}));
    EXPECT_NE(first, manager.get_thread_pool());
    EXPECT_TRUE(manager.get_thread_pool()->is_running());
}

TEST_F(ThreadIntegrationManager, KeepsAStoppedPoolThatTheApplicationSet) {
    const auto own = std::make_shared<basic_thread_pool>(1);
    manager.set_thread_pool(own);
    own->stop();
    EXPECT_EQ(own, manager.get_thread_pool());
    expect_refused(manager.submit_task([] {}));
}

TEST_F(ThreadIntegrationManager, KeepsADefaultPoolThatTheApplicationSetAgain) {
    const auto pool = std::dynamic_pointer_cast<basic_thread_pool>(manager.get_thread_pool());
    manager.set_thread_pool(pool);
    pool->stop();
    EXPECT_EQ(pool, manager.get_thread_pool());
}

TEST_F(ThreadIntegrationManager, UsesAPoolOfTheApplication) {
    const auto own = std::make_shared<inline_pool>();
    manager.set_thread_pool(own);
    bool ran = false;
    manager.submit_task([&ran] { ran = true; });
    EXPECT_TRUE(ran);
    const auto metrics = manager.get_metrics();
    EXPECT_EQ(7u, metrics.worker_threads);
    EXPECT_EQ(3u, metrics.pending_tasks);
    EXPECT_EQ(0u, metrics.completed_tasks);
    EXPECT_TRUE(metrics.is_running);
    own->running = false;
    EXPECT_EQ(own, manager.get_thread_pool());
}

TEST_F(ThreadIntegrationManager, MakesOnePoolForThreadsThatAskAtOnce) {
    std::vector<std::shared_ptr<thread_pool_interface>> pools(8);
    std::vector<std::thread> threads;
    for (auto& pool : pools) {
        threads.emplace_back([this, &pool] { pool = manager.get_thread_pool(); });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    for (const auto& pool : pools) {
        EXPECT_EQ(pools.front(), pool);
    }
}

}  // namespace
}  // namespace network_system::integration
