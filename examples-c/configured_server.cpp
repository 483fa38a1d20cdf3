// A server and a client that are what a file says, and what a file with faults is answered with.
//
//   configured_server FILE        examples-c/network.toml shows all keys
//
// The server listens on a free port of this host, whatever the file says, and the client sends it a message.

#include <network_system/core/messaging_client.h>
#include <network_system/core/messaging_server.h>
#include <network_system/core/network_config.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

using network_system::core::config_fault;
using network_system::core::messaging_client;
using network_system::core::messaging_server;
using network_system::core::network_config;

namespace {

bool exchange(const network_config& config) {
    auto server_config = config.server;
    server_config.bind_address = "127.0.0.1";
    const auto server = std::make_shared<messaging_server>(config.server_id, server_config);
    server->set_message_handler([](auto session, const std::string& message) { session->send_message(message); });
    if (const auto started = server->start_server(0); started.is_err()) {
        std::cerr << started.error().message << '\n';
        return false;
    }

    const auto client = std::make_shared<messaging_client>(config.client_id, config.client);
    std::promise<std::string> answer;
    client->set_message_handler([&](const std::string& message) { answer.set_value(message); });
    client->set_connect_handler([&] { client->send_message("as configured"); });
    if (const auto started = client->start_client("127.0.0.1", server->port()); started.is_err()) {
        std::cerr << started.error().message << '\n';
        return false;
    }
    auto answered = answer.get_future();
    const bool came = answered.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
    client->stop_client();
    server->stop_server();
    if (!came) {
        std::cerr << "no answer came\n";
        return false;
    }
    std::cout << "the server answered: " << answered.get() << '\n';
    return true;
}

/// A file with three faults: each is told, with its line and key, and nothing of the file is used.
bool refuses_faults(const std::string& path) {
    std::ofstream(path) << "[server]\n"
                           "prot = 8080\n"
                           "timeout = \"half a minute\"\n"
                           "\n"
                           "[client]\n"
                           "send_queue_limit = -1\n";
    std::vector<config_fault> faults;
    const auto result = network_config::from_file(path, faults);
    std::remove(path.c_str());
    for (const auto& fault : faults) {
        std::cout << "refused: " << fault.report << '\n';
    }
    return result.is_err() && faults.size() == 3 &&                     //
           faults[0].line == 2 && faults[0].key == "server.prot" &&     //
           faults[1].line == 3 && faults[1].key == "server.timeout" &&  //
           faults[2].line == 6 && faults[2].key == "client.send_queue_limit";
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: " << argv[0] << " FILE\n";
        return 2;
    }
    const auto config = network_config::from_file(argv[1]);
    if (config.is_err()) {
        std::cerr << config.error().message << '\n';  // every fault, one a line
        return 1;
    }
    if (!refuses_faults("configured_server.faults.toml")) {
        std::cerr << "the faults are not as they must be\n";
        return 1;
    }
    return exchange(config.value()) ? 0 : 1;
}
