// A peer that does not read, and what a server makes of it, in C++.
//
//   slow_peer_cpp
//
// The server's sends wait for a slow peer by default. For one session this program chooses otherwise, as for prices, of
// which only the latest count: the oldest ones that wait are dropped, and counted. The peer is a plain TCP socket.

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <network_system/network_system.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <future>
#include <memory>
#include <vector>

using network_system::core::messaging_server;
using network_system::core::send_policy;
using network_system::core::server_config;
using network_system::session::messaging_session;

namespace {

constexpr std::size_t message_size = 1000;

int connect_to(unsigned short port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        std::perror("connect");
        std::exit(1);
    }
    return fd;
}

std::vector<unsigned char> read_to_the_end(int fd) {
    std::vector<unsigned char> all;
    unsigned char buffer[65536];
    for (ssize_t size; (size = ::read(fd, buffer, sizeof(buffer))) > 0;) {
        all.insert(all.end(), buffer, buffer + size);
    }
    return all;
}

}  // namespace

int main() {
    server_config config;
    config.port = 0;
    config.bind_address = "127.0.0.1";
    config.framing = network_system::core::framing_mode::raw;
    config.send_queue_limit = 64 * 1024;

    std::promise<std::shared_ptr<messaging_session>> opened;
    messaging_server server("prices", config);
    server.set_connect_handler([&](std::shared_ptr<messaging_session> session) { opened.set_value(session); });
    if (auto started = server.start_server(); !started) {
        std::fprintf(stderr, "start: %s\n", started.error().message.c_str());
        return 1;
    }

    const int peer = connect_to(server.port());
    const auto session = opened.get_future().get();
    session->set_send_policy(send_policy::drop_oldest);

    std::uint64_t sent = 0;
    while (session->messages_dropped() < 1000) {
        std::vector<std::uint8_t> message(message_size);
        std::memcpy(message.data(), &sent, sizeof(sent));
        if (auto result = session->send_packet(message); !result) {
            std::fprintf(stderr, "send: %s\n", result.error().message.c_str());
            return 1;
        }
        ++sent;
    }
    const std::uint64_t dropped = session->messages_dropped();
    std::printf("%llu messages were accepted, %llu dropped, %zu bytes wait\n", static_cast<unsigned long long>(sent),
                static_cast<unsigned long long>(dropped), session->queued_bytes());

    session->disconnect("enough");  // what waits is still delivered
    const auto received = read_to_the_end(peer);
    ::close(peer);
    server.stop_server();

    // Only whole messages are dropped, so that the stream stays one of whole messages.
    std::uint64_t last = 0;
    const std::uint64_t count = received.size() / message_size;
    if (count > 0) {
        std::memcpy(&last, received.data() + (count - 1) * message_size, sizeof(last));
    }
    std::printf("the peer got %llu, the last of them number %llu\n", static_cast<unsigned long long>(count),
                static_cast<unsigned long long>(last));
    const bool whole = received.size() % message_size == 0;
    if (!whole || count + dropped != sent || last != sent - 1) {
        std::fprintf(stderr, "the counts do not add up\n");
        return 1;
    }
    return 0;
}
