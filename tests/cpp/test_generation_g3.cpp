// Written as programs of November and December 2025 are: initialize() with a configuration, the network_context, the
// monitoring, and the include root that came then.
#include <gtest/gtest.h>
#include <kcenon/network/config/network_config.h>
#include <kcenon/network/core/messaging_client.h>
#include <kcenon/network/core/network_context.h>
#include <kcenon/network/forward.h>
#include <kcenon/network/network_system.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <future>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "support.h"

namespace {

using network_system::config::network_config;
using network_system::config::network_system_config;
using network_system::core::messaging_client;
using network_system::core::messaging_server;
using network_system::core::network_context;
using network_system::integration::basic_thread_pool;
using network_system::integration::log_level;
using network_system::integration::logger_integration_manager;
using network_system::integration::logger_interface;
using network_system::integration::monitoring_integration_manager;
using network_system::integration::monitoring_interface;
using network_system::integration::thread_integration_manager;
using network_system::integration::thread_pool_interface;
using test_support::bytes_of;
using test_support::event;
using test_support::patience;
using test_support::stream_sink;
namespace common_errors = network_system::error_codes::common_errors;
namespace metric_names = network_system::metrics::metric_names;

static_assert(common_errors::success == 0 && common_errors::invalid_argument == -1 && common_errors::not_found == -2);
static_assert(common_errors::permission_denied == -3 && common_errors::timeout == -4 && common_errors::cancelled == -5);
static_assert(common_errors::not_initialized == -6 && common_errors::already_exists == -7);
static_assert(common_errors::out_of_memory == -8 && common_errors::io_error == -9);
static_assert(common_errors::network_error == -10 && common_errors::internal_error == -99);
static_assert(network_system::error_codes::common::already_exists == -7);

/// Adds up the counters and keeps the last of each gauge.
class figures final : public monitoring_interface {
public:
    void report_counter(const std::string& name, double value,
                        const std::map<std::string, std::string>& labels) override {
        const std::lock_guard<std::mutex> lock(mutex_);
        values_[name] += value;
        labels_ = labels;
        changed_.notify_all();
    }
    void report_gauge(const std::string& name, double value, const std::map<std::string, std::string>&) override {
        const std::lock_guard<std::mutex> lock(mutex_);
        values_[name] = value;
        changed_.notify_all();
    }
    void report_histogram(const std::string&, double, const std::map<std::string, std::string>&) override {}
    void report_health(const std::string&, bool, double, std::size_t, double) override {}

    bool wait_for(const std::string& name, double value) {
        std::unique_lock<std::mutex> lock(mutex_);
        return changed_.wait_for(lock, patience, [&] { return values_[name] == value; });
    }
    double value(const std::string& name) {
        const std::lock_guard<std::mutex> lock(mutex_);
        return values_[name];
    }
    std::map<std::string, std::string> labels() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return labels_;
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, double> values_;
    std::map<std::string, std::string> labels_;
};

/// One that fails at everything.
class broken_monitoring final : public monitoring_interface {
public:
    void report_counter(const std::string&, double, const std::map<std::string, std::string>&) override { fail(); }
    void report_gauge(const std::string&, double, const std::map<std::string, std::string>&) override { fail(); }
    void report_histogram(const std::string&, double, const std::map<std::string, std::string>&) override { fail(); }
    void report_health(const std::string&, bool, double, std::size_t, double) override { fail(); }

private:
    [[noreturn]] static void fail() { throw std::runtime_error("the monitoring is broken"); }
};

/// One that fails at everything, and wants everything.
class broken_logger final : public logger_interface {
public:
    void log(log_level, const std::string&) override { throw std::runtime_error("the logger is broken"); }
    void log(log_level level, const std::string& message, const std::string&, int, const std::string&) override {
        log(level, message);
    }
    bool is_level_enabled(log_level) const override { return true; }
    void flush() override { throw std::runtime_error("the logger is broken"); }
};

class file_name {
public:
    file_name() : path_("/tmp/network_system_g3_" + std::to_string(::getpid()) + ".log") { std::remove(path_.c_str()); }
    ~file_name() { std::remove(path_.c_str()); }

    const std::string& path() const { return path_; }
    std::string content() const {
        std::ostringstream text;
        text << std::ifstream(path_).rdbuf();
        return text.str();
    }

private:
    const std::string path_;
};

network_config quiet() {
    network_config config = network_config::testing();
    config.logger.min_level = log_level::fatal;
    return config;
}

class GenerationG3 : public ::testing::Test {
protected:
    void SetUp() override { reset(); }
    void TearDown() override { reset(); }

    static void reset() {
        network_system::shutdown();
        auto& context = network_context::instance();
        context.set_thread_pool(nullptr);
        context.set_logger(nullptr);
        context.set_monitoring(nullptr);
    }

    /// A message to an echo server and back.
    static void exchange() {
        auto server = std::make_shared<messaging_server>("server");
        auto client = std::make_shared<messaging_client>("client");
        event connected;
        stream_sink echoed;
        server->set_receive_callback([](auto session, const auto& data) { session->send_packet(data); });
        client->set_connected_callback([&] { connected.set(); });
        client->set_receive_callback([&](const auto& data) { echoed.add(data); });
        ASSERT_TRUE(server->start_server(0));
        ASSERT_TRUE(client->start_client("127.0.0.1", server->port()));
        ASSERT_TRUE(connected.wait());
        ASSERT_TRUE(client->send_packet(bytes_of("hello")));
        EXPECT_EQ("hello", echoed.wait_for(5));
        EXPECT_TRUE(client->stop_client());
        EXPECT_TRUE(server->stop_server());
    }

    static std::string worker_name() {
        std::string name;
        auto submitted = thread_integration_manager::instance().submit_task([&] {
            std::array<char, 16> text{};
            pthread_getname_np(pthread_self(), text.data(), text.size());
            name = text.data();
        });
        EXPECT_EQ(std::future_status::ready, submitted.wait_for(patience));
        return name;
    }
};

TEST_F(GenerationG3, PresetsAreAsTheyWere) {
    const auto development = network_config::development();
    const auto production = network_config::production();
    const auto testing = network_config::testing();
    EXPECT_EQ(2u, development.thread_pool.worker_count);
    EXPECT_EQ(0u, production.thread_pool.worker_count);
    EXPECT_EQ(1u, testing.thread_pool.worker_count);
    EXPECT_EQ(log_level::debug, development.logger.min_level);
    EXPECT_EQ(log_level::info, production.logger.min_level);
    EXPECT_EQ(log_level::warn, testing.logger.min_level);
    EXPECT_FALSE(development.logger.async_logging);
    EXPECT_TRUE(production.logger.async_logging);
    EXPECT_FALSE(testing.logger.async_logging);
    EXPECT_TRUE(development.monitoring.enabled);
    EXPECT_TRUE(production.monitoring.enabled);
    EXPECT_FALSE(testing.monitoring.enabled);

    EXPECT_EQ(10000u, production.thread_pool.queue_capacity);
    EXPECT_EQ("network_pool", production.thread_pool.pool_name);
    EXPECT_EQ(8192u, production.logger.buffer_size);
    EXPECT_EQ("", production.logger.log_file_path);
    EXPECT_EQ(std::chrono::seconds(5), production.monitoring.metrics_interval);
    EXPECT_EQ("network_system", production.monitoring.service_name);
}

TEST_F(GenerationG3, InitializeAgainIsTrueAndTellsThatItWasRepeated) {
    EXPECT_FALSE(network_system::is_initialized());
    const bool first = network_system::initialize(quiet());
    EXPECT_TRUE(first);
    EXPECT_TRUE(network_system::is_initialized());
    const auto again = network_system::initialize(quiet());
    EXPECT_TRUE(again);
    ASSERT_TRUE(again.is_err());
    EXPECT_EQ(common_errors::already_exists, again.error().code);
    EXPECT_TRUE(network_system::initialize());

    EXPECT_TRUE(network_system::shutdown());
    EXPECT_FALSE(network_system::is_initialized());
    const auto idle = network_system::shutdown();
    ASSERT_TRUE(idle.is_err());
    EXPECT_EQ(common_errors::not_initialized, idle.error().code);
    EXPECT_TRUE(network_system::initialize(quiet()).is_ok());
}

TEST_F(GenerationG3, OneWorkerIsEnoughForAServerAndAClient) {
    ASSERT_TRUE(network_system::initialize(network_config::testing()));
    EXPECT_EQ(1u, network_context::instance().get_thread_pool()->worker_count());
    exchange();
}

TEST_F(GenerationG3, TheThreadPoolIsAsConfigured) {
    network_config config = quiet();
    config.thread_pool.worker_count = 3;
    config.thread_pool.queue_capacity = 2;
    config.thread_pool.pool_name = "g3";
    ASSERT_TRUE(network_system::initialize(config));
    const auto pool = thread_integration_manager::instance().get_thread_pool();
    EXPECT_EQ(pool, network_context::instance().get_thread_pool());
    EXPECT_EQ(3u, pool->worker_count());
    EXPECT_EQ("g3-", worker_name().substr(0, 3));

    std::promise<void> release;
    const std::shared_future<void> released = release.get_future().share();
    std::array<std::promise<void>, 3> busy;
    for (auto& worker : busy) {
        pool->submit([&] {
            worker.set_value();
            released.wait();
        });
        worker.get_future().wait();
    }
    auto waiting = pool->submit([] {});
    pool->submit([] {});
    auto refused = pool->submit([] {});
    EXPECT_EQ(std::future_status::ready, refused.wait_for(std::chrono::seconds(0)));
    EXPECT_THROW(refused.get(), std::runtime_error);
    release.set_value();

    EXPECT_TRUE(network_system::shutdown());
    EXPECT_EQ(std::future_status::ready, waiting.wait_for(std::chrono::seconds(0)));
    EXPECT_FALSE(pool->is_running());
    EXPECT_EQ(nullptr, network_context::instance().get_thread_pool());
}

TEST_F(GenerationG3, APoolOfTheApplicationIsUsedAndNotStopped) {
    const auto own = std::make_shared<basic_thread_pool>(1);
    network_context::instance().set_thread_pool(own);
    EXPECT_EQ(own, network_context::instance().get_thread_pool());
    EXPECT_EQ(own, thread_integration_manager::instance().get_thread_pool());
    ASSERT_TRUE(network_system::initialize(quiet()));
    EXPECT_EQ(own, network_context::instance().get_thread_pool());
    EXPECT_TRUE(network_system::shutdown());
    EXPECT_TRUE(own->is_running());
    EXPECT_EQ(own, network_context::instance().get_thread_pool());
}

TEST_F(GenerationG3, ThePoolOfInitializeServesAgainWhenTheApplicationTakesItsOwnBack) {
    ASSERT_TRUE(network_system::initialize(quiet()));
    auto& context = network_context::instance();
    const auto made = context.get_thread_pool();
    const auto own = std::make_shared<basic_thread_pool>(1);
    context.set_thread_pool(own);
    EXPECT_EQ(own, context.get_thread_pool());
    EXPECT_EQ(own, thread_integration_manager::instance().get_thread_pool());
    context.set_thread_pool(nullptr);
    EXPECT_EQ(made, context.get_thread_pool());
    EXPECT_EQ(made, thread_integration_manager::instance().get_thread_pool());
    EXPECT_TRUE(made->is_running());
}

TEST_F(GenerationG3, TheDefaultPoolThatWasThereBeforeRunsItsTasks) {
    auto& manager = thread_integration_manager::instance();
    const auto before = manager.get_thread_pool();
    std::promise<void> release;
    auto task = manager.submit_task([released = release.get_future().share()] { released.wait(); });
    ASSERT_TRUE(network_system::initialize(quiet()));  // does not wait for it
    EXPECT_NE(before, manager.get_thread_pool());
    release.set_value();
    ASSERT_EQ(std::future_status::ready, task.wait_for(patience));
    EXPECT_NO_THROW(task.get());
}

TEST_F(GenerationG3, ContextIsInitializedAlone) {
    auto& context = network_context::instance();
    EXPECT_FALSE(context.is_initialized());
    EXPECT_EQ(nullptr, context.get_thread_pool());
    EXPECT_EQ(nullptr, context.get_logger());
    EXPECT_EQ(nullptr, context.get_monitoring());
    context.initialize(2);
    EXPECT_TRUE(context.is_initialized());
    EXPECT_TRUE(network_system::is_initialized());
    const auto pool = context.get_thread_pool();
    ASSERT_NE(nullptr, pool);
    EXPECT_EQ(2u, pool->worker_count());
    logger_integration_manager::instance().set_logger(std::make_shared<network_system::integration::basic_logger>(
        log_level::fatal));  // which does not print the warning
    context.initialize(5);
    EXPECT_EQ(pool, context.get_thread_pool());
    context.shutdown();
    EXPECT_FALSE(context.is_initialized());
    EXPECT_FALSE(pool->is_running());
    context.shutdown();
}

TEST_F(GenerationG3, TheLoggerWritesToTheFileAtItsLevel) {
    const file_name file;
    network_config config = network_config::development();
    config.logger.log_file_path = file.path();
    ASSERT_TRUE(network_system::initialize(config));
    EXPECT_EQ(logger_integration_manager::instance().get_logger(), network_context::instance().get_logger());
    NETWORK_LOG_TRACE("below");
    NETWORK_LOG_DEBUG("of the program");
    exchange();
    const std::string content = file.content();  // written at once
    EXPECT_EQ(std::string::npos, content.find("below"));
    EXPECT_NE(std::string::npos, content.find("[DEBUG] [network_system] of the program ("));
    EXPECT_NE(std::string::npos, content.find(" is open")) << "the library's own lines are missing:\n" << content;
}

TEST_F(GenerationG3, TheAsynchronousLoggerHasWrittenAllWhenItIsShutDown) {
    const file_name file;
    network_config config = network_config::production();
    config.logger.log_file_path = file.path();
    ASSERT_TRUE(network_system::initialize(config));
    for (int i = 0; i < 1000; ++i) {
        NETWORK_LOG_INFO("line " + std::to_string(i) + ".");
        NETWORK_LOG_DEBUG("not this");
    }
    ASSERT_TRUE(network_system::shutdown());
    const std::string content = file.content();
    std::size_t at = 0;
    for (int i = 0; i < 1000; ++i) {
        at = content.find(" line " + std::to_string(i) + ". (", at);
        ASSERT_NE(std::string::npos, at) << i;
    }
    EXPECT_EQ(std::string::npos, content.find("not this"));
}

TEST_F(GenerationG3, ALogFileThatCannotBeOpenedIsAnErrorAndChangesNothing) {
    network_config config = quiet();
    config.logger.log_file_path = "/nonexistent/directory/file.log";
    const auto failed = network_system::initialize(config);
    EXPECT_FALSE(failed);
    ASSERT_TRUE(failed.is_err());
    EXPECT_EQ(common_errors::io_error, failed.error().code);
    EXPECT_NE(std::string::npos, failed.error().message.find("/nonexistent/directory/file.log"));
    EXPECT_FALSE(network_system::is_initialized());
    EXPECT_EQ(nullptr, network_context::instance().get_logger());
    EXPECT_EQ(nullptr, network_context::instance().get_thread_pool());
}

TEST_F(GenerationG3, AnIntervalOfNothingIsRefused) {
    network_config config = quiet();
    config.monitoring.enabled = true;
    config.monitoring.metrics_interval = std::chrono::seconds(0);
    const auto failed = network_system::initialize(config);
    ASSERT_TRUE(failed.is_err());
    EXPECT_EQ(common_errors::invalid_argument, failed.error().code);
    EXPECT_FALSE(network_system::is_initialized());
}

TEST_F(GenerationG3, TheMonitoringGetsWhatHappened) {
    network_system_config config;
    config.runtime = quiet();
    config.runtime.monitoring.enabled = true;
    config.runtime.monitoring.service_name = "g3 test";
    const auto monitoring = std::make_shared<figures>();
    config.monitoring = monitoring;
    exchange();  // before: counts for nothing
    ASSERT_TRUE(network_system::initialize(config));
    EXPECT_EQ(monitoring, network_context::instance().get_monitoring());
    exchange();
    exchange();
    ASSERT_TRUE(network_system::shutdown());  // reports what is missing yet

    EXPECT_EQ(4, monitoring->value(metric_names::CONNECTIONS_TOTAL));  // both ends of two
    EXPECT_EQ(4 * 5, monitoring->value(metric_names::BYTES_SENT));
    EXPECT_EQ(4 * 5, monitoring->value(metric_names::BYTES_RECEIVED));
    EXPECT_EQ(4, monitoring->value(metric_names::PACKETS_SENT));
    EXPECT_EQ(0, monitoring->value(metric_names::CONNECTIONS_ACTIVE));
    EXPECT_EQ(0, monitoring->value(metric_names::SERVERS_ACTIVE));
    const std::map<std::string, std::string> labels{{"service", "g3 test"}};
    EXPECT_EQ(labels, monitoring->labels());
}

TEST_F(GenerationG3, TheMonitoringIsToldAtEachInterval) {
    network_system_config config;
    config.runtime = quiet();
    config.runtime.monitoring.enabled = true;
    config.runtime.monitoring.metrics_interval = std::chrono::seconds(1);
    const auto monitoring = std::make_shared<figures>();
    config.monitoring = monitoring;
    ASSERT_TRUE(network_system::initialize(config));
    auto server = std::make_shared<messaging_server>("server");
    auto client = std::make_shared<messaging_client>("client");
    ASSERT_TRUE(server->start_server(0));
    ASSERT_TRUE(client->start_client("127.0.0.1", server->port()));
    EXPECT_TRUE(monitoring->wait_for(metric_names::CONNECTIONS_ACTIVE, 2));
    EXPECT_TRUE(monitoring->wait_for(metric_names::SERVERS_ACTIVE, 1));
    client->stop_client();
    server->stop_server();
    EXPECT_TRUE(monitoring->wait_for(metric_names::CONNECTIONS_ACTIVE, 0));
    EXPECT_TRUE(monitoring->wait_for(metric_names::SERVERS_ACTIVE, 0));
}

TEST_F(GenerationG3, WithoutMonitoringNothingIsReported) {
    network_system_config config;
    config.runtime = quiet();
    const auto monitoring = std::make_shared<figures>();
    config.monitoring = monitoring;
    ASSERT_TRUE(network_system::initialize(config));
    exchange();
    ASSERT_TRUE(network_system::shutdown());
    EXPECT_EQ(0, monitoring->value(metric_names::CONNECTIONS_TOTAL));
}

TEST_F(GenerationG3, ShutdownInATaskOfThePoolReturns) {
    ASSERT_TRUE(network_system::initialize(quiet()));
    auto submitted = thread_integration_manager::instance().submit_task([] { network_system::shutdown(); });
    ASSERT_EQ(std::future_status::ready, submitted.wait_for(patience));
    EXPECT_FALSE(network_system::is_initialized());
}

TEST_F(GenerationG3, ABrokenMonitoringDoesNotKeepTheRestFromItsEnd) {
    network_system_config config;
    config.runtime.thread_pool.worker_count = 1;
    config.monitoring = std::make_shared<broken_monitoring>();
    config.logger = std::make_shared<broken_logger>();
    ASSERT_TRUE(network_system::initialize(config).is_ok());
    const auto pool = network_context::instance().get_thread_pool();
    EXPECT_EQ(common_errors::already_exists, network_system::initialize(config).error().code);
    EXPECT_TRUE(network_system::shutdown());
    EXPECT_FALSE(pool->is_running());
}

TEST_F(GenerationG3, MoreWorkersThanThereCanBeAreAnErrorThatSaysSo) {
    network_config config = quiet();
    config.thread_pool.worker_count = std::numeric_limits<std::size_t>::max();
    const auto result = network_system::initialize(config);
    ASSERT_FALSE(result);
    EXPECT_NE(std::string::npos, result.error().message.find("18446744073709551615 workers")) << result.error().message;
    EXPECT_FALSE(network_system::is_initialized());
}

}  // namespace
