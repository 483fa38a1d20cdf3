#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "network_system/core/tls_config.h"
#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

inline netsys_bytes to_bytes(const std::string& text) noexcept {
    return netsys_bytes{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// What the two have in common.
template <typename Config>
netsys_tls_config common_tls(const Config& config) noexcept {
    netsys_tls_config result{};
    netsys_tls_config_init(&result, sizeof(result));
    result.min_version = static_cast<std::uint32_t>(config.min_version);
    result.flags =
        (config.enabled ? 0u : NETSYS_TLS_OFF) | (config.session_resumption ? 0u : NETSYS_TLS_NO_SESSION_RESUMPTION);
    result.certificate_file = c_str(config.certificate_file);
    result.certificate = to_bytes(config.certificate);
    result.key_file = c_str(config.key_file);
    result.key = to_bytes(config.key);
    result.crl_file = c_str(config.crl_file);
    result.crl = to_bytes(config.crl);
    result.alpn = c_str(config.alpn);
    return result;
}

/// The result borrows the configuration's strings.
inline netsys_tls_config to_c(const core::server_tls_config& config) noexcept {
    netsys_tls_config result = common_tls(config);
    result.client_certificate = static_cast<std::uint32_t>(config.client_certificate);
    result.ca_file = c_str(config.client_ca_file);
    result.ca = to_bytes(config.client_ca);
    return result;
}

/// The result borrows the configuration's strings.
inline netsys_tls_config to_c(const core::client_tls_config& config) noexcept {
    netsys_tls_config result = common_tls(config);
    result.flags |= config.sni ? 0 : NETSYS_TLS_NO_SNI;
    result.ca_file = c_str(config.ca_file);
    result.ca = to_bytes(config.ca);
    result.server_name = c_str(config.server_name);
    if (config.dangerously_disable_verification) {
        result.dangerously_disable_verification = NETSYS_TLS_DANGEROUSLY_DISABLE_VERIFICATION;
    }
    return result;
}

/// All but the switch, to be compared.
inline auto parts(const core::server_tls_config& config) noexcept {
    const auto& [enabled, certificate_file, certificate, key_file, key, client_certificate, client_ca_file, client_ca,
                 crl_file, crl, min_version, alpn, session_resumption] = config;
    static_cast<void>(enabled);
    return std::tie(certificate_file, certificate, key_file, key, client_certificate, client_ca_file, client_ca,
                    crl_file, crl, min_version, alpn, session_resumption);
}

inline auto parts(const core::client_tls_config& config) noexcept {
    const auto& [enabled, ca_file, ca, certificate_file, certificate, key_file, key, crl_file, crl, server_name, sni,
                 min_version, alpn, session_resumption, dangerously_disable_verification] = config;
    static_cast<void>(enabled);
    return std::tie(ca_file, ca, certificate_file, certificate, key_file, key, crl_file, crl, server_name, sni,
                    min_version, alpn, session_resumption, dangerously_disable_verification);
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
