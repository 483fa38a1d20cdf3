// What one address may have of a server, and what becomes of who is silent, in C++.
//
//   limits_cpp
//
// The server takes two connections from one address and ends sessions that are silent for a second. Three clients
// connect: the third learns why it is refused. Then the two fall silent, and the server ends them and says why.

#include <network_system/network_system.h>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

using network_system::core::client_config;
using network_system::core::messaging_client;
using network_system::core::messaging_server;
using network_system::core::server_config;
using network_system::session::messaging_session;
using namespace std::chrono_literals;

int main() {
    server_config config;
    config.port = 0;
    config.bind_address = "127.0.0.1";
    config.max_connections_per_address = 2;  // unless it is set, loopback has no such limit
    config.exempt_addresses = "10.0.0.0/8, fd00::/8";
    config.timeout = 1s;

    std::atomic<int> expired{0};
    messaging_server server("careful", config);
    server.set_disconnect_handler([&](std::shared_ptr<messaging_session>, const std::string& reason) {
        std::printf("ended: %s\n", reason.c_str());
        ++expired;
    });
    if (auto started = server.start_server(); !started) {
        std::fprintf(stderr, "start: %s\n", started.error().message.c_str());
        return 1;
    }

    client_config quiet;
    quiet.framing = network_system::core::framing_mode::framed;
    quiet.enable_keep_alive = false;  // no heartbeats: else it would not be silent
    std::vector<std::unique_ptr<messaging_client>> clients;
    int refused = 0;
    for (int number = 1; number <= 3; ++number) {
        auto& client = clients.emplace_back(std::make_unique<messaging_client>("client", quiet));
        client->start_client("127.0.0.1", server.port());
        if (auto connected = client->wait_until_connected(10s); !connected) {
            std::printf("client %d: %s (%d)\n", number, connected.error().message.c_str(), connected.error().code);
            refused += connected.error().code == NETSYS_ERR_SERVER_BUSY ? 1 : 0;
        }
    }
    for (auto& client : clients) {
        client->wait_for_stop();  // a client's end is that of its connection
    }
    server.stop_server();
    if (refused != 1 || expired != 2) {
        std::fprintf(stderr, "expected one refusal and two ends of silent sessions\n");
        return 1;
    }
    std::printf("one was refused, two were ended for their silence\n");
    return 0;
}
