#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::session {

/// What TLS came to on a connection, and who the peer is. The names of the peer are to be believed only if
/// `peer_verified`.
struct tls_info {
    std::string version{};                         ///< "TLSv1.3"
    std::string cipher_suite{};                    ///< "TLS13_AES_256_GCM_SHA384"
    std::string alpn{};                            ///< the application protocol that was agreed on; empty: none
    std::string server_name{};                     ///< at a server: what the client asked for (SNI); empty: nothing
    bool resumed = false;                          ///< most of the handshake was left out, since the two had met before
    bool peer_verified = false;                    ///< the peer showed a certificate, and it was verified
    std::string peer_common_name{};                ///< in the subject of its certificate; empty: none
    std::string peer_alternative_name{};           ///< the first that is no address: "DNS:host.example"; empty: none
    std::string peer_fingerprint{};                ///< SHA-256 of its certificate, 64 hexadecimal digits; empty: none
    std::vector<std::uint8_t> peer_certificate{};  ///< as DER; empty: it showed none
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::session

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// Nothing if the connection is not encrypted, or is none.
inline std::optional<session::tls_info> read_tls(netsys_session session) {
    netsys_tls_info info{};
    info.struct_size = sizeof(info);
    if (netsys_session_tls_info(session, &info) != NETSYS_OK) {
        return std::nullopt;
    }
    const auto text = [&](std::uint32_t what) {
        return read_string([&](auto... out) { return netsys_session_tls_text(session, what, out...); });
    };
    session::tls_info result;
    result.version = text(NETSYS_TLS_TEXT_VERSION);
    result.cipher_suite = text(NETSYS_TLS_TEXT_CIPHER_SUITE);
    result.alpn = text(NETSYS_TLS_TEXT_ALPN);
    result.server_name = text(NETSYS_TLS_TEXT_SERVER_NAME);
    result.resumed = info.resumed != 0;
    result.peer_verified = info.peer_verified != 0;
    result.peer_common_name = text(NETSYS_TLS_TEXT_PEER_COMMON_NAME);
    result.peer_alternative_name = text(NETSYS_TLS_TEXT_PEER_ALTERNATIVE_NAME);
    result.peer_fingerprint = text(NETSYS_TLS_TEXT_PEER_FINGERPRINT);
    std::size_t length = 0;
    if (netsys_session_peer_certificate(session, nullptr, 0, &length) == NETSYS_ERR_BUFFER_TOO_SMALL) {
        result.peer_certificate.resize(length);
        if (netsys_session_peer_certificate(session, result.peer_certificate.data(), length, nullptr) != NETSYS_OK) {
            result.peer_certificate.clear();  // the session has ended meanwhile
        }
    }
    return result;
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
