// Passes files from one client to another, whatever their size, in bounded memory.
//
//   transfer_server [PORT]      PORT 0 or absent: a free one; prints "listening on <port>"; ends on SIGINT or SIGTERM
//
// A send inside a handler never waits: it queues. So a relay whose source is faster than its target must stop reading
// from the source. This one does when the target's queue has grown past a mark, and goes on when the target's
// writable handler tells that the queue has drained. TCP hands the pressure on: the source's own queue fills, and
// its next send waits.

#include <network_system/core/messaging_server.h>
#include <pthread.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <unordered_map>

#include "transfer_protocol.h"

namespace {

using network_system::core::messaging_server;
using session_ptr = std::shared_ptr<network_system::session::messaging_session>;
using transfer::kind;

constexpr std::size_t queue_limit = 1024 * 1024;

/// Above the limit, so that the queue has certainly been full: the writable event follows a full queue only.
constexpr std::size_t pause_above = 2 * queue_limit;

/// Joins senders to the receivers that they ask for. The server's handlers never overlap, so nothing is locked.
class relay {
public:
    void receive(const session_ptr& session, const std::string& message) {
        const auto joined = partners_.find(session->session_id());
        if (joined != partners_.end()) {
            pass_on(session, joined->second, message);
        } else if (is(kind::ready, message)) {
            await_sender(session);
        } else if (is(kind::offer, message)) {
            join(session, message);
        } else {
            session->disconnect("a transfer begins with ready or offer");
        }
    }

    void leave(const session_ptr& session) {
        const auto waiting = waiting_.find(session->client_id());
        if (waiting != waiting_.end() && waiting->second == session) {
            waiting_.erase(waiting);
        }
        const auto joined = partners_.find(session->session_id());
        if (joined == partners_.end()) {
            return;
        }
        const session_ptr partner = joined->second;
        partners_.erase(joined);
        partners_.erase(partner->session_id());
        send(partner, transfer::message(kind::refuse, "the other side has gone"));
        partner->resume_reading();
    }

private:
    static void send(const session_ptr& session, const std::string& message) {
        session->send_binary_message(message.data(), message.size());
    }

    static void pass_on(const session_ptr& source, const session_ptr& target, const std::string& message) {
        send(target, message);
        if (target->queued_bytes() >= pause_above) {
            source->pause_reading();
        }
    }

    void await_sender(const session_ptr& receiver) {
        const bool added = waiting_.emplace(receiver->client_id(), receiver).second;
        send(receiver, added ? transfer::message(kind::ready) : transfer::message(kind::refuse, "that name is taken"));
    }

    void join(const session_ptr& sender, const std::string& message) {
        const auto offer = transfer::offer::decode(message);
        const auto found = offer ? waiting_.find(offer->receiver) : waiting_.end();
        if (found == waiting_.end()) {
            send(sender, transfer::message(kind::refuse, "no receiver of that name is waiting"));
            return;
        }
        const session_ptr receiver = found->second;
        waiting_.erase(found);
        partners_.emplace(sender->session_id(), receiver);
        partners_.emplace(receiver->session_id(), sender);
        receiver->set_writable_handler([sender] { sender->resume_reading(); });
        sender->set_writable_handler([receiver] { receiver->resume_reading(); });
        send(receiver, message);
    }

    std::unordered_map<std::string, session_ptr> waiting_;   // receivers, by the name that senders ask for
    std::unordered_map<std::string, session_ptr> partners_;  // both directions, by session id
};

}  // namespace

int main(int argc, char** argv) {
    network_system::core::server_config config;
    config.port = 0;
    config.send_queue_limit = queue_limit;
    if (argc > 2 || (argc == 2 && !transfer::parse_port(argv[1], config.port))) {
        std::cerr << "usage: " << argv[0] << " [PORT]\n";
        return EXIT_FAILURE;
    }

    // Blocked before the library starts threads, which inherit the mask: sigwait below is then the only receiver.
    sigset_t stop_signals;
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGINT);
    sigaddset(&stop_signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);

    relay transfers;
    messaging_server server("transfer", config);
    server.set_message_handler([&](auto session, const std::string& message) { transfers.receive(session, message); });
    server.set_disconnect_handler([&](auto session, const std::string&) { transfers.leave(session); });
    server.set_error_handler(
        [](const std::string& what, int code) { std::cerr << "transfer_server: " << what << " (" << code << ")\n"; });

    const auto started = server.start_server();
    if (!started) {
        std::cerr << "transfer_server: cannot start: " << started.error().message << '\n';
        return EXIT_FAILURE;
    }
    std::cout << "listening on " << server.port() << std::endl;

    int received = 0;
    sigwait(&stop_signals, &received);
    server.stop_server();

    const auto totals = server.get_statistics();
    std::cout << "passed on " << totals.bytes_received << " bytes in " << totals.messages_received << " messages"
              << std::endl;
    return EXIT_SUCCESS;
}
