// The specification's own interface: chat rooms as groups of sessions, whole messages as text and binary ones, a
// configuration with limits, statistics. The program's classes live in the library's namespace, as the specification's
// examples do.
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "../check.h"
#include "network_system/core/messaging_client.h"
#include "network_system/core/messaging_server.h"
#include "network_system/integration/messaging_bridge.h"
#include "network_system/session/messaging_session.h"
#include "network_system/utils/result_types.h"

namespace network_system::chat {

using session_ptr = std::shared_ptr<session::messaging_session>;

constexpr std::size_t most_guests = 4;
constexpr std::size_t most_bytes = 1024 * 1024;

class chat_server {
public:
    chat_server() {
        server_config config;
        config.port = 0;
        config.bind_address = "127.0.0.1";
        config.max_connections = most_guests;
        config.message_size_limit = most_bytes;
        config.timeout = std::chrono::seconds(60);
        config.enable_nodelay = true;
        server_ = std::make_shared<core::messaging_server>("chat", config);

        server_->set_connect_handler([](auto session) {
            CHECK(session->state() == session::session_state::connected);
            session->set_session_data("name", session->client_id());
            session->join_group("lobby");
            session->send_message("welcome " + session->client_id());
        });
        server_->set_message_handler([this](auto session, const std::string& message) { handle(session, message); });
        server_->set_disconnect_handler([this](auto session, const std::string& reason) {
            CHECK(!reason.empty());
            CHECK(!session->is_connected());
            departures.add(session->get_session_data("name") + ": " + reason);
        });
        server_->set_error_handler([](const std::string& text, int code) { CHECK(!text.empty() && code != 0); });
    }
    ~chat_server() {
        if (server_ && server_->is_running()) {
            server_->stop_server();
        }
    }

    // As the specification writes functions that can fail.
    Result<void> open() {
        if (server_->is_running()) {
            return error<std::monostate>(codes::network_system::server_already_running, "the chat is open");
        }
        if (auto started = server_->start_server(); started.is_err()) {
            return started;
        }
        return ok();
    }

    core::messaging_server& server() { return *server_; }

    check::recorder<std::string> departures;

private:
    void handle(const session_ptr& session, const std::string& message) {
        const std::string name = session->get_session_data("name");
        if (message.rfind("/join ", 0) == 0) {
            for (const std::string& room : session->get_groups()) {
                session->leave_group(room);
            }
            server_->add_session_to_group(session->session_id(), message.substr(6));
            session->send_message("you are in " + message.substr(6));
        } else if (message.rfind("/kick ", 0) == 0) {
            for (const auto& other : server_->get_all_sessions()) {
                if (other->client_id() == message.substr(6)) {
                    other->disconnect("kicked by " + name);
                }
            }
        } else if (message == "/all") {
            server_->broadcast_message(name + " calls everybody");
        } else {
            for (const std::string& room : session->get_groups()) {
                server_->broadcast_to_group(room, name + ": " + message);
            }
        }
    }

    std::shared_ptr<core::messaging_server> server_;
};

class guest {
public:
    guest(const std::string& name, unsigned short port) : client_(std::make_shared<core::messaging_client>(name)) {
        client_->set_message_handler([this](const std::string& message) { heard.add(message); });
        client_->set_connect_handler([this] { connected_.set(); });
        client_->set_disconnect_handler([this](const std::string& reason) { ends.add(reason); });
        client_->set_error_handler([this](const std::string&, int code) { errors.add(code); });
        CHECK(client_->start_client("127.0.0.1", port));
    }
    ~guest() { client_->stop_client(); }

    void enter(const std::string& room) {
        CHECK(connected_.wait());
        expect("welcome " + client_->client_id());
        say("/join " + room);
        expect("you are in " + room);
    }

    void say(const std::string& text) { CHECK(client_->send_message(text).is_ok()); }

    void expect(const std::string& text) {
        CHECK(heard.wait_for(++expected_));
        CHECK(heard.all()[expected_ - 1] == text);
    }

    core::messaging_client& client() { return *client_; }

    check::recorder<std::string> heard;
    check::recorder<std::string> ends;
    check::recorder<int> errors;

private:
    const std::shared_ptr<core::messaging_client> client_;
    check::event connected_;
    std::size_t expected_ = 0;
};

/// What an application's test puts in a session's place.
class session_stand_in : public session::messaging_session {
public:
    std::string client_id() const override { return "nobody"; }
    void send_message(const std::string& message) override { sent.push_back(message); }

    std::vector<std::string> sent;
};

void messages_arrive_whole(chat_server& chat) {
    const unsigned short port = chat.server().port();
    guest ann("ann", port);
    ann.enter("garden");
    guest bob("bob", port);
    bob.enter("garden");
    guest eve("eve", port);
    eve.enter("attic");

    ann.say("hello");
    ann.expect("ann: hello");
    bob.expect("ann: hello");
    bob.say("");  // an empty message is one too
    ann.expect("bob: ");
    bob.expect("bob: ");
    const std::string large(most_bytes - 100, 'l');
    bob.say(large);
    ann.expect("bob: " + large);
    bob.expect("bob: " + large);
    const std::vector<uint8_t> bytes{'r', 'a', 'w', 0, 1};
    CHECK(ann.client().send_raw_data(bytes));
    bob.expect(std::string("ann: raw\0\1", 10));
    CHECK(ann.client().send_binary_message("binary", 6));
    bob.expect("ann: binary");
    eve.say("/all");
    eve.expect("eve calls everybody");
    bob.expect("eve calls everybody");

    const auto statistics = chat.server().get_statistics();
    CHECK(statistics.total_connections == 3 && statistics.current_connections == 3);
    CHECK(statistics.messages_received == 9);
    CHECK(statistics.bytes_received == 3 * 6 + 6 + 6 + 5 + 5 + 0 + large.size() + 5 + 6 + 4);

    eve.say("/kick bob");
    CHECK(bob.ends.wait_for(1));
    CHECK(bob.ends.last() == "kicked by eve");
    CHECK(chat.departures.wait_for(1));
    CHECK(chat.departures.last() == "bob: kicked by eve");
    CHECK(bob.client().send_message("?").error().code == codes::network_system::connection_closed);

    ann.client().stop_client();
    CHECK((ann.ends.all() == std::vector<std::string>{"stopped"}));
    CHECK(chat.departures.wait_for(2));
}

void limits_hold(chat_server& chat) {
    const unsigned short port = chat.server().port();
    CHECK(chat.departures.wait_for(3));
    std::vector<std::unique_ptr<guest>> guests;
    for (std::size_t i = 0; i < most_guests; ++i) {
        guests.push_back(std::make_unique<guest>("guest " + std::to_string(i), port));
        guests.back()->enter("hall");
    }
    guest too_many("one too many", port);
    CHECK(too_many.errors.wait_for(1) || too_many.ends.wait_for(1));
    CHECK(!too_many.client().is_connected());
    CHECK(chat.server().connection_count() == most_guests);
    CHECK(chat.server().get_session("no such session") == nullptr);
    CHECK(chat.server().disconnect_session("no such session").error().code == codes::network_system::session_not_found);
}

void results_tell_what_failed(chat_server& chat) {
    const Result<void> again = chat.open();
    CHECK(!again);
    CHECK(again.error().code == codes::network_system::server_already_running);
    core::messaging_server other("other");
    const bool taken = other.start_server("127.0.0.1", chat.server().port());
    CHECK(!taken);
    CHECK(other.stop_server().error().code == codes::network_system::server_not_started);

    session_stand_in stand_in;
    session::messaging_session& session = stand_in;
    session.send_message("to nobody");
    CHECK(stand_in.sent.size() == 1 && session.client_id() == "nobody");
    const auto detached = session::create_tcp_session("session", "client");
    detached->set_session_data("key", "value");
    CHECK(detached->get_session_data("key") == "value" && detached->session_id() == "session");
    CHECK(detached->state() == session::session_state::disconnected);
}

void a_bridge_holds_them_together() {
    integration::messaging_bridge bridge("chats");
    integration::messaging_bridge::bridge_config settings;
    settings.enable_performance_monitoring = true;
    settings.connection_timeout = std::chrono::milliseconds(10000);
    bridge.set_config(settings);
    CHECK(bridge.get_config().connection_timeout == std::chrono::seconds(10));

    check::recorder<bool> connections;
    bridge.set_connection_event_handler([&](const std::string& endpoint, bool connected) {
        CHECK(!endpoint.empty());
        connections.add(connected);
    });
    bridge.set_error_event_handler([](const std::string& error, int code) { CHECK(!error.empty() && code == 0); });

    server_config config;
    config.port = 0;
    config.bind_address = "127.0.0.1";
    const auto server = bridge.create_server("chat", config);
    server->set_message_handler([](auto session, const std::string& message) { session->send_message(message); });
    bridge.start();
    CHECK(bridge.is_running() && server->is_running());

    check::recorder<std::string> heard;
    const auto client = bridge.create_client("ann", client_config());
    client->set_message_handler([&](const std::string& message) { heard.add(message); });
    CHECK(client->start_client("127.0.0.1", server->port()));
    CHECK(client->wait_until_connected(check::patience));
    CHECK(client->send_message("hello"));
    CHECK(heard.wait_for(1) && heard.last() == "hello");
    CHECK(connections.wait_for(2));

    const auto metrics = bridge.get_metrics();
    CHECK(metrics.active_connections.load() == 2 && metrics.total_connections == 2);
    CHECK(metrics.bytes_received == 10 && metrics.min_latency_us > 0);
    CHECK(utils::performance_monitor::instance().get_metrics().messages_received == 2);
    CHECK(bridge.get_status_report().find("ann") != std::string::npos);
    bridge.stop();
    CHECK(!bridge.is_running() && !server->is_running() && !client->is_running());
    CHECK(connections.wait_for(4) && connections.size() == 4);

    using compat = integration::messaging_bridge::compat;
    const std::shared_ptr<compat::messaging_client> apart = compat::make_messaging_client("apart");
    CHECK(apart->client_id() == "apart");
}

}  // namespace network_system::chat

int main() {
    using namespace network_system::chat;
    chat_server chat;
    CHECK(chat.open());
    messages_arrive_whole(chat);
    limits_hold(chat);
    results_tell_what_failed(chat);
    a_bridge_holds_them_together();
    chat.server().stop_server();
    CHECK(!chat.server().is_running());
    std::cout << "10 messages arrived\n";
}
