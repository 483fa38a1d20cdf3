#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

#include <network_system/test_utils/network_test_utils.h>

namespace network_system::test {
namespace {

using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

/// A TCP socket bound to `port`, which the caller closes; -1 if the port is taken.
int bind_port(unsigned short port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
        return fd;
    }
    ::close(fd);
    return -1;
}

TEST(FreePort, CanBeBound) {
    for (int i = 0; i < 20; ++i) {
        const int fd = bind_port(test_utils::get_free_port());
        ASSERT_GE(fd, 0);
        ::close(fd);
    }
}

TEST(FreePort, LiesOutsideTheEphemeralRange) {
    unsigned low = 0;
    unsigned high = 0;
    std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> low >> high;
    ASSERT_LT(low, high);
    if (low <= 10000 && high == 65535) {
        GTEST_SKIP() << "every port of this machine is ephemeral";
    }
    for (int i = 0; i < 20; ++i) {
        const unsigned port = test_utils::get_free_port();
        EXPECT_TRUE(port < low || port > high) << port;
    }
}

TEST(FreePort, DiffersFromCallToCallAndThreadToThread) {
    std::vector<std::vector<unsigned short>> found(4);
    std::vector<std::thread> threads;
    for (auto& mine : found) {
        threads.emplace_back([&mine] {
            for (int i = 0; i < 100; ++i) {
                mine.push_back(test_utils::get_free_port());
            }
        });
    }
    std::vector<bool> seen(65536);
    for (std::size_t t = 0; t < threads.size(); ++t) {
        threads[t].join();
        for (const unsigned short port : found[t]) {
            EXPECT_FALSE(seen[port]) << port;
            seen[port] = true;
        }
    }
}

TEST(FreePort, DiffersBetweenAProcessAndItsChild) {
    const unsigned short mine = test_utils::get_free_port();
    int channel[2];
    ASSERT_EQ(0, ::pipe(channel));
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const unsigned short port = test_utils::get_free_port();
        ::_exit(::write(channel[1], &port, sizeof(port)) == static_cast<ssize_t>(sizeof(port)) ? 0 : 1);
    }
    unsigned short theirs = 0;
    EXPECT_EQ(static_cast<ssize_t>(sizeof(theirs)), ::read(channel[0], &theirs, sizeof(theirs)));
    int status = -1;
    EXPECT_EQ(child, ::waitpid(child, &status, 0));
    EXPECT_EQ(0, status);
    ::close(channel[0]);
    ::close(channel[1]);
    EXPECT_NE(0, theirs);
    EXPECT_NE(mine, theirs);
}

TEST(WaitForCondition, LooksOnceMoreBeforeItBelievesSuccess) {
    int looks = 0;
    EXPECT_TRUE(test_utils::wait_for_condition([&looks] { return ++looks >= 3; }, std::chrono::seconds(20)));
    EXPECT_EQ(4, looks);
}

TEST(WaitForCondition, GoesOnWhenTheSecondLookDisagrees) {
    int looks = 0;
    EXPECT_TRUE(test_utils::wait_for_condition([&looks] { return ++looks != 2; }, std::chrono::seconds(20)));
    EXPECT_EQ(4, looks);
}

TEST(WaitForCondition, GivesUpAfterTheTimeout) {
    const auto start = clock::now();
    EXPECT_FALSE(test_utils::wait_for_condition([] { return false; }, milliseconds(30)));
    EXPECT_GE(clock::now() - start, milliseconds(30));
}

TEST(WaitForCondition, LooksEvenWithoutTime) {
    EXPECT_TRUE(test_utils::wait_for_condition([] { return true; }, milliseconds(0)));
    EXPECT_FALSE(test_utils::wait_for_condition([] { return false; }, milliseconds(0)));
}

TEST(WaitForCondition, SeesWhatAnotherThreadDoes) {
    std::atomic<bool> done{false};
    std::thread other([&done] { done = true; });
    EXPECT_TRUE(test_utils::wait_for_condition([&done] { return done.load(); }, std::chrono::seconds(20)));
    other.join();
}

}  // namespace
}  // namespace network_system::test
