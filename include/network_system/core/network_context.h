#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>

#include "network_system/config/network_system_config.h"
#include "network_system/detail/config_mapping.h"
#include "network_system/detail/guard.h"
#include "network_system/detail/library_log.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/periodic_task.h"
#include "network_system/detail/status.h"
#include "network_system/detail/traffic_report.h"
#include "network_system/integration/async_logger.h"
#include "network_system/integration/logger_integration.h"
#include "network_system/integration/monitoring_integration.h"
#include "network_system/integration/thread_integration.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::core {

/// The thread pool, the logger and the monitoring of the process: those of the application, or those that initialize()
/// makes. Servers and clients run without: they have threads of their own, and wait for none of these.
///
/// What is set here is set in integration::thread_integration_manager, logger_integration_manager and
/// monitoring_integration_manager, through which everything uses it.
///
/// Never destroyed, so that threads which outlive `main` may still use it.
class network_context {
public:
    static network_context& instance() {
        static auto* const context = new network_context;
        return *context;
    }

    network_context(const network_context&) = delete;
    network_context& operator=(const network_context&) = delete;

    /// A pool of the application: shutdown() does not stop it. Null: none, so that the one of initialize() serves.
    void set_thread_pool(std::shared_ptr<integration::thread_pool_interface> pool) {
        const bool chosen = pool != nullptr;
        threads().set_thread_pool(std::move(pool));
        if (auto made = chosen ? nullptr : made_pool()) {
            threads().set_default_thread_pool(std::move(made));
        }
    }

    /// Null until one was set, or made by initialize().
    std::shared_ptr<integration::thread_pool_interface> get_thread_pool() const {
        return chosen_or(threads().get_chosen_thread_pool(), &runtime::pool);
    }

    /// A logger of the application. Null: none.
    void set_logger(std::shared_ptr<integration::logger_interface> logger) { loggers().set_logger(std::move(logger)); }

    /// Null until one was set, or made by initialize().
    std::shared_ptr<integration::logger_interface> get_logger() const {
        return chosen_or(loggers().get_chosen_logger(), &runtime::logger);
    }

    /// A monitoring of the application. Null: none.
    void set_monitoring(std::shared_ptr<integration::monitoring_interface> monitoring) {
        monitorings().set_monitoring(std::move(monitoring));
    }

    /// Null until one was set, or initialize() has enabled the monitoring.
    std::shared_ptr<integration::monitoring_interface> get_monitoring() const {
        return chosen_or(monitorings().get_chosen_monitoring(), &runtime::monitoring);
    }

    /// Makes a thread pool of that many workers, 0 for as many as the machine runs at once, unless the application has
    /// set one. Does nothing, but for a warning in the log, when the context is initialised. Throws std::system_error
    /// when there can be no more threads.
    void initialize(std::size_t thread_count = 0) {
        config::thread_pool_config settings;
        settings.worker_count = thread_count;
        runtime made;
        if (!is_initialized() && !threads().get_chosen_thread_pool()) {
            made.pool = make_pool(settings);
        }
        if (!install(std::move(made))) {
            warn_of_repetition();
        }
    }

    /// The same with a logger and monitoring, and with the library's own threads as `runtime.context` says, unless a
    /// server or client has had them made before: then a warning in the log says so. Errors: already_exists (-7) when
    /// the context is initialised, invalid_argument (-1), io_error (-9) when the log file cannot be opened or no thread
    /// can be started, out_of_memory (-8). After an error nothing has changed, but that the log file may be there.
    VoidResult initialize(const config::network_system_config& config) {
        if (is_initialized()) {
            warn_of_repetition();
            return error_void(NETSYS_ERR_ALREADY_EXISTS, repetition);
        }
        const config::monitoring_config& monitoring = config.runtime.monitoring;
        if (monitoring.enabled && monitoring.metrics_interval < std::chrono::seconds(1)) {
            return error_void(NETSYS_ERR_INVALID_ARGUMENT,
                              "monitoring.metrics_interval is " + std::to_string(monitoring.metrics_interval.count()) +
                                  " s: it has to be at least 1 s, or monitoring.enabled false");
        }
        bool threads_are_as_wanted = false;
        try {
            // First what can fail: the library's threads stay as they are made, for the whole run of the program.
            runtime made = make(config);
            const netsys_status status = make_library_threads(config.runtime, threads_are_as_wanted);
            if (status != NETSYS_OK) {
                return detail::to_result(status);
            }
            if (!install(std::move(made), config)) {
                return error_void(NETSYS_ERR_ALREADY_EXISTS, repetition);
            }
        } catch (const std::system_error& failure) {
            return error_void(NETSYS_ERR_IO, failure.what());
        } catch (const std::bad_alloc&) {
            return error_void(NETSYS_ERR_OUT_OF_MEMORY, "there is no memory for the thread pool and the logger");
        }
        if (!threads_are_as_wanted) {
            warn(
                "the library's threads run already: what the configuration says of them takes effect when initialize() "
                "comes before the first server and client");
        }
        return ok();
    }

    /// Ends what initialize() made: the monitoring after a last report, the thread pool when its tasks have run, the
    /// logger when its lines are written. What the application set stays. Does nothing when the context is not
    /// initialised. In a task of the pool it does not wait for the tasks.
    void shutdown() {
        runtime ending;  // outlives the lock, under which nothing may wait
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            ending = std::exchange(runtime_, runtime());
        }
        // A monitoring that throws must not keep the rest from its end.
        if (ending.reports) {
            ending.reports.reset();
            detail::guarded([&] { detail::report_traffic(ending.service_name); }, detail::log_failure);
        }
        if (ending.pool) {
            ending.pool->stop(true);
        }
        if (ending.logger) {
            ending.logger->flush();
            loggers().set_default_logger(nullptr);
        }
    }

    bool is_initialized() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return runtime_.initialized;
    }

private:
    /// What initialize() made; null where the application's own serve.
    struct runtime {
        bool initialized = false;
        std::shared_ptr<integration::basic_thread_pool> pool;
        std::shared_ptr<integration::logger_interface> logger;
        std::shared_ptr<integration::monitoring_interface> monitoring;
        std::string service_name;
        std::unique_ptr<detail::periodic_task> reports;
    };

    static constexpr const char* repetition = "network_system is initialised already; shutdown() undoes it";

    network_context() = default;

    static integration::thread_integration_manager& threads() {
        return integration::thread_integration_manager::instance();
    }
    static integration::logger_integration_manager& loggers() {
        return integration::logger_integration_manager::instance();
    }
    static integration::monitoring_integration_manager& monitorings() {
        return integration::monitoring_integration_manager::instance();
    }

    /// The logger is the application's, and may throw.
    static void warn(const char* text) noexcept {
        detail::guarded([&] { NETWORK_LOG_WARN(text); }, detail::print_failure);
    }

    static void warn_of_repetition() noexcept { warn(repetition); }

    /// The first to need the library's threads decides how they are, for the whole run of the program.
    netsys_status make_library_threads(const config::network_config& config, bool& as_wanted) {
        const context_config& wanted = config.context;
        const bool by_level = wanted.log_to_stderr && wanted.log_filter.empty();
        const std::uint32_t level = by_level ? level_in_c(config.logger.min_level) : detail::debug_level;
        const std::lock_guard<std::mutex> lock(mutex_);
        bool made = false;
        netsys_context context{};
        const netsys_status status = detail::default_context(context, [&](netsys_context_config& settings) noexcept {
            made = true;
            settings.max_loops = detail::to_u32(wanted.max_loops);
            settings.pool_threads = detail::to_u32(wanted.pool_threads);
            settings.busy_poll_us = wanted.busy_poll_us;
            settings.thread_name_prefix = detail::c_str(wanted.thread_name_prefix);
            settings.max_buffered_bytes = wanted.max_buffered;
            settings.log_filter = detail::c_str(wanted.log_filter);
            settings.log_to_stderr = wanted.log_to_stderr ? 1 : 0;
            settings.log_level = level;
        });
        if (made && status == NETSYS_OK) {
            threads_ = wanted;
            level_ = level;
        }
        const auto parts = [](const context_config& config) {
            return std::tie(config.max_loops, config.pool_threads, config.busy_poll_us, config.thread_name_prefix,
                            config.max_buffered, config.log_filter, config.log_to_stderr);
        };
        as_wanted = parts(wanted) == parts(threads_) && level == level_;
        return status;
    }

    static std::uint32_t level_in_c(integration::log_level level) noexcept {
        return static_cast<std::uint32_t>(std::max(1, 5 - static_cast<int>(level)));
    }

    template <typename Interface, typename Made>
    std::shared_ptr<Interface> chosen_or(std::shared_ptr<Interface> chosen, Made runtime::*made) const {
        if (chosen) {
            return chosen;
        }
        const std::lock_guard<std::mutex> lock(mutex_);
        return runtime_.*made;
    }

    std::shared_ptr<integration::basic_thread_pool> made_pool() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return runtime_.pool;
    }

    static std::shared_ptr<integration::basic_thread_pool> make_pool(const config::thread_pool_config& settings) {
        return std::make_shared<integration::basic_thread_pool>(settings.worker_count, settings.queue_capacity,
                                                                settings.pool_name);
    }

    static std::shared_ptr<integration::logger_interface> make_logger(const config::logger_config& settings) {
        std::shared_ptr<integration::logger_interface> logger;
        if (settings.log_file_path.empty()) {
            logger = std::make_shared<integration::basic_logger>(settings.min_level);
        } else {
            logger = std::make_shared<integration::basic_logger>(settings.min_level, settings.log_file_path);
        }
        if (settings.async_logging) {
            logger = std::make_shared<integration::async_logger>(std::move(logger), settings.buffer_size);
        }
        return logger;
    }

    /// What the configuration asks for and neither it nor the application has.
    static runtime make(const config::network_system_config& config) {
        runtime made;
        if (!config.logger && !loggers().get_chosen_logger()) {
            made.logger = make_logger(config.runtime.logger);
        }
        if (!config.thread_pool && !threads().get_chosen_thread_pool()) {
            made.pool = make_pool(config.runtime.thread_pool);
        }
        if (config.runtime.monitoring.enabled) {
            made.service_name = config.runtime.monitoring.service_name;
            made.monitoring = monitorings().get_monitoring();
            made.reports = std::make_unique<detail::periodic_task>(
                config.runtime.monitoring.metrics_interval,
                [service = made.service_name] { detail::report_traffic(service); });
        }
        return made;
    }

    /// False, and nothing has changed, when the context is initialised.
    bool install(runtime made, const config::network_system_config& config = {}) {
        made.initialized = true;
        const auto pool = made.pool;
        const auto logger = made.logger;
        if (made.reports) {
            detail::traffic_metrics::instance().take();  // what was before is nobody's business
        }
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (runtime_.initialized) {
                return false;
            }
            std::swap(runtime_, made);
        }
        if (config.thread_pool) {
            threads().set_thread_pool(config.thread_pool);
        } else if (pool) {
            threads().set_default_thread_pool(pool);
        }
        if (config.logger) {
            loggers().set_logger(config.logger);
        } else if (logger) {
            loggers().set_default_logger(logger);
        }
        if (config.monitoring) {
            monitorings().set_monitoring(config.monitoring);
        }
        return true;
    }

    mutable std::mutex mutex_;
    runtime runtime_;
    context_config threads_;  // what the library's threads were made with
    std::uint32_t level_ = detail::debug_level;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::core
