// Written as programs of 2026 are: interfaces from a facade, observers, ids of sessions. Compiled twice: as C++17 with
// the classes in network_system, and as C++20 with the classes in kcenon::network.
#include <gtest/gtest.h>
#include <kcenon/network/config/network_system_config.h>
#include <kcenon/network/facade/tcp_facade.h>
#include <kcenon/network/interfaces/connection_observer.h>
#include <kcenon/network/interfaces/i_client.h>
#include <kcenon/network/interfaces/i_protocol_client.h>
#include <kcenon/network/interfaces/i_protocol_server.h>
#include <kcenon/network/interfaces/i_server.h>
#include <kcenon/network/interfaces/i_session.h>
#include <kcenon/network/internal/core/messaging_client.h>
#include <kcenon/network/internal/core/messaging_server.h>
#include <kcenon/network/session/session.h>
#include <kcenon/network/session/session_manager.h>
#include <kcenon/network/utils/address_resolver.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

#include "support.h"

namespace {

using kcenon::network::Result;
using kcenon::network::VoidResult;
using kcenon::network::core::messaging_client;
using kcenon::network::facade::tcp_facade;
using kcenon::network::session::messaging_session;
using namespace kcenon::network::interfaces;
using test_support::bytes_of;
using test_support::event;
using test_support::journal;
using test_support::patience;
using test_support::raw_listener;
using test_support::raw_peer;
using test_support::recorder;
using test_support::refusing_port;
using test_support::stream_sink;
using test_support::text_of;

static_assert(std::is_base_of_v<i_protocol_client, messaging_client>);
static_assert(std::is_base_of_v<i_session, messaging_session>);
static_assert(std::is_same_v<i_client, i_protocol_client> && std::is_same_v<i_server, i_protocol_server>);
static_assert(std::is_same_v<messaging_client::receive_callback_t, i_protocol_client::receive_callback_t>);
#ifdef __cpp_lib_span
static_assert(std::is_same_v<byte_span, std::span<const std::uint8_t>>);
#endif

std::string text_of(byte_span bytes) {
    return {bytes.begin(), bytes.end()};
}

tcp_facade::client_config to(unsigned short port) {
    tcp_facade::client_config config;
    config.host = "127.0.0.1";
    config.port = port;
    return config;
}

/// Writes down what it hears.
class listening_observer final : public connection_observer {
public:
    void on_receive(byte_span data) override { received.add(data); }
    void on_connected() override { heard.add("connected"); }
    void on_disconnected(std::optional<std::string_view> reason) override {
        heard.add("disconnected: " + std::string(reason.value_or("no reason")));
    }
    void on_error(std::error_code error) override { heard.add("error: " + error.message()); }

    journal heard;
    stream_sink received;
};

/// A client that is connected to a peer which knows nothing of the library.
class InterfaceClientTest : public ::testing::Test {
protected:
    void connect() {
        event connected;
        client_->set_connected_callback([&] { connected.set(); });
        ASSERT_TRUE(client_->start("127.0.0.1", listener_.port()));
        peer_.emplace(listener_.accept());
        ASSERT_TRUE(connected.wait());
        client_->set_connected_callback(nullptr);
    }

    raw_listener listener_;
    std::optional<raw_peer> peer_;
    std::shared_ptr<i_protocol_client> client_ = std::make_shared<messaging_client>("client");
};

TEST_F(InterfaceClientTest, SendsAndReceivesTheBytesAsTheyAre) {
    stream_sink received;
    client_->set_receive_callback([&](const auto& data) { received.add(data); });
    connect();
    EXPECT_TRUE(client_->is_running());
    EXPECT_TRUE(client_->is_connected());

    auto packet = bytes_of("there");
    EXPECT_TRUE(client_->send(std::move(packet)));
    EXPECT_TRUE(client_->send(std::move(packet))) << "which is still what it was";
    EXPECT_EQ("therethere", peer_->receive(10));
    const std::string large(100000, 'l');
    peer_->send("and back" + large);
    EXPECT_EQ("and back" + large, received.wait_for(8 + large.size()));

    client_->stop();
    EXPECT_FALSE(client_->is_running());
    EXPECT_FALSE(client_->is_connected());
    EXPECT_TRUE(peer_->at_end());
    client_->wait_for_stop();
}

TEST_F(InterfaceClientTest, SendAsksForTheConnectionBeforeTheBytes) {
    EXPECT_EQ(-603, client_->send({}).error().code);
    connect();
    const auto empty = client_->send({});
    ASSERT_TRUE(empty.is_err());
    EXPECT_EQ(-1, empty.error().code);
    EXPECT_FALSE(empty.error().message.empty());
    client_->stop();
    EXPECT_EQ(-603, client_->send({}).error().code);
}

TEST_F(InterfaceClientTest, StartTwiceIsAnErrorAndStopTwiceIsNot) {
    EXPECT_TRUE(client_->stop());
    connect();
    EXPECT_EQ(-7, client_->start("127.0.0.1", listener_.port()).error().code);
    EXPECT_EQ(-7, client_->start("", 1).error().code);
    EXPECT_TRUE(client_->stop());
    EXPECT_TRUE(client_->stop());
    EXPECT_EQ(-1, client_->start("", 1).error().code);
}

TEST_F(InterfaceClientTest, StopIsToldOnceAndBeforeItReturns) {
    journal heard;
    client_->set_disconnected_callback([&] { heard.add("disconnected"); });
    client_->set_error_callback([&](auto error) { heard.add(error.message()); });
    connect();
    client_->stop();
    EXPECT_EQ((std::vector<std::string>{"disconnected"}), heard.all());
    client_->stop();
    EXPECT_EQ(1u, heard.size());
}

TEST_F(InterfaceClientTest, StopClientIsStillNotTold) {
    const auto classic = std::dynamic_pointer_cast<messaging_client>(client_);
    ASSERT_NE(nullptr, classic);
    journal heard;
    client_->set_disconnected_callback([&] { heard.add("disconnected"); });
    connect();
    classic->stop();
    EXPECT_EQ(1u, heard.size());
    connect();
    classic->stop_client();
    EXPECT_EQ(1u, heard.size());
}

TEST_F(InterfaceClientTest, StopOfAnEndedConnectionTellsNothingMore) {
    journal heard;
    client_->set_disconnected_callback([&] { heard.add("disconnected"); });
    connect();
    peer_->close();
    ASSERT_TRUE(heard.wait_for(1));
    client_->stop();
    EXPECT_EQ(1u, heard.size());
}

TEST_F(InterfaceClientTest, StopsInsideItsReceiveCallback) {
    event disconnected;
    recorder<bool> stopped;
    client_->set_receive_callback([&](auto) { stopped.add(client_->stop().is_ok()); });
    client_->set_disconnected_callback([&] { disconnected.set(); });
    connect();
    peer_->send("enough");
    ASSERT_TRUE(disconnected.wait());
    EXPECT_TRUE(stopped.last());
    client_->wait_for_stop();
    EXPECT_TRUE(peer_->at_end());
}

TEST_F(InterfaceClientTest, StartsAgainAfterThePeerDropped) {
    recorder<int> ends;
    stream_sink received;
    client_->set_disconnected_callback([&] { ends.add(1); });
    client_->set_receive_callback([&](const auto& data) { received.add(data); });
    for (std::size_t round = 1; round <= 3; ++round) {
        connect();
        peer_->send("round");
        EXPECT_EQ(round * 5, received.wait_for(round * 5).size());
        peer_->close();
        ASSERT_TRUE(ends.wait_for(round));
    }
}

TEST_F(InterfaceClientTest, ObserverHearsEverythingAfterTheCallbacks) {
    const auto observer = std::make_shared<listening_observer>();
    client_->set_observer(observer);
    client_->set_error_callback([&](auto) { observer->heard.add("error callback"); });
    client_->set_disconnected_callback([&] { observer->heard.add("disconnected callback"); });
    connect();
    ASSERT_TRUE(observer->heard.wait_for(1));
    peer_->send("seen");
    EXPECT_EQ("seen", observer->received.wait_for(4));
    peer_->close();
    ASSERT_TRUE(observer->heard.wait_for(5));
    const auto heard = observer->heard.all();
    EXPECT_EQ((std::vector<std::string>{"connected", "error callback", "error: End of file", "disconnected callback"}),
              std::vector<std::string>(heard.begin(), heard.begin() + 4));
    EXPECT_EQ(0u, heard[4].find("disconnected: ")) << heard[4];
    EXPECT_NE("disconnected: no reason", heard[4]);
}

TEST_F(InterfaceClientTest, ObserverHearsOfEveryStop) {
    const auto observer = std::make_shared<listening_observer>();
    client_->set_observer(observer);
    connect();
    client_->stop();
    connect();
    std::dynamic_pointer_cast<messaging_client>(client_)->stop_client();
    EXPECT_EQ((std::vector<std::string>{"connected", "disconnected: stopped", "connected", "disconnected: stopped"}),
              observer->heard.all());
}

TEST_F(InterfaceClientTest, ObserverRemovesItself) {
    event second;
    recorder<std::string> seen;
    const auto adapter = std::make_shared<callback_adapter>();
    const std::weak_ptr<callback_adapter> gone = adapter;
    adapter->on_receive([&, kept = std::string("kept")](auto bytes) {
        client_->set_observer(nullptr);
        seen.add(kept + " " + text_of(bytes));
    });
    client_->set_observer(adapter);
    connect();
    peer_->send("1");
    ASSERT_TRUE(seen.wait_for(1));
    client_->set_receive_callback([&](const auto&) { second.set(); });
    peer_->send("2");
    ASSERT_TRUE(second.wait());
    EXPECT_EQ((std::vector<std::string>{"kept 1"}), seen.all());
    EXPECT_EQ(1, gone.use_count()) << "nothing holds it but this test";
}

TEST_F(InterfaceClientTest, ObserverThatThrowsEndsTheConnection) {
    journal heard;
    event disconnected;
    const auto adapter = std::make_shared<callback_adapter>();
    adapter->on_receive([](auto) { throw std::runtime_error("cannot read this"); })
        .on_error([&](auto error) { heard.add(std::to_string(error.value())); })
        .on_disconnected([&](auto reason) {
            heard.add(std::string(*reason));
            disconnected.set();
        });
    client_->set_observer(adapter);
    connect();
    peer_->send("x");
    ASSERT_TRUE(disconnected.wait());
    EXPECT_EQ((std::vector<std::string>{"-645", "cannot read this"}), heard.all());
    EXPECT_TRUE(peer_->at_end());
}

TEST_F(InterfaceClientTest, AdapterWithoutFunctionsIgnoresEverything) {
    client_->set_observer(std::make_shared<callback_adapter>());
    stream_sink received;
    client_->set_receive_callback([&](const auto& data) { received.add(data); });
    connect();
    peer_->send("x");
    EXPECT_EQ("x", received.wait_for(1));
    client_->stop();
}

TEST_F(InterfaceClientTest, NullObserverIsABaseForOneEvent) {
    class connected_only final : public null_connection_observer {
    public:
        void on_connected() override { connected.set(); }
        event connected;
    };
    const auto observer = std::make_shared<connected_only>();
    client_->set_observer(observer);
    connect();
    EXPECT_TRUE(observer->connected.wait());
    peer_->send("ignored");
    client_->stop();
}

TEST(GenerationG4, ObserverHearsThatNobodyAnswers) {
    refusing_port nobody;
    const auto observer = std::make_shared<listening_observer>();
    messaging_client client("client");
    client.set_observer(observer);
    ASSERT_TRUE(client.start("127.0.0.1", nobody.port()));
    ASSERT_TRUE(observer->heard.wait_for(1));
    EXPECT_EQ((std::vector<std::string>{"error: Connection refused"}), observer->heard.all());
    EXPECT_TRUE(client.stop());
    EXPECT_EQ(1u, observer->heard.size()) << "what never began does not end";
}

TEST(GenerationG4, ByteSpanShowsTheBytes) {
    const std::vector<std::uint8_t> bytes = bytes_of("header and body");
    const byte_span all(bytes.data(), bytes.size());
    EXPECT_EQ("header", text_of(all.first(6)));
    EXPECT_EQ("body", text_of(all.last(4)));
    EXPECT_EQ("and body", text_of(all.subspan(7)));
    EXPECT_EQ('h', all[0]);
    EXPECT_EQ(bytes.data(), all.data());
    EXPECT_EQ(bytes.size(), all.size_bytes());
    EXPECT_TRUE(byte_span().empty());
    EXPECT_EQ(15, std::count_if(all.begin(), all.end(), [](auto) { return true; }));
}

// What programs put in a client's place when they test themselves: the interface has exactly these.
class client_stand_in final : public i_protocol_client {
public:
    VoidResult start(std::string_view, std::uint16_t) override { return kcenon::network::ok(); }
    VoidResult stop() override { return kcenon::network::ok(); }
    VoidResult send(std::vector<std::uint8_t>&& data) override {
        sent = text_of(data);
        return kcenon::network::ok();
    }
    bool is_connected() const override { return true; }
    bool is_running() const override { return true; }
    void wait_for_stop() override {}
    void set_observer(std::shared_ptr<connection_observer>) override {}
    void set_receive_callback(receive_callback_t) override {}
    void set_connected_callback(connected_callback_t) override {}
    void set_disconnected_callback(disconnected_callback_t) override {}
    void set_error_callback(error_callback_t) override {}

    std::string sent;
};

TEST(GenerationG4, ClientMayBeStoodInFor) {
    const auto stand_in = std::make_shared<client_stand_in>();
    const std::shared_ptr<i_protocol_client> client = stand_in;
    EXPECT_TRUE(client->send(bytes_of("to nobody")));
    EXPECT_EQ("to nobody", stand_in->sent);
}

/// A facade's server that keeps what it hears.
class InterfaceServerTest : public ::testing::Test {
protected:
    void SetUp() override {
        tcp_facade::server_config config;
        config.server_id = "the server";
        server_ = facade_.create_server(config).value();
        ASSERT_FALSE(server_->is_running()) << "the facade does not start it";
        server_->set_connection_callback([this](auto session) { sessions_.add(session); });
        server_->set_receive_callback([this](auto id, const auto& data) {
            received_.add(std::string(id) + ": " + text_of(data));  //
        });
        server_->set_error_callback([this](auto id, auto error) {
            errors_.add(std::string(id) + ": " + error.message());  //
        });
        server_->set_disconnection_callback([this](auto id) { ended_.add(std::string(id)); });
        ASSERT_TRUE(server_->start(0));
    }

    tcp_facade facade_;
    recorder<std::shared_ptr<i_session>> sessions_;
    journal received_;
    journal errors_;
    journal ended_;
    std::shared_ptr<i_protocol_server> server_;
};

TEST_F(InterfaceServerTest, EachSessionHasAnIdOfItsOwnInEveryCallback) {
    raw_peer first(server_->port());
    ASSERT_TRUE(sessions_.wait_for(1));
    raw_peer second(server_->port());
    ASSERT_TRUE(sessions_.wait_for(2));
    const std::string one(sessions_.all()[0]->id());
    const std::string two(sessions_.all()[1]->id());
    EXPECT_NE(one, two);
    EXPECT_NE("the server", one);
    EXPECT_EQ(2u, server_->connection_count());

    second.send("from the second");
    ASSERT_TRUE(received_.wait_for(1));
    EXPECT_EQ(two + ": from the second", received_.last());
    first.close();
    ASSERT_TRUE(ended_.wait_for(1));
    EXPECT_EQ(one, ended_.last());
    EXPECT_EQ(one + ": End of file", errors_.last());
    EXPECT_FALSE(sessions_.all()[0]->is_connected());
    EXPECT_EQ(one, sessions_.all()[0]->id()) << "an ended session stays readable";
    EXPECT_TRUE(sessions_.all()[1]->is_connected());

    server_->stop();
    EXPECT_EQ((std::vector<std::string>{one, two}), ended_.all()) << "told before stop returned";
    EXPECT_EQ(1u, errors_.size()) << "a stop is no error";
}

TEST_F(InterfaceServerTest, SessionIsConnectedFromTheConnectionCallbackOn) {
    recorder<bool> connected;
    server_->set_connection_callback([&](auto session) {
        connected.add(session->is_connected());
        session->close();
        connected.add(session->is_connected());
    });
    raw_peer silent(server_->port());
    ASSERT_TRUE(ended_.wait_for(1));
    EXPECT_EQ((std::vector<bool>{true, false}), connected.all());
}

TEST_F(InterfaceServerTest, SessionSendsAndCloses) {
    raw_peer peer(server_->port());
    ASSERT_TRUE(sessions_.wait_for(1));
    const auto session = sessions_.last();
    EXPECT_EQ(-1, session->send({}).error().code);
    auto answer = bytes_of("hello ");
    EXPECT_TRUE(session->send(std::move(answer)));
    EXPECT_TRUE(session->send(std::move(answer)));
    session->close();
    EXPECT_EQ("hello hello ", peer.receive(12));
    EXPECT_TRUE(peer.at_end());
    ASSERT_TRUE(ended_.wait_for(1));
    EXPECT_EQ(-603, session->send(bytes_of("too late")).error().code);
    EXPECT_EQ(-603, session->send({}).error().code);
}

TEST_F(InterfaceServerTest, SessionIsTheClassThatProgramsKnow) {
    raw_peer peer(server_->port());
    ASSERT_TRUE(sessions_.wait_for(1));
    const auto session = std::dynamic_pointer_cast<messaging_session>(sessions_.last());
    ASSERT_NE(nullptr, session);
    EXPECT_EQ(session->session_id(), session->id());
    EXPECT_EQ("the server", session->server_id());
}

TEST_F(InterfaceServerTest, StartTwiceIsAnErrorAndStopTwiceIsNot) {
    const auto again = server_->start(0);
    ASSERT_TRUE(again.is_err());
    EXPECT_EQ(-7, again.error().code);
    EXPECT_FALSE(again.error().message.empty());
    const auto second = facade_.create_server({}).value();
    EXPECT_EQ(-662, second->start(server_->port()).error().code);
    EXPECT_EQ(0, second->port());
    EXPECT_TRUE(second->stop());

    const unsigned short port = server_->port();
    EXPECT_TRUE(server_->stop());
    EXPECT_TRUE(server_->stop());
    EXPECT_EQ(0, server_->port());
    EXPECT_TRUE(server_->start(port)) << "the same object, on the same port";
    raw_peer peer(port);
    EXPECT_TRUE(sessions_.wait_for(1));
}

TEST_F(InterfaceServerTest, CallbacksSetAfterTheAcceptServeFromTheNextEvent) {
    server_->set_receive_callback(nullptr);
    server_->set_disconnection_callback(nullptr);
    raw_peer peer(server_->port());
    ASSERT_TRUE(sessions_.wait_for(1));
    journal later;
    server_->set_receive_callback([&](auto, const auto& data) { later.add(text_of(data)); });
    server_->set_disconnection_callback([&](auto id) { later.add(std::string(id)); });
    peer.send("now");
    ASSERT_TRUE(later.wait_for(1));
    peer.close();
    ASSERT_TRUE(later.wait_for(2));
    EXPECT_EQ((std::vector<std::string>{"now", std::string(sessions_.last()->id())}), later.all());
    EXPECT_EQ(0u, received_.size() + ended_.size());
    server_->stop();
}

TEST_F(InterfaceServerTest, StopsInsideACallback) {
    recorder<bool> stopped;
    server_->set_receive_callback([&](auto, const auto&) { stopped.add(server_->stop().is_ok()); });
    raw_peer peer(server_->port());
    peer.send("stop");
    server_->wait_for_stop();
    EXPECT_TRUE(stopped.last());
    EXPECT_TRUE(peer.at_end());
    EXPECT_EQ(1u, ended_.size());
}

TEST_F(InterfaceServerTest, CallbackThatThrowsEndsItsSessionAlone) {
    server_->set_receive_callback([](auto, const auto&) { throw std::runtime_error("cannot read this"); });
    raw_peer other(server_->port());
    raw_peer peer(server_->port());
    ASSERT_TRUE(sessions_.wait_for(2));
    peer.send("x");
    EXPECT_TRUE(peer.at_end());
    ASSERT_TRUE(ended_.wait_for(1));
    EXPECT_EQ(1u, server_->connection_count());
    EXPECT_EQ(1u, errors_.size());
}

TEST_F(InterfaceServerTest, FacadeClientArrivesStarted) {
    const auto client = facade_.create_client(to(server_->port())).value();
    EXPECT_TRUE(client->is_running());
    ASSERT_TRUE(sessions_.wait_for(1));
    stream_sink received;
    client->set_receive_callback([&](const auto& data) { received.add(data); });
    sessions_.last()->send(bytes_of("welcome"));
    EXPECT_EQ("welcome", received.wait_for(7));
    EXPECT_TRUE(client->send(bytes_of("thanks")));
    ASSERT_TRUE(received_.wait_for(1));
    EXPECT_EQ(std::string(sessions_.last()->id()) + ": thanks", received_.last());

    event disconnected;
    client->set_disconnected_callback([&] { disconnected.set(); });
    client->stop();
    EXPECT_TRUE(disconnected.wait());
    ASSERT_TRUE(ended_.wait_for(1));
}

TEST_F(InterfaceServerTest, FacadeGivesTheObjectToProgramsThatExpectIt) {
    std::shared_ptr<i_protocol_client> client = facade_.create_client(to(server_->port()));
    ASSERT_NE(nullptr, client);
    ASSERT_TRUE(sessions_.wait_for(1));
    client = facade_.create_client(to(server_->port()));
    ASSERT_TRUE(sessions_.wait_for(2));
    auto unnamed = facade_.create_client(to(server_->port()));
    ASSERT_TRUE(unnamed != nullptr);
    EXPECT_TRUE(unnamed->is_running());
    ASSERT_TRUE(sessions_.wait_for(3));
    unnamed->stop();

    std::vector<std::shared_ptr<i_protocol_server>> servers;
    servers.push_back(facade_.create_server({}));
    EXPECT_TRUE(servers.back()->start(0));

    const tcp_facade::client_config nowhere;
    EXPECT_THROW(client = facade_.create_client(nowhere), std::invalid_argument);
    EXPECT_TRUE(client->is_running()) << "still the one from before";
}

TEST(GenerationG4, FacadeTellsWhatIsWrongWithAConfiguration) {
    const tcp_facade facade;
    const auto hostless = facade.create_client({});
    ASSERT_TRUE(hostless.is_err());
    EXPECT_EQ(-1, hostless.error().code);
    EXPECT_NE(std::string::npos, hostless.error().message.find("host"));
    EXPECT_TRUE(hostless == nullptr);
    EXPECT_THROW(hostless->stop(), std::invalid_argument);

    auto config = to(0);
    EXPECT_NE(std::string::npos, facade.create_client(config).error().message.find("port"));
    config.port = 1;
    config.timeout = std::chrono::milliseconds(-1);
    EXPECT_NE(std::string::npos, facade.create_client(config).error().message.find("timeout"));

    config = to(1);
    config.client_id = std::string(100000, 'i');
    const Result<std::shared_ptr<i_protocol_client>> refused = facade.create_client(config);
    ASSERT_TRUE(refused.is_err());
    EXPECT_EQ(-600, refused.error().code);
    EXPECT_FALSE(refused.error().message.empty());
}

TEST(GenerationG4, FacadeNeverGivesAPlainConnectionForTls) {
    raw_listener listener;
    const tcp_facade facade;
    auto client_config = to(listener.port());
    client_config.use_ssl = true;
    client_config.ca_cert_path = "nothing.crt";
    const auto refused = facade.create_client(client_config);
    ASSERT_TRUE(refused.is_err());
    EXPECT_EQ(-600, refused.error().code);
    EXPECT_NE(std::string::npos, refused.error().message.find("nothing.crt"));
    EXPECT_THROW(refused->stop(), std::runtime_error);

    client_config.ca_cert_path.reset();
    client_config.verify_certificate = false;
    const auto client = facade.create_client(client_config).value();
    raw_peer server = listener.accept();
    EXPECT_EQ("\x16\x03", server.receive(2)) << "a handshake of TLS";
    EXPECT_FALSE(client->is_connected());

    tcp_facade::server_config server_config;
    server_config.use_ssl = true;
    EXPECT_EQ(-1, facade.create_server(server_config).error().code);
    server_config.cert_path = "nothing.crt";
    server_config.key_path = "nothing.key";
    const auto encrypted = facade.create_server(server_config).value();
    EXPECT_EQ(-2, encrypted->start(0).error().code);
    EXPECT_FALSE(encrypted->is_running());
}

TEST(GenerationG4, FacadeNumbersThoseWithoutAnId) {
    raw_listener listener;
    const tcp_facade facade;
    const auto id_of = [](const std::shared_ptr<i_protocol_client>& client) {
        return std::dynamic_pointer_cast<messaging_client>(client)->client_id();
    };
    const auto first = id_of(facade.create_client(to(listener.port())));
    const auto second = id_of(facade.create_client(to(listener.port())));
    EXPECT_EQ(0u, first.find("tcp_client_"));
    EXPECT_EQ(std::string("tcp_client_00000000").size(), first.size());
    EXPECT_EQ(std::stoi(first.substr(11)) + 1, std::stoi(second.substr(11)));

    const auto server = facade.create_server({}).value();
    recorder<std::shared_ptr<i_session>> sessions;
    server->set_connection_callback([&](auto session) { sessions.add(session); });
    ASSERT_TRUE(server->start(0));
    raw_peer peer(server->port());
    ASSERT_TRUE(sessions.wait_for(1));
    const auto id = std::dynamic_pointer_cast<messaging_session>(sessions.last())->server_id();
    EXPECT_EQ(0u, id.find("tcp_server_"));
    EXPECT_EQ(std::string("tcp_server_00000000").size(), id.size());
    server->stop();
}

TEST(GenerationG4, FacadeMakesPoolsOfConnections) {
    raw_listener listener;
    const tcp_facade facade;
    tcp_facade::pool_config config;
    config.host = "127.0.0.1";
    config.port = listener.port();
    config.pool_size = 2;
    config.acquire_timeout = std::chrono::seconds(0);
    const std::shared_ptr<kcenon::network::core::connection_pool> pool = facade.create_connection_pool(config).value();
    EXPECT_EQ(2u, pool->pool_size());
    ASSERT_TRUE(pool->initialize());
    raw_peer first = listener.accept();
    raw_peer second = listener.accept();
    EXPECT_EQ(0u, pool->active_count());

    std::unique_ptr<messaging_client> client = pool->acquire();
    ASSERT_NE(nullptr, client);
    std::unique_ptr<messaging_client> other = pool->acquire();
    ASSERT_NE(nullptr, other);
    EXPECT_EQ(2u, pool->active_count());
    EXPECT_TRUE(pool->acquire() == nullptr) << "both are taken, and it does not wait";
    EXPECT_TRUE(client->send(bytes_of("pooled")));
    EXPECT_TRUE(other->send(bytes_of("pooled")));
    EXPECT_EQ("pooled", first.receive(6));
    EXPECT_EQ("pooled", second.receive(6));
    pool->release(std::move(client));
    EXPECT_EQ(1u, pool->active_count());
    EXPECT_TRUE(pool->acquire() != nullptr);
    pool->release(std::move(other));

    config.pool_size = 0;
    EXPECT_EQ(-1, facade.create_connection_pool(config).error().code);
    EXPECT_EQ(-1, facade.create_connection_pool({}).error().code);
    config.pool_size = 1;
    config.port = refusing_port().port();
    EXPECT_TRUE(facade.create_connection_pool(config)->initialize().is_err()) << "nobody answers";
}

#if __cplusplus >= 202002L
TEST(GenerationG4, ConfigurationsAreAggregatesInTheirOrder) {
    const tcp_facade::client_config client{.host = "host",
                                           .port = 1,
                                           .client_id = "client",
                                           .timeout = std::chrono::seconds(5),
                                           .use_ssl = true,
                                           .ca_cert_path = "ca.crt",
                                           .verify_certificate = false};
    EXPECT_EQ(std::chrono::milliseconds(5000), client.timeout);
    const tcp_facade::server_config server{.port = 1,
                                           .server_id = "server",
                                           .use_ssl = true,
                                           .cert_path = "server.crt",
                                           .key_path = "server.key",
                                           .tls_version = "1.3"};
    EXPECT_EQ("1.3", server.tls_version);
    const auto partly = tcp_facade::client_config{.host = "host", .port = 1};
    EXPECT_EQ(std::chrono::seconds(30), partly.timeout);
    EXPECT_TRUE(partly.verify_certificate);
    EXPECT_FALSE(partly.use_ssl);
    const tcp_facade::pool_config pool{
        .host = "host", .port = 1, .pool_size = 3, .acquire_timeout = std::chrono::seconds(2)};
    EXPECT_EQ(3u, pool.pool_size);
    EXPECT_EQ(10u, tcp_facade::pool_config{.host = "host"}.pool_size);
}

/// Programs name some of the members: under -Wextra too, that draws no warning of those left out.
TEST(GenerationG4, OtherConfigurationsMayBeNamedInPart) {
    const kcenon::network::core::server_config server{.port = 9000, .timeout = std::chrono::seconds(3)};
    EXPECT_EQ(1000u, server.max_connections);
    const kcenon::network::core::client_config client{.connection_timeout = std::chrono::seconds(1),
                                                      .reconnect = {.enabled = true}};
    EXPECT_EQ(std::chrono::seconds(5), client.reconnect.max_delay);
    const kcenon::network::config::network_config runtime{.logger = {.buffer_size = 1}};
    const kcenon::network::config::network_system_config whole{.runtime = runtime};
    EXPECT_EQ(1u, whole.runtime.logger.buffer_size);
    EXPECT_EQ(10000u, whole.runtime.thread_pool.queue_capacity);
    const kcenon::network::session::session_config sessions{.max_sessions = 3};
    EXPECT_EQ(std::chrono::minutes(5), sessions.idle_timeout);
    const kcenon::network::session::connection_pool_config pool{.max_connections_per_client = 3};
    EXPECT_EQ("connection_pool", pool.client_id);
    const kcenon::network::utils::resolver_config resolver{.max_threads = 1};
    EXPECT_EQ(1024u, resolver.max_cached);
}
#endif

}  // namespace
