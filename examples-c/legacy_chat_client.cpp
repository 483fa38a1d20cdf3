// A chat client of October 2025, written for the old network_module. Nothing in it knows of the library that now
// stands behind these names: it is here to be compiled and run as it is.
//
//   legacy_chat_client HOST PORT
//
// Sends the lines of standard input, prints what it receives, ends with its input.

#include <network_system/compatibility.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <iostream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: " << argv[0] << " HOST PORT\n";
        return EXIT_FAILURE;
    }

    std::promise<void> connected;
    auto client = network_module::create_client("legacy_client");

    client->set_connected_callback([&connected] { connected.set_value(); });
    client->set_receive_callback([](const auto& data) {
        std::cout.write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(data.size()));
        std::cout.flush();
    });
    client->set_disconnected_callback([] { std::cerr << "the server has gone" << std::endl; });
    client->set_error_callback([](auto error) { std::cerr << "error: " << error.message() << std::endl; });

    auto started = client->start_client(argv[1], static_cast<unsigned short>(std::atoi(argv[2])));
    if (started.is_err()) {
        std::cerr << "cannot start: " << started.error().message << '\n';
        return EXIT_FAILURE;
    }
    if (connected.get_future().wait_for(std::chrono::seconds(10)) != std::future_status::ready) {
        std::cerr << "cannot connect\n";
        client->stop_client();
        return EXIT_FAILURE;
    }

    std::string line;
    while (std::getline(std::cin, line)) {
        line += '\n';
        std::vector<uint8_t> packet(line.begin(), line.end());
        auto sent = client->send_packet(std::move(packet));
        if (sent.is_err()) {
            std::cerr << "cannot send: " << sent.error().message << '\n';
            break;
        }
    }

    client->stop_client();
    client->wait_for_stop();
    return EXIT_SUCCESS;
}
