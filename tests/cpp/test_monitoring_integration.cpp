#include <gtest/gtest.h>
#include <network_system/integration/monitoring_integration.h>
#include <network_system/metrics/network_metrics.h>

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "support.h"

namespace {

using namespace network_system::integration;
using network_system::metrics::metric_reporter;
namespace metric_names = network_system::metrics::metric_names;
using labels = std::map<std::string, std::string>;
using test_support::journal;

/// Keeps each report as a line.
class recording_monitoring final : public monitoring_interface {
public:
    void report_counter(const std::string& name, double value, const labels& with) override {
        add("counter", name, value, with);
    }
    void report_gauge(const std::string& name, double value, const labels& with) override {
        add("gauge", name, value, with);
    }
    void report_histogram(const std::string& name, double value, const labels& with) override {
        add("histogram", name, value, with);
    }
    void report_health(const std::string& connection_id, bool is_alive, double response_time_ms,
                       std::size_t missed_heartbeats, double) override {
        reports.add("health " + connection_id + (is_alive ? " alive " : " dead ") +
                    std::to_string(static_cast<int>(response_time_ms)) + " " + std::to_string(missed_heartbeats));
    }

    journal reports;

private:
    void add(const std::string& kind, const std::string& name, double value, const labels& with) {
        std::string line = kind + " " + name + " " + std::to_string(static_cast<int>(value));
        for (const auto& [label, content] : with) {
            line += " " + label + "=" + content;
        }
        reports.add(line);
    }
};

class line_logger final : public logger_interface {
public:
    explicit line_logger(log_level min_level) : min_level_(min_level) {}
    void log(log_level level, const std::string& message) override {
        if (is_level_enabled(level)) {
            lines.add(std::to_string(static_cast<int>(level)) + " " + message);
        }
    }
    void log(log_level level, const std::string& message, const std::string&, int, const std::string&) override {
        log(level, message);
    }
    bool is_level_enabled(log_level level) const override { return level >= min_level_; }
    void flush() override {}

    journal lines;

private:
    const log_level min_level_;
};

class Monitoring : public ::testing::Test {
protected:
    void TearDown() override {
        manager.set_monitoring(nullptr);
        logger_integration_manager::instance().set_logger(nullptr);
    }

    monitoring_integration_manager& manager = monitoring_integration_manager::instance();
};

TEST_F(Monitoring, ManagerForwardsToWhatTheApplicationSet) {
    const auto own = std::make_shared<recording_monitoring>();
    manager.set_monitoring(own);
    EXPECT_EQ(own, manager.get_monitoring());
    manager.report_counter("c", 1);
    manager.report_gauge("g", 2, {{"k", "v"}});
    manager.report_histogram("h", 3);
    manager.report_health("connection", false, 12, 3, 0.5);
    EXPECT_EQ(
        (std::vector<std::string>{"counter c 1", "gauge g 2 k=v", "histogram h 3", "health connection dead 12 3"}),
        own->reports.all());
}

TEST_F(Monitoring, ManagerFallsBackToABasicOne) {
    EXPECT_NE(nullptr, std::dynamic_pointer_cast<basic_monitoring>(manager.get_monitoring()));
    EXPECT_EQ(nullptr, manager.get_chosen_monitoring());
}

TEST_F(Monitoring, BasicMonitoringWritesToTheLogger) {
    const auto logger = std::make_shared<line_logger>(log_level::trace);
    logger_integration_manager::instance().set_logger(logger);
    basic_monitoring monitoring;
    EXPECT_TRUE(monitoring.is_logging_enabled());
    monitoring.report_counter("c", 1, {{"k", "v"}});
    monitoring.report_gauge("g", 2);
    monitoring.report_histogram("h", 0.5);
    monitoring.report_health("connection", true, 1.5, 0, 0);
    monitoring.report_health("connection", false, 0, 3, 1);
    monitoring.set_logging_enabled(false);
    monitoring.report_counter("silent", 1);
    monitoring.report_health("silent", false, 0, 0, 0);
    EXPECT_EQ((std::vector<std::string>{
                  "1 counter c = 1.000000 k=v", "1 gauge g = 2.000000", "1 histogram h = 0.500000",
                  "1 health of connection: alive, response 1.500000 ms, missed heartbeats 0, loss 0.000000",
                  "3 health of connection: dead, response 0.000000 ms, missed heartbeats 3, loss 1.000000"}),
              logger->lines.all());
}

TEST_F(Monitoring, BasicMonitoringKeepsToTheLevelOfTheLogger) {
    const auto logger = std::make_shared<line_logger>(log_level::info);
    logger_integration_manager::instance().set_logger(logger);
    basic_monitoring monitoring;
    monitoring.report_counter("c", 1);
    EXPECT_EQ(0u, logger->lines.size());
    monitoring.report_health("connection", false, 0, 3, 1);
    EXPECT_EQ(1u, logger->lines.size());
}

TEST_F(Monitoring, MetricReporterReportsEachKind) {
    const auto own = std::make_shared<recording_monitoring>();
    manager.set_monitoring(own);
    metric_reporter::report_connection_accepted();
    metric_reporter::report_connection_failed("refused");
    metric_reporter::report_connection_failed();
    metric_reporter::report_bytes_sent(100);
    metric_reporter::report_bytes_received(200);
    metric_reporter::report_latency(7.0);
    metric_reporter::report_latency(std::chrono::seconds(1));
    metric_reporter::report_error("protocol");
    metric_reporter::report_timeout();
    metric_reporter::report_active_connections(5);
    metric_reporter::report_session_duration(1500.0);
    metric_reporter::report_session_duration(std::chrono::minutes(1));
    EXPECT_EQ((std::vector<std::string>{
                  "counter network.connections.total 1", "counter network.connections.failed 1 reason=refused",
                  "counter network.connections.failed 1", "counter network.bytes.sent 100",
                  "counter network.bytes.received 200", "histogram network.latency.ms 7",
                  "histogram network.latency.ms 1000", "counter network.errors.total 1 type=protocol",
                  "counter network.timeouts.total 1", "gauge network.connections.active 5",
                  "histogram network.sessions.duration.ms 1500", "histogram network.sessions.duration.ms 60000"}),
              own->reports.all());
}

TEST(MetricNames, AreFifteenDifferentOnes) {
    const std::set<std::string> names{
        metric_names::CONNECTIONS_ACTIVE, metric_names::CONNECTIONS_TOTAL,    metric_names::CONNECTIONS_FAILED,
        metric_names::BYTES_SENT,         metric_names::CONNECTIONS_REJECTED, metric_names::BYTES_RECEIVED,
        metric_names::BYTES_QUEUED,       metric_names::PACKETS_SENT,         metric_names::PACKETS_RECEIVED,
        metric_names::LATENCY_MS,         metric_names::ERRORS_TOTAL,         metric_names::TIMEOUTS_TOTAL,
        metric_names::SERVERS_ACTIVE,     metric_names::SESSIONS_DURATION_MS, metric_names::CLIENTS_ACTIVE};
    EXPECT_EQ(15u, names.size());
    EXPECT_STREQ("network.connections.active", metric_names::CONNECTIONS_ACTIVE);
}

}  // namespace
