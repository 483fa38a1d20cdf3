#pragma once

#include <cstdint>
#include <string>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::core {

/// A version of TLS.
enum class tls_version : std::uint32_t { tls_1_2 = NETSYS_TLS_1_2, tls_1_3 = NETSYS_TLS_1_3 };

/// Whether a server's clients show a certificate.
enum class client_certificate_mode : std::uint32_t {
    none = NETSYS_CLIENT_CERTIFICATE_NONE,          ///< they are not asked for one
    optional = NETSYS_CLIENT_CERTIFICATE_OPTIONAL,  ///< they may; one that does not hold is refused
    required = NETSYS_CLIENT_CERTIFICATE_REQUIRED   ///< they must
};

/// How a server encrypts. What is PEM is in a file, which is read at the start, or in memory; not in both.
///
/// A key in memory is in the program's hands: servers, clients, pools and bridges keep the configurations that they
/// were given, as ordinary strings that nobody zeroes, until they are destroyed or get others. What the library itself
/// reads of keys, from memory or a file, it does zero.
struct server_tls_config {
    bool enabled = false;
    std::string certificate_file{};  ///< its certificate, and behind it its issuers'
    std::string certificate{};       ///< the same in memory
    std::string key_file{};          ///< the certificate's private key, not encrypted
    std::string key{};               ///< the same in memory
    client_certificate_mode client_certificate = client_certificate_mode::none;
    std::string client_ca_file{};  ///< the issuers of the clients' certificates
    std::string client_ca{};       ///< the same in memory
    std::string crl_file{};        ///< lists of clients' certificates that are revoked
    std::string crl{};             ///< the same in memory
    tls_version min_version = tls_version::tls_1_2;
    std::string alpn{};              ///< application protocols, the preferred one first, with commas between them
    bool session_resumption = true;  ///< whether clients that come again may leave out most of the handshake
};

/// How a client encrypts. Nothing but `enabled` is needed: then it trusts the issuers that the system does. Of PEM and
/// of keys in memory holds what is said above.
struct client_tls_config {
    bool enabled = false;
    std::string ca_file{};           ///< the issuers of servers' certificates that are trusted
    std::string ca{};                ///< the same in memory
    std::string certificate_file{};  ///< its own certificate, for servers that ask for one
    std::string certificate{};       ///< the same in memory
    std::string key_file{};          ///< that certificate's private key, not encrypted
    std::string key{};               ///< the same in memory
    std::string crl_file{};          ///< lists of servers' certificates that are revoked
    std::string crl{};               ///< the same in memory
    std::string server_name{};       ///< that the server's certificate has to be for; empty: the host
    bool sni = true;                 ///< whether the server is told that name before it shows a certificate
    tls_version min_version = tls_version::tls_1_2;
    std::string alpn{};              ///< application protocols, the preferred one first, with commas between them
    bool session_resumption = true;  ///< whether it leaves out most of the handshake when it connects again
    /// Takes any certificate for the server's: whoever is between the two can then read and change everything. A
    /// warning is logged at each start.
    bool dangerously_disable_verification = false;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::core

namespace NETWORK_SYSTEM_NAMESPACE {
using core::client_certificate_mode;
using core::client_tls_config;
using core::server_tls_config;
}  // namespace NETWORK_SYSTEM_NAMESPACE
