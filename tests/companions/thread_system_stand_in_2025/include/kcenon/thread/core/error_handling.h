#pragma once

#include <optional>
#include <string>
#include <utility>

namespace kcenon::thread {

/// The result of what gives no value.
class result_void {
public:
    result_void() = default;
    explicit result_void(std::string message) : message_(std::move(message)) {}

    bool has_error() const { return message_.has_value(); }
    const std::string& get_error() const { return *message_; }

private:
    std::optional<std::string> message_;
};

}  // namespace kcenon::thread
