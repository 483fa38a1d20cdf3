// The adapter to thread_system's pool, over pools that have the calls of its versions of 2025 and of 2026.
#include <gtest/gtest.h>
#include <network_system/integration/thread_system_adapter.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "support.h"

namespace {

using network_system::integration::basic_thread_pool;
using network_system::integration::thread_pool_interface;
using std::chrono::milliseconds;
using test_support::patience;

struct result_of_2025 {
    bool failed;
    bool has_error() const { return failed; }
};

struct result_of_2026 {
    bool failed;
    bool is_err() const { return failed; }
};

struct worker {};

struct job {
    explicit job(std::function<std::optional<std::string>()> function) : run(std::move(function)) {}
    std::function<std::optional<std::string>()> run;
};

/// What both versions share, over a pool of ours.
template <typename Outcome>
class library_pool {
public:
    explicit library_pool(std::string title) : title_(std::move(title)) {}

    Outcome enqueue(std::unique_ptr<worker>) {
        ++workers_;
        return {false};
    }
    Outcome enqueue(std::unique_ptr<job> task) {
        if (!pool_) {
            return {true};
        }
        const std::shared_ptr<job> shared = std::move(task);
        pool_->submit([shared] { shared->run(); });
        return {false};
    }
    Outcome start() {
        if (workers_ == 0) {
            return {true};
        }
        pool_ = std::make_unique<basic_thread_pool>(workers_);
        return {false};
    }
    void stop() { pool_->stop(); }
    bool is_running() const { return pool_ && pool_->is_running(); }
    std::size_t get_pending_task_count() const { return pool_->pending_tasks(); }
    const std::string& title() const { return title_; }

protected:
    std::size_t workers_ = 0;

private:
    const std::string title_;
    std::unique_ptr<basic_thread_pool> pool_;
};

class pool_of_2025 : public library_pool<result_of_2025> {
public:
    using library_pool::library_pool;
    std::size_t get_thread_count() const { return workers_; }
};

class pool_of_2026 : public library_pool<result_of_2026> {
public:
    using library_pool::library_pool;
    std::size_t get_active_worker_count() const { return workers_; }
};

template <typename Pool>
struct library {
    using pool = Pool;
    using job = ::job;
    using worker = ::worker;
};

template <typename Pool>
class adapter : public network_system::detail::thread_pool_adapter<library<Pool>> {
public:
    using network_system::detail::thread_pool_adapter<library<Pool>>::thread_pool_adapter;
    using network_system::detail::thread_pool_adapter<library<Pool>>::make_running_pool;
};

template <typename Pool>
class ThreadSystemAdapter : public ::testing::Test {};

using versions = ::testing::Types<pool_of_2025, pool_of_2026>;
TYPED_TEST_SUITE(ThreadSystemAdapter, versions, );

TYPED_TEST(ThreadSystemAdapter, RunsTasksInThePool) {
    adapter<TypeParam> threads(adapter<TypeParam>::make_running_pool("title"));
    EXPECT_EQ("title", threads.get_pool()->title());
    EXPECT_TRUE(threads.is_running());
    EXPECT_LE(1u, threads.worker_count());
    bool ran = false;
    auto submitted = threads.submit([&ran] { ran = true; });
    ASSERT_EQ(std::future_status::ready, submitted.wait_for(patience));
    EXPECT_TRUE(ran);
    EXPECT_EQ(0u, threads.pending_tasks());

    auto failed = threads.submit([] { throw std::logic_error("of the task"); });
    EXPECT_THROW(failed.get(), std::logic_error);
}

TYPED_TEST(ThreadSystemAdapter, RunsDelayedTasksWhenTheyAreDue) {
    adapter<TypeParam> threads(adapter<TypeParam>::make_running_pool("title"));
    const auto begin = std::chrono::steady_clock::now();
    auto submitted = threads.submit_delayed([] {}, milliseconds(20));
    ASSERT_EQ(std::future_status::ready, submitted.wait_for(patience));
    EXPECT_LE(milliseconds(20), std::chrono::steady_clock::now() - begin);
}

TYPED_TEST(ThreadSystemAdapter, RefusesWhatAStoppedPoolWouldNotRun) {
    const auto idle = std::make_shared<TypeParam>("idle");
    adapter<TypeParam> threads(idle);
    EXPECT_FALSE(threads.is_running());
    EXPECT_THROW(threads.submit([] {}).get(), std::runtime_error);
    EXPECT_THROW(threads.submit_delayed([] {}, milliseconds(1)).get(), std::runtime_error);
    EXPECT_THROW(adapter<TypeParam>(nullptr), std::invalid_argument);
}

#ifndef BUILD_WITH_THREAD_SYSTEM
using network_system::integration::thread_system_pool_adapter;
static_assert(std::is_class_v<thread_system_pool_adapter>);
static_assert(!std::is_default_constructible_v<thread_system_pool_adapter>);
#endif

}  // namespace
