// Encryption as programs of 2025 and 2026 ask for it: secure_messaging_server and secure_messaging_client,
// internal::tls_config, and use_ssl of tcp_facade.

#include <gtest/gtest.h>
#include <network_system/forward.h>

#include <memory>
#include <string>
#include <type_traits>

// What is only declared is what is defined later, by either name of the namespace.
struct declared_only {
    std::shared_ptr<network_system::core::secure_messaging_client> client;
    std::shared_ptr<kcenon::network::core::secure_messaging_server> server;
    std::shared_ptr<network_system::session::secure_session> session;
};

#include <kcenon/network/core/secure_messaging_client.h>
#include <kcenon/network/core/secure_messaging_server.h>
#include <kcenon/network/session/secure_session.h>
#include <network_system/facade/tcp_facade.h>
#include <network_system/network_system.h>

#include "support.h"
#include "tls_support.h"

namespace {

using network_system::core::messaging_client;
using network_system::core::messaging_server;
using network_system::core::secure_messaging_client;
using network_system::core::secure_messaging_server;
using network_system::facade::tcp_facade;
using network_system::internal::certificate_verification;
using network_system::internal::tls_config;
using network_system::internal::tls_version;
using network_system::session::secure_session;
using namespace test_support;

static_assert(
    std::is_same_v<network_system::core::secure_messaging_client, kcenon::network::core::secure_messaging_client>);
static_assert(
    std::is_same_v<network_system::core::secure_messaging_server, kcenon::network::core::secure_messaging_server>);
static_assert(std::is_same_v<network_system::session::secure_session, kcenon::network::session::secure_session>);
static_assert(std::is_same_v<network_system::internal::tls_config, kcenon::network::internal::tls_config>);

tls_config of_server(const std::string& certificate = "server") {
    tls_config tls = tls_config::secure_defaults();
    tls.certificate_file = certificates().pem(certificate);
    tls.private_key_file = certificates().key(certificate);
    return tls;
}

tls_config of_client() {
    tls_config tls = tls_config::secure_defaults();
    tls.ca_file = certificates().pem("ca");
    return tls;
}

tls_config of_alice() {
    tls_config tls = of_client();
    tls.certificate_file = certificates().pem("alice");
    tls.private_key_file = certificates().key("alice");
    return tls;
}

/// A raw client is connected before a server of TLS 1.3 has looked at its certificate: it is told behind that.
int end_of(messaging_client& client, const messaging_server& server) {
    recorder<int> codes;
    client.set_error_handler([&](const std::string&, int code) { codes.add(code); });
    EXPECT_TRUE(client.start_client("127.0.0.1", server.port()));
    const int code = codes.at(0);
    client.stop_client();
    return code;
}

// The classes

TEST(SecureMessaging, GenericLambdasServeAsEveryCallback) {
    secure_messaging_server server("server", certificates().pem("server"), certificates().key("server"));
    recorder<std::shared_ptr<secure_session>> accepted;
    journal ended;
    recorder<std::error_code> errors;
    server.set_connection_callback([&](auto session) {
        static_assert(std::is_same_v<decltype(session), std::shared_ptr<secure_session>>);
        accepted.add(session);
    });
    server.set_receive_callback([](auto session, const auto& data) {
        static_assert(std::is_same_v<decltype(session), std::shared_ptr<secure_session>>);
        EXPECT_TRUE(session->send_packet(data));
    });
    server.set_disconnection_callback([&](const auto& id) { ended.add(id); });
    server.set_error_callback([&](auto session, auto error) {
        static_assert(std::is_same_v<decltype(session), std::shared_ptr<secure_session>>);
        errors.add(error);
    });
    ASSERT_TRUE(server.start_server(0));

    secure_messaging_client client("client", false);
    event connected;
    stream_sink received;
    client.set_connected_callback([&] { connected.set(); });
    client.set_receive_callback([&](const auto& data) { received.add(data); });
    client.set_disconnected_callback([] {});
    client.set_error_callback([](auto) {});
    ASSERT_TRUE(connect(client, server.port()));
    ASSERT_TRUE(connected.wait());
    ASSERT_TRUE(client.send_packet(bytes_of("as ever")));
    EXPECT_EQ("as ever", received.wait_for(7));
    ASSERT_TRUE(client.tls());
    EXPECT_FALSE(client.tls()->peer_verified);

    const auto session = accepted.at(0);
    ASSERT_TRUE(session && session->tls());
    EXPECT_EQ("TLSv1.3", session->tls()->version);
    ASSERT_TRUE(client.stop_client());
    EXPECT_EQ("server", ended.at(0));
    ASSERT_TRUE(errors.wait_for(1)) << "the end of the stream";
    ASSERT_TRUE(server.stop_server());
}

TEST(SecureMessaging, EverySessionIsASecureOne) {
    secure_messaging_server server("server", of_server());
    recorder<std::shared_ptr<network_system::session::messaging_session>> opened;
    server.set_connect_handler([&](auto session) { opened.add(session); });
    ASSERT_TRUE(server.start_server(0));
    secure_messaging_client client("client", of_client());
    client.set_message_handler([](const std::string&) {});
    ASSERT_TRUE(connect(client, server.port()));
    EXPECT_TRUE(std::dynamic_pointer_cast<secure_session>(opened.at(0)));
    for (const auto& session : server.get_all_sessions()) {
        EXPECT_TRUE(std::dynamic_pointer_cast<secure_session>(session));
    }
    // The one of the other kind has the others.
    messaging_server plain("plain");
    recorder<std::shared_ptr<network_system::session::messaging_session>> accepted;
    plain.set_connection_callback([&](auto session) { accepted.add(session); });
    ASSERT_TRUE(plain.start_server(0));
    raw_peer peer(plain.port());
    ASSERT_TRUE(accepted.at(0));
    EXPECT_FALSE(std::dynamic_pointer_cast<secure_session>(accepted.at(0)));
}

TEST(SecureMessaging, CallbacksMayBeRemoved) {
    secure_messaging_server server("server", of_server());
    server.set_connection_callback([](auto) { FAIL(); });
    server.set_receive_callback([](auto, const auto&) { FAIL(); });
    server.set_error_callback([](auto, auto) { FAIL(); });
    server.set_connection_callback(nullptr);
    server.set_receive_callback(nullptr);
    server.set_error_callback(nullptr);
    event opened;
    server.set_disconnection_callback([&](const std::string&) { opened.set(); });
    ASSERT_TRUE(server.start_server(0));
    secure_messaging_client client("client", of_client());
    ASSERT_TRUE(connect(client, server.port()));
    ASSERT_TRUE(client.send_packet(bytes_of("unheard")));
    ASSERT_TRUE(client.stop_client());
    EXPECT_TRUE(opened.wait());
}

TEST(SecureMessaging, AClientVerifiesUnlessItIsToldNotTo) {
    secure_messaging_server server("server", certificates().pem("unknown"), certificates().key("unknown"));
    ASSERT_TRUE(server.start_server(0));
    secure_messaging_client careful("careful");
    EXPECT_EQ(NETSYS_ERR_CERTIFICATE_UNTRUSTED, end_of(careful, server));
    secure_messaging_client configured("configured", of_client());
    EXPECT_EQ(NETSYS_ERR_CERTIFICATE_UNTRUSTED, end_of(configured, server));
    secure_messaging_client careless("careless", tls_config::insecure_for_testing());
    EXPECT_TRUE(connect(careless, server.port()));
}

TEST(SecureMessaging, StartsTellWhatIsWrongWithFiles) {
    const auto nothing = certificates().path("nothing.pem");
    EXPECT_EQ(-2, secure_messaging_server("server", nothing, nothing).start_server(0).error().code);
    EXPECT_EQ(-1, secure_messaging_server("server", "", "").start_server(0).error().code);
    tls_config tls = tls_config::secure_defaults();
    EXPECT_EQ(-1, secure_messaging_server("server", tls).start_server(0).error().code) << "no certificate at all";
    tls_config unchecked = of_server();
    unchecked.crl_file = certificates().pem("ca");
    EXPECT_EQ(-1, secure_messaging_server("server", unchecked).start_server(0).error().code)
        << "a list of revoked certificates, and no issuers to check any";
    tls.ca_file = nothing;
    EXPECT_EQ(-2, secure_messaging_client("client", tls).start_client("127.0.0.1", 1).error().code);
}

// tls_config

TEST(LegacyTlsConfig, HasItsDefaults) {
    const tls_config plain;
    EXPECT_FALSE(plain.enabled);
    EXPECT_EQ(tls_version::tls_1_2, plain.min_version);
    EXPECT_EQ(12, static_cast<int>(plain.min_version));
    EXPECT_EQ(certificate_verification::verify_peer, plain.verify_mode);
    EXPECT_TRUE(plain.enable_session_resumption);
    EXPECT_EQ(10000u, plain.handshake_timeout_ms);
    EXPECT_TRUE(plain.is_valid());

    EXPECT_TRUE(tls_config::secure_defaults().enabled);
    EXPECT_EQ(certificate_verification::verify_peer, tls_config::secure_defaults().verify_mode);
    EXPECT_TRUE(tls_config::insecure_for_testing().enabled);
    EXPECT_EQ(certificate_verification::none, tls_config::insecure_for_testing().verify_mode);
}

TEST(LegacyTlsConfig, WhatCannotBeIsRefusedByTheConstructors) {
    const auto changes = {
        +[](tls_config& tls) { tls.private_key_file.reset(); },
        +[](tls_config& tls) { tls.certificate_file.reset(); },
        +[](tls_config& tls) { tls.private_key_password = "secret"; },
        +[](tls_config& tls) { tls.cipher_list = "RC4"; },
        +[](tls_config& tls) { tls.handshake_timeout_ms = 0; },
        +[](tls_config& tls) { tls.min_version = static_cast<tls_version>(9); },
        +[](tls_config& tls) { tls.verify_mode = static_cast<certificate_verification>(7); },
    };
    for (const auto change : changes) {
        tls_config tls = of_server();
        change(tls);
        EXPECT_FALSE(tls.is_valid());
        EXPECT_THROW(secure_messaging_server("server", tls), std::invalid_argument);
        EXPECT_THROW(secure_messaging_client("client", tls), std::invalid_argument);
    }
    tls_config tls = of_server();
    tls.cipher_list = std::string(network_system::internal::default_tls_cipher_list);
    EXPECT_TRUE(tls.is_valid());
    EXPECT_NO_THROW(secure_messaging_server("server", tls));
}

TEST(LegacyTlsConfig, IsMappedForServers) {
    tls_config tls = of_server();
    tls.min_version = tls_version::tls_1_3;
    tls.ca_file = "ca.pem";
    tls.crl_file = "crl.pem";
    tls.enable_session_resumption = false;
    tls.handshake_timeout_ms = 1234;
    tls.enabled = false;  // the class is encrypted all the same
    const auto config = secure_messaging_server("server", tls).get_config();
    EXPECT_TRUE(config.tls.enabled);
    EXPECT_EQ(certificates().pem("server"), config.tls.certificate_file);
    EXPECT_EQ(certificates().key("server"), config.tls.key_file);
    EXPECT_EQ("ca.pem", config.tls.client_ca_file);
    EXPECT_EQ("crl.pem", config.tls.crl_file);
    EXPECT_EQ(network_system::core::tls_version::tls_1_3, config.tls.min_version);
    EXPECT_EQ(network_system::core::client_certificate_mode::optional, config.tls.client_certificate);
    EXPECT_FALSE(config.tls.session_resumption);
    EXPECT_EQ(std::chrono::milliseconds(1234), config.handshake_timeout);

    tls.min_version = tls_version::tls_1_0;
    tls.verify_mode = certificate_verification::none;
    const auto lax = secure_messaging_server("server", tls).get_config();
    EXPECT_EQ(network_system::core::tls_version::tls_1_2, lax.tls.min_version);
    EXPECT_EQ(network_system::core::client_certificate_mode::none, lax.tls.client_certificate);
    EXPECT_EQ("", lax.tls.client_ca_file + lax.tls.crl_file) << "nobody is checked, so nothing to check with is read";
}

TEST(LegacyTlsConfig, IsMappedForClients) {
    tls_config tls = of_alice();
    tls.sni_hostname = "name.example";
    tls.crl_file = "crl.pem";
    tls.handshake_timeout_ms = 1234;
    const auto config = secure_messaging_client("client", tls).get_config();
    EXPECT_TRUE(config.tls.enabled);
    EXPECT_FALSE(config.tls.dangerously_disable_verification);
    EXPECT_EQ(certificates().pem("ca"), config.tls.ca_file);
    EXPECT_EQ(certificates().pem("alice"), config.tls.certificate_file);
    EXPECT_EQ(certificates().key("alice"), config.tls.key_file);
    EXPECT_EQ("name.example", config.tls.server_name);
    EXPECT_EQ("crl.pem", config.tls.crl_file);
    EXPECT_EQ(std::chrono::milliseconds(1234), config.connection_timeout);
    tls.handshake_timeout_ms = 99999999;
    EXPECT_EQ(std::chrono::seconds(30), secure_messaging_client("client", tls).get_config().connection_timeout);
    tls.verify_mode = certificate_verification::none;
    const auto lax = secure_messaging_client("client", tls).get_config();
    EXPECT_TRUE(lax.tls.dangerously_disable_verification);
    EXPECT_EQ("", lax.tls.ca_file + lax.tls.crl_file) << "nor is it here";
}

TEST(LegacyTlsConfig, VerificationModesHold) {
    tls_config asking = of_server();
    asking.ca_file = certificates().pem("ca");
    {
        secure_messaging_server server("server", asking);
        ASSERT_TRUE(server.start_server(0));
        secure_messaging_client nobody("nobody", of_client());
        EXPECT_TRUE(connect(nobody, server.port()));
    }
    asking.verify_mode = certificate_verification::verify_fail_if_no_peer_cert;
    secure_messaging_server server("server", asking);
    recorder<std::shared_ptr<secure_session>> accepted;
    server.set_connection_callback([&](auto session) { accepted.add(session); });
    ASSERT_TRUE(server.start_server(0));
    secure_messaging_client nobody("nobody", of_client());
    EXPECT_EQ(NETSYS_ERR_CERTIFICATE_REFUSED, end_of(nobody, server));
    secure_messaging_client alice("alice", of_alice());
    ASSERT_TRUE(connect(alice, server.port()));
    ASSERT_TRUE(accepted.at(0));
    EXPECT_EQ("alice", accepted.at(0)->tls()->peer_common_name);
    EXPECT_EQ(1u, accepted.size());
}

// use_ssl

tcp_facade::server_config facade_server(const std::string& certificate = "server") {
    tcp_facade::server_config config;
    config.use_ssl = true;
    config.cert_path = certificates().pem(certificate);
    config.key_path = certificates().key(certificate);
    return config;
}

tcp_facade::client_config facade_client(std::uint16_t port) {
    tcp_facade::client_config config;
    config.host = "127.0.0.1";
    config.port = port;
    config.use_ssl = true;
    config.ca_cert_path = certificates().pem("ca");
    return config;
}

TEST(FacadeTls, EncryptsBothEnds) {
    const tcp_facade facade;
    const auto server = facade.create_server(facade_server()).value();
    recorder<std::shared_ptr<network_system::interfaces::i_session>> sessions;
    server->set_connection_callback([&](auto session) { sessions.add(session); });
    stream_sink received;
    server->set_receive_callback([&](std::string_view, const auto& data) { received.add(data); });
    ASSERT_TRUE(server->start(0));
    const auto client = facade.create_client(facade_client(server->port())).value();
    const auto whole = std::dynamic_pointer_cast<messaging_client>(client);
    ASSERT_TRUE(whole->wait_until_connected(patience));
    EXPECT_TRUE(whole->tls()->peer_verified);
    ASSERT_TRUE(client->send(bytes_of("sealed")));
    EXPECT_EQ("sealed", received.wait_for(6));
    ASSERT_TRUE(sessions.at(0));
    const auto session = std::dynamic_pointer_cast<network_system::session::messaging_session>(sessions.at(0));
    EXPECT_TRUE(session && session->tls());
    EXPECT_TRUE(client->stop());
    EXPECT_TRUE(server->stop());
}

TEST(FacadeTls, VerifiesUnlessItIsToldNotTo) {
    const tcp_facade facade;
    const auto server = facade.create_server(facade_server("unknown")).value();
    ASSERT_TRUE(server->start(0));
    auto config = facade_client(server->port());
    const auto refused = std::dynamic_pointer_cast<messaging_client>(facade.create_client(config).value());
    EXPECT_EQ(NETSYS_ERR_CERTIFICATE_UNTRUSTED, refused->wait_until_connected(patience).error().code);
    config.verify_certificate = false;
    const auto blind = std::dynamic_pointer_cast<messaging_client>(facade.create_client(config).value());
    EXPECT_TRUE(blind->wait_until_connected(patience));
    EXPECT_TRUE(blind->tls());
}

TEST(FacadeTls, VersionsAreRead) {
    const tcp_facade facade;
    for (const std::string version : {"1.2", "1.3", "TLSv1.2", "TLSv1.3"}) {
        auto config = facade_server();
        config.tls_version = version;
        EXPECT_TRUE(facade.create_server(config).value()->start(0)) << version;
    }
    for (const std::string version : {"", "1.1", "TLSv1", "1.4", "newest"}) {
        auto config = facade_server();
        config.tls_version = version;
        const auto server = facade.create_server(config);
        ASSERT_TRUE(server.is_err()) << version;
        EXPECT_EQ(-1, server.error().code);
        EXPECT_NE(std::string::npos, server.error().message.find("tls_version"));
    }
}

TEST(FacadeTls, IsNeverPlain) {
    const tcp_facade facade;
    tcp_facade::server_config without;
    without.use_ssl = true;
    EXPECT_EQ(-1, facade.create_server(without).error().code);
    without.cert_path = certificates().pem("server");
    EXPECT_EQ(-1, facade.create_server(without).error().code);
    without.key_path = "";
    EXPECT_EQ(-1, facade.create_server(without).error().code);
    auto missing = facade_server();
    missing.key_path = certificates().path("nothing.key");
    EXPECT_EQ(-2, facade.create_server(missing).value()->start(0).error().code);

    raw_listener listener;
    auto config = facade_client(listener.port());
    config.ca_cert_path = certificates().path("nothing.pem");
    EXPECT_EQ(-600, facade.create_client(config).error().code);
    const auto client = facade.create_client(facade_client(listener.port())).value();
    raw_peer server = listener.accept();
    EXPECT_EQ("\x16\x03", server.receive(2)) << "a handshake of TLS";
    EXPECT_FALSE(client->is_connected());
}

}  // namespace
