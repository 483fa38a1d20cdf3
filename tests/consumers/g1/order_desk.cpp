// G1, September and October 2025: a desk that sends orders to an exchange, inside a program that has a namespace
// `messaging` of its own, and opens the namespaces of several libraries beside each other.
#include <memory>
#include <string>
#include <utility>

// A header of the program: it holds the library's classes by pointer and declares them where they live.
namespace network_system::core {
class messaging_client;
class messaging_server;
}  // namespace network_system::core
namespace network_system::session {
class messaging_session;
}

struct desk_parts {
    std::shared_ptr<network_system::core::messaging_client> to_exchange;
    std::shared_ptr<network_system::core::messaging_server> for_traders;
    std::shared_ptr<network_system::session::messaging_session> trader;
};

// The program's own names, in a namespace that the library opens too.
namespace messaging {

template <typename T>
struct Result {
    T value;
    std::string error_text;
};
using VoidResult = Result<bool>;

inline VoidResult error(std::string text) {
    return {false, std::move(text)};
}

namespace network {
struct endpoint {
    std::string host;
    unsigned short port;
};
}  // namespace network

}  // namespace messaging

// Stand-ins for the libraries that such programs open beside it.
namespace container_module {
class value_container {};
}  // namespace container_module
namespace database {
class database_manager {};
}  // namespace database

#include <network_system/compatibility.h>

#include <array>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "../check.h"

using namespace network_module;
using namespace network_system;
using namespace container_module;
using namespace database;

namespace {

using asio::ip::tcp;

std::vector<uint8_t> order(const std::string& text) {
    return {text.begin(), text.end()};
}

std::string read(tcp::socket& socket, std::size_t length) {
    std::string text(length, '\0');
    asio::read(socket, asio::buffer(text));
    return text;
}

/// How the connection ends, after all that was sent on it was read.
std::error_code end_of(tcp::socket& socket) {
    char byte = 0;
    std::error_code error;
    socket.read_some(asio::buffer(&byte, 1), error);
    return error;
}

/// Sends when connected. Before that a send is an error, which the desk takes as "again".
messaging::VoidResult place(messaging_client& client, const messaging::network::endpoint& exchange,
                            const std::string& text) {
    if (const auto started = client.start_client(exchange.host, exchange.port); started.is_err()) {
        return messaging::error(started.error().message);
    }
    auto packet = order(text);
    const auto deadline = std::chrono::steady_clock::now() + check::patience;
    for (auto sent = client.send_packet(std::move(packet)); !sent; sent = client.send_packet(std::move(packet))) {
        CHECK(sent.error().code == error_codes::network_system::connection_closed);
        if (std::chrono::steady_clock::now() > deadline) {
            return messaging::error("the exchange does not answer: " + sent.error().message);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));  // the pace at which it asks again, of no matter
    }
    client.send_packet(std::move(packet));  // for the record, the same vector once more
    CHECK(packet == order(text));
    return {true, {}};
}

void orders_reach_the_exchange() {
    asio::io_context context;
    tcp::acceptor exchange(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const messaging::network::endpoint address{"127.0.0.1", exchange.local_endpoint().port()};

    desk_parts desk;
    desk.to_exchange = create_client("desk");
    CHECK(desk.to_exchange->send_packet(order("early")).error().code == -603);
    CHECK(place(*desk.to_exchange, address, "buy 100;").value);
    tcp::socket connection = exchange.accept();
    CHECK(read(connection, 16) == "buy 100;buy 100;");

    const auto again = place(*desk.to_exchange, address, "sell");
    CHECK(!again.value && !again.error_text.empty());  // it runs already
    const auto connected = [&] { return desk.to_exchange->is_connected(); };
    CHECK(network_system::test_utils::wait_for_condition(connected, check::patience));

    // The exchange drops the desk, which takes a failing send as the sign to start again.
    connection.close();
    const auto noticed = [&] { return desk.to_exchange->send_packet(order("?")).is_err(); };
    CHECK(network_system::test_utils::wait_for_condition(noticed, check::patience));
    desk.to_exchange->stop_client();
    CHECK(place(*desk.to_exchange, address, "sell 50;").value);
    connection = exchange.accept();
    CHECK(read(connection, 16) == "sell 50;sell 50;");
    desk.to_exchange->stop_client();
    CHECK(end_of(connection) == asio::error::eof);
    desk.to_exchange->wait_for_stop();
}

void traders_are_served() {
    const unsigned short port = check::free_port();
    desk_parts desk;
    desk.for_traders = create_server("traders");

    // Results, in all the ways in which they are used.
    CHECK(desk.for_traders->stop_server().error().code == error_codes::network_system::server_not_started);
    desk.for_traders->start_server(port);
    if (!desk.for_traders->start_server(port)) {
        const auto twice = desk.for_traders->start_server(port);
        CHECK(twice.is_err());
        CHECK(twice.error().code == error_codes::network_system::server_already_running);
        CHECK(!twice.error().message.empty());
    } else {
        CHECK(!"started twice");
    }
    auto other = create_server("other");
    bool started = other->start_server(port);
    CHECK(!started);
    CHECK(other->start_server(port).error().code == error_codes::network_system::bind_failed);
    const VoidResult nameless = create_client("nameless")->start_client("", port);
    CHECK(nameless.is_err() && nameless.error().code == error_codes::common::invalid_argument);

    asio::io_context context;
    tcp::socket trader(context);
    trader.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port));
    asio::write(trader, asio::buffer(std::string("hello")));
    VoidResult stopped = desk.for_traders->stop_server();
    CHECK(stopped.is_ok());
    const std::error_code end = end_of(trader);
    CHECK(end == asio::error::eof || end == asio::error::connection_reset);  // if the stop came before the accept

    // A session of the desk's own acceptor.
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    tcp::socket guest(context);
    guest.connect(acceptor.local_endpoint());
    desk.trader = std::make_shared<messaging_session>(acceptor.accept(), "desk");
    desk.trader->start_session();
    auto quote = order("99.5");
    desk.trader->send_packet(std::move(quote));
    desk.trader->send_packet(std::move(quote));
    CHECK(read(guest, 8) == "99.599.5");
    desk.trader->stop_session();
    CHECK(end_of(guest) == asio::error::eof);
}

void quotes_are_worked_out_in_the_pool() {
    compat::initialize();
    compat::initialize();
    auto& threads = thread_integration_manager::instance();
    CHECK(threads.get_metrics().is_running);
    auto sum = std::make_shared<std::atomic<int>>(0);
    std::vector<std::future<void>> quotes;
    for (int i = 1; i <= 100; ++i) {
        quotes.push_back(threads.submit_task([sum, i] { *sum += i; }));
    }
    for (auto& quote : quotes) {
        quote.get();
    }
    CHECK(*sum == 5050);

    auto& containers = container_manager::instance();
    CHECK(containers.serialize(std::any(std::string("quote"))) == order("quote"));
    CHECK(containers.serialize(std::any("a literal")).empty());
    CHECK(std::any_cast<std::string>(containers.deserialize(order("quote"))) == "quote");
    CHECK(!compat::has_container_support() || HAS_CONTAINER_INTEGRATION);

    compat::shutdown();
    auto late = threads.submit_task([] {});  // in a new default pool, or with an error in the future; never a throw
    late.wait();
}

void a_bridge_tells_what_passes() {
    const std::shared_ptr<messaging_bridge> bridge = create_bridge();
    CHECK(bridge->is_initialized());
    bridge->set_thread_pool_interface(std::make_shared<basic_thread_pool>(2));
    CHECK(bridge->get_thread_pool_interface()->worker_count() == 2);
    const unsigned short port = check::free_port();
    const auto exchange = bridge->create_server("exchange");
    CHECK(!exchange->start_server(port).is_err());
    const auto desk = bridge->create_client("desk");
    CHECK(place(*desk, {"127.0.0.1", port}, "buy").value);
    const auto passed = [&] { return bridge->get_metrics().bytes_received == 6; };
    CHECK(network_system::test_utils::wait_for_condition(passed, check::patience));

    const messaging_bridge::performance_metrics metrics = bridge->get_metrics();
    CHECK(metrics.messages_sent == 2 && metrics.messages_received > 0 && metrics.connections_active == 2);
    CHECK(metrics.avg_latency == std::chrono::milliseconds(0));  // raw connections have no heartbeats
    CHECK(metrics.start_time <= std::chrono::steady_clock::now());
    bridge->reset_metrics();
    CHECK(bridge->get_metrics().messages_sent == 0);
    desk->stop_client();
    CHECK(!exchange->stop_server().is_err());
}

}  // namespace

int main() {
    orders_reach_the_exchange();
    traders_are_served();
    quotes_are_worked_out_in_the_pool();
    a_bridge_tells_what_passes();
    value_container container;
    database_manager records;
    static_cast<void>(container);
    static_cast<void>(records);
    std::cout << "6 orders and 2 quotes arrived\n";
}
