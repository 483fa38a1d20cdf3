#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "network_system/core/messaging_server.h"
#include "network_system/detail/final_session.h"
#include "network_system/detail/legacy_tls.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/server_access.h"
#include "network_system/internal/common_defs.h"
#include "network_system/session/secure_session.h"

namespace NETWORK_SYSTEM_NAMESPACE::core {

/// A server whose sessions are encrypted, without limits on connections, message size and silence: a `messaging_server`
/// with `server_config::tls`, whose callbacks get a `secure_session`.
class secure_messaging_server : public messaging_server {
public:
    using secure_session_ptr = std::shared_ptr<session::secure_session>;

    /// The files are PEM: the certificate, and behind it its issuers', and its private key. They are read by
    /// `start_server`, which tells what is wrong with them.
    secure_messaging_server(const std::string& server_id, const std::string& cert_file, const std::string& key_file)
        : messaging_server(server_id, settings(cert_file, key_file)) {
        make_secure_sessions();
    }

    /// Throws std::invalid_argument when `tls.is_valid()` is false. What is wrong with the files, `start_server` tells.
    secure_messaging_server(const std::string& server_id, const internal::tls_config& tls)
        : messaging_server(server_id, detail::encrypted(detail::unlimited_server(), tls)) {
        make_secure_sessions();
    }

    auto set_connection_callback(std::function<void(secure_session_ptr)> callback) -> void {
        messaging_server::set_connection_callback(typed(std::move(callback)));
    }
    auto set_receive_callback(std::function<void(secure_session_ptr, const std::vector<std::uint8_t>&)> callback)
        -> void {
        messaging_server::set_receive_callback(typed(std::move(callback)));
    }
    auto set_error_callback(std::function<void(secure_session_ptr, std::error_code)> callback) -> void {
        messaging_server::set_error_callback(typed(std::move(callback)));
    }

private:
    static server_config settings(const std::string& cert_file, const std::string& key_file) {
        server_config config = detail::unlimited_server();
        config.tls.enabled = true;
        config.tls.certificate_file = cert_file;
        config.tls.key_file = key_file;
        return config;
    }

    void make_secure_sessions() {
        detail::server_access::make_sessions(*this, [](std::shared_ptr<detail::session_core> core) {
            return std::make_shared<detail::final_session<session::secure_session>>(std::move(core));
        });
    }

    /// All its sessions are secure ones; null, where an error concerns none, stays null.
    template <typename... Rest>
    static std::function<void(std::shared_ptr<session::messaging_session>, Rest...)> typed(
        std::function<void(secure_session_ptr, Rest...)> callback) {
        if (!callback) {
            return nullptr;
        }
        return
            [callback = std::move(callback)](const std::shared_ptr<session::messaging_session>& session, Rest... rest) {
                callback(std::static_pointer_cast<session::secure_session>(session), std::forward<Rest>(rest)...);
            };
    }
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::core
