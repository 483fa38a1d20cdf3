#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "network_system/detail/namespace.h"

/// What tests of networking code need, for this library's tests and for those of its users.
namespace NETWORK_SYSTEM_NAMESPACE::test_utils {

namespace detail {

/// Whether a listener could take this TCP port on every IPv4 address now. 0 lets the system choose; the port
/// that was bound is returned, or 0 if there was none.
inline unsigned short try_port(unsigned short port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        throw std::system_error(errno, std::generic_category(), "socket");
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    address.sin_port = htons(port);
    socklen_t length = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    const bool bound = ::bind(fd, generic, length) == 0 && ::getsockname(fd, generic, &length) == 0;
    ::close(fd);
    return bound ? ntohs(address.sin_port) : static_cast<unsigned short>(0);
}

/// The ports that the system never gives to outgoing connections, so that none can take one between its choice
/// and its use.
inline std::vector<unsigned short> listener_ports() {
    constexpr unsigned lowest = 10000;  // below live well-known services
    constexpr unsigned highest = 65535;
    unsigned ephemeral_low = 32768;
    unsigned ephemeral_high = 60999;
    std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> ephemeral_low >> ephemeral_high;
    std::vector<unsigned short> ports;
    for (unsigned port = lowest; port <= highest; ++port) {
        if (port < ephemeral_low || port > ephemeral_high) {
            ports.push_back(static_cast<unsigned short>(port));
        }
    }
    return ports;
}

}  // namespace detail

/// A TCP port that nothing is bound to. Successive calls give different ones; processes begin at different
/// places, so that those which run at once rarely meet.
inline unsigned short get_free_port() {
    static const std::vector<unsigned short> ports = detail::listener_ports();
    static std::atomic<std::size_t> calls{0};
    constexpr std::size_t stride = 211;  // between processes with successive ids; prime
    const std::size_t start = static_cast<std::size_t>(::getpid()) * stride;
    for (std::size_t tried = 0; tried < ports.size(); ++tried) {
        if (const unsigned short port = detail::try_port(ports[(start + calls++) % ports.size()])) {
            return port;
        }
    }
    if (const unsigned short port = detail::try_port(0)) {
        return port;
    }
    throw std::system_error(EADDRINUSE, std::generic_category(), "no free TCP port");
}

/// Polls until the predicate holds, at most `timeout`; tells whether it did. It has to hold again one interval
/// later: a test that shares data with a handler without a lock thereby lets the handler finish.
template <typename Predicate>
bool wait_for_condition(Predicate&& predicate, std::chrono::milliseconds timeout) {
    constexpr std::chrono::milliseconds interval{5};
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        const bool seen = predicate();
        if (!seen && std::chrono::steady_clock::now() >= deadline) {
            return false;
        }
        std::this_thread::sleep_for(interval);
        if (seen && predicate()) {
            return true;
        }
    }
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::test_utils
