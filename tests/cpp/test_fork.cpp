// What the child of a fork may do with servers and clients, whose threads stay with the parent.
#include <gtest/gtest.h>
#include <network_system/network_system.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include "support.h"

namespace network_system::test {
namespace {

using core::messaging_client;
using core::messaging_server;
using test_support::patience;

/// Whether `body` returns true in a child. One that waits for ever is ended.
template <typename Body>
bool holds_in_child(Body&& body) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(static_cast<unsigned>(patience.count()));
        ::_exit(body() ? 0 : 1);
    }
    int status = 0;
    return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class ForkTest : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(server_->start_server("127.0.0.1", 0));
        ASSERT_TRUE(client_->start_client("127.0.0.1", server_->port()));
        ASSERT_TRUE(client_->wait_until_connected(patience));
    }

    void TearDown() override {
        EXPECT_TRUE(client_->is_connected()) << "nothing has happened in the parent";
        EXPECT_TRUE(client_->stop_client());
        EXPECT_TRUE(server_->stop_server());
    }

    std::shared_ptr<messaging_server> server_ = std::make_shared<messaging_server>("server");
    std::shared_ptr<messaging_client> client_ = std::make_shared<messaging_client>("client");
};

TEST_F(ForkTest, StopReturnsAndNothingRunsAfterwards) {
    EXPECT_TRUE(holds_in_child([&] {
        return client_->stop_client() && server_->stop_server() && !client_->is_running() && !server_->is_running();
    }));
}

TEST_F(ForkTest, WaitReturns) {
    EXPECT_TRUE(holds_in_child([&] {
        client_->wait_for_stop();
        server_->wait_for_stop();
        return true;
    }));
}

TEST_F(ForkTest, DestructorsReturn) {
    EXPECT_TRUE(holds_in_child([&] {
        client_.reset();
        server_.reset();
        return true;
    }));
}

TEST_F(ForkTest, AStartTellsWhyItFails) {
    EXPECT_TRUE(holds_in_child([&] {
        server_->stop_server();
        return server_->start_server(0).error().code == NETSYS_ERR_FORKED &&
               messaging_client("another").start_client("127.0.0.1", 1).error().code == NETSYS_ERR_FORKED;
    }));
}

}  // namespace
}  // namespace network_system::test
