#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "network_system/detail/namespace.h"
#include "network_system/interfaces/byte_span.h"

namespace NETWORK_SYSTEM_NAMESPACE::interfaces {

/// Hears of everything that happens to a client's connection, where the client's handlers run, one event at a time.
///
/// An `on_receive` that throws ends the connection, as does an `on_connected`; `on_error` then gets -645
/// (handler_failed).
class connection_observer {
public:
    virtual ~connection_observer() = default;

    /// The bytes are there until this returns. As C++20 the parameter is std::span<const std::uint8_t>.
    virtual void on_receive(byte_span data) = 0;
    virtual void on_connected() = 0;
    /// Called once for each `on_connected`, also when the client is stopped. The text tells why.
    virtual void on_disconnected(std::optional<std::string_view> reason = std::nullopt) = 0;
    /// When no connection can be established, and before the disconnection when the peer or the network ended it.
    virtual void on_error(std::error_code error) = 0;

protected:
    connection_observer() = default;
    connection_observer(const connection_observer&) = default;
    connection_observer& operator=(const connection_observer&) = default;
};

/// Ignores everything: a base for observers of single events.
class null_connection_observer : public connection_observer {
public:
    void on_receive(byte_span) override {}
    void on_connected() override {}
    void on_disconnected(std::optional<std::string_view> = std::nullopt) override {}
    void on_error(std::error_code) override {}
};

/// An observer of functions, each given by the function of the event's name:
///
///     auto observer = std::make_shared<callback_adapter>();
///     observer->on_connected([] { ... }).on_receive([](auto bytes) { ... });
///
/// To be completed before a client gets it. Events without a function are ignored.
class callback_adapter : public connection_observer {
public:
    using receive_callback_t = std::function<void(byte_span)>;
    using connected_callback_t = std::function<void()>;
    using disconnected_callback_t = std::function<void(std::optional<std::string_view>)>;
    using error_callback_t = std::function<void(std::error_code)>;

    callback_adapter& on_receive(receive_callback_t callback) {
        receive_ = std::move(callback);
        return *this;
    }
    callback_adapter& on_connected(connected_callback_t callback) {
        connected_ = std::move(callback);
        return *this;
    }
    callback_adapter& on_disconnected(disconnected_callback_t callback) {
        disconnected_ = std::move(callback);
        return *this;
    }
    callback_adapter& on_error(error_callback_t callback) {
        error_ = std::move(callback);
        return *this;
    }

    void on_receive(byte_span data) override {
        if (receive_) {
            receive_(data);
        }
    }
    void on_connected() override {
        if (connected_) {
            connected_();
        }
    }
    void on_disconnected(std::optional<std::string_view> reason = std::nullopt) override {
        if (disconnected_) {
            disconnected_(reason);
        }
    }
    void on_error(std::error_code error) override {
        if (error_) {
            error_(error);
        }
    }

private:
    receive_callback_t receive_;
    connected_callback_t connected_;
    disconnected_callback_t disconnected_;
    error_callback_t error_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::interfaces
