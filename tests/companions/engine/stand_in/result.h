#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace stand_in {

struct error_info {
    int code = 0;
    std::string message;
    std::string module;
    std::optional<std::string> details;
};

/// As common_system's: no conversion to bool, and `module` where the library's own type also has `source`.
template <typename T>
class result {
public:
    result(const T& value) : content_(std::in_place_index<0>, value) {}
    result(T&& value) : content_(std::in_place_index<0>, std::move(value)) {}
    result(const error_info& error) : content_(std::in_place_index<1>, error) {}

    bool is_ok() const { return content_.index() == 0; }
    bool is_err() const { return !is_ok(); }
    const T& value() const { return std::get<0>(content_); }
    T& value() { return std::get<0>(content_); }
    const error_info& error() const { return std::get<1>(content_); }

private:
    std::variant<T, error_info> content_;
};

}  // namespace stand_in
