// Encryption in C++: a server that asks its clients for certificates, who they are, and a change of certificates while
// it serves.
//
//   tls_cpp FOLDER
//
// The folder holds PEM files: ca.pem, of the issuer of all certificates; server.pem and server.key, for 127.0.0.1;
// alice.pem and alice.key, of a client. Three clients connect: one with Alice's certificate, which the server greets by
// her name; one without a certificate, which is refused; and one that trusts another issuer, and refuses the server.

#include <network_system/network_system.h>
#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <string>

using network_system::core::client_certificate_mode;
using network_system::core::client_config;
using network_system::core::framing_mode;
using network_system::core::messaging_client;
using network_system::core::messaging_server;
using network_system::core::server_config;
using network_system::session::messaging_session;
using namespace std::chrono_literals;

namespace {

/// Connects, and gives back what came of it: what the server said, or why it came to nothing.
struct visit {
    int code = 0;
    std::string text;
};

visit pay_visit(const client_config& config, unsigned short port) {
    std::promise<std::string> greeting;
    messaging_client client("visitor", config);
    client.set_message_handler([&](const std::string& text) { greeting.set_value(text); });
    network_system::VoidResult connected = client.start_client("127.0.0.1", port);
    if (connected) {
        connected = client.wait_until_connected(10s);
    }
    if (!connected) {
        return {connected.error().code, connected.error().message};
    }
    auto answer = greeting.get_future();
    return {0, answer.wait_for(10s) == std::future_status::ready ? answer.get() : "nothing"};
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: tls_cpp FOLDER\n");
        return 2;
    }
    const std::string folder = std::string(argv[1]) + "/";

    server_config config;
    config.port = 0;
    config.bind_address = "127.0.0.1";
    config.tls.enabled = true;
    config.tls.certificate_file = folder + "server.pem";
    config.tls.key_file = folder + "server.key";
    config.tls.client_certificate = client_certificate_mode::required;
    config.tls.client_ca_file = folder + "ca.pem";

    messaging_server server("host", config);
    // Who has no certificate of our issuer comes no further than TLS: here the peer is known.
    server.set_connect_handler([](std::shared_ptr<messaging_session> session) {
        const auto tls = session->tls();
        const std::string name = tls ? tls->peer_common_name : "nobody";
        std::printf("%s is here, by %s\n", name.c_str(), tls ? tls->version.c_str() : "plain text");
        session->send_message("hello " + name);
    });
    server.set_error_handler([](const std::string& text, int) { std::printf("refused: %s\n", text.c_str()); });
    if (auto started = server.start_server(); !started) {
        std::fprintf(stderr, "start: %s\n", started.error().message.c_str());
        return 1;
    }

    client_config with_certificate;
    with_certificate.framing = framing_mode::framed;
    with_certificate.tls.enabled = true;
    with_certificate.tls.ca_file = folder + "ca.pem";
    client_config without = with_certificate;
    client_config distrustful = with_certificate;
    distrustful.tls.ca_file = folder + "alice.pem";  // Alice issues no certificates
    with_certificate.tls.certificate_file = folder + "alice.pem";
    with_certificate.tls.key_file = folder + "alice.key";

    const visit alice = pay_visit(with_certificate, server.port());
    std::printf("Alice was told: %s\n", alice.text.c_str());

    // The files may have been replaced: connections to come get what is in them now.
    const auto reloaded = server.reload_tls();

    const visit nobody = pay_visit(without, server.port());
    std::printf("without a certificate: %s\n", nobody.text.c_str());
    const visit stranger = pay_visit(distrustful, server.port());
    std::printf("with another issuer: %s\n", stranger.text.c_str());
    server.stop_server();

    if (!reloaded || alice.text != "hello alice" || nobody.code != NETSYS_ERR_CERTIFICATE_REFUSED ||
        stranger.code != NETSYS_ERR_CERTIFICATE_UNTRUSTED) {
        std::fprintf(stderr, "expected a greeting and two refusals\n");
        return 1;
    }
    std::printf("one was greeted by name, two came no further than TLS\n");
    return 0;
}
