#include <gtest/gtest.h>
#include <network_system/utils/session_timeout.h>

#include <chrono>
#include <thread>

namespace {

using network_system::session_timeout_manager;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(SessionTimeout, IsFiveMinutesByDefault) {
    const session_timeout_manager timeout;
    EXPECT_EQ(seconds(300), timeout.get_timeout());
    EXPECT_FALSE(timeout.is_timed_out());
    EXPECT_GE(seconds(300), timeout.get_remaining_time());
    EXPECT_LT(seconds(200), timeout.get_remaining_time());
}

TEST(SessionTimeout, ComesWhenNothingHappensForSoLong) {
    session_timeout_manager timeout{seconds(1)};
    const auto begin = std::chrono::steady_clock::now();
    while (!timeout.is_timed_out()) {
        std::this_thread::yield();
    }
    EXPECT_LE(milliseconds(1000), std::chrono::steady_clock::now() - begin + milliseconds(1));
    EXPECT_LE(milliseconds(1000), timeout.get_idle_time());
    EXPECT_EQ(milliseconds(0), timeout.get_remaining_time());
}

TEST(SessionTimeout, IdleTimeBeginsAnewWithEachActivity) {
    session_timeout_manager timeout{seconds(1)};
    while (timeout.get_idle_time() < milliseconds(10)) {
        std::this_thread::yield();
    }
    timeout.set_timeout(seconds(1000));
    const auto before = std::chrono::steady_clock::now();
    timeout.update_activity();
    const auto idle = timeout.get_idle_time();
    EXPECT_LE(idle, std::chrono::steady_clock::now() - before);
    EXPECT_FALSE(timeout.is_timed_out());
}

TEST(SessionTimeout, FollowsAChangeOfTheTimeout) {
    session_timeout_manager timeout{seconds(1)};
    while (!timeout.is_timed_out()) {
        std::this_thread::yield();
    }
    timeout.set_timeout(seconds(1000));
    EXPECT_EQ(seconds(1000), timeout.get_timeout());
    EXPECT_FALSE(timeout.is_timed_out());
    timeout.set_timeout(seconds(0));
    EXPECT_FALSE(timeout.is_timed_out());
    EXPECT_EQ(milliseconds::max(), timeout.get_remaining_time());
}

}  // namespace
