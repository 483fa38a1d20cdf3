// A chat server of October 2025, written for the old network_module. Nothing in it knows of the library that now
// stands behind these names: it is here to be compiled and run as it is.
//
//   legacy_chat_server PORT
//
// Whoever connects is a guest with a number. Each line that a guest sends goes to all of them.

#include <network_system/compatibility.h>
#include <pthread.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace {

using session_ptr = std::shared_ptr<network_module::messaging_session>;

// All callbacks of one server come from its one thread, so none of this needs a lock.
class guest_book {
public:
    void enter(const session_ptr& session) {
        forget_the_gone();
        const std::string name = "guest-" + std::to_string(++last_number_);
        guests_[session].name = name;
        tell_all("* " + name + " has come\n");
    }

    void receive(const session_ptr& session, const std::vector<uint8_t>& data) {
        const auto found = guests_.find(session);
        if (found == guests_.end()) {
            return;
        }
        guest& speaker = found->second;
        speaker.unfinished.append(data.begin(), data.end());

        // TCP is a stream: a chunk may hold several lines, and the last of them may be only half here.
        std::string::size_type begin = 0;
        std::string::size_type end = 0;
        while ((end = speaker.unfinished.find('\n', begin)) != std::string::npos) {
            tell_all(speaker.name + ": " + speaker.unfinished.substr(begin, end - begin) + "\n");
            begin = end + 1;
        }
        speaker.unfinished.erase(0, begin);
        if (speaker.unfinished.size() > longest_line) {
            session->stop_session();
        }
    }

    // The disconnection callback names the server and not the session: the sessions know by themselves.
    void forget_the_gone() {
        std::vector<std::string> gone;
        for (auto it = guests_.begin(); it != guests_.end();) {
            if (it->first->is_stopped()) {
                gone.push_back(it->second.name);
                it = guests_.erase(it);
            } else {
                ++it;
            }
        }
        for (const std::string& name : gone) {
            tell_all("* " + name + " has gone\n");
        }
    }

private:
    struct guest {
        std::string name;
        std::string unfinished;
    };

    void tell_all(const std::string& line) {
        for (auto& [session, guest] : guests_) {
            std::vector<uint8_t> packet(line.begin(), line.end());
            session->send_packet(std::move(packet));
        }
    }

    static constexpr std::size_t longest_line = 4096;

    std::map<session_ptr, guest> guests_;
    int last_number_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: " << argv[0] << " PORT\n";
        return EXIT_FAILURE;
    }

    // Blocked before the first thread starts, so that only sigwait takes them.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    guest_book guests;
    auto server = network_module::create_server("legacy_chat");

    server->set_connection_callback([&guests](auto session) { guests.enter(session); });
    server->set_receive_callback([&guests](auto session, const auto& data) { guests.receive(session, data); });
    server->set_disconnection_callback([&guests](const auto&) { guests.forget_the_gone(); });
    server->set_error_callback([](auto, auto error) { std::cerr << "session error: " << error.message() << '\n'; });

    auto result = server->start_server(static_cast<unsigned short>(std::atoi(argv[1])));
    if (result.is_err()) {
        std::cerr << "cannot start: " << result.error().message << '\n';
        return EXIT_FAILURE;
    }
    std::cout << "started" << std::endl;

    std::thread stopper([&signals, &server] {
        int received = 0;
        sigwait(&signals, &received);
        server->stop_server();
    });
    server->wait_for_stop();
    stopper.join();
    std::cout << "stopped" << std::endl;
    return EXIT_SUCCESS;
}
