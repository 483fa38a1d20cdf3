#include <network_system/core/messaging_client.h>
#include <network_system/core/messaging_server.h>
#include <network_system/core/session_manager.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <type_traits>

#include "support.h"

namespace {

using namespace network_system;
using session::messaging_session;
using session::session_config;
using session::session_manager;
using test_support::patience;

static_assert(std::is_same_v<core::session_manager, session::session_manager>);

/// What an application puts in place of a session for its tests.
class mock_session : public messaging_session {
public:
    explicit mock_session(std::string id = "") : id_(std::move(id)) {}

    std::string session_id() const override { return id_; }
    std::chrono::steady_clock::time_point last_activity() const override { return active.load(); }
    bool is_connected() const override { return connected; }
    using messaging_session::disconnect;
    void disconnect(const std::string& reason) override {
        connected = false;
        reasons.add(reason);
    }

    std::atomic<std::chrono::steady_clock::time_point> active{std::chrono::steady_clock::now()};
    std::atomic<bool> connected{true};
    test_support::journal reasons;

private:
    const std::string id_;
};

session_config limit(std::size_t max_sessions) {
    session_config config;
    config.max_sessions = max_sessions;
    config.cleanup_interval = std::chrono::milliseconds(0);
    return config;
}

TEST(SessionManager, DefaultsAreThoseOfItsTime) {
    const session_config config;
    EXPECT_EQ(1000u, config.max_sessions);
    EXPECT_EQ(std::chrono::minutes(5), config.idle_timeout);
    EXPECT_EQ(std::chrono::seconds(30), config.cleanup_interval);
    EXPECT_TRUE(config.enable_backpressure);
    EXPECT_DOUBLE_EQ(0.8, config.backpressure_threshold);
    const core::session_manager manager;
    EXPECT_TRUE(manager.can_accept_connection());
    EXPECT_EQ(1000u, manager.get_stats().max_sessions);
    EXPECT_DOUBLE_EQ(0.0, manager.get_utilization());
}

TEST(SessionManager, SessionsAreKnownByTheirIds) {
    session_manager manager(limit(10));
    const auto given = std::make_shared<mock_session>("own");
    const auto own = std::make_shared<mock_session>("own");
    const auto nameless = std::make_shared<mock_session>();
    bool added = manager.add_session(given, "given");
    EXPECT_TRUE(added);
    EXPECT_EQ("own", manager.add_session(own).value());
    EXPECT_EQ("session_1", manager.add_session(nameless).value());
    EXPECT_EQ(own, manager.get_session("own"));
    EXPECT_EQ(nullptr, manager.get_session("nobody"));
    const auto all = manager.get_all_sessions();
    ASSERT_EQ(3u, all.size());
    EXPECT_TRUE(all[0] == given && all[1] == own && all[2] == nameless) << "in the order in which they came";
    EXPECT_EQ(error_codes::common_errors::already_exists, manager.add_session(given, "own").error().code);
    EXPECT_EQ(error_codes::common_errors::invalid_argument, manager.add_session(nullptr).error().code);
    EXPECT_EQ(error_codes::common_errors::invalid_argument,
              manager.add_session(given, std::string(256, 'x')).error().code);
    EXPECT_TRUE(manager.remove_session("given"));
    EXPECT_EQ(error_codes::network_system::session_not_found, manager.remove_session("given").error().code);
    EXPECT_EQ(0u, given->reasons.size()) << "what is taken out goes on";
    EXPECT_EQ(2u, manager.get_session_count());
    EXPECT_EQ(2, given.use_count()) << "here and in the list";
}

TEST(SessionManager, BackpressureComesBeforeTheLimit) {
    session_manager manager(limit(5));
    for (int number = 1; number <= 5; ++number) {
        EXPECT_TRUE(manager.can_accept_connection());
        ASSERT_TRUE(manager.add_session(std::make_shared<mock_session>()));
        EXPECT_EQ(number >= 4, manager.is_backpressure_active());
        EXPECT_DOUBLE_EQ(number / 5.0, manager.get_utilization());
    }
    EXPECT_FALSE(manager.can_accept_connection());
    EXPECT_EQ(error_codes::network_system::server_busy,
              manager.add_session(std::make_shared<mock_session>()).error().code);
    manager.set_max_sessions(10);
    EXPECT_TRUE(manager.can_accept_connection());
    EXPECT_FALSE(manager.is_backpressure_active());
    EXPECT_EQ(1u, manager.get_stats().total_rejected);
    EXPECT_EQ(5u, manager.get_stats().total_accepted);

    auto config = limit(1);
    config.enable_backpressure = false;
    session_manager relaxed(config);
    ASSERT_TRUE(relaxed.add_session(std::make_shared<mock_session>()));
    EXPECT_FALSE(relaxed.is_backpressure_active());

    config = limit(1);
    config.backpressure_threshold = 2;
    session_manager wrong(config);
    EXPECT_EQ(error_codes::common_errors::invalid_argument,
              wrong.add_session(std::make_shared<mock_session>()).error().code);
    EXPECT_FALSE(wrong.can_accept_connection());
    EXPECT_EQ(0u, wrong.cleanup_idle_sessions());
}

TEST(SessionManager, IdleSessionsAreStopped) {
    session_manager manager(limit(5));
    const auto idle = std::make_shared<mock_session>();
    const auto busy = std::make_shared<mock_session>();
    const auto gone = std::make_shared<mock_session>();
    for (const auto& session : {idle, busy, gone}) {
        ASSERT_TRUE(manager.add_session(session));
    }
    EXPECT_EQ(0u, manager.cleanup_idle_sessions());
    gone->connected = false;
    EXPECT_EQ(0u, manager.cleanup_idle_sessions());
    EXPECT_EQ(2u, manager.get_session_count());
    EXPECT_EQ(1u, manager.get_stats().total_ended);
    manager.stop_all_sessions();
    EXPECT_EQ("stopped", busy->reasons.last());
    EXPECT_EQ(0u, manager.get_session_count());

    auto config = limit(2);
    config.idle_timeout = std::chrono::milliseconds(1);
    session_manager strict(config);
    ASSERT_TRUE(strict.add_session(idle, "idle"));
    ASSERT_TRUE(strict.add_session(busy, "busy"));
    busy->active = std::chrono::steady_clock::now() + patience;
    std::size_t stopped = 0;
    while (stopped == 0) {
        stopped = strict.cleanup_idle_sessions();
    }
    EXPECT_EQ(1u, stopped);
    EXPECT_EQ("nothing was sent or received for 1 ms", idle->reasons.last());
    EXPECT_EQ(nullptr, strict.get_session("idle"));
    EXPECT_EQ(1u, strict.get_stats().total_cleaned_up);
}

TEST(SessionManager, CleansUpByItself) {
    auto config = limit(2);
    config.idle_timeout = std::chrono::milliseconds(2);
    config.cleanup_interval = std::chrono::milliseconds(2);
    session_manager manager(config);
    const auto idle = std::make_shared<mock_session>();
    ASSERT_TRUE(manager.add_session(idle));
    EXPECT_TRUE(idle->reasons.wait_for(1));
}

class throwing_session : public mock_session {
public:
    std::chrono::steady_clock::time_point last_activity() const override { throw std::runtime_error("no idea"); }
    void disconnect(const std::string&) override { throw std::runtime_error("no"); }
};

TEST(SessionManager, SessionsThatThrowHarmNobody) {
    session_manager manager(limit(2));
    ASSERT_TRUE(manager.add_session(std::make_shared<throwing_session>()));
    EXPECT_EQ(0u, manager.cleanup_idle_sessions());
    manager.stop_all_sessions();
    EXPECT_EQ(0u, manager.get_session_count());
}

TEST(SessionManager, SessionsOfAServer) {
    session_manager manager(limit(5));
    test_support::journal events;
    core::messaging_server server("server");
    server.set_connect_handler([&](auto session) {
        events.add(manager.add_session(session).value() == session->session_id() ? "in" : "wrong");
    });
    server.set_disconnect_handler([&](auto, const std::string& reason) { events.add(reason); });
    ASSERT_TRUE(server.start_server(0));
    core::messaging_client client("client");
    test_support::journal reasons;
    client.set_disconnect_handler([&](const std::string& reason) { reasons.add(reason); });
    client.set_message_handler([](const std::string&) {});
    ASSERT_TRUE(client.start_client("127.0.0.1", server.port()));
    ASSERT_TRUE(client.wait_until_connected(patience));
    ASSERT_TRUE(events.wait_for(1));
    EXPECT_EQ("in", events.last());
    EXPECT_EQ(1u, manager.get_session_count());
    ASSERT_EQ(1u, manager.get_all_sessions().size());
    EXPECT_EQ("client", manager.get_all_sessions().front()->client_id());

    const auto ended = manager.get_all_sessions().front();
    client.stop_client();
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (manager.get_session_count() != 0 && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::yield();
    }
    EXPECT_EQ(1u, manager.get_stats().total_ended);
    EXPECT_EQ(error_codes::network_system::connection_closed, manager.add_session(ended).error().code);

    ASSERT_TRUE(client.start_client("127.0.0.1", server.port()));
    ASSERT_TRUE(client.wait_until_connected(patience));
    ASSERT_TRUE(events.wait_for(3));
    manager.stop_all_sessions();
    ASSERT_TRUE(reasons.wait_for(2));
    EXPECT_EQ("stopped", reasons.last());
    server.stop_server();
}

TEST(SessionManager, ASessionWithoutAConnectionStays) {
    session_manager manager(limit(2));
    const auto session = session::create_tcp_session("alone", "client");
    EXPECT_EQ("alone", manager.add_session(session).value());
    EXPECT_EQ(0u, manager.cleanup_idle_sessions());
    EXPECT_EQ(session, manager.get_session("alone"));
}

TEST(SessionManager, SessionsOutliveTheManager) {
    const auto session = std::make_shared<mock_session>();
    {
        session_manager manager;
        ASSERT_TRUE(manager.add_session(session));
        EXPECT_EQ(2, session.use_count());
    }
    EXPECT_EQ(1, session.use_count());
    EXPECT_EQ(0u, session->reasons.size());
}

}  // namespace
