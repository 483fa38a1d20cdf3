// A program with a loop of its own, in C++: poll() waits for the network and for the program's other descriptors at
// once.
//
//   poll_loop_cpp <INPUT >OUTPUT        as tr a-z A-Z
//
// A client sends what comes on the standard input to a server, which answers in capitals; both live in this process.
// Under dispatch_mode::manual handlers run in poll_events(), on the thread that calls it, and nowhere else. So nothing
// in this program is locked, although two connections are at work.
#include <network_system/core/dispatch.h>
#include <network_system/core/messaging_client.h>
#include <network_system/core/messaging_server.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

namespace core = network_system::core;
using network_system::dispatch_mode;
using session_ptr = std::shared_ptr<network_system::session::messaging_session>;

namespace {

class program {
public:
    program() : server_("capitals", server_settings()), client_("input", client_settings()) {
        server_.set_message_handler([this](const session_ptr& session, const std::string& message) {
            note();
            std::string capitals = message;
            std::transform(capitals.begin(), capitals.end(), capitals.begin(),
                           [](unsigned char byte) { return static_cast<char>(std::toupper(byte)); });
            session->send_message(capitals);
        });
        client_.set_connect_handler([this] {
            note();
            connected_ = true;
        });
        client_.set_message_handler([this](const std::string& message) {
            note();
            ++answered_;
            std::cout << message;
        });
        client_.set_disconnect_handler([this](const std::string&) {
            note();
            failed_ = true;  // not before the end, which is when nobody looks any more
        });
    }

    bool run() {
        const auto descriptor = core::poll_descriptor();
        if (descriptor.is_err() || server_.start_server().is_err() ||
            client_.start_client("127.0.0.1", server_.port()).is_err()) {
            return false;
        }
        while (!failed_ && !(ended_ && answered_ == asked_)) {
            const bool wants_input = connected_ && !ended_ && asked_ - answered_ < window;
            std::array<pollfd, 2> awaited{{
                {descriptor.value(), POLLIN, 0},
                {wants_input ? STDIN_FILENO : -1, POLLIN, 0},  // poll() skips what is negative
            }};
            if (poll(awaited.data(), awaited.size(), -1) < 0 && errno != EINTR) {
                failed_ = true;
            }
            if (awaited[0].revents != 0 && core::poll_events(std::chrono::milliseconds(0)).is_err()) {
                failed_ = true;
            }
            if (awaited[1].revents != 0) {
                read_input();
            }
        }
        const bool good = !failed_ && std::cout.flush();
        // What waits for a server or client runs its last handlers, here on main's thread too.
        client_.stop_client();
        server_.stop_server();
        std::cerr << answered_ << " messages, " << handled_ << " handlers, " << elsewhere_
                  << " of them not on main's thread\n";
        return good && elsewhere_ == 0;
    }

private:
    /// What the client may have asked without an answer: as long as that much is under way, no input is read.
    static constexpr unsigned long window = 64;

    static network_system::server_config server_settings() {
        network_system::server_config config;
        config.bind_address = "127.0.0.1";
        config.port = 0;
        config.dispatch = dispatch_mode::manual;
        return config;
    }

    static network_system::client_config client_settings() {
        network_system::client_config config;
        config.dispatch = dispatch_mode::manual;
        return config;
    }

    void note() {
        ++handled_;
        elsewhere_ += std::this_thread::get_id() != main_thread_ ? 1 : 0;
    }

    /// Something to read, or the end of it.
    void read_input() {
        std::array<char, 4096> bytes{};
        const ssize_t count = read(STDIN_FILENO, bytes.data(), bytes.size());
        if (count > 0) {
            failed_ = client_.send_message(std::string(bytes.data(), static_cast<std::size_t>(count))).is_err();
            ++asked_;
        } else if (count == 0 || errno != EINTR) {
            ended_ = true;
            failed_ = count < 0;
        }
    }

    const std::thread::id main_thread_ = std::this_thread::get_id();
    unsigned long handled_ = 0, elsewhere_ = 0;
    unsigned long asked_ = 0, answered_ = 0;
    bool connected_ = false, ended_ = false, failed_ = false;
    // Last, so that they end before what their handlers use.
    core::messaging_server server_;
    core::messaging_client client_;
};

}  // namespace

int main() {
    return program().run() ? EXIT_SUCCESS : EXIT_FAILURE;
}
