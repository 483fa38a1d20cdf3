// Pages for Prometheus and for people, over plain HTTP/1.1: as much of it as scraping takes.
#pragma once

#include <network_system/core/messaging_server.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

/// Answers one GET on each connection and closes it. HTTP is bytes of a stream to the library, so a request may come in
/// any number of pieces; it is bounded in size and time, and so is the number of connections.
class metrics_page {
public:
    struct page {
        std::string content_type;
        std::function<std::string()> text;
    };

    /// `pages`: by path, as in "/metrics".
    explicit metrics_page(std::map<std::string, page> pages) : pages_(std::move(pages)), server_("metrics", limits()) {
        server_.set_connection_callback([this](const session_ptr& session) {
            const std::string id = session->session_id();
            requests_[id].begin = clock::now();
            session->set_disconnection_callback([this, id](const std::string&) { requests_.erase(id); });
        });
        server_.set_message_handler(
            [this](const session_ptr& session, const std::string& bytes) { receive(session, bytes); });
    }

    /// Of this host alone: put a proxy with a password in front of it for others.
    network_system::VoidResult start(unsigned short port) { return server_.start_server("127.0.0.1", port); }
    unsigned short port() const { return server_.port(); }
    void stop() { server_.stop_server(); }

private:
    using session_ptr = std::shared_ptr<network_system::session::messaging_session>;
    using clock = std::chrono::steady_clock;

    struct request {
        clock::time_point begin;
        std::string bytes;
        bool answered = false;
    };

    static constexpr std::size_t longest_request = 8192;
    static constexpr std::chrono::seconds patience{10};

    static network_system::core::server_config limits() {
        network_system::core::server_config config;
        config.framing = network_system::core::framing_mode::raw;
        config.max_connections = 16;
        config.timeout = patience;
        return config;
    }

    // The handlers run on one loop thread and never overlap, so that requests_ needs no lock.
    void receive(const session_ptr& session, const std::string& bytes) {
        request& pending = requests_[session->session_id()];
        if (pending.answered) {
            return;  // what else comes is of no interest
        }
        pending.bytes += bytes;
        const std::size_t end = pending.bytes.find("\r\n\r\n");
        std::string answer;
        if (std::min(end, pending.bytes.size()) > longest_request) {
            answer = response("431 Request Header Fields Too Large", "text/plain", "the request is too long\n");
        } else if (end != std::string::npos) {
            answer = answer_to(pending.bytes.substr(0, pending.bytes.find("\r\n")));
        } else if (clock::now() - pending.begin > patience) {
            answer = response("408 Request Timeout", "text/plain", "the request takes too long\n");
        } else {
            return;  // the rest is on its way
        }
        pending = {pending.begin, "", true};
        session->send_message(answer);
        session->disconnect();  // once the answer is out
    }

    std::string answer_to(const std::string& request_line) const {
        const std::size_t first = request_line.find(' ');
        const std::size_t second = request_line.find(' ', first + 1);
        if (first == 0 || second == std::string::npos || request_line[first + 1] != '/' ||
            request_line.compare(second, 8, " HTTP/1.") != 0 || request_line.size() != second + 9) {
            return response("400 Bad Request", "text/plain", "this is no HTTP/1.1 request\n");
        }
        const std::string target = request_line.substr(first + 1, second - first - 1);
        const auto found = pages_.find(target.substr(0, target.find('?')));
        if (found == pages_.end()) {
            return response("404 Not Found", "text/plain", "there is no such page\n");
        }
        if (request_line.compare(0, first, "GET") != 0) {
            return response("405 Method Not Allowed", "text/plain", "pages can be read only\n", "Allow: GET\r\n");
        }
        return response("200 OK", found->second.content_type, found->second.text());
    }

    static std::string response(const std::string& status, const std::string& content_type, const std::string& body,
                                const std::string& more_headers = "") {
        return "HTTP/1.1 " + status + "\r\nContent-Type: " + content_type +
               "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + more_headers +
               "Connection: close\r\n\r\n" + body;
    }

    const std::map<std::string, page> pages_;
    std::unordered_map<std::string, request> requests_;  // by session id
    network_system::core::messaging_server server_;      // last: it stops before the rest goes
};
