#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "network_system/core/messaging_server.h"
#include "network_system/detail/handler_table.h"
#include "network_system/detail/namespace.h"
#include "network_system/interfaces/i_protocol_server.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// A messaging_server behind the interface, whose callbacks have other parameters under the same names.
class protocol_server final : public interfaces::i_protocol_server {
public:
    protocol_server(const std::string& server_id, const core::server_config& config) : server_(server_id, config) {
        // The server's own disconnection callback gets the server's id, the interface's that of the session.
        server_.set_connection_callback([handlers = handlers_](const auto& session) {
            session->set_disconnection_callback([handlers, id = session->session_id()](const std::string&) {
                if (const auto disconnection = handlers->snapshot().disconnection) {
                    (*disconnection)(id);
                }
            });
            if (const auto connection = handlers->snapshot().connection) {
                (*connection)(session);
            }
        });
    }

    auto start(std::uint16_t port) -> VoidResult override {
        const VoidResult started = server_.start_server(port);
        return started.is_err() && started.error().code == NETSYS_ERR_SERVER_ALREADY_RUNNING
                   ? error_void(NETSYS_ERR_ALREADY_EXISTS, started.error().message)
                   : started;
    }

    auto stop() -> VoidResult override {
        server_.stop_server();  // fails only when there is nothing to stop
        return ok();
    }

    auto is_running() const -> bool override { return server_.is_running(); }
    auto wait_for_stop() -> void override { server_.wait_for_stop(); }
    auto connection_count() const -> std::size_t override { return server_.connection_count(); }
    auto port() const -> std::uint16_t override { return is_running() ? server_.port() : std::uint16_t{0}; }

    auto set_connection_callback(connection_callback_t callback) -> void override {
        handlers_->set(&handlers::connection, std::move(callback));
    }

    auto set_disconnection_callback(disconnection_callback_t callback) -> void override {
        handlers_->set(&handlers::disconnection, std::move(callback));
    }

    auto set_receive_callback(receive_callback_t callback) -> void override {
        server_.set_receive_callback(by_id<core::messaging_server::receive_callback_t>(std::move(callback)));
    }

    auto set_error_callback(error_callback_t callback) -> void override {
        server_.set_error_callback(by_id<core::messaging_server::error_callback_t>(std::move(callback)));
    }

private:
    struct handlers {
        handler<void(std::shared_ptr<interfaces::i_session>)> connection;
        handler<void(std::string_view)> disconnection;
    };

    /// `callback` for the server, which gives the session where the interface gives its id.
    template <typename ServerCallback, typename Callback>
    static ServerCallback by_id(Callback callback) {
        if (!callback) {
            return nullptr;
        }
        return
            [callback = std::move(callback)](const auto& session, const auto& what) { callback(session->id(), what); };
    }

    const std::shared_ptr<handler_table<handlers>> handlers_ = std::make_shared<handler_table<handlers>>();
    core::messaging_server server_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
