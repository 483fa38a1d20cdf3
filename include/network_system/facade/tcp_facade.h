#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "network_system/core/connection_pool.h"
#include "network_system/core/messaging_client.h"
#include "network_system/detail/config_mapping.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/protocol_server.h"
#include "network_system/facade/created.h"
#include "network_system/interfaces/i_protocol_client.h"
#include "network_system/interfaces/i_protocol_server.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::facade {

/// Makes TCP clients and servers behind the interfaces that all protocols of the earlier library had in common, and
/// pools of connections.
///
/// TCP is what this library carries. There is no udp_facade, websocket_facade, http_facade or quic_facade, and no
/// `protocol::tcp` with its `unified::i_connection` and `unified::i_listener`.
class tcp_facade {
public:
    // Programs name some of the members and leave out the rest: each has an initialiser, lest compilers warn of those.

    struct client_config {
        std::string host{};
        std::uint16_t port = 0;
        std::string client_id{};                   ///< empty: tcp_client_ and a number
        std::chrono::milliseconds timeout{30000};  ///< for connecting; 0: 30 s
        bool use_ssl = false;
        std::optional<std::string> ca_cert_path{};  ///< with use_ssl
        bool verify_certificate = true;             ///< with use_ssl
    };

    struct server_config {
        std::uint16_t port = 0;   ///< for the program's own use: the port is given to `start`
        std::string server_id{};  ///< empty: tcp_server_ and a number
        bool use_ssl = false;
        std::optional<std::string> cert_path{};    ///< with use_ssl
        std::optional<std::string> key_path{};     ///< with use_ssl
        std::optional<std::string> tls_version{};  ///< with use_ssl
    };

    struct pool_config {
        std::string host{};
        std::uint16_t port = 0;
        std::size_t pool_size = 10;                ///< connections at a time
        std::chrono::seconds acquire_timeout{30};  ///< for a connection to be free; 0: one that is idle, or none
    };

    /// A client that has begun to connect. It may be connected before its callbacks are set, so whoever needs to know
    /// sets them and then asks `is_connected()`.
    ///
    /// With `use_ssl` it is encrypted, and the server's certificate has to be for `host` and of an issuer of
    /// `ca_cert_path`, or that the system trusts; without `verify_certificate` anybody is taken for the server, and a
    /// warning is logged.
    ///
    /// Errors: invalid_argument (-1); connection_failed (-600) when the client cannot be started. That nobody answers,
    /// the error callback is told.
    [[nodiscard]] created<interfaces::i_protocol_client> create_client(const client_config& config) const {
        using client_result = created<interfaces::i_protocol_client>::result;
        VoidResult valid = check_endpoint(config.host, config.port, config.timeout);
        if (valid.is_err()) {
            return client_result(valid.error());
        }
        auto settings = detail::without_limits<core::client_config>();
        settings.connection_timeout = config.timeout;
        if (config.use_ssl) {
            settings.tls.enabled = true;
            settings.tls.dangerously_disable_verification = !config.verify_certificate;
            settings.tls.ca_file = config.verify_certificate ? config.ca_cert_path.value_or("") : "";
        }
        const auto client = std::make_shared<core::messaging_client>(
            config.client_id.empty() ? next_id<client_config>("tcp_client_") : config.client_id, settings);
        if (const VoidResult started = client->start(config.host, config.port); started.is_err()) {
            return error<std::shared_ptr<interfaces::i_protocol_client>>(
                NETSYS_ERR_CONNECTION_FAILED, "the client cannot be started: " + started.error().message);
        }
        return std::shared_ptr<interfaces::i_protocol_client>(client);
    }

    /// A server that is not started yet. With `use_ssl` it is encrypted: `cert_path` and `key_path` are needed, whose
    /// files its start reads, and `tls_version` may be "1.2" or "1.3", the least that is spoken. Error:
    /// invalid_argument (-1).
    [[nodiscard]] created<interfaces::i_protocol_server> create_server(const server_config& config) const {
        using server_result = created<interfaces::i_protocol_server>::result;
        core::server_config settings = detail::unlimited_server();
        if (config.use_ssl) {
            if (const VoidResult valid = encrypt(settings.tls, config); valid.is_err()) {
                return server_result(valid.error());
            }
        }
        return std::shared_ptr<interfaces::i_protocol_server>(std::make_shared<detail::protocol_server>(
            config.server_id.empty() ? next_id<server_config>("tcp_server_") : config.server_id, settings));
    }

    /// A pool that connects when it is asked for connections; its `initialize()` makes them all at once, and tells
    /// whether the server answers. Error: invalid_argument (-1).
    [[nodiscard]] created<core::connection_pool> create_connection_pool(const pool_config& config) const {
        VoidResult valid = check_endpoint(config.host, config.port, config.acquire_timeout);
        if (valid.is_ok() && config.pool_size == 0) {
            valid = error_void(NETSYS_ERR_INVALID_ARGUMENT, "the pool's size is 0: at least 1 is expected");
        }
        if (valid.is_err()) {
            return created<core::connection_pool>::result(valid.error());
        }
        session::connection_pool_config settings;
        settings.max_connections_per_client = config.pool_size;
        settings.acquire_timeout = config.acquire_timeout;
        return std::make_shared<core::connection_pool>(config.host, config.port, settings,
                                                       detail::without_limits<core::client_config>());
    }

private:
    static VoidResult check_endpoint(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout) {
        if (host.empty()) {
            return error_void(NETSYS_ERR_INVALID_ARGUMENT, "the host is empty: a name or an address is expected");
        }
        if (port == 0) {
            return error_void(NETSYS_ERR_INVALID_ARGUMENT, "the port is 0: that of the server is expected");
        }
        if (timeout < std::chrono::milliseconds::zero()) {
            return error_void(NETSYS_ERR_INVALID_ARGUMENT, "the timeout is negative: a time from 0 on is expected");
        }
        return ok();
    }

    static VoidResult encrypt(core::server_tls_config& tls, const server_config& config) {
        if (config.cert_path.value_or("").empty() || config.key_path.value_or("").empty()) {
            return error_void(NETSYS_ERR_INVALID_ARGUMENT,
                              "use_ssl is set: cert_path and key_path have to name the certificate and its key");
        }
        const std::string version = config.tls_version.value_or("1.2");
        const bool newest = version == "1.3" || version == "TLSv1.3" || version == "tls1.3";
        if (!newest && version != "1.2" && version != "TLSv1.2" && version != "tls1.2") {
            return error_void(NETSYS_ERR_INVALID_ARGUMENT, "tls_version is \"" + version + "\": use 1.2 or 1.3");
        }
        tls.enabled = true;
        tls.certificate_file = *config.cert_path;
        tls.key_file = *config.key_path;
        tls.min_version = newest ? core::tls_version::tls_1_3 : core::tls_version::tls_1_2;
        return ok();
    }

    /// The prefix and the number of the next one of its `Kind`, of eight digits at least.
    template <typename Kind>
    static std::string next_id(std::string prefix) {
        static std::atomic<std::uint64_t> last{0};
        const std::string number = std::to_string(++last);
        return prefix.append(number.size() < 8 ? 8 - number.size() : 0, '0').append(number);
    }
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::facade
