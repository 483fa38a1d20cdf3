#pragma once

#include <string>

#include "certificates.h"
#include "network_system/core/messaging_client.h"
#include "network_system/core/messaging_server.h"
#include "support.h"

/// What the tests of encryption share. Where certificates are given by name, they are those of `certificates()`.
namespace test_support {

/// Has a side show a certificate.
template <typename Tls>
void show(Tls& tls, const std::string& certificate) {
    tls.certificate_file = certificates().pem(certificate);
    tls.key_file = certificates().key(certificate);
}

/// Switches the encryption of a server on.
template <typename Config>
void encrypt_as(Config& config, const std::string& certificate) {
    config.tls.enabled = true;
    show(config.tls, certificate);
}

/// Switches the encryption of a client on, which believes the servers of one issuer.
template <typename Config>
void encrypt_trusting(Config& config, const std::string& issuer) {
    config.tls.enabled = true;
    config.tls.ca_file = certificates().pem(issuer);
}

/// Starts a client; tells how the connecting ended.
inline network_system::VoidResult connect(network_system::core::messaging_client& client, unsigned short port,
                                          const std::string& host = "127.0.0.1") {
    const auto started = client.start_client(host, port);
    return started.is_err() ? started : client.wait_until_connected(patience);
}

/// The common name of the server's certificate; "nobody" without encryption.
inline std::string server_name(const network_system::core::messaging_client& client) {
    const auto tls = client.tls();
    return tls ? tls->peer_common_name : "nobody";
}

}  // namespace test_support
