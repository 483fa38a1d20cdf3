#include <gtest/gtest.h>
#include <network_system/utils/memory_profiler.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "support.h"

namespace {

using network_system::utils::memory_profiler;
using network_system::utils::memory_snapshot;
using std::chrono::milliseconds;

class MemoryProfiler : public ::testing::Test {
protected:
    void SetUp() override { reset(); }
    void TearDown() override { reset(); }

    void reset() {
        profiler.stop();
        profiler.clear_history();
    }

    /// The history has grown to that length in time.
    bool wait_for(std::size_t count) {
        const auto deadline = std::chrono::steady_clock::now() + test_support::patience;
        while (profiler.get_history().size() < count) {
            if (std::chrono::steady_clock::now() > deadline) {
                return false;
            }
            std::this_thread::yield();
        }
        return true;
    }

    memory_profiler& profiler = memory_profiler::instance();
};

TEST_F(MemoryProfiler, SeesWhatTheProgramTakes) {
    constexpr std::size_t taken = 64 * 1024 * 1024;
    const memory_snapshot before = profiler.snapshot();
    EXPECT_LT(0u, before.resident_bytes);
    EXPECT_LT(before.resident_bytes, before.virtual_bytes);
    const std::vector<char> memory(taken, 'x');
    const memory_snapshot after = profiler.snapshot();
    EXPECT_LE(before.resident_bytes + taken / 2, after.resident_bytes + memory.front() - 'x');
    EXPECT_LE(before.virtual_bytes + taken / 2, after.virtual_bytes);
    EXPECT_LE(before.timestamp, after.timestamp);
    EXPECT_TRUE(profiler.get_history().empty());
}

TEST_F(MemoryProfiler, KeepsASnapshotAtEachInterval) {
    profiler.start(milliseconds(1));
    EXPECT_LE(1u, profiler.get_history().size());
    profiler.start(milliseconds(1));
    ASSERT_TRUE(wait_for(5));
    profiler.stop();
    const std::vector<memory_snapshot> history = profiler.get_history();
    EXPECT_TRUE(std::is_sorted(history.begin(), history.end(),
                               [](const auto& left, const auto& right) { return left.timestamp < right.timestamp; }));
    const std::vector<memory_snapshot> latest = profiler.get_history(2);
    ASSERT_EQ(2u, latest.size());
    EXPECT_EQ(history.back().timestamp, latest.back().timestamp);
    EXPECT_EQ(history.size(), profiler.get_history(history.size() + 7).size());

    profiler.clear_history();
    EXPECT_TRUE(profiler.get_history().empty());
    profiler.start(milliseconds(1));
    EXPECT_TRUE(wait_for(2));
}

TEST_F(MemoryProfiler, MakesATable) {
    EXPECT_EQ("timestamp_ms\tresident_bytes\tvirtual_bytes\n", profiler.to_tsv());
    profiler.start(std::chrono::hours(1));
    profiler.stop();
    const memory_snapshot only = profiler.get_history().at(0);
    const auto time = std::chrono::duration_cast<milliseconds>(only.timestamp.time_since_epoch());
    EXPECT_EQ("timestamp_ms\tresident_bytes\tvirtual_bytes\n" + std::to_string(time.count()) + "\t" +
                  std::to_string(only.resident_bytes) + "\t" + std::to_string(only.virtual_bytes) + "\n",
              profiler.to_tsv());
}

}  // namespace
