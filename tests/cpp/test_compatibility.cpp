// What <network_system/compatibility.h> alone gives a program of the old library: includes stay as they were there.
#include <gtest/gtest.h>
#include <network_system/compatibility.h>

#include "network_system/test_utils/network_test_utils.h"

namespace {

using namespace network_system;
using namespace network_module;

constexpr std::chrono::seconds patience{20};

static_assert(std::is_same_v<network_module::messaging_server, network_system::core::messaging_server>);
static_assert(std::is_same_v<network_module::messaging_client, network_system::core::messaging_client>);
static_assert(std::is_same_v<network_module::messaging_session, network_system::session::messaging_session>);
static_assert(std::is_same_v<network_module::basic_thread_pool, integration::basic_thread_pool>);
static_assert(std::is_same_v<network_module::thread_pool_interface, integration::thread_pool_interface>);
static_assert(std::is_same_v<network_module::thread_integration_manager, integration::thread_integration_manager>);
static_assert(std::is_same_v<network_module::container_interface, integration::container_interface>);
static_assert(std::is_same_v<network_module::basic_container, integration::basic_container>);
static_assert(std::is_same_v<network_module::container_manager, integration::container_manager>);
static_assert(std::is_same_v<messaging::messaging_server, core::messaging_server>);

static_assert(noexcept(compat::has_container_support()) && noexcept(compat::has_thread_support()));
#ifdef BUILD_WITH_CONTAINER_SYSTEM
static_assert(compat::has_container_support() && HAS_CONTAINER_INTEGRATION == 1);
#else
static_assert(!compat::has_container_support() && HAS_CONTAINER_INTEGRATION == 0);
#endif
#ifdef BUILD_WITH_THREAD_SYSTEM
static_assert(compat::has_thread_support() && HAS_THREAD_INTEGRATION == 1);
#else
static_assert(!compat::has_thread_support() && HAS_THREAD_INTEGRATION == 0);
#endif

struct NETWORK_DEPRECATED old_name {};

class Compat : public ::testing::Test {
protected:
    void SetUp() override { reset(); }
    void TearDown() override { reset(); }

    static void reset() {
        thread_integration_manager::instance().set_thread_pool(nullptr);
        container_manager::instance().set_default_container(nullptr);
    }

    thread_integration_manager& threads = thread_integration_manager::instance();
};

TEST_F(Compat, TellsTheVersion) {
    EXPECT_STREQ("2.0.0", compat::version());
    EXPECT_STREQ(compat::version(), NETWORK_SYSTEM_VERSION);
    EXPECT_STREQ(compat::version(), netsys_version_string());
}

TEST_F(Compat, InitializeMakesADefaultPoolOnce) {
    EXPECT_FALSE(threads.get_metrics().is_running);
    compat::initialize();
    EXPECT_TRUE(threads.get_metrics().is_running);
    const auto pool = threads.get_thread_pool();
    compat::initialize();
    EXPECT_EQ(pool, threads.get_thread_pool());
    EXPECT_EQ("basic_container", container_manager::instance().get_default_container()->type_name());
}

TEST_F(Compat, ShutdownRunsWhatWasSubmittedAndEndsThePool) {
    compat::initialize();
    const auto pool = threads.get_thread_pool();
    auto submitted = threads.submit_task([] {});
    compat::shutdown();
    EXPECT_EQ(std::future_status::ready, submitted.wait_for(std::chrono::seconds(0)));
    EXPECT_FALSE(pool->is_running());
    EXPECT_EQ(0u, pool->worker_count());
    compat::shutdown();
}

TEST_F(Compat, WorksAgainAfterAShutdown) {
    compat::initialize();
    compat::shutdown();
    auto submitted = threads.submit_task([] {});
    ASSERT_EQ(std::future_status::ready, submitted.wait_for(patience));
    EXPECT_NO_THROW(submitted.get());
    compat::shutdown();
    compat::initialize();
    EXPECT_TRUE(threads.get_metrics().is_running);
}

TEST_F(Compat, ShutdownWithoutInitializeDoesNothing) {
    compat::shutdown();
    EXPECT_EQ(0u, threads.get_metrics().worker_threads);
}

TEST_F(Compat, ShutdownEndsABasicPoolOfTheApplication) {
    const auto own = std::make_shared<basic_thread_pool>(1);
    threads.set_thread_pool(own);
    compat::shutdown();
    EXPECT_FALSE(own->is_running());
    EXPECT_EQ(own, threads.get_thread_pool());
}

TEST_F(Compat, ShutdownInATaskOfThePoolReturns) {
    compat::initialize();
    auto submitted = threads.submit_task([] { compat::shutdown(); });
    ASSERT_EQ(std::future_status::ready, submitted.wait_for(patience));
    EXPECT_NO_THROW(submitted.get());
}

TEST(Factories, MakeServersAndClientsThatTalk) {
    const auto server = create_server("old_server");
    const auto client = create_client("old_client");
    ASSERT_NE(nullptr, server);
    ASSERT_NE(nullptr, client);

    std::promise<std::string> received;
    server->set_receive_callback([&received](auto session, const auto& data) {
        EXPECT_EQ("old_server", session->server_id());
        received.set_value(std::string(data.begin(), data.end()));
    });
    std::promise<void> connected;
    client->set_connected_callback([&connected] { connected.set_value(); });

    const unsigned short port = test_utils::get_free_port();
    ASSERT_TRUE(server->start_server(port));
    ASSERT_TRUE(client->start_client("127.0.0.1", port));
    ASSERT_EQ(std::future_status::ready, connected.get_future().wait_for(patience));

    std::vector<uint8_t> data{'h', 'i'};
    EXPECT_TRUE(client->send_packet(std::move(data)));
    EXPECT_EQ((std::vector<uint8_t>{'h', 'i'}), data);  // copied, since programs send it again
    auto arrived = received.get_future();
    ASSERT_EQ(std::future_status::ready, arrived.wait_for(patience));
    EXPECT_EQ("hi", arrived.get());

    EXPECT_TRUE(client->stop_client());
    EXPECT_TRUE(server->stop_server());
}

TEST(Factories, ServersOutliveAShutdownOfTheIntegrationLayer) {
    compat::initialize();
    const auto server = create_server("survivor");
    ASSERT_TRUE(server->start_server(test_utils::get_free_port()));
    compat::shutdown();
    EXPECT_TRUE(server->is_running());
    EXPECT_TRUE(server->stop_server());
    server->wait_for_stop();
}

}  // namespace
