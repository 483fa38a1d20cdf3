// G4, 2026: a gateway to which devices report, and which passes each report on to all who watch. Everything comes from
// the facade and is held by its interface; sessions are known by their ids.
#include <memory>

namespace kcenon::network::core {
class messaging_client;
}
namespace kcenon::network::interfaces {
class i_protocol_client;
class i_protocol_server;
class i_session;
}  // namespace kcenon::network::interfaces

struct gateway_parts {
    std::shared_ptr<kcenon::network::interfaces::i_protocol_server> server;
    std::shared_ptr<kcenon::network::core::messaging_client> monitor;
};

#include <kcenon/network/facade/tcp_facade.h>
#include <kcenon/network/interfaces/connection_observer.h>
#include <kcenon/network/interfaces/i_protocol_client.h>
#include <kcenon/network/interfaces/i_protocol_server.h>
#include <kcenon/network/interfaces/i_session.h>
#include <kcenon/network/internal/core/messaging_client.h>
#include <kcenon/network/network_system.h>
#include <kcenon/network/session/session.h>

#include <chrono>
#include <iostream>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <vector>

#include "../check.h"

namespace {

using kcenon::network::facade::tcp_facade;
using namespace kcenon::network::interfaces;

std::vector<uint8_t> line(std::string_view text) {
    std::vector<uint8_t> bytes(text.begin(), text.end());
    bytes.push_back('\n');
    return bytes;
}

/// Cuts a stream into lines.
class line_reader {
public:
    template <typename Consumer>
    void read(std::span<const uint8_t> bytes, Consumer&& consume) {
        for (const uint8_t byte : bytes) {
            if (byte == '\n') {
                consume(std::exchange(line_, std::string()));
            } else {
                line_.push_back(static_cast<char>(byte));
            }
        }
    }

private:
    std::string line_;
};

class gateway {
public:
    gateway() {
        const tcp_facade facade;
        auto server = facade.create_server({.port = 0, .server_id = "gateway"});
        if (server.is_err()) {
            throw std::runtime_error(server.error().message);
        }
        parts_.server = std::move(server.value());
        CHECK(!parts_.server->is_running());
        CHECK(parts_.server->stop().is_ok());  // nothing to stop is no error here
        parts_.server->set_connection_callback([this](auto session) {
            CHECK(session->is_connected());
            const std::lock_guard<std::mutex> lock(mutex_);
            const bool added = members_.emplace(std::string(session->id()), member{session, {}, false}).second;
            CHECK(added);
        });
        parts_.server->set_receive_callback([this](auto id, const auto& data) {
            const std::lock_guard<std::mutex> lock(mutex_);
            auto& sender = members_.at(std::string(id));
            sender.reader.read(data, [&](const std::string& text) { handle(id, sender, text); });
        });
        parts_.server->set_disconnection_callback([this](auto id) {
            const std::lock_guard<std::mutex> lock(mutex_);
            CHECK(members_.erase(std::string(id)) == 1);
            left_.add(std::string(id));
        });
        parts_.server->set_error_callback([](auto, std::error_code error) { CHECK(error); });
        start();
    }
    ~gateway() { parts_.server->stop(); }

    void start() {
        const auto started = parts_.server->start(0);
        CHECK(started.is_ok());
        CHECK(parts_.server->start(0).error().code == -7);
    }

    void stop() {
        CHECK(parts_.server->stop().is_ok());
        const std::lock_guard<std::mutex> lock(mutex_);
        CHECK(members_.empty());  // each end was told before stop returned
    }

    uint16_t port() const { return parts_.server->port(); }
    std::size_t connections() const { return parts_.server->connection_count(); }
    bool wait_for_leavers(std::size_t count) { return left_.wait_for(count); }

    void turn_everybody_out() {
        const std::lock_guard<std::mutex> lock(mutex_);
        for (auto& [id, member] : members_) {
            member.session->close();  // the disconnection callback wants the lock that is held here
        }
    }

private:
    struct member {
        std::shared_ptr<i_session> session;
        line_reader reader;
        bool watches;
    };

    void handle(std::string_view id, member& sender, const std::string& text) {
        if (text == "watch") {
            sender.watches = true;
            CHECK(sender.session->send(line("watching")).is_ok());
            return;
        }
        auto report = line(std::string(id) + " " + text);
        for (auto& [other_id, other] : members_) {
            if (other.watches && other.session->is_connected()) {
                other.session->send(std::move(report));  // the same vector for each
            }
        }
    }

    gateway_parts parts_;
    std::mutex mutex_;
    std::unordered_map<std::string, member> members_;
    check::recorder<std::string> left_;
};

/// Hears with an observer.
class watcher final : public connection_observer, public std::enable_shared_from_this<watcher> {
public:
    void watch(const gateway& at) {
        if (!client_) {
            auto created = tcp_facade().create_client(
                {.host = "127.0.0.1", .port = at.port(), .client_id = "watcher", .timeout = std::chrono::seconds(10)});
            CHECK(created.is_ok());
            client_ = created.value();
            CHECK(client_->is_running());  // the facade has started it
        } else {
            CHECK(client_->start("127.0.0.1", at.port()).is_ok());
        }
        client_->set_observer(shared_from_this());
        const auto connected = [this] { return client_->is_connected(); };  // perhaps before it was observed
        CHECK(kcenon::network::test_utils::wait_for_condition(connected, check::patience));
        CHECK(client_->send(line("watch")).is_ok());
        CHECK(lines.wait_for(++watched_ + reports_));
        CHECK(lines.last() == "watching");
    }

    void expect_reports(std::size_t count) {
        reports_ += count;
        CHECK(lines.wait_for(watched_ + reports_));
    }

    void stop() {
        CHECK(client_->stop().is_ok());
        client_->set_observer(nullptr);  // each holds the other
    }

    void on_receive(std::span<const uint8_t> data) override {
        reader_.read(data, [this](const std::string& text) { lines.add(text); });
    }
    void on_connected() override {}
    void on_disconnected(std::optional<std::string_view> reason) override {
        ends.add(std::string(reason.value_or("no reason")));
    }
    void on_error(std::error_code error) override { CHECK(error); }

    check::recorder<std::string> lines;
    check::recorder<std::string> ends;

private:
    std::shared_ptr<i_protocol_client> client_;
    line_reader reader_;
    std::size_t watched_ = 0;
    std::size_t reports_ = 0;
};

/// A device of February 2026, when the facade gave the client itself.
void report_and_leave(uint16_t port, const std::string& text) {
    const tcp_facade facade;
    std::shared_ptr<i_protocol_client> device = facade.create_client({.host = "localhost", .port = port});
    check::event disconnected;
    device->set_disconnected_callback([&] { disconnected.set(); });
    device->set_error_callback([](auto) {});
    const auto connected = [&] { return device->is_connected(); };
    CHECK(kcenon::network::test_utils::wait_for_condition(connected, check::patience));
    CHECK(device->send({}).error().code == -1);
    CHECK(device->send(line(text)));
    CHECK(device->stop());
    CHECK(disconnected.wait());  // at an explicit stop too
    CHECK(device->send({}).error().code == -603);
    device->wait_for_stop();
}

void configurations_are_checked() {
    const tcp_facade facade;
    CHECK(facade.create_client({.host = "", .port = 1}).error().code == -1);
    CHECK(facade.create_client({.host = "localhost", .port = 1, .use_ssl = true, .ca_cert_path = "missing"})
              .error()
              .code == -600);
    CHECK(facade.create_server({.use_ssl = true}).error().code == -1);
    CHECK(facade.create_server({.use_ssl = true, .cert_path = "c", .key_path = "k"}).value()->start(0).is_err());
    try {
        std::shared_ptr<i_protocol_client> client = facade.create_client({});
        CHECK(!"this threw in February");
    } catch (const std::exception& exception) {
        CHECK(std::string(exception.what()).find("host") != std::string::npos);
    }
}

/// The class behind the interface, by its own header; it stops itself in a callback of an observer made of functions.
void ask_once(uint16_t port) {
    gateway_parts parts;
    parts.monitor = std::make_shared<kcenon::network::core::messaging_client>("monitor");
    const std::shared_ptr<i_protocol_client> client = parts.monitor;
    const auto observer = std::make_shared<callback_adapter>();
    check::recorder<std::string> heard;
    observer->on_connected([&] { client->send(line("watch")); })
        .on_receive([&](auto bytes) {
            heard.add(std::string(bytes.begin(), bytes.end()));
            client->stop();
        })
        .on_disconnected([&](auto reason) { heard.add(std::string(reason.value_or(""))); });
    client->set_observer(observer);
    CHECK(client->start("127.0.0.1", port).is_ok());
    CHECK(heard.wait_for(2));
    client->wait_for_stop();
    CHECK((heard.all() == std::vector<std::string>{"watching\n", "stopped"}));
}

}  // namespace

int main() {
    configurations_are_checked();

    gateway devices;
    const auto first = std::make_shared<watcher>();
    const auto second = std::make_shared<watcher>();
    first->watch(devices);
    second->watch(devices);
    CHECK(devices.connections() == 2);
    for (int i = 0; i < 10; ++i) {
        report_and_leave(devices.port(), "report " + std::to_string(i));
    }
    first->expect_reports(10);
    second->expect_reports(10);
    CHECK(first->lines.all() == second->lines.all());
    std::set<std::string> senders;
    for (const std::string& text : first->lines.all()) {
        if (const auto blank = text.find(' '); blank != std::string::npos) {
            senders.insert(text.substr(0, blank));
            CHECK(text.substr(blank, 8) == " report ");
        }
    }
    CHECK(senders.size() == 10);  // each session had an id of its own
    ask_once(devices.port());
    CHECK(devices.wait_for_leavers(11));

    devices.turn_everybody_out();
    CHECK(first->ends.wait_for(1) && second->ends.wait_for(1));
    first->watch(devices);  // the same client again
    report_and_leave(devices.port(), "after the break");
    first->expect_reports(1);
    first->stop();
    CHECK(first->ends.last() == "stopped");

    devices.stop();
    devices.start();
    second->watch(devices);
    report_and_leave(devices.port(), "after the restart");
    second->expect_reports(1);
    second->stop();
    std::cout << "22 reports arrived\n";
}
