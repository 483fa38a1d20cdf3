// A client that connects again by itself: its server goes away and comes back, and no message is lost.
//
//   reconnecting_client_cpp
//
// The server runs in the same process, so that the example can stop it and start it again on the same port. While it
// is away, what the client sends waits in a bounded backlog. Ends with 0 only if every message arrived, once and in
// order.
#include <network_system/network_system.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace {

using network_system::core::messaging_client;
using network_system::core::messaging_server;

/// What arrived at the servers, one after the other.
class inbox {
public:
    void add(const std::string& message) {
        const std::lock_guard<std::mutex> lock(mutex_);
        messages_.push_back(message);
        changed_.notify_all();
    }

    std::vector<std::string> wait_for(std::size_t count) {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [&] { return messages_.size() >= count; });
        return messages_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> messages_;
};

std::unique_ptr<messaging_server> start_server(unsigned short port, inbox& received) {
    auto server = std::make_unique<messaging_server>("server");
    server->set_message_handler([&received](auto, const std::string& message) { received.add(message); });
    if (const auto started = server->start_server(port); !started) {
        std::cerr << "the server: " << started.error().message << '\n';
        return nullptr;
    }
    return server;
}

std::shared_ptr<messaging_client> make_client() {
    network_system::core::client_config config;
    config.reconnect.enabled = true;
    // Short waits, since this server is never away for long; by default up to 100 ms at first, and later up to 5 s.
    config.reconnect.first_delay = std::chrono::milliseconds(10);
    config.reconnect.max_delay = std::chrono::milliseconds(100);
    auto client = std::make_shared<messaging_client>("client", config);
    client->set_connect_handler([] { std::cout << "client: connected\n"; });
    client->set_disconnect_handler(
        [](const std::string& why) { std::cout << "client: lost the server: " << why << '\n'; });
    // A failed attempt; or, at the end, messages that are lost with the client.
    client->set_error_handler([](const std::string& what, int) { std::cout << "client: " << what << '\n'; });
    return client;
}

}  // namespace

int main() {
    inbox received;
    auto server = start_server(0, received);
    if (!server) {
        return EXIT_FAILURE;
    }
    const unsigned short port = server->port();
    const auto client = make_client();
    if (!client->start_client("127.0.0.1", port) || !client->wait_until_connected(std::chrono::seconds(10))) {
        std::cerr << "no connection\n";
        return EXIT_FAILURE;
    }

    std::vector<std::string> sent;
    for (int outage = 1; outage <= 3; ++outage) {
        server->stop_server();
        for (const char* part : {"first", "second", "third"}) {
            sent.push_back("outage " + std::to_string(outage) + ", " + part);
            if (const auto accepted = client->send_message(sent.back()); !accepted) {
                std::cerr << "send: " << accepted.error().message << '\n';
                return EXIT_FAILURE;
            }
        }
        std::cout << "main: sent 3 messages while there was no server; " << client->queued_bytes()
                  << " bytes wait for it\n";
        server = start_server(port, received);
        if (!server) {
            return EXIT_FAILURE;
        }
        received.wait_for(sent.size());
        std::cout << "main: they have arrived\n";
    }
    client->stop_client();

    const auto statistics = client->get_statistics();
    const auto arrived = received.wait_for(sent.size());
    std::cout << arrived.size() << " of " << sent.size() << " messages, " << statistics.reconnects << " reconnects, "
              << statistics.messages_unsent << " left unsent\n";
    const bool right = arrived == sent && statistics.reconnects == 3 && statistics.messages_unsent == 0;
    return right ? EXIT_SUCCESS : EXIT_FAILURE;
}
