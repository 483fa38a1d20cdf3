#include <gtest/gtest.h>
#include <network_system/integration/async_logger.h>
#include <network_system/integration/logger_integration.h>

#include <algorithm>
#include <cstdlib>
#include <future>
#include <memory>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

#include "network_system/core/messaging_client.h"
#include "network_system/core/messaging_server.h"
#include "support.h"

namespace {

using namespace network_system::integration;
using test_support::journal;
using test_support::patience;

/// Keeps the lines as "LEVEL text".
class recording_logger final : public logger_interface {
public:
    explicit recording_logger(log_level min_level = log_level::trace) : min_level_(min_level) {}

    void log(log_level level, const std::string& message) override {
        if (is_level_enabled(level)) {
            lines.add(std::to_string(static_cast<int>(level)) + " " + message);
        }
    }
    void log(log_level level, const std::string& message, const std::string& file, int line,
             const std::string& function) override {
        places.add(file + ":" + std::to_string(line) + ":" + function);
        log(level, message);
    }
    bool is_level_enabled(log_level level) const override { return level >= min_level_; }
    void flush() override { ++flushes; }

    journal lines;
    journal places;
    int flushes = 0;

private:
    const log_level min_level_;
};

class Logger : public ::testing::Test {
protected:
    void TearDown() override { manager.set_logger(nullptr); }

    logger_integration_manager& manager = logger_integration_manager::instance();
};

TEST_F(Logger, BasicLoggerWritesErrorsToTheErrorStreamAndTheRestToTheOutput) {
    basic_logger logger;
    EXPECT_EQ(log_level::info, logger.get_min_level());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    logger.log(log_level::debug, "hidden");
    logger.log(log_level::info, "shown");
    logger.log(log_level::warn, "placed", "file.cpp", 7, "function");
    logger.log(log_level::error, "bad");
    logger.log(log_level::fatal, "worse");
    logger.flush();
    const std::string output = ::testing::internal::GetCapturedStdout();
    const std::string errors = ::testing::internal::GetCapturedStderr();
    const std::string time = R"(\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\])";
    EXPECT_TRUE(
        std::regex_match(output, std::regex(time + R"( \[INFO\] \[network_system\] shown\n)" + time +
                                            R"( \[WARN\] \[network_system\] placed \(file.cpp:7 in function\)\n)")))
        << output;
    EXPECT_TRUE(std::regex_match(errors, std::regex(time + R"( \[ERROR\] \[network_system\] bad\n)" + time +
                                                    R"( \[FATAL\] \[network_system\] worse\n)")))
        << errors;
}

TEST_F(Logger, BasicLoggerChangesItsLevel) {
    basic_logger logger(log_level::error);
    EXPECT_FALSE(logger.is_level_enabled(log_level::warn));
    EXPECT_TRUE(logger.is_level_enabled(log_level::error));
    logger.set_min_level(log_level::trace);
    EXPECT_TRUE(logger.is_level_enabled(log_level::trace));
}

TEST_F(Logger, MacrosTellThePlaceAndMakeNoTextThatIsNotWanted) {
    const auto logger = std::make_shared<recording_logger>(log_level::warn);
    manager.set_logger(logger);
    EXPECT_EQ(logger, manager.get_logger());
    int made = 0;
    const auto text = [&made] {
        ++made;
        return std::string("text");
    };
    NETWORK_LOG_TRACE(text());
    NETWORK_LOG_DEBUG(text());
    NETWORK_LOG_INFO(text());
    EXPECT_EQ(0, made);
    NETWORK_LOG_WARN(text());
    NETWORK_LOG_ERROR(text());
    NETWORK_LOG_FATAL("fatal");
    const int line = __LINE__ - 1;
    EXPECT_EQ(2, made);
    EXPECT_EQ((std::vector<std::string>{"3 text", "4 text", "5 fatal"}), logger->lines.all());
    EXPECT_EQ(std::string(__FILE__) + ":" + std::to_string(line) + ":TestBody", logger->places.last());
}

TEST_F(Logger, ManagerFallsBackToABasicLogger) {
    manager.set_logger(nullptr);
    EXPECT_NE(nullptr, std::dynamic_pointer_cast<basic_logger>(manager.get_logger()));
    EXPECT_EQ(nullptr, manager.get_chosen_logger());
    ::testing::internal::CaptureStdout();
    manager.log(log_level::info, "by the manager");
    manager.log(log_level::info, "placed", "f", 1, "g");
    manager.get_logger()->flush();
    const std::string output = ::testing::internal::GetCapturedStdout();
    EXPECT_NE(std::string::npos, output.find("by the manager\n"));
    EXPECT_NE(std::string::npos, output.find("placed (f:1 in g)\n"));
}

TEST_F(Logger, GetsTheLibrarysOwnLines) {
    const auto logger = std::make_shared<recording_logger>();
    manager.set_logger(logger);
    network_system::core::messaging_server server("server");
    network_system::core::messaging_client client("client");
    ASSERT_TRUE(server.start_server(0));
    ASSERT_TRUE(client.start_client("127.0.0.1", server.port()));
    ASSERT_TRUE(client.wait_until_connected(patience));
    ASSERT_TRUE(client.stop_client());
    ASSERT_TRUE(server.stop_server());
    ASSERT_TRUE(logger->lines.wait_for(2));
    for (const std::string& line : logger->lines.all()) {
        EXPECT_EQ(" network_system::", line.substr(1, 17)) << line;
    }

    manager.set_logger(nullptr);
    const std::size_t before = logger->lines.size();
    ASSERT_TRUE(server.start_server(0));
    ASSERT_TRUE(client.start_client("127.0.0.1", server.port()));
    ASSERT_TRUE(client.wait_until_connected(patience));
    ASSERT_TRUE(client.stop_client());
    ASSERT_TRUE(server.stop_server());
    EXPECT_EQ(before, logger->lines.size());
}

TEST_F(Logger, IsNotFloodedByAPeer) {
    constexpr int visits = 300;
    const auto logger = std::make_shared<recording_logger>(log_level::warn);
    manager.set_logger(logger);
    network_system::core::server_config config;
    config.framing = network_system::core::framing_mode::framed;
    network_system::core::messaging_server server("server", config);
    ASSERT_TRUE(server.start_server(0));
    // Where the test is repeated, the first lines are left out.
    for (int i = 0; i < visits || logger->lines.size() == 0; ++i) {
        test_support::raw_peer peer(server.port());
        peer.send("GET / HTTP/1.1\r\n\r\n");
        peer.receive(1000);
    }
    ASSERT_TRUE(server.stop_server());
    EXPECT_GT(visits / 2u, logger->lines.size());
    const std::string first = logger->lines.all().front();
    EXPECT_EQ(0u, first.find("3 network_system::session::registry")) << first;
    EXPECT_NE(std::string::npos, first.find(": a peer broke the protocol")) << first;
}

TEST_F(Logger, GetsALineForEachMessageOnRequest) {
    const auto logger = std::make_shared<recording_logger>(log_level::info);
    manager.set_logger(logger);
    network_system::core::server_config server_config;
    server_config.log_messages = true;
    network_system::core::messaging_server server("server", server_config);
    network_system::core::client_config client_config;
    client_config.framing = network_system::core::framing_mode::framed;
    client_config.log_messages = true;
    network_system::core::messaging_client client("client", client_config);
    ASSERT_TRUE(server.start_server(0));
    ASSERT_TRUE(client.start_client("127.0.0.1", server.port()));
    ASSERT_TRUE(client.wait_until_connected(patience));
    ASSERT_TRUE(client.send_message("the secret"));
    ASSERT_TRUE(client.stop_client());
    ASSERT_TRUE(server.stop_server());
    std::vector<std::string> kinds;
    for (const std::string& line : logger->lines.all()) {
        EXPECT_EQ(std::string::npos, line.find("secret")) << line;
        std::smatch match;
        if (std::regex_match(line, match,
                             std::regex("2 network_system::messages: ([a-z]+) session=session_\\d+ "
                                        "peer=127.0.0.1:\\d+ kind=text bytes=10"))) {
            kinds.push_back(match[1]);
        }
    }
    std::sort(kinds.begin(), kinds.end());
    EXPECT_EQ((std::vector<std::string>{"received", "sent"}), kinds);
}

TEST(LogLevels, HaveTheirOldNumbers) {
    EXPECT_EQ(0, static_cast<int>(log_level::trace));
    EXPECT_EQ(1, static_cast<int>(log_level::debug));
    EXPECT_EQ(2, static_cast<int>(log_level::info));
    EXPECT_EQ(3, static_cast<int>(log_level::warn));
    EXPECT_EQ(4, static_cast<int>(log_level::error));
    EXPECT_EQ(5, static_cast<int>(log_level::fatal));
}

TEST_F(Logger, IsToldWhenNobodyElseCanBe) {
    const auto logger = std::make_shared<recording_logger>(log_level::error);
    manager.set_logger(logger);
    network_system::core::messaging_client client("client");
    client.set_error_handler([](const std::string&, int) { throw std::runtime_error("the last straw"); });
    const test_support::refusing_port port;
    ASSERT_TRUE(client.start_client("127.0.0.1", port.port()));
    ASSERT_TRUE(logger->lines.wait_for(1));
    EXPECT_NE(std::string::npos, logger->lines.last().find("the last straw"));
    client.stop_client();
}

/// Writes nothing until it is told to.
class stuck_logger final : public logger_interface {
public:
    void log(log_level, const std::string& message) override {
        if (message == "stuck") {
            reached.set_value();
            release.get_future().wait();
        }
        lines.add(message);
    }
    void log(log_level level, const std::string& message, const std::string&, int, const std::string&) override {
        log(level, message);
    }
    bool is_level_enabled(log_level level) const override { return level >= log_level::info; }
    void flush() override { flushed = lines.size(); }

    std::promise<void> reached;
    std::promise<void> release;
    journal lines;
    std::size_t flushed = 0;
};

TEST_F(Logger, AsyncLoggerWaitsForNoTargetAndSaysWhatItDropped) {
    const auto target = std::make_shared<stuck_logger>();
    async_logger logger(target, 3);
    EXPECT_FALSE(logger.is_level_enabled(log_level::debug));
    logger.log(log_level::info, "stuck");
    target->reached.get_future().wait();
    logger.log(log_level::debug, "below the level");
    for (const char* line : {"1", "2", "3", "4", "5"}) {
        logger.log(log_level::info, line);
    }
    target->release.set_value();
    logger.flush();
    EXPECT_LE(4u, target->flushed);
    ASSERT_TRUE(target->lines.wait_for(5));
    EXPECT_EQ((std::vector<std::string>{"stuck", "1", "2", "3", "2 lines were dropped"}), target->lines.all());
}

TEST_F(Logger, AsyncLoggerWritesAllBeforeItEnds) {
    const auto target = std::make_shared<recording_logger>();
    {
        async_logger logger(target);
        for (int i = 0; i < 500; ++i) {
            logger.log(log_level::info, std::to_string(i), "file", i, "function");
        }
    }
    ASSERT_EQ(500u, target->lines.size());
    EXPECT_EQ("2 499", target->lines.last());
    EXPECT_EQ("file:499:function", target->places.last());
}

TEST_F(Logger, AsyncLoggerSurvivesATargetThatThrows) {
    class throwing final : public logger_interface {
    public:
        void log(log_level, const std::string& message) override {
            if (message == "bad") {
                throw std::runtime_error("the disk is full");
            }
            lines.add(message);
        }
        void log(log_level level, const std::string& message, const std::string&, int, const std::string&) override {
            log(level, message);
        }
        bool is_level_enabled(log_level) const override { return true; }
        void flush() override {}
        journal lines;
    };
    const auto target = std::make_shared<throwing>();
    async_logger logger(target);
    ::testing::internal::CaptureStderr();
    logger.log(log_level::info, "bad");
    logger.log(log_level::info, "good");
    logger.flush();
    EXPECT_NE(std::string::npos, ::testing::internal::GetCapturedStderr().find("the disk is full"));
    EXPECT_EQ((std::vector<std::string>{"good"}), target->lines.all());
}

TEST_F(Logger, AsyncLoggerMayBeDestroyedByItsTarget) {
    class last_owner final : public logger_interface {
    public:
        void log(log_level, const std::string&) override {
            only_owner.get_future().wait();
            owned.reset();
            done.set_value();
        }
        void log(log_level level, const std::string& message, const std::string&, int, const std::string&) override {
            log(level, message);
        }
        bool is_level_enabled(log_level) const override { return true; }
        void flush() override {}
        std::shared_ptr<async_logger> owned;
        std::promise<void> only_owner;
        std::promise<void> done;
    };
    const auto target = std::make_shared<last_owner>();
    auto logger = std::make_shared<async_logger>(target);
    target->owned = logger;
    logger->log(log_level::info, "go");
    logger.reset();
    target->only_owner.set_value();
    EXPECT_EQ(std::future_status::ready, target->done.get_future().wait_for(patience));
}

TEST(LoggerAtExit, TheDefaultLoggerHasWrittenItsLines) {
    ::testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(
        {
            logger_integration_manager::instance().set_default_logger(
                std::make_shared<async_logger>(std::make_shared<basic_logger>()));
            NETWORK_LOG_ERROR("the last line");
            std::exit(0);
        },
        ::testing::ExitedWithCode(0), "the last line");
}

}  // namespace
