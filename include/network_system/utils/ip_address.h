#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/status.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::utils {

/// What an address is for; network_system.h names the ranges and the RFCs.
enum class address_class : std::uint32_t {
    global = NETSYS_ADDRESS_GLOBAL,
    unspecified = NETSYS_ADDRESS_UNSPECIFIED,
    loopback = NETSYS_ADDRESS_LOOPBACK,
    private_network = NETSYS_ADDRESS_PRIVATE,
    link_local = NETSYS_ADDRESS_LINK_LOCAL,
    multicast = NETSYS_ADDRESS_MULTICAST,
    broadcast = NETSYS_ADDRESS_BROADCAST,
    shared = NETSYS_ADDRESS_SHARED,
    documentation = NETSYS_ADDRESS_DOCUMENTATION,
    benchmarking = NETSYS_ADDRESS_BENCHMARKING,
    reserved = NETSYS_ADDRESS_RESERVED,
};

/// An IPv4 or IPv6 address; 0.0.0.0 by default. An IPv4 address that is written as IPv6 (::ffff:127.0.0.1) stays IPv6,
/// but is for what the IPv4 address is for, and in the ranges that it is in.
class ip_address {
public:
    ip_address() noexcept {
        info_.struct_size = sizeof(info_);
        info_.version = 4;
        info_.address_class = NETSYS_ADDRESS_UNSPECIFIED;
    }

    /// Takes "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "fe80::1%eth0" and "fe80::1%2". Names are not looked up.
    static Result<ip_address> parse(std::string_view text) {
        ip_address address;
        const netsys_status status = netsys_address_parse(detail::c_str(text), &address.info_);
        return detail::to_result(status, std::move(address));
    }

    bool is_v4() const noexcept { return info_.version == 4; }
    bool is_v6() const noexcept { return info_.version == 6; }

    address_class classification() const noexcept { return static_cast<address_class>(info_.address_class); }
    bool is_global() const noexcept { return classification() == address_class::global; }
    bool is_unspecified() const noexcept { return classification() == address_class::unspecified; }
    bool is_loopback() const noexcept { return classification() == address_class::loopback; }
    bool is_private() const noexcept { return classification() == address_class::private_network; }
    bool is_link_local() const noexcept { return classification() == address_class::link_local; }
    bool is_multicast() const noexcept { return classification() == address_class::multicast; }

    /// The number of the interface behind a link-local IPv6 address, or 0.
    std::uint32_t zone() const noexcept { return info_.zone; }

    /// The address as it travels: the first 4 for IPv4, the rest 0; or all 16.
    std::array<std::uint8_t, 16> bytes() const noexcept {
        std::array<std::uint8_t, 16> bytes{};
        std::memcpy(bytes.data(), info_.bytes, bytes.size());
        return bytes;
    }

    /// The shortest form (RFC 5952), without brackets.
    std::string to_string() const {
        return detail::read_string([this](char* buffer, std::size_t capacity, std::size_t* needed) {
            return netsys_address_format(&info_, buffer, capacity, needed);
        });
    }

    friend bool operator==(const ip_address& left, const ip_address& right) noexcept {
        return left.info_.version == right.info_.version && left.info_.zone == right.info_.zone &&
               left.bytes() == right.bytes();
    }
    friend bool operator!=(const ip_address& left, const ip_address& right) noexcept { return !(left == right); }

private:
    friend class address_range;

    netsys_address_info info_{};
};

/// All addresses of one IP version that begin with the same bits; 0.0.0.0/0, all of IPv4, by default.
class address_range {
public:
    address_range() noexcept {
        info_.struct_size = sizeof(info_);
        info_.version = 4;
    }

    /// Takes "10.0.0.0/8", "2001:db8::/32", and an address for the range of that one.
    static Result<address_range> parse(std::string_view text) {
        address_range range;
        const netsys_status status = netsys_range_parse(detail::c_str(text), &range.info_);
        return detail::to_result(status, std::move(range));
    }

    /// No address of the other IP version is in the range; the zone does not matter.
    bool contains(const ip_address& address) const noexcept {
        bool inside = false;
        return netsys_range_contains(&info_, &address.info_, &inside) == NETSYS_OK && inside;
    }

    /// How many leading bits the addresses have in common.
    unsigned prefix() const noexcept { return info_.prefix; }

    std::string to_string() const {
        return detail::read_string([this](char* buffer, std::size_t capacity, std::size_t* needed) {
            return netsys_range_format(&info_, buffer, capacity, needed);
        });
    }

private:
    netsys_range_info info_{};
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::utils
