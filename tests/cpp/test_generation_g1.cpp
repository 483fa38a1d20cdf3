// Written as programs of September and October 2025 are: classes forward-declared, results used in every way,
// compatibility.h with the factories of network_module.
#include <memory>

namespace network_system::core {
class messaging_client;
class messaging_server;
}  // namespace network_system::core
namespace network_system::session {
class messaging_session;
}

struct declared_before {
    std::shared_ptr<network_system::core::messaging_client> client;
    std::shared_ptr<network_system::core::messaging_server> server;
    std::shared_ptr<network_system::session::messaging_session> session;
};

#include <gtest/gtest.h>
#include <network_system/compatibility.h>
#include <network_system/network.h>
#include <network_system/network_system.h>

#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "support.h"

namespace {

using test_support::bytes_of;
using test_support::raw_listener;
using test_support::raw_peer;
using test_support::refusing_port;

TEST(GenerationG1, FactoriesMakeTheRealClasses) {
    declared_before objects;
    objects.server = network_module::create_server("server");
    objects.client = network_module::create_client("client");
    EXPECT_TRUE((std::is_same_v<network_module::messaging_server, network_system::core::messaging_server>));
    EXPECT_TRUE((std::is_same_v<network_module::messaging_session, network_system::session::messaging_session>));
    EXPECT_TRUE((std::is_same_v<messaging::messaging_client, network_system::core::messaging_client>));
    EXPECT_EQ("server", objects.server->server_id());
    EXPECT_EQ("client", objects.client->client_id());
}

TEST(GenerationG1, IntegrationNamesAreThere) {
    auto& manager = network_module::thread_integration_manager::instance();
    auto pool = std::make_shared<network_module::basic_thread_pool>(1);
    manager.set_thread_pool(pool);
    std::shared_ptr<network_module::thread_pool_interface> got = manager.get_thread_pool();
    EXPECT_EQ(pool, got);
    manager.set_thread_pool(nullptr);

    std::shared_ptr<network_module::container_interface> container =
        std::make_shared<network_module::basic_container>();
    EXPECT_TRUE(container->is_valid());
    network_module::container_manager::instance().register_container("g1", container);
    EXPECT_EQ(container, network_module::container_manager::instance().get_container("g1"));
}

TEST(GenerationG1, CompatTellsWhatIsBuiltInAndGuaranteesAPool) {
    static_assert(network_system::compat::has_container_support() == (HAS_CONTAINER_INTEGRATION != 0));
    static_assert(network_system::compat::has_thread_support() == (HAS_THREAD_INTEGRATION != 0));
    EXPECT_STREQ("2.0.0", network_system::compat::version());
    EXPECT_STREQ("2.0.0", NETWORK_SYSTEM_VERSION);
    EXPECT_STREQ("2.0.0", NETWORK_MODULE_VERSION);

    auto& manager = network_module::thread_integration_manager::instance();
    manager.set_thread_pool(nullptr);
    network_system::compat::initialize();
    network_system::compat::initialize();
    EXPECT_TRUE(manager.get_metrics().is_running);
    const auto pool = manager.get_thread_pool();
    network_system::compat::shutdown();
    EXPECT_FALSE(pool->is_running());
}

TEST(GenerationG1, InitializeHoldsUntilShutdown) {
    EXPECT_FALSE(network_system::is_initialized());
    EXPECT_TRUE(network_system::initialize());
    EXPECT_TRUE(network_system::initialize());
    EXPECT_TRUE(network_system::is_initialized());
    EXPECT_STREQ("2.0.0", network_system::get_version());
    EXPECT_TRUE(network_module::thread_integration_manager::instance().get_metrics().is_running);
    network_system::shutdown();
    EXPECT_FALSE(network_system::is_initialized());
    EXPECT_FALSE(network_module::thread_integration_manager::instance().get_metrics().is_running);
    network_system::shutdown();
}

TEST(GenerationG1, ServerStartAndStopTellWhyTheyFail) {
    auto server = network_module::create_server("server");
    const auto idle = server->stop_server();
    ASSERT_TRUE(idle.is_err());
    EXPECT_EQ(network_system::error_codes::network_system::server_not_started, idle.error().code);

    ASSERT_TRUE(server->start_server(0));
    const auto again = server->start_server(0);
    ASSERT_TRUE(again.is_err());
    EXPECT_EQ(network_system::error_codes::network_system::server_already_running, again.error().code);
    EXPECT_FALSE(again.error().message.empty());

    auto second = network_module::create_server("second");
    const auto taken = second->start_server(server->port());
    ASSERT_TRUE(taken.is_err());
    EXPECT_EQ(network_system::error_codes::network_system::bind_failed, taken.error().code);
    EXPECT_FALSE(second->is_running());

    const unsigned short port = server->port();
    EXPECT_TRUE(server->stop_server().is_ok());
    EXPECT_EQ(-660, server->stop_server().error().code);
    EXPECT_TRUE(server->start_server(port)) << "the same object, on the same port";
    EXPECT_TRUE(server->stop_server());
}

TEST(GenerationG1, ClientStartAndStopTellWhyTheyFail) {
    raw_listener listener;
    auto client = network_module::create_client("client");
    EXPECT_TRUE(client->stop_client().is_ok());
    const auto nameless = client->start_client("", listener.port());
    ASSERT_TRUE(nameless.is_err());
    EXPECT_EQ(network_system::error_codes::common_errors::invalid_argument, nameless.error().code);

    ASSERT_TRUE(client->start_client("127.0.0.1", listener.port()));
    const auto again = client->start_client("127.0.0.1", listener.port());
    ASSERT_TRUE(again.is_err());
    EXPECT_EQ(network_system::error_codes::common_errors::already_exists, again.error().code);
    EXPECT_EQ(-7, client->start_client("", listener.port()).error().code) << "that it runs is found first";

    EXPECT_TRUE(client->stop_client());
    EXPECT_TRUE(client->stop_client());
    EXPECT_TRUE(client->start_client("127.0.0.1", listener.port()));
    EXPECT_TRUE(client->stop_client());
}

TEST(GenerationG1, SendPacketChecksInOrder) {
    raw_listener listener;
    auto client = network_module::create_client("client");
    EXPECT_EQ(-603, client->send_packet({}).error().code) << "not running comes before empty";
    EXPECT_EQ(-603, client->send_packet({1, 2, 3}).error().code);

    ASSERT_TRUE(client->start_client("127.0.0.1", listener.port()));
    EXPECT_EQ(-1, client->send_packet({}).error().code);
    ASSERT_TRUE(client->wait_until_connected(test_support::patience));
    EXPECT_TRUE(client->send_packet({'a', 'b'}));
    raw_peer peer = listener.accept();
    EXPECT_EQ("ab", peer.receive(2));
    client->stop_client();
    EXPECT_EQ(-603, client->send_packet({1}).error().code);
}

TEST(GenerationG1, SendPacketLeavesTheVectorAsItWas) {
    raw_listener listener;
    auto client = network_module::create_client("client");
    ASSERT_TRUE(client->start_client("127.0.0.1", listener.port()));
    ASSERT_TRUE(client->wait_until_connected(test_support::patience));
    raw_peer peer = listener.accept();
    std::vector<uint8_t> packet = bytes_of("again");
    EXPECT_TRUE(client->send_packet(std::move(packet)));
    EXPECT_EQ(bytes_of("again"), packet);
    EXPECT_TRUE(client->send_packet(std::move(packet)));
    EXPECT_TRUE(client->send_packet(packet));
    EXPECT_EQ("againagainagain", peer.receive(15));
    client->stop_client();
}

TEST(GenerationG1, FailureToConnectLeavesStartSuccessful) {
    refusing_port nobody;
    auto client = network_module::create_client("client");
    EXPECT_TRUE(client->start_client("127.0.0.1", nobody.port()));
    EXPECT_FALSE(client->wait_until_connected(test_support::patience));
    EXPECT_FALSE(client->is_connected());
    EXPECT_EQ(-603, client->send_packet({1}).error().code);
    EXPECT_TRUE(client->stop_client());

    raw_listener listener;
    EXPECT_TRUE(client->start_client("localhost", listener.port()));
    EXPECT_TRUE(client->wait_until_connected(test_support::patience));
    EXPECT_TRUE(client->stop_client());
}

TEST(GenerationG1, ResultsAreUsedInEveryWay) {
    auto server = network_module::create_server("server");
    server->start_server(0);
    const bool started = server->is_running();
    EXPECT_TRUE(started);
    bool again = server->start_server(0);
    EXPECT_FALSE(again);
    if (!server->start_server(0)) {
        const std::string why = server->start_server(0).error().message;
        EXPECT_FALSE(why.empty());
    } else {
        FAIL();
    }
    network_system::VoidResult stopped = server->stop_server();
    EXPECT_TRUE(stopped.is_ok());
}

}  // namespace
