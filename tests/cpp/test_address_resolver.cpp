#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <network_system/core/messaging_client.h>
#include <network_system/core/messaging_server.h>
#include <network_system/utils/address_resolver.h>

#include "support.h"

namespace network_system::test {
namespace {

using test_support::event;
using test_support::recorder;
using utils::address_family;
using utils::address_resolver;
using utils::resolver_config;

using outcome = std::pair<int, std::vector<std::string>>;

outcome of(const Result<address_resolver::addresses>& result) {
    return result.is_ok() ? outcome(NETSYS_OK, result.value()) : outcome(result.error().code, {});
}

/// Has `outcomes` told.
address_resolver::handler told_to(recorder<outcome>& outcomes) {
    return [&outcomes](const Result<address_resolver::addresses>& result) { outcomes.add(of(result)); };
}

TEST(AddressResolver, ResolvesThisHost) {
    address_resolver resolver;
    const auto found = resolver.resolve("localhost", test_support::patience);
    ASSERT_TRUE(found.is_ok()) << found.error().message;
    for (const std::string& text : found.value()) {
        EXPECT_TRUE(text == "::1" || text.rfind("127.", 0) == 0) << text;
    }
    EXPECT_EQ(1u, resolver.cached());

    recorder<outcome> outcomes;
    ASSERT_TRUE(resolver.async_resolve("LocalHost", told_to(outcomes)).is_ok());
    ASSERT_TRUE(outcomes.wait_for(1));
    EXPECT_EQ(of(found), outcomes.last());
    EXPECT_EQ(1u, resolver.cached());

    resolver.clear_cache();
    EXPECT_EQ(0u, resolver.cached());
}

TEST(AddressResolver, GivesAnAddressBackAsItIs) {
    address_resolver resolver;
    const std::chrono::milliseconds no_time{0};
    EXPECT_EQ(outcome(NETSYS_OK, {"192.0.2.1"}), of(resolver.resolve("192.0.2.1", no_time)));
    EXPECT_EQ(outcome(NETSYS_OK, {"2001:db8::1"}), of(resolver.resolve("[2001:DB8::1]", no_time)));
    EXPECT_EQ(outcome(NETSYS_OK, {"fe80::1%7"}), of(resolver.resolve("fe80::1%7", std::chrono::milliseconds::max())));
    EXPECT_EQ(0u, resolver.cached());
}

TEST(AddressResolver, KeepsToAFamily) {
    address_resolver resolver;
    const std::chrono::milliseconds no_time{0};
    for (const address_family family :
         {address_family::any, address_family::ipv4_first, address_family::ipv6_first, address_family::ipv4_only}) {
        EXPECT_EQ(outcome(NETSYS_OK, {"192.0.2.1"}), of(resolver.resolve("192.0.2.1", no_time, family)));
    }
    const auto none = resolver.resolve("192.0.2.1", no_time, address_family::ipv6_only);
    EXPECT_EQ(error_codes::common_errors::not_found, of(none).first);
    recorder<outcome> outcomes;
    ASSERT_TRUE(resolver.async_resolve("::1", told_to(outcomes), no_time, address_family::ipv4_only).is_ok());
    ASSERT_TRUE(outcomes.wait_for(1));
    EXPECT_EQ(outcome(error_codes::common_errors::not_found, {}), outcomes.last());
}

TEST(AddressResolver, RefusesWhatCanBeNoName) {
    address_resolver resolver;
    recorder<outcome> outcomes;
    for (const std::string& host : {std::string(), std::string("a b"), std::string("host:80"), std::string(300, 'x')}) {
        EXPECT_EQ(error_codes::common_errors::invalid_argument, of(resolver.resolve(host)).first) << host;
        const VoidResult refused = resolver.async_resolve(host, told_to(outcomes));
        ASSERT_TRUE(refused.is_err()) << host;
        EXPECT_EQ(error_codes::common_errors::invalid_argument, refused.error().code);
    }
    EXPECT_TRUE(resolver.async_resolve("::1", nullptr).is_err());
    EXPECT_EQ(0u, outcomes.size());
}

TEST(AddressResolver, TellsOfAWrongConfiguration) {
    resolver_config config;
    config.max_threads = 0;
    address_resolver resolver(config);
    const auto refused = resolver.resolve("::1");
    ASSERT_TRUE(refused.is_err());
    EXPECT_EQ(error_codes::common_errors::invalid_argument, refused.error().code);
    EXPECT_NE(std::string::npos, refused.error().message.find("max_threads"));
    EXPECT_TRUE(resolver.async_resolve("::1", [](const auto&) { FAIL(); }).is_err());
    resolver.clear_cache();
    EXPECT_EQ(0u, resolver.cached());
}

TEST(AddressResolver, KeepsNothingIfSoConfigured) {
    resolver_config config;
    config.cache_lifetime = std::chrono::milliseconds(0);
    address_resolver resolver(config);
    ASSERT_TRUE(resolver.resolve("localhost", test_support::patience).is_ok());
    EXPECT_EQ(0u, resolver.cached());
}

TEST(AddressResolver, CallsEachHandlerOnceAndNoneAtATime) {
    recorder<outcome> outcomes;
    std::atomic<int> inside{0};
    std::atomic<bool> overlapped{false};
    std::size_t accepted = 0;
    {
        address_resolver resolver;
        for (int i = 0; i < 200; ++i) {
            const auto on_resolved = [&](const Result<address_resolver::addresses>& result) {
                overlapped = overlapped || inside.fetch_add(1) != 0;
                outcomes.add(of(result));
                --inside;
            };
            accepted += resolver.async_resolve(i % 2 == 0 ? "127.0.0.1" : "localhost", on_resolved).is_ok() ? 1 : 0;
        }
    }
    EXPECT_EQ(200u, accepted);
    EXPECT_EQ(accepted, outcomes.size()) << "a call for each, and all before the destructor returned";
    EXPECT_FALSE(overlapped);
    for (const outcome& each : outcomes.all()) {
        EXPECT_TRUE(each.first == NETSYS_OK || each.first == error_codes::common_errors::cancelled) << each.first;
    }
}

TEST(AddressResolver, MayBeDestroyedInItsHandler) {
    recorder<outcome> outcomes;
    auto resolver = std::make_unique<address_resolver>();
    event ready;
    address_resolver& borrowed = *resolver;
    ASSERT_TRUE(borrowed
                    .async_resolve("::1",
                                   [&](const Result<address_resolver::addresses>& result) {
                                       ready.wait();
                                       EXPECT_EQ(NETSYS_ERR_WOULD_DEADLOCK, of(resolver->resolve("::1")).first);
                                       resolver.reset();
                                       outcomes.add(of(result));
                                   })
                    .is_ok());
    ASSERT_TRUE(borrowed.async_resolve("::1", told_to(outcomes)).is_ok());
    ready.set();
    ASSERT_TRUE(outcomes.wait_for(2));
    EXPECT_EQ(outcome(NETSYS_OK, {"::1"}), outcomes.all().front());
    EXPECT_EQ(outcome(error_codes::common_errors::cancelled, {}), outcomes.last());
}

TEST(AddressResolver, OutlivesAHandlerThatThrows) {
    address_resolver resolver;
    recorder<outcome> outcomes;
    ASSERT_TRUE(resolver.async_resolve("::1", [](const auto&) { throw std::runtime_error("thrown"); }).is_ok());
    ASSERT_TRUE(resolver.async_resolve("::1", [](const auto&) { throw 7; }).is_ok());
    ASSERT_TRUE(resolver.async_resolve("::1", told_to(outcomes)).is_ok());
    ASSERT_TRUE(outcomes.wait_for(1));
    EXPECT_EQ(outcome(NETSYS_OK, {"::1"}), outcomes.last());
}

/// The addresses are what a client takes as its host.
TEST(AddressResolver, FindsAServerForAClient) {
    core::messaging_server server("server");
    ASSERT_TRUE(server.start_server(0).is_ok());
    address_resolver resolver;
    const auto found = resolver.resolve("localhost", test_support::patience, address_family::ipv4_only);
    ASSERT_TRUE(found.is_ok()) << found.error().message;
    core::messaging_client client("client");
    ASSERT_TRUE(client.start_client(found.value().front(), server.port()).is_ok());
    EXPECT_TRUE(client.wait_until_connected(test_support::patience));
    client.stop_client();
    server.stop_server();
}

}  // namespace
}  // namespace network_system::test
