// A chat client on the modern C++ API.
//
//   chat_client HOST PORT NAME
//
// Sends the lines of standard input and prints what it hears. When its input ends, it says /quit and leaves when the
// server has closed the connection, so that every answer is still printed.

#include <network_system/core/messaging_client.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <future>
#include <iostream>
#include <stdexcept>
#include <string>

namespace {

/// The lines of standard input, until it ends or interrupt() is called, from whichever thread.
class console_input {
public:
    console_input() {
        if (::pipe(wake_.data()) != 0) {
            throw std::runtime_error("no pipe");
        }
    }
    ~console_input() {
        ::close(wake_[0]);
        ::close(wake_[1]);
    }
    console_input(const console_input&) = delete;
    console_input& operator=(const console_input&) = delete;

    bool next(std::string& line) {
        for (;;) {
            const auto end = buffered_.find('\n');
            if (end != std::string::npos) {
                line = buffered_.substr(0, end);
                buffered_.erase(0, end + 1);
                return true;
            }
            if (!fill()) {
                return false;
            }
        }
    }

    void interrupt() {
        if (::write(wake_[1], "", 1) != 1) {
            std::cerr << "chat_client: cannot interrupt the input\n";
        }
    }

private:
    bool fill() {
        std::array<pollfd, 2> sources = {{{STDIN_FILENO, POLLIN, 0}, {wake_[0], POLLIN, 0}}};
        while (::poll(sources.data(), sources.size(), -1) < 0) {
            if (errno != EINTR) {
                return false;
            }
        }
        if (sources[1].revents != 0) {
            return false;
        }
        std::array<char, 4096> chunk{};
        const auto count = ::read(STDIN_FILENO, chunk.data(), chunk.size());
        if (count <= 0) {
            return false;
        }
        buffered_.append(chunk.data(), static_cast<std::size_t>(count));
        return true;
    }

    std::array<int, 2> wake_{};
    std::string buffered_;
};

bool parse_port(const char* text, unsigned short& port) {
    const char* end = text + std::strlen(text);
    const auto [stop, error] = std::from_chars(text, end, port);
    return error == std::errc{} && stop == end;
}

}  // namespace

int main(int argc, char** argv) {
    unsigned short port = 0;
    if (argc != 4 || !parse_port(argv[2], port)) {
        std::cerr << "usage: " << argv[0] << " HOST PORT NAME\n";
        return EXIT_FAILURE;
    }

    using namespace std::chrono_literals;
    network_system::core::client_config config;
    config.connection_timeout = 10s;

    console_input input;
    std::promise<void> disconnected;
    auto ended = disconnected.get_future();

    // Handlers run on the client's own thread, one at a time, and none after stop_client() has returned.
    network_system::core::messaging_client client(argv[3], config);
    client.set_message_handler([](const std::string& line) { std::cout << line << std::flush; });
    client.set_disconnect_handler([&](const std::string& reason) {
        std::cerr << "chat_client: disconnected: " << reason << '\n';
        disconnected.set_value();
        input.interrupt();
    });
    client.set_error_handler(
        [](const std::string& what, int code) { std::cerr << "chat_client: " << what << " (" << code << ")\n"; });

    const auto started = client.start_client(argv[1], port);
    if (!started) {
        std::cerr << "chat_client: cannot start: " << started.error().message << '\n';
        return EXIT_FAILURE;
    }
    if (!client.wait_until_connected(config.connection_timeout + 1s)) {
        return EXIT_FAILURE;  // the error handler has said why
    }

    std::string line;
    while (input.next(line)) {
        if (!client.send_message(line + '\n')) {
            break;
        }
    }
    if (client.send_message("/quit\n")) {
        ended.wait_for(5s);
    }
    client.stop_client();
    return EXIT_SUCCESS;
}
