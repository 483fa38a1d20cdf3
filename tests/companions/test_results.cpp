// Results and the monitor of common_system in the place of the library's own, over stand-ins for it.
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "bridged_pair.h"

#ifdef NETWORK_SYSTEM_NAMESPACE_KCENON
static_assert(std::is_same_v<network_system::core::messaging_server, kcenon::network::core::messaging_server>);
#endif

// In the namespace that the installed version has, as programs name it.
#ifdef COMMON_SYSTEM_IN_KCENON
namespace common_types = ::kcenon::common;
#else
namespace common_types = ::common;
#endif

namespace {

static_assert(std::is_same_v<network_system::VoidResult, common_types::VoidResult>);
static_assert(std::is_same_v<network_system::Result<void>, common_types::VoidResult>);
static_assert(std::is_same_v<network_system::Result<int>, common_types::Result<int>>);
static_assert(std::is_same_v<network_system::error_info, common_types::error_info>);
static_assert(std::is_same_v<network_system::detail::monitor_interface, common_types::interfaces::IMonitor>);
static_assert(!std::is_convertible_v<network_system::VoidResult, bool>, "as it is there");

TEST(CommonSystem, HelpersMakeItsResults) {
    const common_types::Result<int> value = network_system::ok(5);
    EXPECT_EQ(5, value.value());
    EXPECT_TRUE(network_system::ok().is_ok());
    const common_types::Result<std::string> failed =
        network_system::error<std::string>(-600, "what happened", "where", "more");
    ASSERT_TRUE(failed.is_err());
    EXPECT_EQ(-600, failed.error().code);
    EXPECT_EQ("what happened", failed.error().message);
    EXPECT_EQ("where", failed.error().module);
    EXPECT_EQ("more", failed.error().details);
    EXPECT_EQ("network_system", network_system::error_void(-1, "text").error().module);
    const network_system::Result<void> nothing = network_system::error<void>(-1, "text");
    EXPECT_TRUE(nothing.is_err());
}

TEST(CommonSystem, ItsCodesAreThoseOfTheLibrary) {
    EXPECT_EQ(NETSYS_ERR_BIND_FAILED, network_system::error_codes::network_system::bind_failed);
    EXPECT_EQ(NETSYS_ERR_SESSION_NOT_FOUND, network_system::codes::network_system::session_not_found);
    EXPECT_EQ(NETSYS_ERR_ALREADY_EXISTS, network_system::codes::common_errors::already_exists);
}

using CommonSystemPair = bridged_pair;

TEST_F(CommonSystemPair, ServersAndClientsReturnItsResults) {
    const auto server = start_server();
    const common_types::VoidResult again = server->start_server();
    ASSERT_TRUE(again.is_err());
    EXPECT_EQ(network_system::codes::network_system::server_already_running, again.error().code);
    EXPECT_FALSE(again.error().message.empty());
    const auto client = connect(*server);
    EXPECT_TRUE(client->send_message("text").is_ok());
    EXPECT_EQ(-22, [&] {
        auto config = bridge.get_config();
        config.enable_connection_pooling = false;
        EXPECT_TRUE(bridge.set_config(config).is_ok());
        return bridge.get_connection_pool("127.0.0.1", server->port()).error().code;
    }());
}

/// Keeps what it gets.
class monitor : public common_types::interfaces::IMonitor {
public:
    common_types::VoidResult record_metric(const std::string& name, double value) override {
        figures.add(name + ' ' + std::to_string(static_cast<int>(value)));
        return std::monostate{};
    }

    test_support::journal figures;
};

TEST_F(CommonSystemPair, AMonitorGetsTheConnections) {
    monitor watching;
    const auto server = start_server();
    EXPECT_EQ(nullptr, server->get_monitor());
    server->set_monitor(&watching);
    EXPECT_EQ(&watching, server->get_monitor());
    const auto first = connect(*server);
    EXPECT_EQ("active_connections 1", watching.figures.at(0));
    const auto second = connect(*server);
    EXPECT_EQ("active_connections 2", watching.figures.at(1));
    first->stop_client();
    EXPECT_EQ("active_connections 1", watching.figures.at(2));
    server->set_monitor(nullptr);
    second->stop_client();
    server->stop_server();
    EXPECT_EQ(3u, watching.figures.size());
}

}  // namespace
