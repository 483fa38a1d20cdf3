#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "network_system/detail/choice.h"
#include "network_system/detail/namespace.h"
#include "network_system/integration/logger_integration.h"

namespace NETWORK_SYSTEM_NAMESPACE::integration {

enum class metric_type { counter, gauge, histogram, summary };

/// What the library needs of a monitoring system; applications may implement it over one of their own. Called on any
/// thread, several at a time.
class monitoring_interface {
public:
    virtual ~monitoring_interface() = default;

    /// `value` is what has come since the last report.
    virtual void report_counter(const std::string& name, double value,
                                const std::map<std::string, std::string>& labels = {}) = 0;
    virtual void report_gauge(const std::string& name, double value,
                              const std::map<std::string, std::string>& labels = {}) = 0;
    virtual void report_histogram(const std::string& name, double value,
                                  const std::map<std::string, std::string>& labels = {}) = 0;
    virtual void report_health(const std::string& connection_id, bool is_alive, double response_time_ms,
                               std::size_t missed_heartbeats, double packet_loss_rate) = 0;
};

/// Writes what is reported to the program's logger, as debug lines; that a connection is dead, as a warning.
class basic_monitoring : public monitoring_interface {
public:
    explicit basic_monitoring(bool enable_logging = true) : logging_enabled_(enable_logging) {}

    void report_counter(const std::string& name, double value,
                        const std::map<std::string, std::string>& labels = {}) override {
        write(metric_type::counter, name, value, labels);
    }

    void report_gauge(const std::string& name, double value,
                      const std::map<std::string, std::string>& labels = {}) override {
        write(metric_type::gauge, name, value, labels);
    }

    void report_histogram(const std::string& name, double value,
                          const std::map<std::string, std::string>& labels = {}) override {
        write(metric_type::histogram, name, value, labels);
    }

    void report_health(const std::string& connection_id, bool is_alive, double response_time_ms,
                       std::size_t missed_heartbeats, double packet_loss_rate) override {
        write(is_alive ? log_level::debug : log_level::warn, [&] {
            return "health of " + connection_id + ": " + (is_alive ? "alive" : "dead") + ", response " +
                   std::to_string(response_time_ms) + " ms, missed heartbeats " + std::to_string(missed_heartbeats) +
                   ", loss " + std::to_string(packet_loss_rate);
        });
    }

    void set_logging_enabled(bool enable) noexcept { logging_enabled_.store(enable); }
    bool is_logging_enabled() const noexcept { return logging_enabled_.load(); }

private:
    static const char* name_of(metric_type type) noexcept {
        switch (type) {
            case metric_type::counter:
                return "counter";
            case metric_type::gauge:
                return "gauge";
            case metric_type::histogram:
                return "histogram";
            case metric_type::summary:
                return "summary";
        }
        return "metric";
    }

    /// Makes the text only when somebody wants it.
    template <typename Text>
    void write(log_level level, Text&& text) const {
        if (!is_logging_enabled()) {
            return;
        }
        const auto logger = logger_integration_manager::instance().get_logger();
        if (logger->is_level_enabled(level)) {
            logger->log(level, std::forward<Text>(text)());
        }
    }

    void write(metric_type type, const std::string& name, double value,
               const std::map<std::string, std::string>& labels) const {
        write(log_level::debug, [&] {
            std::string text = std::string(name_of(type)) + " " + name + " = " + std::to_string(value);
            for (const auto& [label, content] : labels) {
                text += " " + label + "=" + content;
            }
            return text;
        });
    }

    std::atomic<bool> logging_enabled_;
};

/// The process-wide monitoring: what the application set, or else a `basic_monitoring`.
///
/// Never destroyed, so that threads which outlive `main` may still use it.
class monitoring_integration_manager {
public:
    static monitoring_integration_manager& instance() {
        static auto* const manager = new monitoring_integration_manager;
        return *manager;
    }

    monitoring_integration_manager(const monitoring_integration_manager&) = delete;
    monitoring_integration_manager& operator=(const monitoring_integration_manager&) = delete;

    /// Null: the default one again.
    void set_monitoring(std::shared_ptr<monitoring_interface> monitoring) { systems_.choose(std::move(monitoring)); }

    std::shared_ptr<monitoring_interface> get_monitoring() {
        return systems_.get([] { return std::make_shared<basic_monitoring>(); });
    }

    /// Null when the application has set none.
    std::shared_ptr<monitoring_interface> get_chosen_monitoring() const { return systems_.chosen(); }

    void report_counter(const std::string& name, double value, const std::map<std::string, std::string>& labels = {}) {
        get_monitoring()->report_counter(name, value, labels);
    }

    void report_gauge(const std::string& name, double value, const std::map<std::string, std::string>& labels = {}) {
        get_monitoring()->report_gauge(name, value, labels);
    }

    void report_histogram(const std::string& name, double value,
                          const std::map<std::string, std::string>& labels = {}) {
        get_monitoring()->report_histogram(name, value, labels);
    }

    void report_health(const std::string& connection_id, bool is_alive, double response_time_ms,
                       std::size_t missed_heartbeats, double packet_loss_rate) {
        get_monitoring()->report_health(connection_id, is_alive, response_time_ms, missed_heartbeats, packet_loss_rate);
    }

private:
    monitoring_integration_manager() = default;

    detail::choice<monitoring_interface> systems_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::integration
