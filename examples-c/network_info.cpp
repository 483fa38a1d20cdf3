// What this host looks like to a program that serves on it, and what a peer's address says.
//
//   network_info [ADDRESS_OR_NAME...]
//
// Prints the host's name and addresses, then starts a server on a free port and reaches it under every loopback address
// that the host has. Each argument is resolved, and its addresses are classified.
#include <network_system/core/messaging_client.h>
#include <network_system/core/messaging_server.h>
#include <network_system/utils/address_resolver.h>
#include <network_system/utils/network_utils.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

namespace core = network_system::core;
using network_system::utils::address_class;
using network_system::utils::address_range;
using network_system::utils::address_resolver;
using network_system::utils::ip_address;
using network_system::utils::local_address;
using network_system::utils::network_utils;

namespace {

const char* name_of(address_class what) {
    switch (what) {
        case address_class::global:
            return "global";
        case address_class::unspecified:
            return "unspecified";
        case address_class::loopback:
            return "loopback";
        case address_class::private_network:
            return "private";
        case address_class::link_local:
            return "link-local";
        case address_class::multicast:
            return "multicast";
        case address_class::broadcast:
            return "broadcast";
        case address_class::shared:
            return "shared";
        case address_class::documentation:
            return "documentation";
        case address_class::benchmarking:
            return "benchmarking";
        case address_class::reserved:
            return "reserved";
    }
    return "unknown";
}

bool fail(const std::string& what, const std::string& why) {
    std::cerr << "network_info: " << what << ": " << why << '\n';
    return false;
}

bool reach(const std::string& host, unsigned short port) {
    core::messaging_client client("network-info");
    auto connected = client.start_client(host, port);
    if (connected.is_ok()) {
        connected = client.wait_until_connected(std::chrono::seconds(5));
    }
    if (connected.is_err()) {
        return fail(host, connected.error().message);
    }
    std::cout << "reached " << network_utils::format_endpoint(host, port).value() << '\n';
    client.stop_client();
    return true;
}

/// Serves on 127.0.0.0/8 and finds the server there.
bool serve(const std::vector<local_address>& addresses) {
    const auto port = network_utils::free_port();
    if (port.is_err()) {
        return fail("free port", port.error().message);
    }
    core::messaging_server server("network-info");
    const auto started = server.start_server(port.value());
    if (started.is_err()) {
        return fail("start the server", started.error().message);
    }
    const address_range loopback = network_utils::parse_range("127.0.0.0/8").value();
    bool reached = false;
    for (const local_address& local : addresses) {
        if (local.running && loopback.contains(local.address)) {
            reached = reach(local.address.to_string(), port.value());
            if (!reached) {
                break;
            }
        }
    }
    server.stop_server();
    return reached;
}

bool classify(address_resolver& resolver, const std::string& host) {
    const auto found = resolver.resolve(host, std::chrono::seconds(5));
    if (found.is_err()) {
        return fail(host, found.error().message);
    }
    for (const std::string& text : found.value()) {
        const auto address = network_utils::parse_address(text);
        if (address.is_err()) {
            return fail(text, address.error().message);
        }
        std::cout << host << ": " << text << " is " << name_of(address.value().classification()) << '\n';
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    const auto name = network_utils::host_name();
    const auto addresses = network_utils::local_addresses();
    if (name.is_err() || addresses.is_err()) {
        fail("this host", name.is_err() ? name.error().message : addresses.error().message);
        return EXIT_FAILURE;
    }
    std::cout << "host " << name.value() << '\n';
    for (const local_address& local : addresses.value()) {
        std::cout << local.interface_name << ": " << local.address.to_string() << '/' << local.prefix << ", "
                  << name_of(local.address.classification()) << (local.running ? "" : ", down") << '\n';
    }
    bool good = serve(addresses.value());
    address_resolver resolver;
    for (int i = 1; i < argc; ++i) {
        good = classify(resolver, argv[i]) && good;
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
