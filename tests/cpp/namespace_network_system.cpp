// The other translation unit of test_namespaces: a program of the time when the classes lived in network_system, and
// both include paths led to them.
#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>

namespace network_system::core {
class messaging_server;
}
namespace network_system::integration {
class messaging_bridge;
}

namespace {

struct holder {
    std::shared_ptr<network_system::core::messaging_server> server;
};

}  // namespace

#include <kcenon/network/core/messaging_server.h>
#include <network_system/compatibility.h>

#include "earlier_server.h"

static_assert(std::is_same_v<network_system::core::messaging_server, kcenon::network::core::messaging_server>);
static_assert(std::is_same_v<network_module::messaging_bridge, network_system::integration::messaging_bridge>);
static_assert(
    std::is_same_v<network_system::integration::basic_thread_pool, kcenon::network::integration::basic_thread_pool>);

namespace {

/// An echo.
class earlier_echo final : public earlier_server {
public:
    earlier_echo() : echo_{network_module::create_server("earlier")} {
        echo_.server->set_receive_callback([](auto session, const auto& data) { session->send_packet(data); });
    }
    ~earlier_echo() override { echo_.server->stop_server(); }

    bool start() const { return echo_.server->start_server("127.0.0.1", 0); }
    unsigned short port() const override { return echo_.server->port(); }
    std::string class_name() const override {
        const auto& server = *echo_.server;
        return typeid(server).name();
    }
    const void* default_pool() const override {
        return network_system::integration::thread_integration_manager::instance().get_thread_pool().get();
    }

private:
    holder echo_;
};

}  // namespace

std::unique_ptr<earlier_server> earlier_server::start() {
    auto server = std::make_unique<earlier_echo>();
    return server->start() ? std::move(server) : nullptr;
}
