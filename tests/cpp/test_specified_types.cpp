// The types that the specification names inside the classes, used by these names.

#include <gtest/gtest.h>

#include <type_traits>

#include "network_system/network_system.h"
#include "support.h"

namespace core = network_system::core;
namespace session = network_system::session;

TEST(SpecifiedTypes, HandlersOfAServer) {
    using server = core::messaging_server;
    using session_ptr = std::shared_ptr<session::messaging_session>;
    const server::message_handler on_message = [](session_ptr from, const std::string& text) {
        from->send_message(text);
    };
    const server::connect_handler on_connect = [](session_ptr) {};
    const server::disconnect_handler on_disconnect = [](session_ptr, const std::string&) {};
    const server::error_handler on_error = [](const std::string&, int) {};

    server echo("specified");
    echo.set_message_handler(on_message);
    echo.set_connect_handler(on_connect);
    echo.set_disconnect_handler(on_disconnect);
    echo.set_error_handler(on_error);
    ASSERT_TRUE(echo.start_server(0));
    const server::server_statistics quiet = echo.get_statistics();
    EXPECT_EQ(0u, quiet.total_connections);
    EXPECT_EQ(0u, quiet.current_connections);
    EXPECT_GT(quiet.start_time.time_since_epoch().count(), 0);

    core::messaging_client client("me");
    std::promise<std::string> answer;
    client.set_message_handler([&](const std::string& text) { answer.set_value(text); });
    ASSERT_TRUE(client.start_client("127.0.0.1", echo.port()));
    ASSERT_TRUE(client.wait_until_connected(std::chrono::seconds(30)));
    EXPECT_TRUE(client.send_message("there and back"));
    EXPECT_EQ("there and back", answer.get_future().get());
    const server::server_statistics busy = echo.get_statistics();
    EXPECT_EQ(1u, busy.total_connections);
    EXPECT_EQ(quiet.start_time, busy.start_time);
    EXPECT_GE(busy.last_activity, busy.start_time);
}

TEST(SpecifiedTypes, HandlersOfASession) {
    using type = session::messaging_session;
    const std::shared_ptr<type> detached = session::create_tcp_session("s1", "c1");
    ASSERT_NE(nullptr, detached);
    const type::message_handler on_message = [](const std::string&) {};
    const type::state_change_handler on_state = [](session::session_state, session::session_state) {};
    const type::error_handler on_error = [](const std::string&, int) {};
    detached->set_message_handler(on_message);
    detached->set_state_change_handler(on_state);
    detached->set_error_handler(on_error);
    const type::session_statistics nothing = detached->get_statistics();
    EXPECT_EQ(0u, nothing.messages_sent + nothing.errors_count);
}

TEST(SpecifiedTypes, StatesOfASession) {
    using state = session::session_state;
    const auto number = [](state value) { return static_cast<int>(value); };
    EXPECT_EQ(0, number(state::connecting));
    EXPECT_EQ(1, number(state::connected));
    EXPECT_EQ(2, number(state::disconnecting));
    EXPECT_EQ(3, number(state::disconnected));
    EXPECT_EQ(4, number(state::error));
}

TEST(SpecifiedTypes, CopiesAndMovesAreForbidden) {
    EXPECT_FALSE(std::is_copy_constructible_v<core::messaging_server>);
    EXPECT_FALSE(std::is_copy_assignable_v<core::messaging_server>);
    EXPECT_FALSE(std::is_move_constructible_v<core::messaging_server>);
    EXPECT_FALSE(std::is_move_assignable_v<core::messaging_server>);
    EXPECT_FALSE(std::is_copy_constructible_v<core::messaging_client>);
    EXPECT_FALSE(std::is_move_constructible_v<core::messaging_client>);
    EXPECT_TRUE(std::has_virtual_destructor_v<session::messaging_session>);
}

TEST(SpecifiedTypes, IntegrationClasses) {
    using network_system::integration::container_integration;
    using network_system::integration::thread_integration;
    EXPECT_EQ("basic_container", container_integration::instance().get_default_container()->type_name());
    bool ran = false;
    thread_integration::instance().submit_task([&] { ran = true; }).get();
    EXPECT_TRUE(ran);
    thread_integration::instance().set_thread_pool(nullptr);
}

TEST(SpecifiedTypes, ConfigurationOfEachPart) {
    const network_system::config::thread_pool_config pool;
    EXPECT_EQ(0u, pool.worker_count);
    EXPECT_EQ(10000u, pool.queue_capacity);
    EXPECT_EQ("network_pool", pool.pool_name);
    const network_system::config::logger_config logger;
    EXPECT_EQ(network_system::integration::log_level::info, logger.min_level);
    EXPECT_TRUE(logger.async_logging);
    EXPECT_EQ(8192u, logger.buffer_size);
    EXPECT_EQ("", logger.log_file_path);
    const network_system::config::monitoring_config monitoring;
    EXPECT_TRUE(monitoring.enabled);
    EXPECT_EQ(std::chrono::seconds(5), monitoring.metrics_interval);
    EXPECT_EQ("network_system", monitoring.service_name);
}

TEST(SpecifiedTypes, KindsOfMetrics) {
    using network_system::integration::metric_type;
    const auto number = [](metric_type value) { return static_cast<int>(value); };
    EXPECT_EQ(0, number(metric_type::counter));
    EXPECT_EQ(1, number(metric_type::gauge));
    EXPECT_EQ(2, number(metric_type::histogram));
    EXPECT_EQ(3, number(metric_type::summary));
}

TEST(SpecifiedTypes, ComponentsAreRunningOrNot) {
    core::messaging_client client("component");
    network_system::interfaces::i_network_component& component = client;
    EXPECT_FALSE(component.is_running());
    component.wait_for_stop();
}
