#pragma once

// Stands in for container_system of April 2026: see ../../../../README.md.
#include <kcenon/common/patterns/result.h>
#include <stand_in/container_text.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace kcenon::container {

struct optimized_value {
    std::string name;
    std::variant<std::monostate, bool, int, double, std::string> data;
};

class value_container : public stand_in::container_header {
public:
    enum class serialization_format { binary, json, xml, messagepack };

    value_container() = default;
    explicit value_container(const std::string& text, bool parse_only_header = true) {
        deserialize(text, parse_only_header);
    }
    explicit value_container(const std::vector<std::uint8_t>& bytes, bool parse_only_header = true) {
        deserialize(std::string(bytes.begin(), bytes.end()), parse_only_header);
    }
    value_container(const value_container& other, bool parse_only_header = true) {
        deserialize(other.content_.write(), parse_only_header);
    }

    template <typename T>
    value_container& set(std::string_view key, T&& value) {
        using type = std::decay_t<T>;
        if constexpr (std::is_same_v<type, bool>) {
            content_.values.push_back({std::string(key), 1, value ? "true" : "false"});
        } else if constexpr (std::is_integral_v<type>) {
            content_.values.push_back({std::string(key), 4, std::to_string(value)});
        } else if constexpr (std::is_floating_point_v<type>) {
            content_.values.push_back({std::string(key), 11, std::to_string(value)});
        } else {
            content_.values.push_back({std::string(key), 12, std::string(std::forward<T>(value))});
        }
        return *this;
    }

    std::optional<optimized_value> get(std::string_view name) const {
        for (const auto& one : content_.values) {
            if (one.name != name) {
                continue;
            }
            switch (one.type) {
                case 1:
                    return optimized_value{one.name, one.text == "true"};
                case 4:
                    return optimized_value{one.name, std::stoi(one.text)};
                case 11:
                    return optimized_value{one.name, std::stod(one.text)};
                default:
                    return optimized_value{one.name, one.text};
            }
        }
        return std::nullopt;
    }

    std::size_t size() const noexcept { return content_.values.size(); }

    common::Result<std::vector<std::uint8_t>> serialize(serialization_format format) const {
        const std::string text = format == serialization_format::binary ? content_.write() : "";
        if (text.empty()) {
            return common::error_info{-1, "the stand-in cannot write that", "container_system", std::nullopt};
        }
        return std::vector<std::uint8_t>(text.begin(), text.end());
    }

    common::VoidResult deserialize(std::string_view text) {
        try {
            deserialize(std::string(text), false);
            return std::monostate{};
        } catch (const std::exception& failure) {
            return common::error_info{-1, failure.what(), "container_system", std::nullopt};
        }
    }

private:
    bool deserialize(const std::string& text, bool parse_only_header) {
        content_ = stand_in::container_text::read(text, parse_only_header);
        return true;
    }
};

}  // namespace kcenon::container

namespace container_module = kcenon::container;
