#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <network_system/utils/network_utils.h>

namespace network_system::test {
namespace {

using utils::address_class;
using utils::address_range;
using utils::endpoint;
using utils::ip_address;
using utils::local_address;
using utils::network_utils;

ip_address address(const char* text) {
    return network_utils::parse_address(text).value();
}

template <typename T>
std::string refusal(const Result<T>& result) {
    EXPECT_TRUE(result.is_err());
    if (result.is_ok()) {
        return "";
    }
    EXPECT_EQ(error_codes::common_errors::invalid_argument, result.error().code);
    return result.error().message;
}

bool contains(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
}

TEST(IpAddress, IsReadAndWritten) {
    EXPECT_EQ("192.0.2.1", address("192.0.2.1").to_string());
    EXPECT_EQ("2001:db8::1", address("[2001:DB8:0::1]").to_string());
    EXPECT_EQ("fe80::1%7", address("fe80::1%7").to_string());
    EXPECT_EQ(7u, address("fe80::1%7").zone());
    EXPECT_TRUE(address("192.0.2.1").is_v4());
    EXPECT_FALSE(address("192.0.2.1").is_v6());
    EXPECT_TRUE(address("::1").is_v6());
    const auto bytes = address("192.0.2.1").bytes();
    EXPECT_EQ((std::vector<int>{192, 0, 2, 1, 0}), std::vector<int>(bytes.begin(), bytes.begin() + 5));
    EXPECT_EQ(1, address("::1").bytes()[15]);
    EXPECT_TRUE(address("[::1]") == address("::1"));
    EXPECT_TRUE(address("fe80::1%7") != address("fe80::1%8"));
    EXPECT_EQ(address("0.0.0.0"), ip_address());
    EXPECT_EQ("0.0.0.0", ip_address().to_string());
    EXPECT_TRUE(ip_address().is_unspecified());
}

TEST(IpAddress, TellsWhatItIsFor) {
    EXPECT_TRUE(address("127.0.0.53").is_loopback() && address("::1").is_loopback());
    EXPECT_TRUE(address("::ffff:127.0.0.1").is_loopback());
    EXPECT_TRUE(address("10.1.2.3").is_private() && address("fd00::1").is_private());
    EXPECT_TRUE(address("169.254.1.1").is_link_local() && address("fe80::1").is_link_local());
    EXPECT_TRUE(address("224.0.0.1").is_multicast() && address("ff02::1").is_multicast());
    EXPECT_TRUE(address("0.0.0.0").is_unspecified() && address("::").is_unspecified());
    EXPECT_TRUE(address("8.8.8.8").is_global() && address("2606:4700::1").is_global());
    EXPECT_FALSE(address("8.8.8.8").is_private() || address("8.8.8.8").is_loopback());
    EXPECT_EQ(address_class::broadcast, address("255.255.255.255").classification());
    EXPECT_EQ(address_class::shared, address("100.64.0.1").classification());
    EXPECT_EQ(address_class::documentation, address("2001:db8::1").classification());
    EXPECT_EQ(address_class::benchmarking, address("198.18.0.1").classification());
    EXPECT_EQ(address_class::reserved, address("240.0.0.1").classification());
}

TEST(IpAddress, IsNothingElse) {
    for (const char* text : {"", "localhost", "1.2.3", "256.0.0.1", "[::1", "1.2.3.4:80"}) {
        EXPECT_TRUE(contains(refusal(network_utils::parse_address(text)), "is not an IP address")) << text;
        EXPECT_FALSE(network_utils::is_address(text)) << text;
    }
    EXPECT_TRUE(network_utils::is_address("::1"));
    EXPECT_TRUE(contains(refusal(network_utils::parse_address("fe80::1%no-such-if")), "no network interface"));
}

TEST(AddressRange, ContainsWhatBeginsWithItsBits) {
    const address_range ten = network_utils::parse_range("10.0.0.0/8").value();
    EXPECT_TRUE(ten.contains(address("10.255.255.255")));
    EXPECT_TRUE(ten.contains(address("::ffff:10.1.2.3")));
    EXPECT_FALSE(ten.contains(address("11.0.0.0")));
    EXPECT_FALSE(ten.contains(address("::1")));
    EXPECT_EQ(8u, ten.prefix());
    EXPECT_EQ("10.0.0.0/8", ten.to_string());
    const address_range one = network_utils::parse_range("::1").value();
    EXPECT_TRUE(one.contains(address("::1")));
    EXPECT_FALSE(one.contains(address("::2")));
    EXPECT_EQ("::1/128", one.to_string());
    EXPECT_EQ("0.0.0.0/0", address_range().to_string());
    EXPECT_TRUE(address_range().contains(address("8.8.8.8")));
    EXPECT_TRUE(contains(refusal(network_utils::parse_range("10.1.2.3/8")), "write 10.0.0.0/8"));
    EXPECT_TRUE(contains(refusal(network_utils::parse_range("10.0.0.0/33")), "at most 32"));
    EXPECT_TRUE(contains(refusal(network_utils::parse_range("all")), "expected one like"));
}

TEST(Endpoint, IsReadAndWritten) {
    for (const char* text : {"example.org:80", "192.0.2.1:0", "[2001:db8::1]:65535", "[fe80::1%eth7]:80"}) {
        const Result<endpoint> parsed = network_utils::parse_endpoint(text);
        ASSERT_TRUE(parsed.is_ok()) << text;
        EXPECT_EQ(text, network_utils::format_endpoint(parsed.value()).value());
    }
    const Result<endpoint> parsed = network_utils::parse_endpoint("[::1]:443");
    ASSERT_TRUE(parsed.is_ok());
    EXPECT_EQ("::1", parsed.value().host);
    EXPECT_EQ(443, parsed.value().port);
    EXPECT_EQ("[::1]:443", network_utils::format_endpoint("::1", 443).value());
    const std::string long_name(250, 'x');
    EXPECT_EQ(long_name, network_utils::parse_endpoint(long_name + ":80").value().host);

    EXPECT_TRUE(contains(refusal(network_utils::parse_endpoint("example.org")), "has no port"));
    EXPECT_TRUE(contains(refusal(network_utils::parse_endpoint("2001:db8::1")), "without brackets"));
    EXPECT_TRUE(contains(refusal(network_utils::parse_endpoint("example.org:65536")), "0 to 65535"));
    EXPECT_TRUE(contains(refusal(network_utils::format_endpoint("", 80)), "host is empty"));
    EXPECT_TRUE(contains(refusal(network_utils::format_endpoint("a:b", 80)), "not an IPv6 address"));
}

TEST(ThisHost, HasANameAddressesAndPorts) {
    const Result<std::string> name = network_utils::host_name();
    ASSERT_TRUE(name.is_ok());
    EXPECT_FALSE(name.value().empty());

    const Result<std::vector<local_address>> found = network_utils::local_addresses();
    ASSERT_TRUE(found.is_ok());
    const auto& all = found.value();
    const auto loopback = std::find_if(
        all.begin(), all.end(), [](const local_address& local) { return local.address == address("127.0.0.1"); });
    ASSERT_NE(all.end(), loopback);
    EXPECT_EQ("lo", loopback->interface_name);
    EXPECT_EQ(8u, loopback->prefix);
    EXPECT_TRUE(loopback->running);

    const Result<unsigned short> port = network_utils::free_port();
    ASSERT_TRUE(port.is_ok());
    EXPECT_NE(0, port.value());
}

}  // namespace
}  // namespace network_system::test
