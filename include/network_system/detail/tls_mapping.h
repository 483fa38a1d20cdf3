#pragma once

#include <cstdint>
#include <string>

#include "network_system/core/tls_config.h"
#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"
#include "network_system/utils/result_types.h"

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
    result.flags = config.session_resumption ? 0 : NETSYS_TLS_NO_SESSION_RESUMPTION;
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

/// Whether anything is said of encryption, in what the two have in common.
template <typename Config>
bool is_common_given(const Config& config) noexcept {
    static const Config nothing{};
    return config.certificate_file != nothing.certificate_file || config.certificate != nothing.certificate ||
           config.key_file != nothing.key_file || config.key != nothing.key || config.crl_file != nothing.crl_file ||
           config.crl != nothing.crl || config.min_version != nothing.min_version || config.alpn != nothing.alpn ||
           config.session_resumption != nothing.session_resumption;
}

/// Whether anything is said of encryption, but for the switch.
inline bool is_given(const core::server_tls_config& config) noexcept {
    return is_common_given(config) || !config.client_ca_file.empty() || !config.client_ca.empty() ||
           config.client_certificate != core::client_certificate_mode::none;
}

inline bool is_given(const core::client_tls_config& config) noexcept {
    return is_common_given(config) || !config.ca_file.empty() || !config.ca.empty() || !config.server_name.empty() ||
           !config.sni || config.dangerously_disable_verification;
}

/// Settings without the switch would be a connection in plain text that nobody expects.
template <typename Config>
VoidResult check_tls(const Config& config) {
    return !config.enabled && is_given(config)
               ? error_void(NETSYS_ERR_INVALID_ARGUMENT,
                            "settings of TLS are given, but tls.enabled is false, so that nothing would be encrypted: "
                            "set it to true, or leave them out")
               : ok();
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
