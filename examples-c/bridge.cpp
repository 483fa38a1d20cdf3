// bridge: servers and clients under one configuration, on the program's own threads, counted together.
//
//   bridge_cpp
//
// Ends with 0 only if all came back, every connection was told of twice, and the figures are right.
#include <network_system/integration/messaging_bridge.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "tally.h"

namespace {

using network_system::integration::basic_thread_pool;
using network_system::integration::messaging_bridge;

constexpr int clients = 4;
constexpr int messages = 250;

}  // namespace

int main() {
    tally answers;
    tally beginnings;
    tally ends;

    messaging_bridge bridge("desk");
    messaging_bridge::bridge_config settings;
    settings.connection_timeout = std::chrono::seconds(10);
    settings.max_connections_per_client = 2;
    if (const auto set = bridge.set_config(settings); set.is_err()) {
        std::cerr << set.error().message << "\n";
        return 1;
    }
    bridge.set_thread_pool(std::make_shared<basic_thread_pool>(2));
    bridge.set_connection_event_handler(
        [&](const std::string&, bool connected) { (connected ? beginnings : ends).add(); });
    bridge.set_error_event_handler(
        [&](const std::string& what, int code) { std::cerr << what << " (" << code << ")\n"; });

    network_system::server_config config;
    config.bind_address = "127.0.0.1";
    config.port = 0;  // any that is free
    const auto server = bridge.create_server("answers", config);
    server->set_message_handler([](auto session, const std::string& text) { session->send_message("re: " + text); });
    bridge.start();  // the servers that have a configuration

    std::vector<std::shared_ptr<network_system::core::messaging_client>> desks;
    for (int i = 0; i < clients; ++i) {
        const auto client = bridge.create_client("desk " + std::to_string(i));
        client->set_message_handler([&](const std::string&) { answers.add(); });
        client->start_client("127.0.0.1", server->port());
        if (const auto connected = client->wait_until_connected(settings.connection_timeout); connected.is_err()) {
            std::cerr << connected.error().message << "\n";
            return 1;
        }
        desks.push_back(client);
    }
    for (int i = 0; i < messages; ++i) {
        for (const auto& client : desks) {
            client->send_message("question " + std::to_string(i));
        }
    }
    bool good = answers.reaches(clients * messages);

    const auto pool = bridge.get_connection_pool("127.0.0.1", server->port());
    if (pool.is_err()) {
        std::cerr << pool.error().message << "\n";
        return 1;
    }
    {
        const auto connection = pool.value()->acquire();  // for as long as this lives
        if (!connection) {
            std::cerr << "no connection is free\n";
            return 1;
        }
        connection->set_message_handler([&](const std::string&) { answers.add(); });
        connection->send_message("through a pool");
        good &= answers.reaches(clients * messages + 1);
    }

    std::cout << bridge.get_status_report() << "\n";
    bridge.stop();  // servers, clients and pools: each connection has two ends here
    good &= beginnings.reaches(2 * (clients + 1)) && ends.reaches(2 * (clients + 1));

    const auto metrics = bridge.get_metrics();
    good &= metrics.total_connections == 2 * (clients + 1) && metrics.active_connections == 0;
    good &= metrics.messages_received >= 2 * clients * messages;
    good &= metrics.failed_connections == 0;
    std::cout << metrics.messages_received << " messages on " << metrics.total_connections << " connections\n";
    return good ? 0 : 1;
}
