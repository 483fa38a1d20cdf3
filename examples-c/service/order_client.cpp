// Orders from the desk (service.cpp) and checks each receipt.
//
//   order_client HOST PORT COUNT     ends with 0 only if every receipt came, and was right

#include <network_system/core/messaging_client.h>

#include <any>
#include <chrono>
#include <cstdlib>
#include <future>
#include <iostream>
#include <stdexcept>
#include <string>

#include "orders.h"

namespace {

using network_system::core::messaging_client;

/// One in five of what the desk does not have.
order nth_order(int number) {
    return number % 5 == 4 ? order{number, "pineapple", 1} : order{number, "pear", 1 + number % 3};
}

bool is_right(const receipt& given) {
    const order ordered = nth_order(given.number);
    return ordered.item == "pear" ? given.problem.empty() && given.total_cents == 40 * ordered.quantity
                                  : given.problem == "there is no pineapple" && given.total_cents == 0;
}

}  // namespace

int main(int argc, char** argv) {
    const int count = argc == 4 ? std::atoi(argv[3]) : 0;
    if (count < 1) {
        std::cerr << "usage: " << argv[0] << " HOST PORT COUNT\n";
        return 2;
    }
    const order_format format;
    std::promise<std::string> end;
    int next = 0;
    int refused = 0;

    messaging_client client("order client", network_system::core::client_config());
    // One handler at a time, in order: the receipts of a session come as its orders went.
    client.set_message_handler([&](const std::string& bytes) {
        const std::any content = format.deserialize({bytes.begin(), bytes.end()});
        const auto* given = std::any_cast<receipt>(&content);
        if (given == nullptr || given->number != next || !is_right(*given)) {
            throw std::runtime_error("receipt " + std::to_string(next) + " is wrong");  // ends the connection
        }
        refused += given->problem.empty() ? 0 : 1;
        if (++next == count) {
            client.stop_client();
        }
    });
    client.set_error_handler([](const std::string& what, int) { std::cerr << "order_client: " << what << '\n'; });
    client.set_disconnect_handler([&](const std::string& reason) { end.set_value(reason); });

    if (client.start_client(argv[1], static_cast<unsigned short>(std::atoi(argv[2]))).is_err() ||
        client.wait_until_connected(std::chrono::seconds(20)).is_err()) {
        return EXIT_FAILURE;
    }
    for (int number = 0; number < count; ++number) {
        const auto bytes = format.serialize(nth_order(number));
        if (const auto sent = client.send_raw_data(bytes); sent.is_err()) {  // waits while the queue is full
            std::cerr << "order_client: " << sent.error().message << '\n';
            break;
        }
    }
    auto ended = end.get_future();
    if (ended.wait_for(std::chrono::seconds(60)) != std::future_status::ready || next != count) {
        std::cerr << "order_client: " << next << " of " << count << " receipts came\n";
        return EXIT_FAILURE;
    }
    std::cout << count << " orders, " << refused << " refused" << std::endl;
    return EXIT_SUCCESS;
}
