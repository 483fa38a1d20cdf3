// Containers of container_system through a bridge and behind container_interface, over stand-ins for the library.
#include <any>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "bridged_pair.h"

namespace {

using generation::container;
using generation::make_container;
using generation::number_in;
using network_system::integration::container_manager;
using network_system::integration::container_system_adapter;
using test_support::bytes_of;
using test_support::event;
using test_support::journal;
using test_support::patience;
using test_support::text_of;

std::string describe(const std::shared_ptr<container>& received) {
    return received->message_type() + ' ' + std::to_string(number_in(*received));
}

class Containers : public bridged_pair {
protected:
    std::function<void(std::shared_ptr<container>)> to_journal() {
        return [this](const std::shared_ptr<container>& received) { containers.add(describe(received)); };
    }

    journal containers;
    journal messages;
};

TEST_F(Containers, GoToTheServerAndBack) {
    auto server = start_server();
    bridge.set_container_message_handler([&](const std::shared_ptr<container>& received) {
        containers.add(describe(received));
        if (received->message_type() == "order") {
            const auto answer = make_container("receipt", number_in(*received) + 1);
            EXPECT_TRUE(bridge.send_container(*sessions.last(), *answer).is_ok());
        }
    });
    const auto client = connect(*server);
    ASSERT_TRUE(bridge.send_container(*client, *make_container("order", 41)).is_ok());
    EXPECT_EQ("order 41", containers.at(0));
    EXPECT_EQ("receipt 42", containers.at(1));
    EXPECT_EQ(0u, errors.size());
}

TEST_F(Containers, ArriveByReferenceToo) {
    auto server = start_server();
    const auto client = connect(*server);
    bridge.set_container_message_handler([&](const container& received) { containers.add(received.message_type()); });
    bridge.send_container(*client, *make_container("by lambda", 1));
    EXPECT_EQ("by lambda", containers.at(0));
    // As programs of the earlier library hand it over.
    const std::function<void(const container&)> named = [&](const container& received) {
        containers.add("named " + received.message_type());
    };
    bridge.set_container_message_handler(named);
    bridge.send_container(*client, *make_container("function", 1));
    EXPECT_EQ("named function", containers.at(1));
}

TEST_F(Containers, OneCanBeSetAndSentLater) {
    auto server = start_server();
    const auto client = connect(*server);
    bridge.set_container_message_handler(to_journal());
    EXPECT_EQ(-1, bridge.send_container(*client).error().code);
    bridge.set_container(make_container("set", 5));
    EXPECT_TRUE(bridge.send_container(*client).is_ok());
    EXPECT_EQ("set 5", containers.at(0));
    bridge.set_container(nullptr);
    EXPECT_EQ(-1, bridge.send_container(*client).error().code);
}

TEST_F(Containers, AreReadIntoThoseOfTheFactory) {
    auto server = start_server();
    const auto client = connect(*server);
    std::shared_ptr<container> made;
    bridge.set_container_factory([&] { return made = std::make_shared<container>(); });
    bridge.set_container_message_handler([&](const std::shared_ptr<container>& received) {
        EXPECT_EQ(made, received);
        containers.add(describe(received));
    });
    bridge.send_container(*client, *make_container("into", 6));
    EXPECT_EQ("into 6", containers.at(0));

    bridge.set_container_factory([]() -> std::shared_ptr<container> { return nullptr; });
    bridge.set_container_message_handler(to_journal());
    bridge.send_container(*client, *make_container("the library's own", 7));
    EXPECT_EQ("the library's own 7", containers.at(1));
}

TEST_F(Containers, WhatIsNoneIsAnErrorAndTheSessionGoesOn) {
    auto server = start_server();
    server->set_message_handler([&](const session_ptr&, const std::string& message) { messages.add(message); });
    bridge.set_container_message_handler(to_journal());
    const auto client = connect(*server);
    client->send_message("a text");
    client->send_raw_data({0, 255, '@', 'h'});
    client->send_message("@data={[number,four,4];};");
    client->send_message("");
    bridge.send_container(*client, *make_container("after it", 8));
    EXPECT_EQ("after it 8", containers.at(0));
    ASSERT_TRUE(errors.wait_for(4));
    EXPECT_EQ("-641 a message of 6 bytes is no container", errors.at(0));
    EXPECT_EQ("-641 a message of 4 bytes is no container", errors.at(1));
    EXPECT_EQ("-641 a message of 25 bytes is no container", errors.at(2));
    EXPECT_EQ("-641 a message of 0 bytes is no container", errors.at(3));
    EXPECT_EQ(4u, errors.size());
    EXPECT_EQ(1u, containers.size());
    EXPECT_EQ(1u, server->connection_count());
    EXPECT_EQ(5u, messages.size()) << "the server's own handler gets every message";
    EXPECT_EQ("a text", messages.at(0));
}

TEST_F(Containers, WhatIsNoneIsToldInModeration) {
    auto server = start_server();
    bridge.set_container_message_handler(to_journal());
    const auto client = connect(*server);
    constexpr std::size_t count = 2000;
    for (std::size_t i = 0; i < count; ++i) {
        client->send_message("x");
    }
    bridge.send_container(*client, *make_container("after them", 8));
    EXPECT_EQ("after them 8", containers.at(0));
    EXPECT_EQ(count, bridge.get_metrics().receive_errors) << "all are counted";
    EXPECT_GE(errors.size(), 10u);
    EXPECT_LT(errors.size(), count);
}

/// As a message may find it whose loop began to hand it over before the handler was removed.
TEST_F(Containers, WhoseHandlerIsRemovedMeanwhileAreLeftAlone) {
    network_system::detail::container_handler<container> handler;
    netsys_message message{};
    message.struct_size = sizeof(message);
    EXPECT_NO_THROW(handler.handle(message, netsys_bridge{}));
    handler.set_function(to_journal());
    handler.set_enabled(false);
    EXPECT_NO_THROW(handler.handle(message, netsys_bridge{}));
    EXPECT_EQ(0u, containers.size());
}

TEST_F(Containers, AreReadOnlyWhenThatIsWanted) {
    auto server = start_server();
    server->set_message_handler([&](const session_ptr&, const std::string&) { messages.add("message"); });
    journal ends;
    server->set_disconnect_handler([&](const session_ptr&, const std::string& why) { ends.add(why); });
    // A session of its own for each message, so that nothing of the one before is still on its way.
    const auto send = [&](const std::string& type) {
        const auto client = connect(*server);
        const std::size_t before = ends.size();
        type.empty() ? client->send_message("no container") : bridge.send_container(*client, *make_container(type, 9));
        client->stop_client();
        EXPECT_TRUE(ends.wait_for(before + 1));
    };
    bridge.set_container_message_handler(to_journal());
    bridge.enable_container_serialization(false);
    send("");
    bridge.enable_container_serialization();
    send("looked at");
    bridge.set_container_message_handler(nullptr);
    send("");
    bridge.set_container_message_handler(to_journal());
    send("again");
    EXPECT_EQ("looked at 9", containers.at(0));
    EXPECT_EQ("again 9", containers.at(1));
    EXPECT_EQ(2u, containers.size());
    EXPECT_EQ(0u, errors.size());
    EXPECT_EQ(4u, messages.size());
}

TEST_F(Containers, AHandlerThatThrowsEndsItsSessionAlone) {
    auto server = start_server();
    bridge.set_container_message_handler([&](const std::shared_ptr<container>& received) {
        if (received->message_type() == "bad") {
            throw std::runtime_error("of the handler");
        }
        containers.add(describe(received));
    });
    const auto good = connect(*server);
    const auto bad = connect(*server);
    event ended;
    bad->set_disconnect_handler([&](const std::string&) { ended.set(); });
    bridge.send_container(*bad, *make_container("bad", 0));
    EXPECT_TRUE(ended.wait());
    EXPECT_NE(std::string::npos, errors.at(0).find("-645")) << errors.at(0);
    EXPECT_NE(std::string::npos, errors.at(0).find("of the handler")) << errors.at(0);
    bridge.send_container(*good, *make_container("good", 1));
    EXPECT_EQ("good 1", containers.at(0));
}

TEST_F(Containers, CannotGoWhereThereIsNoConnection) {
    const auto client = bridge.create_client("not started");
    EXPECT_EQ(-603, bridge.send_container(*client, *make_container("nowhere", 1)).error().code);
}

TEST_F(Containers, ThatTheirLibraryCannotWriteAreRefused) {
    auto server = start_server();
    const auto client = connect(*server);
    const auto refused = bridge.send_container(*client, *make_container("", 1));
    ASSERT_TRUE(refused.is_err());
    EXPECT_EQ(-1, refused.error().code);
    EXPECT_EQ("container_system could not write the container", refused.error().message);
    EXPECT_TRUE(container_system_adapter(make_container("", 1)).serialize({}).empty());
}

TEST_F(Containers, DoNotReachABridgeThatIsGone) {
    auto other = std::make_unique<bridge_type>("short-lived");
    network_system::core::server_config config;
    config.bind_address = "127.0.0.1";
    config.port = 0;
    auto server = other->create_server("server", config);
    server->set_message_handler([&](const session_ptr&, const std::string&) { messages.add("message"); });
    ASSERT_TRUE(server->start_server().is_ok());
    other->set_container_message_handler(to_journal());
    const auto client = connect(*server);
    other.reset();
    bridge.send_container(*client, *make_container("late", 1));
    EXPECT_EQ("message", messages.at(0));
    server->stop_server();
    EXPECT_EQ(0u, containers.size());
}

TEST(ContainerSystemAdapter, ServesTheManager) {
    const auto adapted = make_container("adapted", 3);
    const auto adapter = std::make_shared<container_system_adapter>(adapted);
    EXPECT_EQ(adapted, adapter->get_container());
    EXPECT_TRUE(adapter->is_valid());
    EXPECT_EQ("container_system_adapter", adapter->type_name());

    container_manager& manager = container_manager::instance();
    manager.register_container("adapted", adapter);
    EXPECT_EQ(adapter, manager.get_container("adapted"));
    manager.set_default_container(adapter);
    const auto other = make_container("other", 4);
    for (const std::string& text : {std::string("plain"), std::string("@header={};@data={};")}) {
        EXPECT_EQ(text, std::any_cast<std::string>(manager.deserialize(manager.serialize(text))));
    }
    const auto read = container_system_adapter::parse(manager.serialize(other));
    ASSERT_NE(nullptr, read);
    EXPECT_EQ("other 4", describe(read));
    EXPECT_EQ("adapted 3", describe(container_system_adapter::parse(manager.serialize({}))));
    const std::any text = manager.deserialize(manager.serialize(other));
    EXPECT_EQ(text_of(manager.serialize(other)), std::any_cast<std::string>(text));
    manager.set_default_container(nullptr);
}

TEST(ContainerSystemAdapter, WritesNothingForWhatItDoesNotKnow) {
    const container_system_adapter adapter(make_container("adapted", 3));
    EXPECT_TRUE(adapter.serialize(5).empty());
    EXPECT_TRUE(adapter.serialize(std::shared_ptr<container>()).empty());
    EXPECT_FALSE(adapter.deserialize({}).has_value());
    const container_system_adapter none(nullptr);
    EXPECT_FALSE(none.is_valid());
    EXPECT_EQ(nullptr, none.get_container());
    EXPECT_TRUE(none.serialize(std::string("x")).empty());
    EXPECT_FALSE(none.deserialize(bytes_of("x")).has_value());
}

/// The library reads its header only unless told otherwise, makes an empty container of garbage, and throws for numbers
/// that are none.
TEST(ContainerSystemAdapter, ReadsWholeContainersAndRefusesTheRest) {
    const auto bytes = network_system::detail::container_to_bytes(*make_container("whole", 12));
    EXPECT_EQ("whole 12", describe(container_system_adapter::parse(bytes)));
    EXPECT_EQ(nullptr, container_system_adapter::parse(bytes_of("garbage")));
    EXPECT_EQ(nullptr, container_system_adapter::parse({}));
    EXPECT_EQ(nullptr, container_system_adapter::parse(bytes_of("@data={[number,x,1];};")));
    // What takes the container as it is, too.
    const auto into =
        network_system::detail::container_from_bytes<container>(bytes, [] { return std::make_shared<container>(); });
    ASSERT_NE(nullptr, into);
    EXPECT_EQ("whole 12", describe(into));
}

}  // namespace
