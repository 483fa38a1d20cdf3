// The include paths, and the namespace, of programs that know the library as kcenon::network: they declare its classes
// there before they include a header of it.
#include <memory>

namespace kcenon::network::core {
class messaging_client;
class messaging_server;
}  // namespace kcenon::network::core

std::shared_ptr<kcenon::network::core::messaging_server> declared_server;
std::shared_ptr<kcenon::network::core::messaging_client> declared_client;

#include <kcenon/network/core/messaging_client.h>
#include <kcenon/network/core/messaging_server.h>
#include <kcenon/network/forward.h>
#include <kcenon/network/integration/thread_integration.h>
#include <kcenon/network/internal/core/messaging_client.h>
#include <kcenon/network/internal/core/messaging_server.h>
#include <kcenon/network/network_system.h>
#include <kcenon/network/session/messaging_session.h>
#include <kcenon/network/session/session.h>
#include <kcenon/network/utils/result_types.h>

#include <chrono>
#include <future>
#include <iostream>
#include <string>
#include <vector>

int main() {
    declared_server = std::make_shared<kcenon::network::core::messaging_server>("kcenon_paths");
    declared_server->set_receive_callback([](auto session, const auto& data) { session->send_packet(data); });
    if (!declared_server->start_server("127.0.0.1", 0)) {
        return 1;
    }

    std::promise<std::string> answer;
    declared_client = std::make_shared<kcenon::network::core::messaging_client>("kcenon_paths");
    declared_client->set_connected_callback([] { declared_client->send_packet({'!'}); });
    declared_client->set_receive_callback(
        [&](const std::vector<uint8_t>& data) { answer.set_value(std::string(data.begin(), data.end())); });
    if (!declared_client->start_client("127.0.0.1", declared_server->port())) {
        return 1;
    }
    std::future<std::string> came = answer.get_future();
    const bool in_time = came.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
    declared_client->stop_client();
    declared_server->stop_server();
    if (!in_time) {
        return 1;
    }
    std::cout << "exchanged: " << came.get() << " as kcenon::network\n";
}
