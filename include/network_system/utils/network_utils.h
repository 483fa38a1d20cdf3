#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "network_system/detail/c_api.h"
#include "network_system/detail/guard.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/status.h"
#include "network_system/utils/ip_address.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::utils {

/// A host and a port.
struct endpoint {
    std::string host;  ///< a name or an address; an IPv6 address without its brackets
    unsigned short port = 0;
};

/// An address of this host.
struct local_address {
    std::string interface_name;  ///< "eth0"
    ip_address address;
    unsigned prefix = 0;   ///< how many leading bits it has in common with the hosts on its link
    bool running = false;  ///< whether the interface is up and connected
};

/// What this host is called, which addresses and ports it has, and how addresses are written.
class network_utils {
public:
    network_utils() = delete;

    /// A TCP port that nothing is bound to, outside the range that the system gives to outgoing connections.
    /// Successive calls give different ones. A server that can tell its port had better start on port 0, which no other
    /// program can take first.
    static Result<unsigned short> free_port() {
        unsigned short port = 0;
        const netsys_status status = netsys_free_port(&port);
        return detail::to_result(status, std::move(port));
    }

    /// The name that this host gives itself, which others need not know it by.
    static Result<std::string> host_name() {
        std::string name;
        const netsys_status status = detail::read_string(netsys_host_name, name);
        return detail::to_result(status, std::move(name));
    }

    /// The addresses of this host's interfaces, loopback ones included, in the system's order.
    static Result<std::vector<local_address>> local_addresses() {
        std::vector<local_address> found;
        const auto add = [](void* userdata, const netsys_local_address* local) noexcept {
            detail::guarded(
                [&] {
                    auto parsed = ip_address::parse({local->address.data, local->address.len});
                    if (parsed.is_ok()) {
                        static_cast<std::vector<local_address>*>(userdata)->push_back(
                            {std::string(local->interface_name.data, local->interface_name.len), parsed.value(),
                             local->prefix, local->running != 0});
                    }
                },
                detail::log_failure);
        };
        const netsys_status status = netsys_local_addresses(add, &found);
        return detail::to_result(status, std::move(found));
    }

    static Result<ip_address> parse_address(std::string_view text) { return ip_address::parse(text); }
    static Result<address_range> parse_range(std::string_view text) { return address_range::parse(text); }

    /// Whether it is an IPv4 or IPv6 address, and so nothing that had to be looked up.
    static bool is_address(std::string_view text) { return ip_address::parse(text).is_ok(); }

    /// Takes "example.org:80", "192.0.2.1:80" and "[2001:db8::1]:80".
    static Result<endpoint> parse_endpoint(std::string_view text) {
        endpoint parsed;
        const netsys_status status = detail::read_string(
            [&](char* buffer, std::size_t capacity, std::size_t* needed) {
                return netsys_endpoint_parse(detail::c_str(text), buffer, capacity, needed, &parsed.port);
            },
            parsed.host);
        return detail::to_result(status, std::move(parsed));
    }

    /// "host:port", with brackets around an IPv6 address.
    static Result<std::string> format_endpoint(std::string_view host, unsigned short port) {
        std::string text;
        const netsys_status status = detail::read_string(
            [&](char* buffer, std::size_t capacity, std::size_t* needed) {
                return netsys_endpoint_format(detail::c_str(host), port, buffer, capacity, needed);
            },
            text);
        return detail::to_result(status, std::move(text));
    }
    static Result<std::string> format_endpoint(const endpoint& where) {
        return format_endpoint(where.host, where.port);
    }
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::utils
