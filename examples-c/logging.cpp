// A logger of the program's own, behind the NETWORK_LOG_* macros and behind the library.
//
//   logging_cpp
//
// The logger keeps the lines. The program's come with their place in the source, the library's with the part that says
// them; single messages are lines, too, since the server is configured so.

#include <network_system/core/messaging_client.h>
#include <network_system/core/messaging_server.h>
#include <network_system/integration/logger_integration.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace core = network_system::core;
using network_system::integration::log_level;
using network_system::integration::logger_integration_manager;
using network_system::session::messaging_session;

namespace {

/// Called on any thread, several at a time.
class journal final : public network_system::integration::logger_interface {
public:
    void log(log_level, const std::string& message) override {
        const std::lock_guard<std::mutex> lock(mutex_);
        std::cout << "library: " << message << '\n';
        lines_.push_back(message);
    }

    void log(log_level, const std::string& message, const std::string& file, int line, const std::string&) override {
        const std::lock_guard<std::mutex> lock(mutex_);
        std::cout << "program: " << message << " (" << file.substr(file.rfind('/') + 1) << ":" << line << ")\n";
        lines_.push_back(message);
    }

    bool is_level_enabled(log_level level) const override { return level >= log_level::info; }
    void flush() override { std::cout.flush(); }

    int count(const std::string& part) const {
        const std::lock_guard<std::mutex> lock(mutex_);
        int found = 0;
        for (const std::string& line : lines_) {
            found += line.find(part) != std::string::npos ? 1 : 0;
        }
        return found;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
};

std::string not_wanted() {
    NETWORK_LOG_ERROR("a text that nobody wants was made");
    return {};
}

bool exchange() {
    core::server_config config;
    config.framing = core::framing_mode::framed;
    config.log_messages = true;
    core::messaging_server server("log-keeper", config);
    std::promise<void> arrived;
    server.set_message_handler([&](std::shared_ptr<messaging_session>, const std::string&) { arrived.set_value(); });
    if (const auto started = server.start_server(0); !started) {
        NETWORK_LOG_FATAL("the server cannot start: " + started.error().message);
        return false;
    }
    NETWORK_LOG_INFO("the server is up");
    NETWORK_LOG_DEBUG(not_wanted());

    core::client_config client_config;
    client_config.framing = core::framing_mode::framed;
    core::messaging_client client("visitor", client_config);
    const std::string secret = "tell nobody";
    bool ok = client.start_client("127.0.0.1", server.port()) &&
              client.wait_until_connected(std::chrono::seconds(10)) &&
              client.send_packet({secret.begin(), secret.end()});
    ok = ok && arrived.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready;
    if (!ok) {
        NETWORK_LOG_ERROR("the message did not arrive");
    }
    client.stop_client();
    server.stop_server();
    return ok;
}

}  // namespace

int main() {
    const auto log = std::make_shared<journal>();
    logger_integration_manager::instance().set_logger(log);
    const bool exchanged = exchange();
    logger_integration_manager::instance().set_logger(nullptr);

    const bool complete = log->count("the server is up") == 1 &&
                          log->count("network_system::messages: received") == 1 && log->count("bytes=11") == 1 &&
                          log->count("listens on") == 1;
    const bool discreet = log->count("tell nobody") == 0 && log->count("nobody wants") == 0;
    std::cout << (complete ? "complete" : "incomplete") << " and " << (discreet ? "discreet" : "indiscreet") << '\n';
    return exchanged && complete && discreet ? EXIT_SUCCESS : EXIT_FAILURE;
}
