#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"
#include "network_system/integration/container_integration.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// Reads the messages of a bridge as containers of a library, and hands them to the program.
template <typename Container>
class container_handler {
public:
    using function = std::function<void(std::shared_ptr<Container>)>;
    using factory = std::function<std::shared_ptr<Container>()>;

    /// A handler takes the shared pointer, or the container itself. An empty one: none.
    template <typename Handler>
    static function wrap(Handler&& handler) {
        if constexpr (std::is_invocable_v<Handler&, std::shared_ptr<Container>>) {
            return function(std::forward<Handler>(handler));
        } else {
            static_assert(std::is_invocable_v<Handler&, const Container&>,
                          "the handler must accept a std::shared_ptr<value_container> or a const value_container&");
            std::function<void(const Container&)> by_reference(std::forward<Handler>(handler));
            if (!by_reference) {
                return nullptr;
            }
            return [by_reference = std::move(by_reference)](const std::shared_ptr<Container>& container) {
                by_reference(*container);
            };
        }
    }

    void set_function(function next) {
        const std::lock_guard<std::mutex> lock(mutex_);
        function_.swap(next);
    }
    void set_factory(factory next) {
        const std::lock_guard<std::mutex> lock(mutex_);
        factory_.swap(next);
    }
    void set_enabled(bool enabled) {
        const std::lock_guard<std::mutex> lock(mutex_);
        enabled_ = enabled;
    }

    /// Whether messages are to be read at all.
    bool is_wanted() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return enabled_ && function_;
    }

    /// Hands a message over, or tells the bridge that it is no container.
    void handle(const netsys_message& message, netsys_bridge bridge) const {
        function call;
        factory make;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (!enabled_ || !function_) {
                return;  // no longer wanted
            }
            call = function_;
            make = factory_;
        }
        const std::vector<std::uint8_t> bytes(message.data, message.data + message.len);
        const std::shared_ptr<Container> container = container_from_bytes<Container>(bytes, make);
        if (container) {
            call(container);
            return;
        }
        const std::string what = "a message of " + std::to_string(message.len) + " bytes is no container";
        netsys_bridge_report_error(bridge, NETSYS_ERR_RECEIVE_FAILED, c_str(what));
    }

private:
    mutable std::mutex mutex_;
    function function_;
    factory factory_;
    bool enabled_ = true;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
