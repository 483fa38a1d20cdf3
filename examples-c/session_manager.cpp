// session_manager: room for a few sessions, a sign before it is used up, and a session of the application's own kind.
#include <network_system/core/messaging_client.h>
#include <network_system/core/messaging_server.h>
#include <network_system/session/session_manager.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>

#include "tally.h"

namespace {

using network_system::core::messaging_client;
using network_system::core::messaging_server;
using network_system::session::messaging_session;
using network_system::session::session_config;
using network_system::session::session_manager;

/// Stands for something else than a TCP connection, such as a test's double.
class recorded_session : public messaging_session {
public:
    std::string session_id() const override { return "recorded"; }
    using messaging_session::disconnect;
    void disconnect(const std::string& reason) override { std::cout << "recorded session ends: " << reason << "\n"; }
};

}  // namespace

int main() {
    session_config config;
    config.max_sessions = 3;
    config.backpressure_threshold = 0.6;
    session_manager manager(config);

    bool good = manager.add_session(std::make_shared<recorded_session>()).is_ok();

    tally came;
    messaging_server server("server");
    server.set_connect_handler([&](auto session) {
        if (const auto added = manager.add_session(session); added.is_ok()) {
            std::cout << "taken in: " << added.value() << (manager.is_backpressure_active() ? ", getting full" : "")
                      << "\n";
        } else {
            std::cout << "refused: " << added.error().message << "\n";
            session->disconnect(added.error().message);
        }
        came.add();
    });
    if (const auto started = server.start_server(0); started.is_err()) {
        std::cerr << started.error().message << "\n";
        return 1;
    }

    messaging_client first("first"), second("second"), third("third");
    for (auto* client : {&first, &second, &third}) {
        client->set_message_handler([](const std::string&) {});
        good = client->start_client("127.0.0.1", server.port()).is_ok() && good;
    }
    good = came.reaches(3) && good;

    const auto stats = manager.get_stats();
    std::cout << stats.active_sessions << " of " << stats.max_sessions << ", " << stats.total_rejected << " refused\n";
    good = stats.active_sessions == 3 && stats.total_rejected == 1 && stats.backpressure_active && good;
    good = manager.get_session("recorded") != nullptr && good;

    manager.stop_all_sessions();
    good = manager.get_session_count() == 0 && good;
    server.stop_server();
    return good ? 0 : 1;
}
