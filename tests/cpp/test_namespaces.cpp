// One program of two translation units: this one, written against the library when its classes had moved to
// kcenon::network, and namespace_network_system.cpp, written before. Each declares classes where it knows them.
#define NETWORK_SYSTEM_NAMESPACE_KCENON

#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>

namespace kcenon::network::core {
class messaging_client;
class messaging_server;
class secure_messaging_client;
class secure_messaging_server;
}  // namespace kcenon::network::core
namespace kcenon::network::integration {
class messaging_bridge;
}
namespace kcenon::network::session {
class messaging_session;
class secure_session;
}  // namespace kcenon::network::session

namespace {

struct declared_only {
    std::shared_ptr<kcenon::network::core::messaging_client> client;
    std::shared_ptr<kcenon::network::core::messaging_server> server;
    std::shared_ptr<kcenon::network::session::messaging_session> session;
    std::shared_ptr<kcenon::network::integration::messaging_bridge> bridge;
    std::shared_ptr<kcenon::network::core::secure_messaging_client> secure_client;
    std::shared_ptr<kcenon::network::core::secure_messaging_server> secure_server;
    std::shared_ptr<kcenon::network::session::secure_session> secure_session;
};

}  // namespace

#include <gtest/gtest.h>
#include <kcenon/network/compatibility.h>
#include <kcenon/network/forward.h>
#include <kcenon/network/internal/core/messaging_client.h>
#include <kcenon/network/network_system.h>
#include <kcenon/network/session/session.h>

#include "earlier_server.h"
#include "support.h"

namespace {

using test_support::event;
using test_support::stream_sink;

static_assert(std::is_same_v<network_system::core::messaging_client, kcenon::network::core::messaging_client>);
static_assert(std::is_same_v<network_system::core::messaging_server, kcenon::network::core::messaging_server>);
static_assert(std::is_same_v<network_system::session::messaging_session, kcenon::network::session::messaging_session>);
static_assert(std::is_same_v<network_system::integration::thread_pool_interface,
                             kcenon::network::integration::thread_pool_interface>);
static_assert(std::is_same_v<network_module::messaging_server, kcenon::network::core::messaging_server>);
static_assert(std::is_same_v<network_module::messaging_bridge, kcenon::network::integration::messaging_bridge>);
static_assert(std::is_same_v<kcenon::network::integration::compat::network_module::utils::performance_monitor,
                             network_system::utils::performance_monitor>);
static_assert(std::is_same_v<network_system::VoidResult, kcenon::network::VoidResult>);
static_assert(kcenon::network::error_codes::network_system::bind_failed == NETSYS_ERR_BIND_FAILED);
static_assert(network_system::error_codes::network_system::bind_failed == NETSYS_ERR_BIND_FAILED);

TEST(Namespaces, DeclaredClassesAreTheLibrarysOwn) {
    using network_system::core::secure_messaging_client;
    using network_system::core::secure_messaging_server;
    const declared_only known{network_module::create_client("client"),
                              network_module::create_server("server"),
                              network_system::session::create_tcp_session("session", "client"),
                              network_module::create_bridge(),
                              std::make_shared<secure_messaging_client>("encrypted"),
                              std::make_shared<secure_messaging_server>("encrypted", "pem", "key"),
                              nullptr};
    EXPECT_EQ("client", known.client->client_id());
    EXPECT_EQ("server", known.server->server_id());
    EXPECT_EQ("session", known.session->session_id());
    EXPECT_EQ("server", known.bridge->create_server("server")->server_id());
    EXPECT_TRUE(known.secure_client->get_config().tls.enabled);
    EXPECT_TRUE(known.secure_server->get_config().tls.enabled);
}

TEST(Namespaces, BothServeInOneProgram) {
    const auto server = earlier_server::start();
    ASSERT_NE(nullptr, server);
    const auto client = network_module::create_client("client");
    event connected;
    stream_sink echoed;
    client->set_connected_callback([&] { connected.set(); });
    client->set_receive_callback([&](const auto& data) { echoed.add(data); });
    ASSERT_TRUE(client->start_client("127.0.0.1", server->port()));
    ASSERT_TRUE(connected.wait());
    ASSERT_TRUE(client->send_packet(test_support::bytes_of("across")));
    EXPECT_EQ("across", echoed.wait_for(6));
    EXPECT_TRUE(client->stop_client());
}

TEST(Namespaces, AreOfDifferentTypes) {
    const auto server = earlier_server::start();
    ASSERT_NE(nullptr, server);
    const auto made = network_module::create_server("own");
    const auto& own = *made;
    EXPECT_NE(server->class_name(), typeid(own).name());
    EXPECT_EQ(typeid(kcenon::network::core::messaging_server), typeid(own));
    const auto pool = kcenon::network::integration::thread_integration_manager::instance().get_thread_pool();
    EXPECT_NE(server->default_pool(), pool.get());
}

}  // namespace
