#pragma once

#include <string_view>

#include "network_system/core/messaging_client.h"
#include "network_system/detail/legacy_tls.h"
#include "network_system/detail/namespace.h"
#include "network_system/internal/common_defs.h"

namespace NETWORK_SYSTEM_NAMESPACE::core {

/// A client whose connection is encrypted, without limits on message size and silence: a `messaging_client` with
/// `client_config::tls`.
class secure_messaging_client : public messaging_client {
public:
    /// The server's certificate has to be for the host that is connected to, and of an issuer that the system trusts.
    /// Without `verify_cert` anybody is taken for the server: whoever is between the two can then read and change
    /// everything, and a warning is logged at each start.
    explicit secure_messaging_client(std::string_view client_id, bool verify_cert = true)
        : messaging_client(client_id, settings(verify_cert)) {}

    /// Throws std::invalid_argument when `tls.is_valid()` is false. What is wrong with the files, `start_client` tells.
    secure_messaging_client(std::string_view client_id, const internal::tls_config& tls)
        : messaging_client(client_id, detail::encrypted(detail::without_limits<client_config>(), tls)) {}

private:
    static client_config settings(bool verify_cert) {
        auto config = detail::without_limits<client_config>();
        config.tls.enabled = true;
        config.tls.dangerously_disable_verification = !verify_cert;
        return config;
    }
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::core
