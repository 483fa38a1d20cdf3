// Written as programs for network_module of July 2025 are: no callbacks, no results, the old header paths.
#include <gtest/gtest.h>
#include <network/network.h>

#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "network/core/messaging_client.h"
#include "network/core/messaging_server.h"
#include "network/internal/common_defs.h"
#include "network/session/messaging_session.h"
#include "support.h"
#include "test_utils/network_test_utils.h"

namespace {

using network_module::messaging_client;
using network_module::messaging_server;
using test_support::bytes_of;
using test_support::raw_listener;
using test_support::raw_peer;

unsigned short free_port() {
    return network_system::test_utils::get_free_port();
}

/// G0 tells nobody when it is connected, so its programs try until the peer has something.
void send_when_connected(messaging_client& client, const std::string& text) {
    client.wait_until_connected(test_support::patience);
    std::vector<uint8_t> packet = bytes_of(text);
    client.send_packet(packet);
}

TEST(GenerationG0, ClientSendsTheBytesAsTheyAre) {
    raw_listener listener;
    auto client = std::make_shared<messaging_client>("client");
    client->start_client("127.0.0.1", listener.port());
    raw_peer peer = listener.accept();
    send_when_connected(*client, "no framing");
    EXPECT_EQ("no framing", peer.receive(10));
    client->stop_client();
    EXPECT_TRUE(peer.at_end());
}

TEST(GenerationG0, ServerAcceptsRawPeersAndEndsThem) {
    const unsigned short port = free_port();
    auto server = std::make_shared<messaging_server>("server");
    server->start_server(port);
    raw_peer peer(port);
    peer.send("any bytes");
    const auto accepted = [&] { return server->connection_count() == 1; };
    ASSERT_TRUE(network_system::test_utils::wait_for_condition(accepted, test_support::patience));
    server->stop_server();
    EXPECT_TRUE(peer.at_end());
}

TEST(GenerationG0, StartTwiceAndStopWithoutStartDoNothing) {
    auto server = std::make_shared<messaging_server>("server");
    server->stop_server();
    server->wait_for_stop();
    const unsigned short port = free_port();
    server->start_server(port);
    server->start_server(port);
    raw_peer peer(port);
    server->stop_server();
    server->stop_server();

    auto client = std::make_shared<messaging_client>("client");
    client->stop_client();
    client->wait_for_stop();
}

TEST(GenerationG0, WaitForStopBlocksUntilStop) {
    auto server = std::make_shared<messaging_server>("server");
    server->start_server(free_port());
    std::promise<void> waiting;
    std::thread waiter([&] {
        waiting.set_value();
        server->wait_for_stop();
    });
    waiting.get_future().wait();
    EXPECT_TRUE(server->is_running());
    server->stop_server();
    waiter.join();
}

TEST(GenerationG0, ServersAndClientsNeedNoSharedPointer) {
    const unsigned short port = free_port();
    messaging_server server("server");
    server.start_server(port);
    const auto client = std::make_unique<messaging_client>("client");
    client->start_client("localhost", port);
    send_when_connected(*client, "hello");
}

TEST(GenerationG0, SessionServesASocketAsAsioHandsItOver) {
    /// What the session's constructor needs of `asio::ip::tcp::socket`.
    class socket {
    public:
        explicit socket(int fd) : fd_(fd) {}
        socket(socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
        ~socket() {
            if (fd_ >= 0) {
                ::close(fd_);
            }
        }
        bool is_open() const { return fd_ >= 0; }
        int release() { return std::exchange(fd_, -1); }

    private:
        int fd_;
    };

    raw_listener listener;
    raw_peer peer(listener.port());
    auto session =
        std::make_shared<network_module::messaging_session>(socket(listener.accept().take_descriptor()), "server");
    EXPECT_EQ("server", session->server_id());
    session->start_session();
    session->start_session();
    std::vector<uint8_t> packet = bytes_of("from the session");
    session->send_packet(packet);
    peer.send("x");  // decides at once that the peer is raw
    EXPECT_EQ("from the session", peer.receive(packet.size()));
    session->stop_session();
    EXPECT_TRUE(peer.at_end());
}

#ifdef ASIO_VERSION  // the headers bring asio along where it is installed
TEST(GenerationG0, SessionServesAnAsioSocket) {
    asio::io_context context;
    asio::ip::tcp::acceptor acceptor(context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    raw_peer peer(acceptor.local_endpoint().port());
    auto session = std::make_shared<network_module::messaging_session>(acceptor.accept(), "server");
    session->start_session();
    peer.send("x");
    session->send_packet(bytes_of("through asio"));
    EXPECT_EQ("through asio", peer.receive(12));
    session->stop_session();
    EXPECT_TRUE(peer.at_end());
}
#endif

TEST(GenerationG0, CommonDefinitions) {
    EXPECT_EQ(4096u, network_module::default_buffer_size);
    EXPECT_EQ(5000u, network_module::default_timeout_ms);
    EXPECT_EQ(1, static_cast<int>(network_module::data_mode::packet_mode));
    EXPECT_EQ(2, static_cast<int>(network_module::data_mode::file_mode));
    EXPECT_EQ(3, static_cast<int>(network_module::data_mode::binary_mode));
    EXPECT_EQ("default_client", network_module::default_client_id);
    EXPECT_EQ("default_server", network_module::default_server_id);
}

}  // namespace
