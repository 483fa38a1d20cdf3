// A server and a client of one process exchange a message over a free port: what every way of consuming the package
// must make possible. Prints "exchanged: ..." when the answer has come back.
#include <network_system/network_system.h>

#include <chrono>
#include <future>
#include <iostream>
#include <memory>
#include <string>

int main() {
    using namespace network_system;

    server_config config;
    config.port = 0;
    config.bind_address = "127.0.0.1";
    core::messaging_server server("package_test", config);
    server.set_message_handler([](std::shared_ptr<session::messaging_session> session, const std::string& text) {
        session->send_message(text);
    });
    if (const auto started = server.start_server(); !started) {
        std::cerr << "server: " << started.error().message << '\n';
        return 1;
    }

    std::promise<std::string> answer;
    auto answered = answer.get_future();
    core::messaging_client client("package_test_client");
    client.set_connect_handler([&client] { client.send_message("hello from C++"); });
    client.set_message_handler([&answer](const std::string& text) { answer.set_value(text); });
    if (const auto started = client.start_client("127.0.0.1", server.port()); !started) {
        std::cerr << "client: " << started.error().message << '\n';
        return 1;
    }

    if (answered.wait_for(std::chrono::seconds(30)) != std::future_status::ready) {
        std::cerr << "no answer came\n";
        return 1;
    }
    client.stop_client();
    server.stop_server();
    std::cout << "exchanged: " << answered.get() << '\n';
}
