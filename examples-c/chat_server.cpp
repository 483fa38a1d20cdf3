// A chat server with rooms, on the modern C++ API: handlers, groups, session data.
//
//   chat_server [PORT]      PORT 0 or absent: a free one; prints "listening on <port>"; ends on SIGINT or SIGTERM
//
// What a client may say, one line each: `/join ROOM`, `/leave ROOM`, `/name NAME`, `/quit`, and anything else, which
// goes to everybody in the room that was joined last. What it hears: `[ROOM] NAME: text`, and notices that begin
// with `*`.
//
// Framed clients (chat_client) and raw TCP peers (legacy_chat_client, raw_peer.py, nc) share one port. To a raw peer
// the connection is a stream, so every line, of either kind of peer, ends in '\n'.

#include <network_system/core/messaging_server.h>
#include <pthread.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

using network_system::core::messaging_server;
using session_ptr = std::shared_ptr<network_system::session::messaging_session>;

constexpr std::size_t longest_line = 4096;
constexpr std::size_t longest_name = 32;
constexpr std::string_view lobby = "lobby";

bool is_name(const std::string& text) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    return !text.empty() && text.size() <= longest_name && std::all_of(text.begin(), text.end(), allowed);
}

/// The rules of the chat. The server's handlers never overlap, so its state needs no lock.
class chat {
public:
    explicit chat(messaging_server& server) : server_(server) {}

    void enter(const session_ptr& session) {
        // A framed client has said who it is; a raw one can't, and gets a number until it uses /name.
        const std::string id = session->client_id();
        session->set_session_data("name", is_name(id) ? id : "guest-" + std::to_string(++guests_));
        tell(session, "* welcome, " + name_of(session));
        join(session, std::string(lobby));
    }

    void receive(const session_ptr& session, const std::string& data) {
        // A framed peer's message is one line. A raw peer's data is whatever came in one read: several lines, or half
        // a line, which then waits here for its end.
        std::string pending = std::move(unfinished_[session->session_id()]);
        pending += data;
        std::size_t begin = 0;
        for (std::size_t end = 0; (end = pending.find('\n', begin)) != std::string::npos; begin = end + 1) {
            std::string line = pending.substr(begin, end - begin);
            if (!line.empty() && line.back() == '\r') {
                line.pop_back();
            }
            if (line.size() > longest_line) {
                session->disconnect("line too long");
                return;
            }
            handle(session, line);
        }
        pending.erase(0, begin);
        if (pending.size() > longest_line) {
            session->disconnect("line too long");
            return;
        }
        unfinished_[session->session_id()] = std::move(pending);
    }

    void leave_all(const session_ptr& session, const std::string& reason) {
        unfinished_.erase(session->session_id());
        for (const std::string& room : session->get_groups()) {
            announce(room, name_of(session) + " has gone (" + reason + ")");
        }
    }

private:
    static std::string name_of(const session_ptr& session) { return session->get_session_data("name"); }

    static void tell(const session_ptr& session, const std::string& line) { session->send_message(line + '\n'); }

    void announce(const std::string& room, const std::string& what) {
        server_.broadcast_to_group(room, "* [" + room + "] " + what + '\n');
    }

    void handle(const session_ptr& session, const std::string& line) {
        const std::size_t space = line.find(' ');
        const std::string command = line.substr(0, space);
        const std::string argument = space == std::string::npos ? "" : line.substr(space + 1);

        if (command == "/join") {
            join(session, argument);
        } else if (command == "/leave") {
            leave(session, argument);
        } else if (command == "/name") {
            rename(session, argument);
        } else if (command == "/quit") {
            session->disconnect("quit");
        } else if (!line.empty()) {
            say(session, line);
        }
    }

    void say(const session_ptr& session, const std::string& text) {
        const std::string room = session->get_session_data("room");
        if (!session->is_in_group(room)) {
            tell(session, "* you have left that room: /join another");
            return;
        }
        server_.broadcast_to_group(room, '[' + room + "] " + name_of(session) + ": " + text + '\n');
    }

    void join(const session_ptr& session, const std::string& room) {
        if (!is_name(room)) {
            tell(session, "* that is no name for a room");
            return;
        }
        session->set_session_data("room", room);
        if (!session->is_in_group(room)) {
            session->join_group(room);
            announce(room, name_of(session) + " has joined");
        }
    }

    void leave(const session_ptr& session, const std::string& room) {
        if (!session->is_in_group(room)) {
            tell(session, "* you are not in that room");
            return;
        }
        announce(room, name_of(session) + " has left");
        session->leave_group(room);
    }

    void rename(const session_ptr& session, const std::string& name) {
        if (!is_name(name)) {
            tell(session, "* that is no name");
            return;
        }
        const std::string old_name = name_of(session);
        session->set_session_data("name", name);
        for (const std::string& room : session->get_groups()) {
            announce(room, old_name + " is now " + name);
        }
    }

    messaging_server& server_;
    std::unordered_map<std::string, std::string> unfinished_;  // by session id
    unsigned guests_ = 0;
};

bool parse_port(const char* text, unsigned short& port) {
    const char* end = text + std::strlen(text);
    const auto [stop, error] = std::from_chars(text, end, port);
    return error == std::errc{} && stop == end;
}

}  // namespace

int main(int argc, char** argv) {
    network_system::core::server_config config;
    config.port = 0;
    config.timeout = std::chrono::seconds{0};  // people may be silent for as long as they like
    if (argc > 2 || (argc == 2 && !parse_port(argv[1], config.port))) {
        std::cerr << "usage: " << argv[0] << " [PORT]\n";
        return EXIT_FAILURE;
    }

    // Blocked before the library starts threads, which inherit the mask: sigwait below is then the only receiver.
    sigset_t stop_signals;
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGINT);
    sigaddset(&stop_signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);

    messaging_server server("chat", config);
    chat room(server);
    server.set_connect_handler([&room](auto session) { room.enter(session); });
    server.set_message_handler([&room](auto session, const std::string& data) { room.receive(session, data); });
    server.set_disconnect_handler([&room](auto session, const std::string& why) { room.leave_all(session, why); });
    server.set_error_handler(
        [](const std::string& what, int code) { std::cerr << "chat_server: " << what << " (" << code << ")\n"; });

    const auto started = server.start_server();
    if (!started) {
        std::cerr << "chat_server: cannot start: " << started.error().message << '\n';
        return EXIT_FAILURE;
    }
    std::cout << "listening on " << server.port() << std::endl;

    int received = 0;
    sigwait(&stop_signals, &received);
    server.stop_server();  // what was said so far arrives; no handler runs after it

    const auto totals = server.get_statistics();
    std::cout << "served " << totals.total_connections << " connections: " << totals.messages_received
              << " messages received, " << totals.messages_sent << " sent" << std::endl;
    return EXIT_SUCCESS;
}
