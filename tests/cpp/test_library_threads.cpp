// How initialize() has the library's own threads made. They are made once in a process, so this is a program of its
// own.
#include <gtest/gtest.h>
#include <network_system/network_system.h>
#include <pthread.h>

#include <array>
#include <memory>
#include <string>

#include "support.h"

namespace network_system::test {
namespace {

using test_support::journal;

class kept_lines final : public integration::logger_interface {
public:
    void log(integration::log_level, const std::string& message) override { lines.add(message); }
    void log(integration::log_level level, const std::string& message, const std::string&, int,
             const std::string&) override {
        log(level, message);
    }
    bool is_level_enabled(integration::log_level level) const override { return level == integration::log_level::warn; }
    void flush() override {}

    journal lines;
};

/// What the thread is called that runs a server's handlers.
std::string name_of_a_loop() {
    journal names;
    core::messaging_server server("server");
    server.set_connection_callback([&](auto) {
        std::array<char, 16> name{};
        pthread_getname_np(pthread_self(), name.data(), name.size());
        names.add(name.data());
    });
    EXPECT_TRUE(server.start_server("127.0.0.1", 0));
    const test_support::raw_peer peer(server.port());
    return names.at(0);
}

TEST(LibraryThreads, AreAsTheFirstConfigurationSays) {
    config::network_system_config config;
    const auto logger = std::make_shared<kept_lines>();
    config.logger = logger;
    config.runtime.monitoring.enabled = false;

    config.runtime.context.pool_threads = 5000;
    const auto refused = initialize(config);
    ASSERT_TRUE(refused.is_err()) << "what the library refuses is an error";
    EXPECT_EQ(-1, refused.error().code);

    config.runtime.context.pool_threads = 1;
    config.runtime.context.log_filter = "loud";
    EXPECT_EQ(-1, initialize(config).error().code);

    config.runtime.context.log_filter = "off,network_system::core=debug";
    config.runtime.context.log_to_stderr = true;
    config.runtime.context.thread_name_prefix = "none";
    config.logger = nullptr;
    config.runtime.logger.log_file_path = "/nonexistent/log";
    EXPECT_EQ(-9, initialize(config).error().code) << "what fails elsewhere";
    config.logger = logger;
    config.runtime.logger.log_file_path.clear();

    config.runtime.context.thread_name_prefix = "mine";
    ASSERT_TRUE(initialize(config).is_ok());
    ::testing::internal::CaptureStderr();
    EXPECT_EQ("mine", name_of_a_loop().substr(0, 4));
    EXPECT_TRUE(shutdown());
    const std::string log = ::testing::internal::GetCapturedStderr();
    EXPECT_NE(std::string::npos, log.find(" network_system::core")) << log;
    EXPECT_EQ(std::string::npos, log.find(" network_system::session")) << log;

    ASSERT_TRUE(initialize(config).is_ok()) << "the same again";
    EXPECT_TRUE(shutdown());
    EXPECT_EQ(0u, logger->lines.size());

    config.runtime.context.thread_name_prefix = "late";
    ASSERT_TRUE(initialize(config).is_ok());
    EXPECT_EQ("mine", name_of_a_loop().substr(0, 4));
    EXPECT_NE(std::string::npos, logger->lines.at(0).find("threads run already"));
    EXPECT_TRUE(shutdown());
}

}  // namespace
}  // namespace network_system::test
