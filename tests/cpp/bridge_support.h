#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "network_system/integration/messaging_bridge.h"
#include "network_system/test_utils/network_test_utils.h"
#include "support.h"

/// What the tests of the bridge share.
namespace test_support {

using bridge_server = std::shared_ptr<network_system::core::messaging_server>;
using bridge_client = std::shared_ptr<network_system::core::messaging_client>;

/// Figures tell nobody of their changes, so they are looked at again and again.
template <typename Predicate>
bool wait_until(Predicate&& holds) {
    return network_system::test_utils::wait_for_condition(holds, patience);
}

inline network_system::server_config on_loopback() {
    network_system::server_config config;
    config.bind_address = "127.0.0.1";
    config.port = 0;
    return config;
}

/// Connections in all, open and failed; messages sent and received; their bytes likewise.
using traffic = std::array<std::uint64_t, 7>;

template <typename Metrics>
traffic traffic_of(const Metrics& metrics) {
    return {metrics.total_connections, metrics.active_connections, metrics.failed_connections, metrics.messages_sent,
            metrics.messages_received, metrics.bytes_sent,         metrics.bytes_received};
}

/// A server of the bridge that runs, and sends back each message.
inline bridge_server echo_server(network_system::integration::messaging_bridge& bridge,
                                 const network_system::server_config& config = on_loopback()) {
    auto server = bridge.create_server("server", config);
    server->set_message_handler([](auto session, const std::string& message) { session->send_message(message); });
    EXPECT_TRUE(server->start_server());
    return server;
}

/// Has a client of the bridge connect, and speak whole messages.
inline void connect(network_system::core::messaging_client& client, unsigned short port) {
    EXPECT_TRUE(client.start_client("127.0.0.1", port));
    const auto connected = client.wait_until_connected(patience);
    EXPECT_TRUE(connected) << (connected.is_err() ? connected.error().message : "");
}

inline bridge_client connected_client(network_system::integration::messaging_bridge& bridge, unsigned short port,
                                      journal& heard) {
    auto client = bridge.create_client("client");
    client->set_message_handler([&heard](const std::string& message) { heard.add(message); });
    connect(*client, port);
    return client;
}

}  // namespace test_support
