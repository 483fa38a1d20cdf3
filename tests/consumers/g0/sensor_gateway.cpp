// G0, July 2025: a gateway that reports the readings of its sensors to a collector, and takes alarms in.
//
// network_module has no callbacks and returns nothing. So the gateway cannot know when it is connected: it repeats each
// report until the collector has it. What its own server receives, it cannot see either; it serves one socket of an
// acceptor of its own as a session, to greet who comes.
#include <network/network.h>

#include <array>
#include <cstring>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "../check.h"
#include "core/messaging_server.h"
#include "network/core/messaging_client.h"
#include "network/internal/common_defs.h"
#include "network/session/messaging_session.h"

using namespace network_module;

namespace {

using asio::ip::tcp;

// A report on the wire: 'R', the mode, the number and the length of the readings as four bytes each, the readings.
constexpr std::size_t header_size = 10;

void put_u32(std::vector<uint8_t>& out, uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) {
        out.push_back(static_cast<uint8_t>(value >> shift));
    }
}

uint32_t get_u32(const uint8_t* bytes) {
    return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<uint32_t>(bytes[3]) << 24;
}

std::vector<uint8_t> make_readings(uint32_t number) {
    // More than the old library read at a time, every other time.
    std::vector<uint8_t> readings(number % 2 == 0 ? 16 : 3 * default_buffer_size + number);
    for (std::size_t i = 0; i < readings.size(); ++i) {
        readings[i] = static_cast<uint8_t>(number + i);
    }
    return readings;
}

std::vector<uint8_t> make_report(uint32_t number) {
    const auto readings = make_readings(number);
    std::vector<uint8_t> report{'R', static_cast<uint8_t>(data_mode::binary_mode)};
    put_u32(report, number);
    put_u32(report, static_cast<uint32_t>(readings.size()));
    report.insert(report.end(), readings.begin(), readings.end());
    return report;
}

/// The other company's program: plain asio.
class collector {
public:
    collector() : acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}

    unsigned short port() const { return acceptor_.local_endpoint().port(); }

    /// Serves one connection on a thread, until it ends or the report `last` is here.
    void serve(uint32_t last) {
        thread_ = std::thread([this, last] {
            tcp::socket socket = acceptor_.accept();
            std::error_code error;
            while (!seen_.count(last)) {
                std::array<uint8_t, header_size> header;
                asio::read(socket, asio::buffer(header), error);
                if (error) {
                    return;
                }
                CHECK(header[0] == 'R');
                CHECK(header[1] == static_cast<uint8_t>(data_mode::binary_mode));
                const uint32_t number = get_u32(&header[2]);
                std::vector<uint8_t> readings(get_u32(&header[6]));
                asio::read(socket, asio::buffer(readings));
                CHECK(readings == make_readings(number));
                seen_.insert(number);
                reports_.add(number);
            }
        });
    }

    void wait() { thread_.join(); }
    bool has(uint32_t number) const {
        for (const uint32_t report : reports_.all()) {
            if (report == number) {
                return true;
            }
        }
        return false;
    }

private:
    asio::io_context context_;
    tcp::acceptor acceptor_;
    std::thread thread_;
    std::set<uint32_t> seen_;
    check::recorder<uint32_t> reports_;
};

void report_readings() {
    collector office;
    auto client = std::make_shared<messaging_client>("gateway");
    client->stop_client();  // does nothing yet
    uint32_t number = 0;
    for (int shift = 0; shift < 3; ++shift) {  // the collector closes after each
        office.serve(number + 9);
        client->start_client("localhost", office.port());
        client->start_client("localhost", office.port());  // ignored
        for (int i = 0; i < 10; ++i, ++number) {
            std::vector<uint8_t> report = make_report(number);
            const std::vector<uint8_t> before = report;
            const auto seen = [&] { return office.has(number); };
            do {
                client->send_packet(report);
                CHECK(report == before);
            } while (!network_system::test_utils::wait_for_condition(seen, std::chrono::milliseconds(100)));
        }
        office.wait();
        client->stop_client();
        client->wait_for_stop();
    }
    CHECK(number == 30);
}

void take_alarms() {
    const unsigned short port = check::free_port();
    auto server = std::make_shared<messaging_server>("alarms");
    server->wait_for_stop();  // never started: returns
    server->start_server(port);
    server->start_server(port);  // ignored

    asio::io_context context;
    std::vector<tcp::socket> sensors;
    for (int i = 0; i < 5; ++i) {
        sensors.emplace_back(context);
        sensors.back().connect(tcp::endpoint(asio::ip::address_v4::loopback(), port));
        asio::write(sensors.back(), asio::buffer(std::string(10000, 'a')));
    }
    std::thread waiter([server] { server->wait_for_stop(); });
    server->stop_server();
    server->stop_server();  // ignored
    waiter.join();
    for (auto& sensor : sensors) {
        char byte = 0;
        std::error_code error;
        sensor.read_some(asio::buffer(&byte, 1), error);
        CHECK(error == asio::error::eof ||
              error == asio::error::connection_reset);  // if the stop came before the accept
    }
    server->start_server(port);  // and runs when the last pointer goes
}

void greet() {
    asio::io_context context;
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    tcp::socket visitor(context);
    visitor.connect(acceptor.local_endpoint());

    auto session = std::make_shared<messaging_session>(acceptor.accept(), "greeter");
    session->start_session();
    session->start_session();
    std::vector<uint8_t> greeting{'h', 'e', 'l', 'l', 'o'};
    session->send_packet(greeting);
    session->send_packet(greeting);
    std::string heard(2 * greeting.size(), '\0');
    asio::read(visitor, asio::buffer(heard));
    CHECK(heard == "hellohello");
    session->stop_session();
    session->send_packet(greeting);  // ignored
    std::error_code error;
    visitor.read_some(asio::buffer(heard), error);
    CHECK(error == asio::error::eof);
}

}  // namespace

int main() {
    report_readings();
    take_alarms();
    greet();
    std::cout << "30 reports, 5 alarms and a greeting arrived\n";
}
