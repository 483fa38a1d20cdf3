// messaging_session: what a server's session is, holds and tells; sessions without a server.
#include "network_system/session/messaging_session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "network_system/core/messaging_client.h"
#include "network_system/core/messaging_server.h"
#include "support.h"

namespace network_system::test {
namespace {

using core::messaging_client;
using core::messaging_server;
using session::create_tcp_session;
using session::messaging_session;
using session::session_state;
using test_support::event;
using test_support::journal;
using test_support::patience;
using test_support::raw_listener;
using test_support::raw_peer;
using test_support::recorder;
using test_support::text_of;

using session_ptr = std::shared_ptr<messaging_session>;

class SessionTest : public ::testing::Test {
protected:
    void SetUp() override {
        server_.set_connect_handler([this](auto session) { sessions_.add(session); });
        server_.set_message_handler([this](auto session, const std::string& message) {
            messages_.add(message);
            speakers_.add(session);
        });
        server_.set_disconnect_handler([this](auto session, const std::string& reason) {
            ended_.add(session);
            reasons_.add(reason);
        });
        server_.set_error_handler([this](const std::string&, int code) { errors_.add(code); });
        ASSERT_TRUE(server_.start_server("127.0.0.1", 0));
    }

    std::unique_ptr<messaging_client> connect(const std::string& id) {
        auto client = std::make_unique<messaging_client>(id);
        client->set_message_handler([this, id](const std::string& message) { heard_.add(id + " heard " + message); });
        const std::size_t before = sessions_.size();
        EXPECT_TRUE(client->start_client("127.0.0.1", server_.port()));
        EXPECT_TRUE(client->wait_until_connected(patience));
        EXPECT_TRUE(sessions_.wait_for(before + 1));
        return client;
    }

    recorder<session_ptr> sessions_;
    recorder<session_ptr> speakers_;
    recorder<session_ptr> ended_;
    recorder<int> errors_;
    journal messages_;
    journal reasons_;
    journal heard_;
    messaging_server server_{"the server"};
};

TEST_F(SessionTest, IsOneObjectEverywhere) {
    const auto client = connect("client");
    EXPECT_TRUE(client->send_message("x"));
    ASSERT_TRUE(speakers_.wait_for(1));
    const session_ptr session = sessions_.last();
    EXPECT_EQ(session, speakers_.last());
    EXPECT_EQ(session, server_.get_session(session->session_id()));
    EXPECT_EQ(std::vector<session_ptr>{session}, server_.get_all_sessions());
    EXPECT_EQ(nullptr, server_.get_session("nobody"));
    client->stop_client();
    ASSERT_TRUE(ended_.wait_for(1));
    EXPECT_EQ(session, ended_.last());
}

TEST_F(SessionTest, TellsWhoAndWhereAndSinceWhen) {
    const auto before = std::chrono::steady_clock::now();
    const auto client = connect("client");
    const auto other = connect("other");
    const auto all = sessions_.all();
    EXPECT_NE(all[0]->session_id(), all[1]->session_id());
    EXPECT_EQ("client", all[0]->client_id());
    EXPECT_EQ("other", all[1]->client_id());
    EXPECT_EQ("the server", all[0]->server_id());
    EXPECT_EQ("127.0.0.1", all[0]->remote_address());
    EXPECT_EQ(client->local_port(), all[0]->remote_port());
    EXPECT_EQ("127.0.0.1", all[0]->local_address());
    EXPECT_EQ(server_.port(), all[0]->local_port());
    EXPECT_EQ(session_state::connected, all[0]->state());
    EXPECT_TRUE(all[0]->is_connected());
    EXPECT_FALSE(all[0]->is_stopped());
    EXPECT_LE(before, all[0]->connect_time());
    EXPECT_LE(all[0]->connect_time(), all[0]->last_activity());
    EXPECT_LE(all[0]->last_activity(), std::chrono::steady_clock::now());
}

TEST_F(SessionTest, SendsInEveryForm) {
    const auto client = connect("client");
    const session_ptr session = sessions_.last();
    const std::string lvalue = "constant";
    std::string changeable = "changeable";
    EXPECT_TRUE(session->send_message(lvalue));
    EXPECT_TRUE(session->send_message(changeable));
    EXPECT_TRUE(session->send_message("literal"));
    EXPECT_TRUE(session->send_message(std::string("temporary")));
    EXPECT_TRUE(session->send_raw_data({'r', 'a', 'w'}));
    EXPECT_TRUE(session->send_binary_message("binary", 6));
    EXPECT_TRUE(session->send_packet({'p'}));
    ASSERT_TRUE(heard_.wait_for(7));
    EXPECT_EQ((std::vector<std::string>{"client heard constant", "client heard changeable", "client heard literal",
                                        "client heard temporary", "client heard raw", "client heard binary",
                                        "client heard p"}),
              heard_.all());
}

TEST_F(SessionTest, StaysReadableAfterItsEnd) {
    const auto client = connect("client");
    const session_ptr session = sessions_.last();
    session->set_session_data("key", "value");
    session->join_group("group");
    EXPECT_TRUE(client->send_message("12345"));
    client->stop_client();
    ASSERT_TRUE(ended_.wait_for(1));
    server_.stop_server();

    EXPECT_TRUE(session->is_stopped());
    EXPECT_FALSE(session->is_connected());
    EXPECT_EQ(session_state::disconnected, session->state());
    EXPECT_EQ("client", session->client_id());
    EXPECT_FALSE(session->session_id().empty());
    EXPECT_EQ("value", session->get_session_data("key"));
    EXPECT_EQ(5u, session->get_statistics().bytes_received);
    EXPECT_EQ(-603, session->send_message("x").error().code);
    EXPECT_EQ(-603, session->send_raw_data({1}).error().code);
    EXPECT_EQ(-603, session->send_binary_message("x", 1).error().code);
    EXPECT_EQ(-603, session->send_packet({1}).error().code);
    EXPECT_EQ(-603, session->send_packet({}).error().code);
    EXPECT_EQ(nullptr, server_.get_session(session->session_id()));
}

TEST_F(SessionTest, KeepsData) {
    const auto client = connect("client");
    const session_ptr session = sessions_.last();
    EXPECT_FALSE(session->has_session_data("name"));
    EXPECT_EQ("", session->get_session_data("name"));
    session->set_session_data("name", "Ann");
    session->set_session_data("empty", "");
    session->set_session_data("long", std::string(5000, 'l'));
    EXPECT_TRUE(session->has_session_data("name"));
    EXPECT_TRUE(session->has_session_data("empty"));
    EXPECT_EQ("Ann", session->get_session_data("name"));
    EXPECT_EQ(std::string(5000, 'l'), session->get_session_data("long"));
    session->set_session_data("name", "Bob");
    EXPECT_EQ("Bob", session->get_session_data("name"));
    session->remove_session_data("name");
    session->remove_session_data("never");
    EXPECT_FALSE(session->has_session_data("name"));
    session->clear_session_data();
    EXPECT_FALSE(session->has_session_data("empty"));
}

TEST_F(SessionTest, GroupsReceiveTheirBroadcasts) {
    const auto ann = connect("ann");
    const session_ptr first = sessions_.last();
    const auto bob = connect("bob");
    const session_ptr second = sessions_.last();

    first->join_group("room");
    EXPECT_TRUE(server_.add_session_to_group(second->session_id(), "room"));
    EXPECT_TRUE(server_.add_session_to_group(second->session_id(), "other"));
    auto groups = server_.get_session_groups(second->session_id());
    std::sort(groups.begin(), groups.end());
    EXPECT_EQ((std::vector<std::string>{"other", "room"}), groups);
    EXPECT_TRUE(second->is_in_group("other"));
    EXPECT_FALSE(first->is_in_group("other"));

    EXPECT_TRUE(server_.broadcast_to_group("other", "to other"));
    ASSERT_TRUE(heard_.wait_for(1));
    EXPECT_EQ("bob heard to other", heard_.last());

    EXPECT_TRUE(server_.remove_session_from_group(second->session_id(), "room"));
    EXPECT_TRUE(server_.broadcast_to_group("room", "to room"));
    ASSERT_TRUE(heard_.wait_for(2));
    EXPECT_EQ("ann heard to room", heard_.last());

    first->leave_group("room");
    EXPECT_TRUE(first->get_groups().empty());
    EXPECT_TRUE(server_.broadcast_message("to all"));
    ASSERT_TRUE(heard_.wait_for(4));
    auto all = heard_.all();
    std::sort(all.begin(), all.end());
    EXPECT_EQ(
        (std::vector<std::string>{"ann heard to all", "ann heard to room", "bob heard to all", "bob heard to other"}),
        all);
}

TEST_F(SessionTest, UnknownIdsAreNotFound) {
    EXPECT_EQ(-620, server_.disconnect_session("nobody").error().code);
    EXPECT_EQ(-620, server_.add_session_to_group("nobody", "group").error().code);
    EXPECT_EQ(-620, server_.remove_session_from_group("nobody", "group").error().code);
    EXPECT_TRUE(server_.get_session_groups("nobody").empty());
}

TEST_F(SessionTest, DisconnectReasonReachesBothSides) {
    const auto client = connect("client");
    journal reasons;
    client->set_disconnect_handler([&](const std::string& reason) { reasons.add(reason); });
    sessions_.last()->disconnect("by both heard");
    ASSERT_TRUE(reasons.wait_for(1));
    ASSERT_TRUE(reasons_.wait_for(1));
    EXPECT_EQ("by both heard", reasons.last());
    EXPECT_EQ("by both heard", reasons_.last());
}

TEST_F(SessionTest, ServerDisconnectsOneAndAll) {
    const auto ann = connect("ann");
    const session_ptr first = sessions_.last();
    const auto bob = connect("bob");
    const auto eve = connect("eve");
    EXPECT_TRUE(server_.disconnect_session(first->session_id()));
    ASSERT_TRUE(ended_.wait_for(1));
    EXPECT_EQ(first, ended_.last());
    EXPECT_TRUE(server_.disconnect_all_sessions());
    ASSERT_TRUE(ended_.wait_for(3));
    server_.stop_server();
    EXPECT_EQ(3u, ended_.size());
    EXPECT_TRUE(server_.get_all_sessions().empty());
}

TEST_F(SessionTest, HandlersOfTheSessionReplaceThoseOfTheServer) {
    const auto client = connect("client");
    const session_ptr session = sessions_.last();
    journal own;
    session->set_message_handler([&](const std::string& message) { own.add(message); });
    EXPECT_TRUE(client->send_message("to the session"));
    ASSERT_TRUE(own.wait_for(1));
    EXPECT_EQ(0u, messages_.size());
    session->set_message_handler(nullptr);
    EXPECT_TRUE(client->send_message("to the server"));
    ASSERT_TRUE(messages_.wait_for(1));
    EXPECT_EQ("to the server", messages_.last());
    EXPECT_EQ(1u, own.size());
}

TEST_F(SessionTest, StateChangesAreReported) {
    recorder<std::pair<session_state, session_state>> changes;
    server_.set_connect_handler([&](session_ptr session) {
        session->set_state_change_handler([&](session_state from, session_state to) { changes.add({from, to}); });
        sessions_.add(session);
    });
    const auto client = connect("client");
    sessions_.last()->disconnect();
    ASSERT_TRUE(ended_.wait_for(1));
    server_.stop_server();
    const auto seen = changes.all();
    ASSERT_FALSE(seen.empty());
    EXPECT_EQ(session_state::connected, seen.front().first);
    EXPECT_EQ(session_state::disconnected, seen.back().second);
    for (std::size_t i = 1; i < seen.size(); ++i) {
        EXPECT_EQ(seen[i - 1].second, seen[i].first);
    }
}

TEST_F(SessionTest, CountsWhatItCarries) {
    const auto client = connect("client");
    const session_ptr session = sessions_.last();
    EXPECT_TRUE(client->send_message("12345"));
    EXPECT_TRUE(session->send_message("123"));
    ASSERT_TRUE(messages_.wait_for(1));
    ASSERT_TRUE(heard_.wait_for(1));
    const auto counted = session->get_statistics();
    EXPECT_EQ(1u, counted.messages_received);
    EXPECT_EQ(5u, counted.bytes_received);
    EXPECT_EQ(1u, counted.messages_sent);
    EXPECT_EQ(3u, counted.bytes_sent);
    EXPECT_EQ(0u, counted.errors_count);
    EXPECT_GE(counted.last_message_time, session->connect_time());
    session->reset_statistics();
    EXPECT_EQ(0u, session->get_statistics().bytes_received);

    const auto total = server_.get_statistics();
    EXPECT_EQ(1u, total.total_connections);
    EXPECT_EQ(1u, total.current_connections);
    EXPECT_EQ(5u, total.bytes_received);
    EXPECT_EQ(3u, total.bytes_sent);
    server_.reset_statistics();
    EXPECT_EQ(0u, server_.get_statistics().messages_received);
}

TEST_F(SessionTest, PausedSessionReadsNothingUntilItIsResumed) {
    const auto client = connect("client");
    const session_ptr session = sessions_.last();
    server_.set_message_handler([&](session_ptr speaker, const std::string& message) {
        if (messages_.size() == 0) {
            speaker->pause_reading();
        }
        messages_.add(message);
    });
    EXPECT_TRUE(client->send_message("first"));
    EXPECT_TRUE(client->send_message("second"));
    ASSERT_TRUE(messages_.wait_for(1));
    // What the session would read in between it would have read before this: the server's loop is idle by then.
    const auto other = connect("other");
    EXPECT_EQ(1u, messages_.size());
    session->resume_reading();
    ASSERT_TRUE(messages_.wait_for(2));
    EXPECT_EQ("second", messages_.last());
}

TEST(DetachedSession, HasNoConnectionAndKeepsTheRest) {
    const session_ptr session = create_tcp_session("the session", "the client");
    ASSERT_NE(nullptr, session);
    EXPECT_EQ("the session", session->session_id());
    EXPECT_EQ("the client", session->client_id());
    EXPECT_EQ(session_state::disconnected, session->state());
    EXPECT_FALSE(session->is_connected());
    EXPECT_EQ("", session->remote_address());
    EXPECT_EQ(0, session->local_port());
    EXPECT_EQ(-603, session->send_message("x").error().code);
    EXPECT_EQ(-603, session->send_packet({1}).error().code);
    EXPECT_EQ(session, session->shared_from_this());

    session->set_session_data("key", "value");
    EXPECT_EQ("value", session->get_session_data("key"));
    session->join_group("group");
    EXPECT_EQ(std::vector<std::string>{"group"}, session->get_groups());
    session->set_message_handler([](const auto&) {});
    session->set_state_change_handler([](auto, auto) {});
    session->set_error_handler([](const auto&, int) {});
    session->set_message_handler(nullptr);
    session->disconnect("nothing to end");
    session->stop_session();
}

/// As an application's test derives from it: with the signatures that the specification prints.
class recording_session : public messaging_session {
public:
    void send_message(const std::string& message) override { sent.push_back(message); }
    std::string session_id() const override { return "recorded"; }
    session_state state() const override { return session_state::connected; }
    void disconnect(const std::string& reason) override { disconnected = reason; }

    std::vector<std::string> sent;
    std::string disconnected;
};

TEST(DerivedSession, OverridesArriveThroughTheBase) {
    const auto recording = std::make_shared<recording_session>();
    const session_ptr session = recording;
    EXPECT_TRUE(session->send_message("through the base"));
    const std::string lvalue = "again";
    session->send_message(lvalue);
    EXPECT_EQ((std::vector<std::string>{"through the base", "again"}), recording->sent);
    EXPECT_EQ("recorded", session->session_id());
    EXPECT_TRUE(session->is_connected()) << "follows the overridden state";
    session->disconnect();
    EXPECT_EQ("disconnected", recording->disconnected);
    EXPECT_EQ(-603, session->send_raw_data({1}).error().code) << "not overridden, and without a connection";
}

/// An override may ask for what it overrides.
class decorating_session : public messaging_session {
public:
    void send_message(const std::string& message) override {
        ++calls;
        const auto sent = messaging_session::send_message("[" + message + "]");
        EXPECT_EQ(-603, sent.error().code);
    }

    int calls = 0;
};

TEST(DerivedSession, OverrideMayCallTheBase) {
    decorating_session session;
    messaging_session& base = session;
    EXPECT_EQ(-603, base.send_message("x").error().code) << "the outcome comes through the override";
    EXPECT_EQ(1, session.calls);
}

/// What the session's constructor needs of `asio::ip::tcp::socket`.
class plain_socket {
public:
    explicit plain_socket(int fd) : fd_(fd) {}
    plain_socket(plain_socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    ~plain_socket() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    bool is_open() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }

private:
    int fd_;
};

class AdoptedSessionTest : public ::testing::Test {
protected:
    plain_socket accepted() { return plain_socket(listener_.accept().take_descriptor()); }

    raw_listener listener_;
    raw_peer peer_{listener_.port()};
};

TEST_F(AdoptedSessionTest, ServesItsHandlers) {
    journal heard;
    auto session = std::make_shared<messaging_session>(accepted(), "owner");
    session->set_receive_callback([&](const auto& data) { heard.add("received " + text_of(data)); });
    session->set_message_handler([&](const std::string& message) { heard.add("message " + message); });
    session->set_error_callback([&](auto code) { heard.add("error " + code.message()); });
    session->set_disconnection_callback([&](const std::string& id) { heard.add("disconnection " + id); });
    peer_.send("ping");
    session->start_session();
    ASSERT_TRUE(heard.wait_for(2));
    EXPECT_TRUE(session->send_packet({'p', 'o', 'n', 'g'}));
    EXPECT_EQ("pong", peer_.receive(4));
    peer_.close();
    ASSERT_TRUE(heard.wait_for(4));
    EXPECT_EQ((std::vector<std::string>{"message ping", "received ping", "error End of file", "disconnection owner"}),
              heard.all());
    EXPECT_TRUE(session->is_stopped());
}

TEST_F(AdoptedSessionTest, LivesUntilItsConnectionEndsAlsoWhenNobodyHoldsIt) {
    event received;
    event ended;
    std::weak_ptr<messaging_session> watch;
    {
        auto session = std::make_shared<messaging_session>(accepted(), "owner");
        session->set_receive_callback([&](const auto&) { received.set(); });
        session->set_disconnection_callback([&](const auto&) { ended.set(); });
        session->start_session();
        watch = session;
    }
    peer_.send("x");
    EXPECT_TRUE(received.wait());
    EXPECT_FALSE(watch.expired());
    peer_.close();
    EXPECT_TRUE(ended.wait());
}

TEST_F(AdoptedSessionTest, EndsWithItsObjectWhenThatIsNotShared) {
    {
        messaging_session session(accepted(), "owner");
        session.set_receive_callback([](const auto&) {});
        session.start_session();
        peer_.send("x");
    }
    EXPECT_TRUE(peer_.at_end());
}

TEST_F(AdoptedSessionTest, WithoutASocketItIsDisconnected) {
    messaging_session session(plain_socket(-1), "owner");
    session.start_session();
    EXPECT_EQ("owner", session.server_id());
    EXPECT_EQ(session_state::disconnected, session.state());
    EXPECT_EQ(-603, session.send_message("x").error().code);
}

}  // namespace
}  // namespace network_system::test
