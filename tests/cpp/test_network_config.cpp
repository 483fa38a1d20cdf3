#include <gtest/gtest.h>
#include <network_system/core/network_config.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "network_system/config/network_config.h"
#include "network_system/network_system.h"

namespace {

using network_system::core::compression_mode;
using network_system::core::config_fault;
using network_system::core::config_format;
using network_system::core::dispatch_mode;
using network_system::core::framing_mode;
using network_system::core::network_config;
using network_system::core::send_policy;
using network_system::integration::log_level;
using namespace std::chrono_literals;

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

static_assert(std::is_same_v<network_config, network_system::config::network_config>);

/// A file of one test.
class temporary_file {
public:
    temporary_file(const std::string& name, const std::string& content) : path_(testing::TempDir() + name) {
        std::ofstream(path_, std::ios::binary) << content;
    }
    ~temporary_file() { std::remove(path_.c_str()); }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

std::string written(const network_config& config) {
    const auto text = config.to_string();
    EXPECT_TRUE(text.is_ok());
    return text.is_ok() ? text.value() : std::string();
}

/// What the library's own preset is, written.
std::string preset(std::uint32_t number) {
    netsys_config config{};
    EXPECT_EQ(NETSYS_OK, netsys_config_create(number, &config));
    const std::string text =
        network_system::detail::read_string([&](char* buffer, std::size_t cap, std::size_t* needed) {
            return netsys_config_to_string(config, NETSYS_FORMAT_TOML, buffer, cap, needed);
        });
    EXPECT_EQ(NETSYS_OK, netsys_config_destroy(config));
    return text;
}

std::vector<std::string> keys(const std::vector<config_fault>& faults) {
    std::vector<std::string> keys;
    for (const auto& fault : faults) {
        keys.push_back(fault.key);
    }
    return keys;
}

TEST(NetworkConfig, DefaultsAndPresetsAreThoseOfTheLibrary) {
    EXPECT_EQ(preset(NETSYS_PRESET_DEFAULT), written(network_config{}));
    EXPECT_EQ(preset(NETSYS_PRESET_DEVELOPMENT), written(network_config::development()));
    EXPECT_EQ(preset(NETSYS_PRESET_PRODUCTION), written(network_config::production()));
    EXPECT_EQ(preset(NETSYS_PRESET_TESTING), written(network_config::testing()));
}

/// Gathers the keys that the members stand for.
struct key_collector {
    std::set<std::string> keys;
    template <typename T>
    void operator()(const std::string& key, const T&) {
        keys.insert(key);
    }
    template <typename T>
    void or_default(const std::string& key, const T&) {
        keys.insert(key);
    }
};

TEST(NetworkConfig, EveryKeyHasAMember) {
    key_collector members;
    const network_config config;
    network_system::detail::visit_keys(config, members);
    std::set<std::string> written_keys;
    std::string section;
    std::istringstream lines(written(config));
    for (std::string line; std::getline(lines, line);) {
        if (!line.empty() && line.front() == '[') {
            section = line.substr(1, line.size() - 2);
        } else if (!line.empty()) {
            written_keys.insert(section + "." + line.substr(0, line.find(' ')));
        }
    }
    EXPECT_EQ(written_keys, members.keys);
}

TEST(NetworkConfig, WhatATextSaysArrives) {
    const auto result = network_config::from_string(R"(
        [context]
        max_loops = 2
        pool_threads = 3
        busy_poll_us = 50
        max_buffered = "unlimited"
        log_filter = "warn,network_system::session=debug"
        log_to_stderr = true
        [server]
        server_id = "files"
        port = 9000
        bind_address = "::1"
        max_connections = 0
        timeout = "5m"
        policy = "would_block"
        framing = "framed"
        send_queue_limit = "64 KiB"
        heartbeat_interval = "250ms"
        send_queue_messages = 9
        frame_timeout = "1s"
        unresponsive_timeout = "1m"
        log_messages = true
        max_connections_per_address = "unlimited"
        accept_rate = 10
        accept_burst = 20
        exempt_addresses = ["10.0.0.0/8", "::1"]
        dispatch = "manual"
        io_threads = 4
        compression = "auto"
        compression_threshold = "1 KiB"
        receive_queue_limit = "64 KiB"
        [client]
        host = "localhost"
        port = 9000
        client_id = "me"
        enable_keep_alive = false
        connection_timeout = 1500
        policy = "drop_oldest"
        compression = "zstd"
        compression_level = 3
        dispatch = "pool"
        [client.reconnect]
        enabled = true
        first_delay = "50ms"
        max_delay = "1m"
        max_attempts = 3
        [bridge]
        enable_performance_monitoring = false
        enable_message_logging = true
        enable_connection_pooling = false
        max_connections_per_client = 3
        connection_timeout = "10s"
        message_timeout = 250
        message_buffer_size = "16 KiB"
        [thread_pool]
        worker_count = 3
        [logger]
        min_level = "error"
        log_file_path = "/tmp/log"
        [monitoring]
        enabled = false
        metrics_interval = "1h"
    )");
    ASSERT_TRUE(result.is_ok()) << result.error().message;
    const network_config& config = result.value();
    EXPECT_EQ(2u, config.context.max_loops);
    EXPECT_EQ(3u, config.context.pool_threads);
    EXPECT_EQ(50u, config.context.busy_poll_us);
    EXPECT_EQ(unlimited, config.context.max_buffered);
    EXPECT_EQ("warn,network_system::session=debug", config.context.log_filter);
    EXPECT_TRUE(config.context.log_to_stderr);
    EXPECT_EQ("files", config.server_id);
    EXPECT_EQ(9000, config.server.port);
    EXPECT_EQ("::1", config.server.bind_address);
    EXPECT_EQ(0u, config.server.max_connections);
    EXPECT_EQ(300s, config.server.timeout);
    EXPECT_EQ(send_policy::would_block, config.server.policy);
    EXPECT_EQ(framing_mode::framed, config.server.framing);
    EXPECT_EQ(65536u, config.server.send_queue_limit);
    EXPECT_EQ(250ms, config.server.heartbeat_interval);
    EXPECT_EQ(9u, config.server.send_queue_messages);
    EXPECT_EQ(1s, config.server.frame_timeout);
    EXPECT_EQ(60s, config.server.unresponsive_timeout);
    EXPECT_TRUE(config.server.log_messages);
    EXPECT_FALSE(config.client.log_messages);
    EXPECT_EQ(unlimited, config.server.max_connections_per_address);
    EXPECT_EQ(10u, config.server.accept_rate);
    EXPECT_EQ(20u, config.server.accept_burst);
    EXPECT_EQ("10.0.0.0/8, ::1/128", config.server.exempt_addresses);
    EXPECT_EQ(dispatch_mode::manual, config.server.dispatch);
    EXPECT_EQ(4u, config.server.io_threads);
    EXPECT_EQ(compression_mode::automatic, config.server.compression);
    EXPECT_EQ(1024u, config.server.compression_threshold);
    EXPECT_EQ(65536u, config.server.receive_queue_limit);
    EXPECT_EQ("localhost", config.client_host);
    EXPECT_EQ(9000, config.client_port);
    EXPECT_EQ("me", config.client_id);
    EXPECT_FALSE(config.client.enable_keep_alive);
    EXPECT_EQ(1500ms, config.client.connection_timeout);
    EXPECT_EQ(send_policy::drop_oldest, config.client.policy);
    EXPECT_EQ(compression_mode::zstd, config.client.compression);
    EXPECT_EQ(3u, config.client.compression_level);
    EXPECT_EQ(dispatch_mode::pool, config.client.dispatch);
    EXPECT_TRUE(config.client.reconnect.enabled);
    EXPECT_EQ(50ms, config.client.reconnect.first_delay);
    EXPECT_EQ(60s, config.client.reconnect.max_delay);
    EXPECT_EQ(3u, config.client.reconnect.max_attempts);
    EXPECT_FALSE(config.bridge.enable_performance_monitoring);
    EXPECT_TRUE(config.bridge.enable_message_logging);
    EXPECT_FALSE(config.bridge.enable_connection_pooling);
    EXPECT_EQ(3u, config.bridge.max_connections_per_client);
    EXPECT_EQ(10s, config.bridge.connection_timeout);
    EXPECT_EQ(250ms, config.bridge.message_timeout);
    EXPECT_EQ(16384u, config.bridge.message_buffer_size);
    EXPECT_FALSE(config.bridge.enable_compression);
    EXPECT_FALSE(config.bridge.enable_encryption);
    EXPECT_EQ(3u, config.thread_pool.worker_count);
    EXPECT_EQ(log_level::error, config.logger.min_level);
    EXPECT_EQ("/tmp/log", config.logger.log_file_path);
    EXPECT_FALSE(config.monitoring.enabled);
    EXPECT_EQ(1h, config.monitoring.metrics_interval);

    for (const auto format : {config_format::toml, config_format::json}) {
        const auto text = config.to_string(format);
        ASSERT_TRUE(text.is_ok());
        const auto again = network_config::from_string(text.value(), format);
        ASSERT_TRUE(again.is_ok()) << again.error().message;
        EXPECT_EQ(written(config), written(again.value()));
    }
}

TEST(NetworkConfig, AFileTellsAllItsFaultsWithTheirLines) {
    const temporary_file file("faults.toml", "[server]\nprot = 1\nport = 70000\n\n[tls]\n");
    std::vector<config_fault> faults;
    const auto result = network_config::from_file(file.path(), faults);
    ASSERT_TRUE(result.is_err());
    EXPECT_EQ(NETSYS_ERR_INVALID_ARGUMENT, result.error().code);
    ASSERT_EQ(3u, faults.size());
    EXPECT_EQ((std::vector<std::string>{"server.prot", "server.port", "tls"}), keys(faults));
    EXPECT_EQ(file.path(), faults[1].file);
    EXPECT_EQ(3u, faults[1].line);
    EXPECT_EQ(8u, faults[1].column);
    EXPECT_EQ("found 70000, expected a whole number from 0 to 65535", faults[1].text);
    EXPECT_EQ(file.path() + ":2:1: server.prot: is unknown, expected perhaps server.port\n" + file.path() +
                  ":3:8: server.port: found 70000, expected a whole number from 0 to 65535\n" + file.path() +
                  ":5:2: tls: is unknown",
              result.error().message);
    EXPECT_EQ(result.error().message, network_config::from_file(file.path()).error().message);

    EXPECT_TRUE(network_config::from_string("", config_format::json, faults).is_ok());
    EXPECT_TRUE(faults.empty());
}

TEST(NetworkConfig, AFileThatIsNotThereIsToldByItsName) {
    const auto result = network_config::from_file("/does/not/exist.json");
    ASSERT_TRUE(result.is_err());
    EXPECT_EQ(NETSYS_ERR_NOT_FOUND, result.error().code);
    EXPECT_EQ(0u, result.error().message.find("/does/not/exist.json: cannot be read: "));
}

TEST(NetworkConfig, ValidateTellsEveryMemberThatIsWrong) {
    EXPECT_TRUE(network_config{}.validate().empty());
    network_config config;
    config.context.max_loops = std::numeric_limits<std::size_t>::max();
    config.server_id = std::string(256, 'x');
    config.server.timeout = std::chrono::seconds::max();
    config.server.message_timeout = -1ms;
    config.server.framing = static_cast<framing_mode>(9);
    config.server.exempt_addresses = "10.0.0.0/8, ten";
    config.server.max_connections_per_address = 4294967295u;
    config.client_id = "\xff";
    config.bridge.max_connections_per_client = 0;
    config.bridge.message_timeout = -1ms;
    const auto found = keys(config.validate());
    const std::set<std::string> expected{"bridge.max_connections_per_client",
                                         "bridge.message_timeout",
                                         "client.client_id",
                                         "context.max_loops",
                                         "server.exempt_addresses",
                                         "server.framing",
                                         "server.message_timeout",
                                         "server.max_connections_per_address",
                                         "server.server_id",
                                         "server.timeout"};
    EXPECT_EQ(expected, std::set<std::string>(found.begin(), found.end()));
    EXPECT_EQ(expected.size(), found.size());
    const auto text = config.to_string();
    ASSERT_TRUE(text.is_err());
    EXPECT_NE(std::string::npos, text.error().message.find("server.framing: found 9, expected \"auto\""));

    network_config crossed;
    crossed.client.send_hard_limit = 1;
    crossed.client.reconnect.first_delay = 1h;
    EXPECT_EQ((std::vector<std::string>{"client.send_hard_limit", "client.reconnect.first_delay"}),
              keys(crossed.validate()));
}

TEST(NetworkConfig, ZeroIsTheDefaultWhereItMeansNothingElse) {
    network_config config;
    config.server.backlog = 0;
    config.server.send_queue_limit = 0;
    config.server.heartbeat_interval = 0ms;
    config.server.frame_timeout = 0ms;
    config.context.max_buffered = 0;
    config.bridge.message_buffer_size = 0;
    config.client.connection_timeout = 0ms;
    config.client.reconnect.first_delay = 0ms;
    config.client.reconnect.max_delay = 0ms;
    EXPECT_EQ(written(network_config{}), written(config));
    config.server.max_connections = 0;
    config.server.timeout = 0s;
    EXPECT_TRUE(config.validate().empty());
    EXPECT_NE(std::string::npos, written(config).find("max_connections = 0\n"));
}

TEST(NetworkConfig, NoHeartbeatsSurvive) {
    const auto config = network_config::from_string("client.heartbeat_interval = 'off'");
    ASSERT_TRUE(config.is_ok());
    EXPECT_NE(std::string::npos, written(config.value()).find("heartbeat_interval = \"off\"\n"));
}

TEST(NetworkConfig, EncryptionGoesThereAndBack) {
    using network_system::core::client_certificate_mode;
    using network_system::core::tls_version;
    network_config config;
    config.server.tls.enabled = true;
    config.server.tls.certificate_file = "server.pem";
    config.server.tls.key_file = "server.key";
    config.server.tls.client_certificate = client_certificate_mode::optional;
    config.server.tls.client_ca_file = "clients.pem";
    config.server.tls.crl_file = "server.crl";
    config.server.tls.min_version = tls_version::tls_1_3;
    config.server.tls.alpn = "one,two";
    config.server.tls.session_resumption = false;
    config.client.tls.enabled = true;
    config.client.tls.ca_file = "ca.pem";
    config.client.tls.certificate_file = "client.pem";
    config.client.tls.key_file = "client.key";
    config.client.tls.crl_file = "client.crl";
    config.client.tls.server_name = "name.example";
    config.client.tls.sni = false;
    config.client.tls.min_version = tls_version::tls_1_3;
    config.client.tls.alpn = "three";
    config.client.tls.session_resumption = false;
    config.bridge.enable_encryption = true;
    config.bridge.enable_compression = true;
    for (const auto format : {config_format::toml, config_format::json}) {
        const auto text = config.to_string(format);
        ASSERT_TRUE(text.is_ok()) << text.error().message;
        const auto back = network_config::from_string(text.value(), format);
        ASSERT_TRUE(back.is_ok()) << back.error().message;
        const auto same_server = [&](const auto& tls) {
            EXPECT_TRUE(tls.enabled);
            EXPECT_EQ("server.pem", tls.certificate_file);
            EXPECT_EQ("server.key", tls.key_file);
            EXPECT_EQ(client_certificate_mode::optional, tls.client_certificate);
            EXPECT_EQ("clients.pem", tls.client_ca_file);
            EXPECT_EQ("server.crl", tls.crl_file);
            EXPECT_EQ(tls_version::tls_1_3, tls.min_version);
            EXPECT_EQ("one,two", tls.alpn);
            EXPECT_FALSE(tls.session_resumption);
        };
        const auto same_client = [&](const auto& tls) {
            EXPECT_TRUE(tls.enabled);
            EXPECT_EQ("ca.pem", tls.ca_file);
            EXPECT_EQ("client.pem", tls.certificate_file);
            EXPECT_EQ("client.key", tls.key_file);
            EXPECT_EQ("client.crl", tls.crl_file);
            EXPECT_EQ("name.example", tls.server_name);
            EXPECT_FALSE(tls.sni);
            EXPECT_EQ(tls_version::tls_1_3, tls.min_version);
            EXPECT_EQ("three", tls.alpn);
            EXPECT_FALSE(tls.session_resumption);
            EXPECT_FALSE(tls.dangerously_disable_verification);
        };
        same_server(back.value().server.tls);
        same_client(back.value().client.tls);
        EXPECT_TRUE(back.value().bridge.enable_encryption);
        EXPECT_TRUE(back.value().bridge.enable_compression);
        same_server(back.value().bridge.server_tls);
        same_client(back.value().bridge.client_tls);

        // It reaches the classes: what they start with are files that are not there.
        network_system::core::messaging_server server("server", back.value().server);
        const auto started = server.start_server();
        ASSERT_TRUE(started.is_err());
        EXPECT_NE(std::string::npos, started.error().message.find("clients.pem")) << started.error().message;
        network_system::core::messaging_client client("client", back.value().client);
        EXPECT_EQ(-2, client.start_client("127.0.0.1", 1).error().code);
    }
    config.client.tls = {};
    config.client.tls.enabled = config.client.tls.dangerously_disable_verification = true;
    const auto back = network_config::from_string(written(config));
    ASSERT_TRUE(back.is_ok());
    EXPECT_TRUE(back.value().client.tls.dangerously_disable_verification);
}

TEST(NetworkConfig, NoFileHoldsKeysThatAreInMemory) {
    network_config config;
    config.server.tls.enabled = true;
    config.server.tls.certificate = "a certificate";
    config.server.tls.key = "canary";
    config.client.tls.enabled = true;
    config.client.tls.ca = "issuers";
    EXPECT_EQ((std::vector<std::string>{"server.tls.certificate", "server.tls.key", "client.tls.ca"}),
              keys(config.validate()));
    const auto text = config.to_string();
    ASSERT_TRUE(text.is_err());
    EXPECT_EQ(-1, text.error().code);
    EXPECT_NE(std::string::npos, text.error().message.find("server.tls.key_file"));
    EXPECT_EQ(std::string::npos, text.error().message.find("canary"));
}

TEST(NetworkConfig, NoFileHoldsABridgesOwnEncryption) {
    const std::vector<std::string> fault{"bridge.enable_encryption"};
    network_config config;
    config.bridge.enable_encryption = true;
    config.server.tls.enabled = true;
    config.server.tls.certificate_file = "server.pem";
    config.server.tls.key_file = "server.key";
    config.bridge.server_tls = config.server.tls;
    config.bridge.server_tls.enabled = false;  // which is no question there
    EXPECT_TRUE(config.validate().empty());
    config.bridge.server_tls.alpn = "one";
    EXPECT_EQ(fault, keys(config.validate()));
    EXPECT_NE(std::string::npos, config.to_string().error().message.find("server.tls"));
    config.bridge.server_tls = {};
    EXPECT_TRUE(config.validate().empty());
    config.bridge.client_tls.ca_file = "ca.pem";
    EXPECT_EQ(fault, keys(config.validate()));
    config.client.tls = config.bridge.client_tls;
    config.client.tls.enabled = true;
    EXPECT_TRUE(config.validate().empty());
    config.bridge.enable_encryption = false;
    EXPECT_EQ(fault, keys(config.validate()));
    config.bridge.client_tls = {};
    EXPECT_TRUE(config.validate().empty());
}

}  // namespace
