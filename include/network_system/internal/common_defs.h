#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::internal {

/// What the bytes of a transfer are, in programs that tag them.
enum class data_mode : std::uint8_t { packet_mode = 1, file_mode = 2, binary_mode = 3 };

inline constexpr std::size_t default_buffer_size = 4096;
inline constexpr std::size_t default_timeout_ms = 5000;
inline constexpr std::string_view default_client_id = "default_client";
inline constexpr std::string_view default_server_id = "default_server";

enum class tls_version { tls_1_0 = 10, tls_1_1 = 11, tls_1_2 = 12, tls_1_3 = 13 };

/// With `verify_peer` a server takes clients without a certificate, where it has issuers to check one with.
enum class certificate_verification { none, verify_peer, verify_fail_if_no_peer_cert };

/// The ciphers are always those with forward secrecy and authentication: this list is taken for them.
inline constexpr std::string_view default_tls_cipher_list = "ECDHE+AESGCM:ECDHE+CHACHA20";

/// How connections are encrypted, for programs that say it so: `secure_messaging_server` and `secure_messaging_client`
/// take it. Others set `server_config::tls` and `client_config::tls`, which say more.
struct tls_config {
    bool enabled = false;
    tls_version min_version = tls_version::tls_1_2;  ///< TLS 1.0 and 1.1 are never spoken
    certificate_verification verify_mode = certificate_verification::verify_peer;
    std::optional<std::string> certificate_file{};      ///< PEM: the own certificate, and behind it its issuers'
    std::optional<std::string> private_key_file{};      ///< PEM: its private key, not encrypted
    std::optional<std::string> private_key_password{};  ///< not supported: an error where it is given
    std::optional<std::string> ca_file{};               ///< PEM: the issuers of the peers' certificates
    std::optional<std::string> crl_file{};              ///< PEM: lists of peers' certificates that are revoked
    std::optional<std::string> cipher_list{};           ///< default_tls_cipher_list or nothing: others are an error
    std::optional<std::string> sni_hostname{};          ///< that the server's certificate has to be for
    bool enable_session_resumption = true;
    std::size_t handshake_timeout_ms = 10000;

    /// Whether it can be used at all: a certificate and its key belong together, and need no password.
    bool is_valid() const noexcept {
        return certificate_file.has_value() == private_key_file.has_value() && !private_key_password &&
               (!cipher_list || *cipher_list == default_tls_cipher_list) && handshake_timeout_ms > 0 &&
               min_version >= tls_version::tls_1_0 && min_version <= tls_version::tls_1_3 &&
               verify_mode >= certificate_verification::none &&
               verify_mode <= certificate_verification::verify_fail_if_no_peer_cert;
    }

    /// A client takes anybody for its server.
    static tls_config insecure_for_testing() {
        tls_config config;
        config.enabled = true;
        config.verify_mode = certificate_verification::none;
        return config;
    }

    static tls_config secure_defaults() {
        tls_config config;
        config.enabled = true;
        return config;
    }
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::internal
