#pragma once

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>

#include "network_system/core/client_config.h"
#include "network_system/core/server_config.h"
#include "network_system/detail/config_mapping.h"
#include "network_system/detail/namespace.h"
#include "network_system/internal/common_defs.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// What `internal::tls_config` says to both. Throws std::invalid_argument for what nobody could do.
template <typename Tls>
void map_legacy_tls(const internal::tls_config& from, Tls& to) {
    if (!from.is_valid()) {
        throw std::invalid_argument(
            "tls_config: certificate_file and private_key_file belong together, the key must not be encrypted "
            "(private_key_password), cipher_list is default_tls_cipher_list or nothing, handshake_timeout_ms more than "
            "0, and min_version and verify_mode are values of their types");
    }
    to.enabled = true;  // the classes that take it are there for that
    to.min_version =
        from.min_version == internal::tls_version::tls_1_3 ? core::tls_version::tls_1_3 : core::tls_version::tls_1_2;
    to.certificate_file = from.certificate_file.value_or("");
    to.key_file = from.private_key_file.value_or("");
    to.crl_file = from.crl_file.value_or("");
    to.session_resumption = from.enable_session_resumption;
}

inline std::chrono::milliseconds handshake_timeout(const internal::tls_config& tls) {
    return std::chrono::milliseconds(tls.handshake_timeout_ms);
}

inline core::server_config encrypted(core::server_config config, const internal::tls_config& tls) {
    map_legacy_tls(tls, config.tls);
    config.tls.client_ca_file = tls.ca_file.value_or("");
    using verification = internal::certificate_verification;
    if (tls.verify_mode == verification::verify_fail_if_no_peer_cert) {
        config.tls.client_certificate = core::client_certificate_mode::required;
    } else if (tls.verify_mode == verification::verify_peer && tls.ca_file) {
        config.tls.client_certificate = core::client_certificate_mode::optional;
    } else if (tls.verify_mode == verification::none) {
        config.tls.client_ca_file.clear();
        config.tls.crl_file.clear();
    }  // else a revocation list without issuers fails the start: nobody would be checked against it
    config.handshake_timeout = handshake_timeout(tls);
    return config;
}

inline core::client_config encrypted(core::client_config config, const internal::tls_config& tls) {
    map_legacy_tls(tls, config.tls);
    config.tls.server_name = tls.sni_hostname.value_or("");
    if (tls.verify_mode == internal::certificate_verification::none) {
        config.tls.dangerously_disable_verification = true;
        config.tls.crl_file.clear();
    } else {
        config.tls.ca_file = tls.ca_file.value_or("");
    }
    config.connection_timeout = std::min(config.connection_timeout, handshake_timeout(tls));
    return config;
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
