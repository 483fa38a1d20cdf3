#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "network_system/config/bridge_config.h"
#include "network_system/config/logger_config.h"
#include "network_system/config/monitoring_config.h"
#include "network_system/config/thread_pool_config.h"
#include "network_system/core/client_config.h"
#include "network_system/core/server_config.h"
#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::core {

/// How a configuration is written.
enum class config_format : std::uint32_t { toml = NETSYS_FORMAT_TOML, json = NETSYS_FORMAT_JSON };

/// Something that is wrong with a configuration.
struct config_fault {
    std::string file;     ///< as it was named; empty if there is none
    unsigned int line;    ///< from 1; 0: in no line of a text
    unsigned int column;  ///< in characters, from 1; 0: in no line of a text
    std::string key;      ///< "server.timeout"; empty if the fault is not that of one key
    std::string text;     ///< what was found and what is expected
    std::string report;   ///< all of it, as a line
};

/// The library's own threads, and its own log.
struct context_config {
    std::size_t max_loops = 64;    ///< the most loop threads; further servers and clients share them
    std::size_t pool_threads = 0;  ///< of the pool that handlers are dispatched to; 0: one a processor
    /// For how many microseconds after its last work a loop thread asks for events, on a whole processor, before it
    /// sleeps; at most 1,000,000.
    std::uint32_t busy_poll_us = 0;
    std::string thread_name_prefix = "netsys";  ///< what the names of the threads begin with
    /// The bytes that all sessions may hold together in buffers; 0: 256 MiB; the largest value: no limit.
    std::size_t max_buffered = 256 * 1024 * 1024;
    /// Which of the library's own lines there are, by target: "warn,network_system::session=debug". Empty: what the
    /// logger takes.
    std::string log_filter{};
    /// Whether they go to the standard error stream, too. Without a filter these are then, for the logger as well,
    /// those of logger.min_level and above.
    bool log_to_stderr = false;
};

/// Everything that can be configured, in one value, but for an `executor`, which only a program can give. In a file
/// each member has its section, and in it the keys have the names of the members: `timeout` in `[server]` is
/// `server.timeout`. examples-c/network.toml shows them all.
class network_config {
public:
    config::thread_pool_config thread_pool{};
    config::logger_config logger{};
    config::monitoring_config monitoring{};
    context_config context{};
    server_config server{};
    client_config client{};
    config::bridge_config bridge{};
    std::string server_id{};         ///< in the section `server`
    std::string client_id{};         ///< in the section `client`
    std::string client_host{};       ///< `host` in the section `client`
    unsigned short client_port = 0;  ///< `port` in the section `client`

    /// Two workers, and every line of the log at once.
    static network_config development() {
        network_config result;
        result.thread_pool.worker_count = 2;
        result.logger.min_level = integration::log_level::debug;
        result.logger.async_logging = false;
        return result;
    }

    /// The defaults.
    static network_config production() { return {}; }

    /// One worker, warnings only, and no monitoring.
    static network_config testing() {
        network_config result;
        result.thread_pool.worker_count = 1;
        result.logger.min_level = integration::log_level::warn;
        result.logger.async_logging = false;
        result.monitoring.enabled = false;
        return result;
    }

    /// The defaults with what the file says: JSON if its name ends with .json or it begins with a brace, else TOML. The
    /// error's message tells every fault, one a line.
    static Result<network_config> from_file(const std::string& path);
    static Result<network_config> from_file(const std::string& path, std::vector<config_fault>& faults);

    /// The same of a text.
    static Result<network_config> from_string(std::string_view text, config_format format = config_format::toml);
    static Result<network_config> from_string(std::string_view text, config_format format,
                                              std::vector<config_fault>& faults);

    /// Every key with its value. Fails as `validate` does.
    Result<std::string> to_string(config_format format = config_format::toml) const;

    /// All that is wrong with the values.
    std::vector<config_fault> validate() const;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::core

#include "network_system/detail/config_access.h"

namespace NETWORK_SYSTEM_NAMESPACE::core {

inline Result<network_config> network_config::from_file(const std::string& path, std::vector<config_fault>& faults) {
    return detail::load<network_config>(
        [&](netsys_config config) { return netsys_config_load_file(config, detail::c_str(path)); }, faults);
}

inline Result<network_config> network_config::from_file(const std::string& path) {
    std::vector<config_fault> faults;
    return from_file(path, faults);
}

inline Result<network_config> network_config::from_string(std::string_view text, config_format format,
                                                          std::vector<config_fault>& faults) {
    const auto number = static_cast<std::uint32_t>(format);
    return detail::load<network_config>(
        [&](netsys_config config) { return netsys_config_load_string(config, detail::c_str(text), number); }, faults);
}

inline Result<network_config> network_config::from_string(std::string_view text, config_format format) {
    std::vector<config_fault> faults;
    return from_string(text, format, faults);
}

inline Result<std::string> network_config::to_string(config_format format) const {
    detail::open_config config;
    std::vector<config_fault> faults;
    const netsys_status status = config.store(*this, faults);
    if (status != NETSYS_OK) {
        return detail::faulty<std::string>(status, faults);
    }
    return ok(detail::read_string([&](char* buffer, std::size_t capacity, std::size_t* needed) {
        return netsys_config_to_string(config.get(), static_cast<std::uint32_t>(format), buffer, capacity, needed);
    }));
}

inline std::vector<config_fault> network_config::validate() const {
    std::vector<config_fault> faults;
    detail::open_config().store(*this, faults);
    return faults;
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::core
