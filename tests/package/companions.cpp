// Sends a container through a bridge whose handlers run on the pool of thread_system: compiles and works only if both
// libraries were found and linked.
#include <chrono>
#include <future>
#include <iostream>
#include <memory>

#include "../companions/generation.h"

int main() {
    const auto pool = generation::make_pool(1);
    pool->start();
    network_system::integration::messaging_bridge bridge("companions");
    bridge.set_thread_pool(pool);
    std::promise<int> number;
    bridge.set_container_message_handler([&](const std::shared_ptr<generation::container>& received) {
        number.set_value(generation::number_in(*received));
    });
    network_system::core::server_config config;
    config.bind_address = "127.0.0.1";
    config.port = 0;
    const auto server = bridge.create_server("server", config);
    const auto client = bridge.create_client("client", network_system::core::client_config());
    client->set_message_handler([](const std::string&) {});
    if (server->start_server().is_err() || client->start_client("127.0.0.1", server->port()).is_err() ||
        client->wait_until_connected(std::chrono::seconds(20)).is_err() ||
        bridge.send_container(*client, *generation::make_container("number", 42)).is_err()) {
        return 1;
    }
    auto received = number.get_future();
    if (received.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
        return 1;
    }
    std::cout << "exchanged: a container with " << received.get() << '\n';
    bridge.stop();
    return 0;
}
