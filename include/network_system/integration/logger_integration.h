#pragma once

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "network_system/detail/choice.h"
#include "network_system/detail/library_log.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::integration {

enum class log_level : int { trace, debug, info, warn, error, fatal };

/// What the library needs of a logger; applications may implement it over a logger of their own. Called on any thread,
/// several at a time.
class logger_interface {
public:
    virtual ~logger_interface() = default;

    virtual void log(log_level level, const std::string& message) = 0;
    virtual void log(log_level level, const std::string& message, const std::string& file, int line,
                     const std::string& function) = 0;
    virtual bool is_level_enabled(log_level level) const = 0;
    /// Returns when what was logged before has been written.
    virtual void flush() = 0;
};

/// Writes lines like `[2025-11-16 09:30:00.250] [INFO] [network_system] text (file:line in function)`.
class basic_logger : public logger_interface {
public:
    /// To the standard output, errors and worse to the standard error stream.
    explicit basic_logger(log_level min_level = log_level::info) : min_level_(min_level) {}

    /// At the end of a file, which is made if there is none. Throws std::system_error when it cannot be opened.
    basic_logger(log_level min_level, const std::string& path) : min_level_(min_level) {
        file_.reset(std::fopen(path.c_str(), "ae"));
        if (!file_) {
            throw std::system_error(errno, std::generic_category(), "the log file " + path + " cannot be opened");
        }
        std::setvbuf(file_.get(), nullptr, _IOLBF, 0);
    }

    void log(log_level level, const std::string& message) override { write(level, message, {}); }

    void log(log_level level, const std::string& message, const std::string& file, int line,
             const std::string& function) override {
        write(level, message, " (" + file + ":" + std::to_string(line) + " in " + function + ")");
    }

    bool is_level_enabled(log_level level) const override { return level >= get_min_level(); }

    void flush() override {
        if (file_) {
            std::fflush(file_.get());
            return;
        }
        std::fflush(stdout);
        std::fflush(stderr);
    }

    void set_min_level(log_level level) noexcept { min_level_.store(level); }
    log_level get_min_level() const noexcept { return min_level_.load(); }

private:
    struct closer {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };

    static const char* name_of(log_level level) noexcept {
        static constexpr std::array<const char*, 6> names{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
        const auto index = static_cast<std::size_t>(level);
        return index < names.size() ? names[index] : "LOG";
    }

    /// Local time, to the millisecond.
    static std::string timestamp() {
        const auto now = std::chrono::system_clock::now();
        const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
        const auto since_epoch = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
        std::tm local{};
        localtime_r(&seconds, &local);
        std::array<char, 32> text{};
        const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local);
        std::snprintf(text.data() + length, text.size() - length, ".%03d",
                      static_cast<int>(since_epoch.count() % 1000));
        return text.data();
    }

    void write(log_level level, const std::string& message, const std::string& place) const {
        if (!is_level_enabled(level)) {
            return;
        }
        const std::string line =
            "[" + timestamp() + "] [" + name_of(level) + "] [network_system] " + message + place + "\n";
        // One call, so that lines of several threads do not mix.
        std::fwrite(line.data(), 1, line.size(), file_ ? file_.get() : level >= log_level::error ? stderr : stdout);
    }

    std::atomic<log_level> min_level_;
    std::unique_ptr<std::FILE, closer> file_;
};

/// The process-wide logger: what the application set, or else a `basic_logger`.
///
/// The NETWORK_LOG_* macros write to it. The library's own lines come to it too, each beginning with the part that says
/// it, once a logger was set or network_system::initialize() has made one; before, they go nowhere.
///
/// Never destroyed, so that threads which outlive `main` may still use it.
class logger_integration_manager {
public:
    static logger_integration_manager& instance() {
        static auto* const manager = make();
        return *manager;
    }

    logger_integration_manager(const logger_integration_manager&) = delete;
    logger_integration_manager& operator=(const logger_integration_manager&) = delete;

    /// Null: the default one again.
    void set_logger(std::shared_ptr<logger_interface> logger) {
        std::shared_ptr<logger_interface> replaced;
        const std::lock_guard<std::mutex> lock(routing_mutex_);
        replaced = loggers_.choose(std::move(logger));
        route_library_log();
    }

    std::shared_ptr<logger_interface> get_logger() {
        return loggers_.get([] { return std::make_shared<basic_logger>(); });
    }

    /// Null when the application has set none.
    std::shared_ptr<logger_interface> get_chosen_logger() const { return loggers_.chosen(); }

    /// What serves while the application has set none. Null: a `basic_logger`, to which the library itself says
    /// nothing.
    void set_default_logger(std::shared_ptr<logger_interface> logger) {
        std::shared_ptr<logger_interface> replaced;
        const std::lock_guard<std::mutex> lock(routing_mutex_);
        has_default_ = logger != nullptr;
        replaced = loggers_.set_default(std::move(logger));
        route_library_log();
    }

    bool is_level_enabled(log_level level) { return get_logger()->is_level_enabled(level); }

    void log(log_level level, const std::string& message) { get_logger()->log(level, message); }

    void log(log_level level, const std::string& message, const std::string& file, int line,
             const std::string& function) {
        get_logger()->log(level, message, file, line, function);
    }

private:
    logger_integration_manager() = default;

    static logger_integration_manager* make() {
        // The default logger may write on a thread of its own. One of the application may be half destroyed by then.
        std::atexit([] {
            if (const auto logger = instance().loggers_.current_default()) {
                logger->flush();
            }
        });
        return new logger_integration_manager;
    }

    /// With the mutex held.
    void route_library_log() const {
        const bool listens = has_default_ || loggers_.chosen() != nullptr;
        detail::library_log.store(listens ? &take_library_log : nullptr, std::memory_order_release);
    }

    static void take_library_log(std::uint32_t level, std::string_view target, std::string_view message) {
        static constexpr std::array<log_level, 6> levels{log_level::error, log_level::error, log_level::warn,
                                                         log_level::info,  log_level::debug, log_level::trace};
        const log_level own = level < levels.size() ? levels[level] : log_level::trace;
        const auto logger = instance().get_logger();
        if (logger->is_level_enabled(own)) {
            logger->log(own, std::string(target).append(": ").append(message));
        }
    }

    detail::choice<logger_interface> loggers_;
    std::mutex routing_mutex_;
    bool has_default_ = false;  // one that was set
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::integration

// The message is not made when its level is off.
#define NETWORK_LOG_AT(level, message)                                                                    \
    do {                                                                                                  \
        using network_log_level = ::NETWORK_SYSTEM_NAMESPACE::integration::log_level;                     \
        const auto network_logger =                                                                       \
            ::NETWORK_SYSTEM_NAMESPACE::integration::logger_integration_manager::instance().get_logger(); \
        if (network_logger->is_level_enabled(network_log_level::level)) {                                 \
            network_logger->log(network_log_level::level, (message), __FILE__, __LINE__, __func__);       \
        }                                                                                                 \
    } while (false)

#define NETWORK_LOG_TRACE(message) NETWORK_LOG_AT(trace, message)
#define NETWORK_LOG_DEBUG(message) NETWORK_LOG_AT(debug, message)
#define NETWORK_LOG_INFO(message) NETWORK_LOG_AT(info, message)
#define NETWORK_LOG_WARN(message) NETWORK_LOG_AT(warn, message)
#define NETWORK_LOG_ERROR(message) NETWORK_LOG_AT(error, message)
#define NETWORK_LOG_FATAL(message) NETWORK_LOG_AT(fatal, message)
