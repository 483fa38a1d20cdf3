// Encryption of the classes for new programs: what the configuration says, who the peer is, and what is refused.

#include <gtest/gtest.h>
#include <network_system/network_system.h>

#include <memory>
#include <string>
#include <vector>

#include "support.h"
#include "tls_support.h"

namespace {

using network_system::core::client_certificate_mode;
using network_system::core::client_config;
using network_system::core::connection_pool;
using network_system::core::framing_mode;
using network_system::core::messaging_client;
using network_system::core::messaging_server;
using network_system::core::server_config;
using network_system::core::tls_version;
using network_system::integration::log_level;
using network_system::integration::logger_integration_manager;
using network_system::session::connection_pool_config;
using network_system::session::messaging_session;
using namespace test_support;

server_config plain_server(framing_mode framing = framing_mode::automatic) {
    server_config config;
    config.port = 0;
    config.bind_address = "127.0.0.1";
    config.framing = framing;
    return config;
}

server_config tls_server(const std::string& certificate = "server", framing_mode framing = framing_mode::automatic) {
    server_config config = plain_server(framing);
    encrypt_as(config, certificate);
    return config;
}

server_config asking_server(client_certificate_mode mode) {
    server_config config = tls_server();
    config.tls.client_certificate = mode;
    config.tls.client_ca_file = certificates().pem("ca");
    return config;
}

client_config plain_client(framing_mode framing = framing_mode::framed) {
    client_config config;
    config.framing = framing;
    config.connection_timeout = patience;
    return config;
}

client_config tls_client(framing_mode framing = framing_mode::framed) {
    client_config config = plain_client(framing);
    encrypt_trusting(config, "ca");
    return config;
}

client_config client_of(const std::string& name) {
    client_config config = tls_client();
    show(config.tls, name);
    return config;
}

/// A server that gives every message back, and what its handlers hear.
struct echo_server {
    explicit echo_server(const server_config& config) : server("echo", config) {
        server.set_message_handler(
            [](const auto& session, const std::string& text) { EXPECT_TRUE(session->send_message(text)); });
        server.set_connection_callback([this](const auto& session) { accepted.add(session); });
        server.set_connect_handler([this](const auto& session) { opened.add(session); });
        server.set_error_handler([this](const std::string& text, int code) {
            texts.add(text);
            codes.add(code);
        });
        const auto started = server.start_server();
        EXPECT_TRUE(started.is_ok()) << (started.is_err() ? started.error().message : "");
    }

    recorder<std::shared_ptr<messaging_session>> accepted, opened;
    recorder<int> codes;
    journal texts;
    messaging_server server;
};

/// A client, and what its handlers hear.
struct heard_client {
    explicit heard_client(const client_config& config) : client("client", config) {
        client.set_message_handler([this](const std::string& text) { messages.add(text); });
        client.set_receive_callback([this](const auto& bytes) { stream.add(bytes); });
        client.set_connect_handler([this] { connects.add(1); });
        client.set_connected_callback([this] { connects.add(1); });
        client.set_error_handler([this](const std::string& text, int code) {
            texts.add(text);
            codes.add(code);
        });
    }

    auto connect(unsigned short port, const std::string& host = "127.0.0.1") {
        return test_support::connect(client, port, host);
    }

    recorder<int> connects, codes;
    journal messages, texts;
    stream_sink stream;
    messaging_client client;
};

/// That nobody is connected, and that the error handler is told why.
void expect_refusal(const client_config& config, unsigned short port, int code, const std::string& host = "127.0.0.1") {
    heard_client peer(config);
    const auto connected = peer.connect(port, host);
    ASSERT_TRUE(connected.is_err());
    EXPECT_EQ(code, connected.error().code) << connected.error().message;
    EXPECT_EQ(code, peer.codes.at(0));
    peer.client.stop_client();
    EXPECT_EQ(0u, peer.connects.size());
    EXPECT_EQ("", peer.messages.last());
}

// Exchanges

TEST(Tls, FramedMessagesArriveAndBothKnowTheEncryption) {
    echo_server at(tls_server());
    heard_client peer(tls_client());
    ASSERT_TRUE(peer.connect(at.server.port()));
    ASSERT_TRUE(peer.client.send_message("secret"));
    EXPECT_EQ("secret", peer.messages.at(0));

    const auto tls = peer.client.tls();
    ASSERT_TRUE(tls);
    EXPECT_EQ("TLSv1.3", tls->version);
    EXPECT_NE(std::string::npos, tls->cipher_suite.find("TLS13_")) << tls->cipher_suite;
    EXPECT_TRUE(tls->peer_verified);
    EXPECT_EQ("server", tls->peer_common_name);
    EXPECT_EQ("DNS:localhost", tls->peer_alternative_name);
    EXPECT_EQ(64u, tls->peer_fingerprint.size());
    EXPECT_FALSE(tls->peer_certificate.empty());

    const auto session = at.opened.at(0);
    ASSERT_TRUE(session && session->tls());
    EXPECT_EQ("TLSv1.3", session->tls()->version);
    EXPECT_FALSE(session->tls()->peer_verified);
    EXPECT_EQ("", session->tls()->peer_common_name);
    EXPECT_TRUE(session->tls()->peer_certificate.empty());
    EXPECT_EQ("", session->tls()->server_name) << "an address is no name";

    peer.client.stop_client();
    EXPECT_FALSE(peer.client.tls());
}

TEST(Tls, RawStreamsArrive) {
    echo_server at(tls_server("server", framing_mode::raw));
    heard_client peer(tls_client(framing_mode::raw));
    ASSERT_TRUE(peer.connect(at.server.port()));
    const std::string bytes(300000, 'r');
    ASSERT_TRUE(peer.client.send_packet(bytes_of(bytes)));
    EXPECT_TRUE(bytes == peer.stream.wait_for(bytes.size()));
}

TEST(Tls, PlainConnectionsSayThatTheyAre) {
    echo_server at(plain_server());
    heard_client peer(plain_client());
    ASSERT_TRUE(peer.connect(at.server.port()));
    EXPECT_FALSE(peer.client.tls());
    const auto session = at.opened.at(0);
    ASSERT_TRUE(session);
    EXPECT_FALSE(session->tls());
}

TEST(Tls, MaterialMayBeInMemory) {
    server_config config = tls_server();
    config.tls.certificate = certificate_folder::text(config.tls.certificate_file);
    config.tls.key = certificate_folder::text(config.tls.key_file);
    config.tls.certificate_file.clear();
    config.tls.key_file.clear();
    config.tls.client_ca = certificate_folder::text(certificates().pem("ca"));
    config.tls.client_certificate = client_certificate_mode::required;
    echo_server at(config);

    client_config client = tls_client();
    client.tls.ca_file.clear();
    client.tls.ca = certificate_folder::text(certificates().pem("ca"));
    client.tls.certificate = certificate_folder::text(certificates().pem("alice"));
    client.tls.key = certificate_folder::text(certificates().key("alice"));
    heard_client peer(client);
    ASSERT_TRUE(peer.connect(at.server.port()));
    ASSERT_TRUE(peer.client.send_message("from memory"));
    EXPECT_EQ("from memory", peer.messages.at(0));
}

TEST(Tls, SettingsOfTheHandshakeHold) {
    server_config config = tls_server();
    config.tls.min_version = tls_version::tls_1_3;
    config.tls.alpn = "two,one";
    echo_server at(config);
    client_config settings = tls_client();
    settings.tls.alpn = "one,two";
    settings.tls.server_name = "localhost";
    heard_client peer(settings);
    ASSERT_TRUE(peer.connect(at.server.port()));
    ASSERT_TRUE(peer.client.tls());
    EXPECT_EQ("two", peer.client.tls()->alpn);
    ASSERT_TRUE(at.opened.at(0));
    EXPECT_EQ("localhost", at.opened.at(0)->tls()->server_name);

    settings.tls.sni = false;
    heard_client silent(settings);
    ASSERT_TRUE(silent.connect(at.server.port()));
    ASSERT_TRUE(at.opened.at(1));
    EXPECT_EQ("", at.opened.at(1)->tls()->server_name);

    settings.tls.alpn = "three";
    expect_refusal(settings, at.server.port(), NETSYS_ERR_TLS_FAILED);
}

// Certificates of clients

TEST(Tls, AClientIsKnownByItsCertificate) {
    for (const auto mode : {client_certificate_mode::optional, client_certificate_mode::required}) {
        echo_server at(asking_server(mode));
        heard_client peer(client_of("alice"));
        ASSERT_TRUE(peer.connect(at.server.port()));
        const auto accepted = at.accepted.at(0);
        ASSERT_TRUE(accepted && accepted->tls());
        const auto tls = *accepted->tls();
        EXPECT_TRUE(tls.peer_verified);
        EXPECT_EQ("alice", tls.peer_common_name);
        EXPECT_EQ("URI:spiffe://test/alice", tls.peer_alternative_name);
        EXPECT_EQ(64u, tls.peer_fingerprint.size());
        ASSERT_FALSE(tls.peer_certificate.empty());
        EXPECT_EQ(0x30, tls.peer_certificate[0]) << "a sequence of DER";
        EXPECT_NE(tls.peer_fingerprint, peer.client.tls()->peer_fingerprint);
    }
}

TEST(Tls, WhoItWasIsKnownToTheLastCallback) {
    echo_server at(asking_server(client_certificate_mode::required));
    journal last;
    at.server.set_disconnect_handler([&](const auto& session, const std::string&) {
        const auto tls = session->tls();
        last.add(tls ? tls->peer_common_name : "nobody");
    });
    heard_client peer(client_of("alice"));
    ASSERT_TRUE(peer.connect(at.server.port()));
    ASSERT_TRUE(at.opened.wait_for(1));
    peer.client.stop_client();
    EXPECT_EQ("alice", last.at(0));
}

TEST(Tls, AnOptionalCertificateMayBeLeftOut) {
    echo_server at(asking_server(client_certificate_mode::optional));
    heard_client peer(tls_client());
    ASSERT_TRUE(peer.connect(at.server.port()));
    ASSERT_TRUE(at.opened.at(0));
    EXPECT_FALSE(at.opened.at(0)->tls()->peer_verified);
    expect_refusal(client_of("mallory"), at.server.port(), NETSYS_ERR_CERTIFICATE_REFUSED);
    EXPECT_EQ(NETSYS_ERR_CERTIFICATE_UNTRUSTED, at.codes.at(0));
    EXPECT_EQ(1u, at.accepted.size());
}

TEST(Tls, AClientWithoutAGoodCertificateReachesNoCallback) {
    echo_server at(asking_server(client_certificate_mode::required));
    expect_refusal(tls_client(), at.server.port(), NETSYS_ERR_CERTIFICATE_REFUSED);
    EXPECT_EQ(NETSYS_ERR_CERTIFICATE_REQUIRED, at.codes.at(0));
    expect_refusal(client_of("mallory"), at.server.port(), NETSYS_ERR_CERTIFICATE_REFUSED);
    EXPECT_EQ(NETSYS_ERR_CERTIFICATE_UNTRUSTED, at.codes.at(1));
    EXPECT_EQ(0u, at.accepted.size());
    EXPECT_EQ(0u, at.opened.size());
    EXPECT_EQ(0u, at.server.get_all_sessions().size());
}

// Servers that are not who they should be

TEST(Tls, AServerThatCannotBeBelievedIsRefused) {
    const struct {
        const char* certificate;
        int code;
    } cases[] = {{"elsewhere", NETSYS_ERR_CERTIFICATE_WRONG_NAME},
                 {"unknown", NETSYS_ERR_CERTIFICATE_UNTRUSTED},
                 {"expired", NETSYS_ERR_CERTIFICATE_EXPIRED},
                 {"alone", NETSYS_ERR_CERTIFICATE_UNTRUSTED}};
    for (const auto& one : cases) {
        SCOPED_TRACE(one.certificate);
        for (const auto framing : {framing_mode::framed, framing_mode::raw}) {
            echo_server at(tls_server(one.certificate));
            expect_refusal(tls_client(framing), at.server.port(), one.code);
            EXPECT_EQ(NETSYS_ERR_CERTIFICATE_REFUSED, at.codes.at(0));
            EXPECT_EQ(0u, at.accepted.size());
        }
    }
    client_config renamed = tls_client();
    renamed.tls.server_name = "elsewhere.example";
    echo_server at(tls_server("elsewhere"));
    EXPECT_TRUE(heard_client(renamed).connect(at.server.port()));
    echo_server here(tls_server());
    expect_refusal(renamed, here.server.port(), NETSYS_ERR_CERTIFICATE_WRONG_NAME);
}

class warnings final : public network_system::integration::logger_interface {
public:
    void log(log_level level, const std::string& message) override {
        if (level == log_level::warn && message.find("does not verify") != std::string::npos) {
            lines.add(message);
        }
    }
    void log(log_level level, const std::string& message, const std::string&, int, const std::string&) override {
        log(level, message);
    }
    bool is_level_enabled(log_level) const override { return true; }
    void flush() override {}

    journal lines;
};

TEST(Tls, WhoVerifiesNothingIsWarned) {
    const auto logger = std::make_shared<warnings>();
    logger_integration_manager::instance().set_logger(logger);
    echo_server at(tls_server("unknown"));
    client_config blind = tls_client();
    blind.tls.ca_file.clear();
    blind.tls.dangerously_disable_verification = true;
    heard_client peer(blind);
    ASSERT_TRUE(peer.connect(at.server.port()));
    ASSERT_TRUE(peer.client.tls());
    EXPECT_FALSE(peer.client.tls()->peer_verified);
    EXPECT_EQ("unknown", server_name(peer.client));
    EXPECT_NE(std::string::npos, logger->lines.at(0).find("127.0.0.1"));
    peer.client.stop_client();
    ASSERT_TRUE(peer.connect(at.server.port()));
    EXPECT_TRUE(logger->lines.wait_for(2)) << "each start is one to be warned of";
    peer.client.stop_client();
    logger_integration_manager::instance().set_logger(nullptr);
}

// One that speaks TLS, and one that does not

TEST(Tls, APlainClientOfAnEncryptedServerIsTold) {
    for (const auto framing : {framing_mode::automatic, framing_mode::framed, framing_mode::raw}) {
        echo_server at(tls_server("server", framing));
        expect_refusal(plain_client(), at.server.port(), NETSYS_ERR_TLS_MISMATCH);
        EXPECT_EQ(NETSYS_ERR_TLS_MISMATCH, at.codes.at(0));
        raw_peer foreign(at.server.port());
        foreign.send("GET / HTTP/1.1\r\n\r\n");
        EXPECT_EQ("", foreign.receive(1));
        EXPECT_EQ(NETSYS_ERR_TLS_MISMATCH, at.codes.at(1));
        EXPECT_EQ(0u, at.accepted.size());
    }
}

TEST(Tls, AnEncryptedClientOfAPlainServerIsTold) {
    for (const auto framing : {framing_mode::automatic, framing_mode::framed}) {
        echo_server at(plain_server(framing));
        for (const auto own : {framing_mode::framed, framing_mode::raw}) {
            expect_refusal(tls_client(own), at.server.port(), NETSYS_ERR_TLS_MISMATCH);
        }
        EXPECT_EQ(NETSYS_ERR_TLS_MISMATCH, at.codes.at(0));
        EXPECT_EQ(0u, at.opened.size());
    }
}

TEST(Tls, AnEncryptedClientSendsNothingInPlainText) {
    raw_listener listener;
    heard_client peer(tls_client());
    ASSERT_TRUE(peer.client.start_client("127.0.0.1", listener.port()));
    raw_peer server = listener.accept();
    EXPECT_EQ("\x16\x03", server.receive(2)) << "a handshake of TLS";
    peer.client.send_message("secret");
    server.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    EXPECT_EQ(NETSYS_ERR_TLS_MISMATCH, peer.codes.at(0));
    EXPECT_EQ(std::string::npos, server.receive(100000).find("secret"));
    EXPECT_EQ(0u, peer.connects.size());
}

// Settings that cannot be

template <typename Config, typename Change>
Config changed(Config config, Change change) {
    change(config.tls);
    return config;
}

TEST(Tls, SettingsWithoutTheSwitchAreAnError) {
    using network_system::core::client_tls_config;
    using network_system::core::server_tls_config;
    const std::vector<void (*)(server_tls_config&)> of_servers = {
        [](server_tls_config& tls) { tls.certificate_file = "x"; },
        [](server_tls_config& tls) { tls.certificate = "x"; },
        [](server_tls_config& tls) { tls.key_file = "x"; },
        [](server_tls_config& tls) { tls.key = "x"; },
        [](server_tls_config& tls) { tls.client_certificate = client_certificate_mode::required; },
        [](server_tls_config& tls) { tls.client_ca_file = "x"; },
        [](server_tls_config& tls) { tls.client_ca = "x"; },
        [](server_tls_config& tls) { tls.crl_file = "x"; },
        [](server_tls_config& tls) { tls.crl = "x"; },
        [](server_tls_config& tls) { tls.min_version = tls_version::tls_1_3; },
        [](server_tls_config& tls) { tls.alpn = "x"; },
        [](server_tls_config& tls) { tls.session_resumption = false; }};
    for (std::size_t i = 0; i < of_servers.size(); ++i) {
        SCOPED_TRACE(i);
        messaging_server server("server", changed(plain_server(), of_servers[i]));
        const auto started = server.start_server();
        ASSERT_TRUE(started.is_err());
        EXPECT_EQ(-1, started.error().code);
        EXPECT_NE(std::string::npos, started.error().message.find("tls.enabled")) << started.error().message;
    }
    const std::vector<void (*)(client_tls_config&)> of_clients = {
        [](client_tls_config& tls) { tls.ca_file = "x"; },
        [](client_tls_config& tls) { tls.ca = "x"; },
        [](client_tls_config& tls) { tls.certificate_file = "x"; },
        [](client_tls_config& tls) { tls.certificate = "x"; },
        [](client_tls_config& tls) { tls.key_file = "x"; },
        [](client_tls_config& tls) { tls.key = "x"; },
        [](client_tls_config& tls) { tls.crl_file = "x"; },
        [](client_tls_config& tls) { tls.crl = "x"; },
        [](client_tls_config& tls) { tls.server_name = "x"; },
        [](client_tls_config& tls) { tls.dangerously_disable_verification = true; },
        [](client_tls_config& tls) { tls.min_version = tls_version::tls_1_3; },
        [](client_tls_config& tls) { tls.alpn = "x"; },
        [](client_tls_config& tls) { tls.sni = false; },
        [](client_tls_config& tls) { tls.session_resumption = false; }};
    for (std::size_t i = 0; i < of_clients.size(); ++i) {
        SCOPED_TRACE(i);
        const client_config config = changed(plain_client(), of_clients[i]);
        messaging_client client("client", config);
        const auto started = client.start_client("127.0.0.1", 1);
        ASSERT_TRUE(started.is_err());
        EXPECT_EQ(-1, started.error().code);
        connection_pool pool("127.0.0.1", 1, connection_pool_config{}, config);
        EXPECT_EQ(-1, pool.initialize().error().code);
    }
}

TEST(Tls, WhatIsMissingFailsTheStartAndIsNamed) {
    const auto error_of = [](const server_config& config) {
        messaging_server server("server", config);
        const auto started = server.start_server();
        EXPECT_TRUE(started.is_err());
        EXPECT_FALSE(server.is_running());
        return started.is_err() ? started.error() : network_system::error_info{};
    };
    server_config config = plain_server();
    config.tls.enabled = true;
    EXPECT_EQ(-1, error_of(config).code);
    EXPECT_NE(std::string::npos, error_of(config).message.find("certificate_file"));

    config = tls_server();
    config.tls.key_file = certificates().key("alice");
    EXPECT_EQ(-1, error_of(config).code);
    config.tls.key_file = certificates().path("nothing.key");
    EXPECT_EQ(-2, error_of(config).code);
    EXPECT_NE(std::string::npos, error_of(config).message.find("nothing.key"));
    config.tls.key = "twice";
    EXPECT_NE(std::string::npos, error_of(config).message.find("both"));

    client_config client = tls_client();
    client.tls.ca_file = certificates().path("nothing.pem");
    const auto started = messaging_client("client", client).start_client("127.0.0.1", 1);
    ASSERT_TRUE(started.is_err());
    EXPECT_EQ(-2, started.error().code);
}

// Certificates change while the server serves

TEST(Tls, ReloadGivesNewConnectionsTheNewCertificate) {
    certificates().replace("current", "server");
    echo_server at(tls_server("current"));
    client_config settings = tls_client();
    heard_client before(settings);
    ASSERT_TRUE(before.connect(at.server.port()));
    EXPECT_EQ("server", server_name(before.client));

    certificates().replace("current", "renewed");
    ASSERT_TRUE(at.server.reload_tls());
    heard_client after(settings);
    ASSERT_TRUE(after.connect(at.server.port()));
    EXPECT_EQ("renewed", server_name(after.client));
    EXPECT_EQ("server", server_name(before.client));
    ASSERT_TRUE(before.client.send_message("still here"));
    EXPECT_EQ("still here", before.messages.at(0));

    const server_config bad = tls_server("nothing");
    EXPECT_EQ(-2, at.server.reload_tls(bad.tls).error().code);
    EXPECT_EQ(certificates().pem("current"), at.server.get_config().tls.certificate_file);
    certificates().write("current.key", "no key");
    EXPECT_EQ(-1, at.server.reload_tls().error().code);
    heard_client still(settings);
    ASSERT_TRUE(still.connect(at.server.port()));
    EXPECT_EQ("renewed", server_name(still.client));
}

TEST(Tls, ReloadTakesAnotherConfigurationAndKeepsIt) {
    echo_server at(tls_server());
    auto other = asking_server(client_certificate_mode::required).tls;
    other.enabled = false;  // it is no question here
    ASSERT_TRUE(at.server.reload_tls(other));
    expect_refusal(tls_client(), at.server.port(), NETSYS_ERR_CERTIFICATE_REFUSED);
    heard_client peer(client_of("alice"));
    ASSERT_TRUE(peer.connect(at.server.port()));
    EXPECT_TRUE(at.server.get_config().tls.enabled);

    const unsigned short port = at.server.port();
    ASSERT_TRUE(at.server.stop_server());
    EXPECT_EQ(-660, at.server.reload_tls(other).error().code);
    ASSERT_TRUE(at.server.start_server(port));
    expect_refusal(tls_client(), port, NETSYS_ERR_CERTIFICATE_REFUSED);
}

TEST(Tls, APlainServerCannotBecomeEncrypted) {
    echo_server at(plain_server());
    EXPECT_EQ(NETSYS_ERR_UNSUPPORTED, at.server.reload_tls().error().code);
    EXPECT_EQ(NETSYS_ERR_UNSUPPORTED, at.server.reload_tls(tls_server().tls).error().code);
    EXPECT_FALSE(at.server.get_config().tls.enabled);
    EXPECT_EQ(-660, messaging_server("server", tls_server()).reload_tls().error().code);
}

// Connections that come again, and many of them

TEST(Tls, AReconnectingClientIsEncryptedEachTime) {
    echo_server at(tls_server());
    client_config settings = tls_client();
    settings.reconnect.enabled = true;
    settings.reconnect.first_delay = std::chrono::milliseconds(1);
    heard_client peer(settings);
    ASSERT_TRUE(peer.connect(at.server.port()));
    ASSERT_TRUE(at.opened.wait_for(1));
    ASSERT_TRUE(at.server.disconnect_all_sessions());
    ASSERT_TRUE(at.opened.wait_for(2));
    ASSERT_TRUE(peer.client.send_message("again"));
    EXPECT_EQ("again", peer.messages.at(0));
    ASSERT_TRUE(at.opened.at(1)->tls());
    EXPECT_TRUE(at.opened.at(1)->tls()->resumed);
    ASSERT_TRUE(peer.client.tls());
    EXPECT_TRUE(peer.client.tls()->peer_verified) << "what was verified before still is";
}

TEST(Tls, APoolIsEncrypted) {
    echo_server at(tls_server());
    connection_pool_config size;
    size.max_connections_per_client = 2;
    connection_pool pool("127.0.0.1", at.server.port(), size, tls_client());
    ASSERT_TRUE(pool.initialize());
    {
        auto lease = pool.acquire();
        ASSERT_TRUE(lease);
        ASSERT_TRUE(lease->tls());
        journal messages;
        lease->set_message_handler([&](const std::string& text) { messages.add(text); });
        ASSERT_TRUE(lease->send_message("pooled"));
        EXPECT_EQ("pooled", messages.at(0));
    }
    ASSERT_TRUE(at.opened.wait_for(2));
    EXPECT_TRUE(at.opened.at(0)->tls());
    EXPECT_TRUE(at.opened.at(1)->tls());
    // The first two may have met the server at the same time. This one comes later.
    pool.discard(pool.acquire());
    auto later = pool.acquire();
    ASSERT_TRUE(later);
    auto last = pool.acquire();
    ASSERT_TRUE(last);
    EXPECT_TRUE(later->tls()->resumed || last->tls()->resumed) << "with what an earlier connection has learned";
    connection_pool plain("127.0.0.1", at.server.port(), size, plain_client());
    EXPECT_EQ(NETSYS_ERR_TLS_MISMATCH, plain.initialize().error().code);
}

}  // namespace
