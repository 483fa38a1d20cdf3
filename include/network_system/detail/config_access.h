#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/tls_mapping.h"
#include "network_system/utils/result_types.h"

// How core::network_config reaches the library, which reads, writes and checks configurations. Part of its header.
namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// Calls `visit` for what the sections of servers and clients have in common.
template <typename Session, typename Visitor>
void visit_session_keys(const std::string& section, Session& session, Visitor& visit) {
    visit(section + "message_size_limit", session.message_size_limit);
    visit(section + "framing", session.framing);
    visit(section + "dispatch", session.dispatch);
    visit.or_default(section + "receive_queue_limit", session.receive_queue_limit);
    visit(section + "timeout", session.timeout);
    visit(section + "enable_keep_alive", session.enable_keep_alive);
    visit.or_default(section + "heartbeat_interval", session.heartbeat_interval);
    visit.or_default(section + "frame_timeout", session.frame_timeout);
    visit.or_default(section + "unresponsive_timeout", session.unresponsive_timeout);
    visit(section + "enable_nodelay", session.enable_nodelay);
    visit(section + "policy", session.policy);
    visit.or_default(section + "message_timeout", session.message_timeout);
    visit.or_default(section + "send_queue_limit", session.send_queue_limit);
    visit(section + "send_queue_messages", session.send_queue_messages);
    visit.or_default(section + "send_hard_limit", session.send_hard_limit);
    visit.or_default(section + "drain_timeout", session.drain_timeout);
    visit(section + "compression", session.compression);
    visit.or_default(section + "compression_threshold", session.compression_threshold);
    visit.or_default(section + "compression_level", session.compression_level);
    visit.or_default(section + "receive_buffer_size", session.receive_buffer_size);
    visit.or_default(section + "send_buffer_size", session.send_buffer_size);
    visit(section + "kernel_receive_buffer_size", session.kernel_receive_buffer_size);
    visit(section + "kernel_send_buffer_size", session.kernel_send_buffer_size);
    visit(section + "log_messages", session.log_messages);
}

/// Calls `visit` for what the sections on encryption have in common.
template <typename Tls, typename Visitor>
void visit_tls_keys(const std::string& section, Tls& tls, Visitor& visit) {
    visit(section + "enabled", tls.enabled);
    visit(section + "certificate_file", tls.certificate_file);
    visit(section + "key_file", tls.key_file);
    visit(section + "crl_file", tls.crl_file);
    visit(section + "min_version", tls.min_version);
    visit(section + "alpn", tls.alpn);
    visit(section + "session_resumption", tls.session_resumption);
}

/// Calls `visit(key, member)` for each member of a configuration; `visit.or_default` where 0 means the default.
template <typename Config, typename Visitor>
void visit_keys(Config& config, Visitor& visit) {
    visit.or_default("context.max_loops", config.context.max_loops);
    visit("context.pool_threads", config.context.pool_threads);
    visit("context.busy_poll_us", config.context.busy_poll_us);
    visit("context.thread_name_prefix", config.context.thread_name_prefix);
    visit.or_default("context.max_buffered", config.context.max_buffered);
    visit("context.log_filter", config.context.log_filter);
    visit("context.log_to_stderr", config.context.log_to_stderr);

    visit("server.server_id", config.server_id);
    visit("server.bind_address", config.server.bind_address);
    visit("server.port", config.server.port);
    visit.or_default("server.backlog", config.server.backlog);
    visit("server.max_connections", config.server.max_connections);
    visit("server.max_connections_per_address", config.server.max_connections_per_address);
    visit("server.accept_rate", config.server.accept_rate);
    visit("server.accept_burst", config.server.accept_burst);
    visit("server.exempt_addresses", config.server.exempt_addresses);
    visit.or_default("server.io_threads", config.server.io_threads);
    visit.or_default("server.handshake_timeout", config.server.handshake_timeout);
    visit_session_keys("server.", config.server, visit);

    visit_tls_keys("server.tls.", config.server.tls, visit);
    visit("server.tls.client_certificate", config.server.tls.client_certificate);
    visit("server.tls.client_ca_file", config.server.tls.client_ca_file);

    visit("client.client_id", config.client_id);
    visit("client.host", config.client_host);
    visit("client.port", config.client_port);
    visit.or_default("client.connection_timeout", config.client.connection_timeout);
    visit_session_keys("client.", config.client, visit);
    visit("client.reconnect.enabled", config.client.reconnect.enabled);
    visit.or_default("client.reconnect.first_delay", config.client.reconnect.first_delay);
    visit.or_default("client.reconnect.max_delay", config.client.reconnect.max_delay);
    visit("client.reconnect.max_attempts", config.client.reconnect.max_attempts);

    visit_tls_keys("client.tls.", config.client.tls, visit);
    visit("client.tls.ca_file", config.client.tls.ca_file);
    visit("client.tls.server_name", config.client.tls.server_name);
    visit("client.tls.sni", config.client.tls.sni);
    visit("client.tls.dangerously_disable_verification", config.client.tls.dangerously_disable_verification);

    visit("bridge.enable_performance_monitoring", config.bridge.enable_performance_monitoring);
    visit("bridge.enable_message_logging", config.bridge.enable_message_logging);
    visit("bridge.enable_connection_pooling", config.bridge.enable_connection_pooling);
    visit("bridge.max_connections_per_client", config.bridge.max_connections_per_client);
    visit("bridge.connection_timeout", config.bridge.connection_timeout);
    visit("bridge.message_timeout", config.bridge.message_timeout);
    visit.or_default("bridge.message_buffer_size", config.bridge.message_buffer_size);
    visit("bridge.enable_compression", config.bridge.enable_compression);
    visit("bridge.enable_encryption", config.bridge.enable_encryption);

    visit("thread_pool.worker_count", config.thread_pool.worker_count);
    visit("thread_pool.queue_capacity", config.thread_pool.queue_capacity);
    visit("thread_pool.pool_name", config.thread_pool.pool_name);

    visit("logger.min_level", config.logger.min_level);
    visit("logger.async_logging", config.logger.async_logging);
    visit("logger.buffer_size", config.logger.buffer_size);
    visit("logger.log_file_path", config.logger.log_file_path);

    visit("monitoring.enabled", config.monitoring.enabled);
    visit("monitoring.metrics_interval", config.monitoring.metrics_interval);
    visit("monitoring.service_name", config.monitoring.service_name);
}

/// A member as the number of its key; what is too large for one is the largest.
template <typename T>
std::int64_t to_number(const T& value) noexcept {
    constexpr auto largest = std::numeric_limits<std::int64_t>::max();
    if constexpr (std::is_enum_v<T>) {
        return static_cast<std::int64_t>(value);
    } else if constexpr (std::is_arithmetic_v<T>) {
        static_assert(std::is_unsigned_v<T>);
        return static_cast<std::int64_t>(std::min<std::uint64_t>(value, largest));
    } else {
        using std::chrono::milliseconds;
        if (value >= std::chrono::duration_cast<T>(milliseconds(largest))) {
            return largest;
        }
        return value < T::zero() ? -1 : std::chrono::duration_cast<milliseconds>(value).count();
    }
}

/// The opposite: the largest number, "unlimited", is the member's largest.
template <typename T>
T from_number(std::int64_t number) noexcept {
    if (std::is_arithmetic_v<T> && number == std::numeric_limits<std::int64_t>::max()) {
        return std::numeric_limits<T>::max();
    }
    if constexpr (std::is_enum_v<T> || std::is_arithmetic_v<T>) {
        return static_cast<T>(number);
    } else {
        return std::chrono::duration_cast<T>(std::chrono::milliseconds(number));
    }
}

/// Takes the faults that a configuration's last call that failed has found.
template <typename Fault>
void take_faults(netsys_config config, std::vector<Fault>& faults) {
    const auto string = [](netsys_str text) {
        return text.len == 0 ? std::string() : std::string(text.data, text.len);
    };
    netsys_config_fault_info info{};
    info.struct_size = sizeof(info);
    for (std::size_t i = 0; netsys_config_fault(config, i, &info) == NETSYS_OK; ++i) {
        faults.push_back(
            {string(info.file), info.line, info.column, string(info.key), string(info.text), string(info.report)});
    }
}

/// Reads the members.
class config_reader {
public:
    explicit config_reader(netsys_config config) noexcept : config_(config) {}

    template <typename T>
    void operator()(const std::string& key, T& member) {
        std::int64_t number = 0;
        if (keep(netsys_config_number(config_, c_str(key), &number))) {
            member = from_number<T>(number);
        }
    }

    void operator()(const std::string& key, std::string& member) {
        member = read_string([&](char* buffer, std::size_t capacity, std::size_t* needed) {
            return netsys_config_text(config_, c_str(key), buffer, capacity, needed);
        });
    }

    template <typename T>
    void or_default(const std::string& key, T& member) {
        (*this)(key, member);
    }

    netsys_status status() const noexcept { return status_; }

private:
    bool keep(netsys_status status) noexcept {
        status_ = status_ == NETSYS_OK ? status : status_;
        return status == NETSYS_OK;
    }

    netsys_config config_;
    netsys_status status_ = NETSYS_OK;
};

/// Writes the members, and gathers what is wrong with them.
template <typename Fault>
class config_writer {
public:
    config_writer(netsys_config config, std::vector<Fault>& faults) noexcept : config_(config), faults_(faults) {}

    template <typename T>
    void operator()(const std::string& key, const T& member) {
        keep(netsys_config_set_number(config_, c_str(key), to_number(member)));
    }

    void operator()(const std::string& key, const std::string& member) {
        keep(netsys_config_set_text(config_, c_str(key), c_str(member)));
    }

    template <typename T>
    void or_default(const std::string& key, const T& member) {
        if (member != T{}) {
            (*this)(key, member);
        }
    }

    void keep(netsys_status status) {
        if (status != NETSYS_OK) {
            status_ = status;
            take_faults(config_, faults_);
        }
    }

    netsys_status status() const noexcept { return status_; }

private:
    netsys_config config_;
    std::vector<Fault>& faults_;
    netsys_status status_ = NETSYS_OK;
};

/// A configuration of the C interface, for the time of a call.
class open_config {
public:
    open_config() noexcept : status_(netsys_check_version(NETSYS_VERSION_NUMBER)) {
        if (status_ == NETSYS_OK) {
            status_ = netsys_config_create(NETSYS_PRESET_DEFAULT, &config_);
        }
    }
    ~open_config() { netsys_config_destroy(config_); }
    open_config(const open_config&) = delete;
    open_config& operator=(const open_config&) = delete;

    netsys_config get() const noexcept { return config_; }
    netsys_status status() const noexcept { return status_; }

    /// Takes over the members of `config` and checks them.
    template <typename Config, typename Fault>
    netsys_status store(const Config& config, std::vector<Fault>& faults) {
        if (status_ != NETSYS_OK) {
            return without_library(faults);
        }
        const bool encrypts = config.bridge.enable_encryption;
        if (refuse_memory("server.tls.", config.server.tls, config.server.tls.client_ca, "client_ca", faults) +
                refuse_memory("client.tls.", config.client.tls, config.client.tls.ca, "ca", faults) +
                refuse_other("server", config.bridge.server_tls, config.server.tls, encrypts, faults) +
                refuse_other("client", config.bridge.client_tls, config.client.tls, encrypts, faults) >
            0) {
            return NETSYS_ERR_INVALID_ARGUMENT;
        }
        config_writer<Fault> writer(config_, faults);
        visit_keys(config, writer);
        if (writer.status() == NETSYS_OK) {
            writer.keep(netsys_config_validate(config_));
        }
        return writer.status();
    }

    /// What is in memory has no key. Without it, a file would trust others than the configuration does.
    template <typename Tls, typename Fault>
    static std::size_t refuse_memory(const std::string& section, const Tls& tls, const std::string& issuers,
                                     const char* name_of_issuers, std::vector<Fault>& faults) {
        const std::size_t before = faults.size();
        const auto refuse = [&](const std::string& pem, const std::string& name) {
            if (!pem.empty()) {
                const std::string key = section + name;
                const std::string text = "is in memory, which no file can say: use " + key + "_file";
                faults.push_back({{}, 0, 0, key, text, key + ": " + text});
            }
        };
        refuse(tls.certificate, "certificate");
        refuse(tls.key, "key");
        refuse(tls.crl, "crl");
        refuse(issuers, name_of_issuers);
        return faults.size() - before;
    }

    /// What a bridge has of its own has no key either.
    template <typename Tls, typename Fault>
    static std::size_t refuse_other(const std::string& name, const Tls& of_bridge, const Tls& of_section, bool encrypts,
                                    std::vector<Fault>& faults) {
        const bool given = parts(of_bridge) != parts(Tls{});
        std::string text;
        if (!encrypts && (given || of_bridge.enabled)) {
            text = "is false, and the bridge has " + name + "_tls: switch it on, or leave that out";
        } else if (given && parts(of_bridge) != parts(of_section)) {
            text =
                "the bridge has other settings in " + name + "_tls than there are in " + name +
                ".tls, and a file has keys for the latter only: leave out those of the bridge, or give both the same";
        } else {
            return 0;
        }
        const std::string key = "bridge.enable_encryption";
        faults.push_back({{}, 0, 0, key, text, key + ": " + text});
        return 1;
    }

    /// Where not even a configuration can be made, that is the fault.
    template <typename Fault>
    netsys_status without_library(std::vector<Fault>& faults) const {
        const std::string why = netsys_status_message(status_);
        faults.push_back({{}, 0, 0, {}, why, why});
        return status_;
    }

private:
    netsys_config config_{};
    netsys_status status_;
};

/// The error that tells all faults, one a line.
template <typename T, typename Fault>
Result<T> faulty(netsys_status status, const std::vector<Fault>& faults) {
    std::string message;
    for (const Fault& fault : faults) {
        message += (message.empty() ? "" : "\n") + fault.report;
    }
    return error<T>(status, message.empty() ? netsys_status_message(status) : message);
}

/// A configuration of what `read` puts into one of the C interface.
template <typename Config, typename Read, typename Fault>
Result<Config> load(Read read, std::vector<Fault>& faults) {
    faults.clear();
    const open_config open;
    if (open.status() != NETSYS_OK) {
        return faulty<Config>(open.without_library(faults), faults);
    }
    const netsys_status status = read(open.get());
    if (status != NETSYS_OK) {
        take_faults(open.get(), faults);
        return faulty<Config>(status, faults);
    }
    Config config;
    config_reader reader(open.get());
    visit_keys(config, reader);
    if (reader.status() != NETSYS_OK) {
        return faulty<Config>(reader.status(), faults);
    }
    if (config.bridge.enable_encryption) {
        config.bridge.server_tls = config.server.tls;
        config.bridge.client_tls = config.client.tls;
    }
    return ok(std::move(config));
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
