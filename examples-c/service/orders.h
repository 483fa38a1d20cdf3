// What the order desk and its clients say to each other, and how it is written.
#pragma once

#include <network_system/integration/container_integration.h>

#include <any>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

struct order {
    int number = 0;
    std::string item;
    int quantity = 0;
};

struct receipt {
    int number = 0;
    int total_cents = 0;
    std::string problem;  // empty: accepted
};

/// Turns orders and receipts into bytes and back: as containers of container_system where the program is built with it
/// (BUILD_WITH_CONTAINER_SYSTEM), else in a format of its own. What it cannot read is an empty value.
class order_format : public network_system::integration::container_interface {
public:
    using bytes = std::vector<std::uint8_t>;

    bytes serialize(const std::any& data) const override {
        if (const auto* wanted = std::any_cast<order>(&data)) {
            return write("order", {{"number", std::to_string(wanted->number)},
                                   {"item", wanted->item},
                                   {"quantity", std::to_string(wanted->quantity)}});
        }
        if (const auto* given = std::any_cast<receipt>(&data)) {
            return write("receipt", {{"number", std::to_string(given->number)},
                                     {"total_cents", std::to_string(given->total_cents)},
                                     {"problem", given->problem}});
        }
        return {};
    }

    std::any deserialize(const bytes& data) const override {
        try {
            const auto [type, fields] = read(data);
            if (type == "order") {
                return order{std::stoi(fields.at("number")), fields.at("item"), std::stoi(fields.at("quantity"))};
            }
            if (type == "receipt") {
                return receipt{std::stoi(fields.at("number")), std::stoi(fields.at("total_cents")),
                               fields.at("problem")};
            }
        } catch (const std::exception&) {  // a field is missing, or is no number
        }
        return {};
    }

    std::string type_name() const override { return "orders"; }
    bool is_valid() const override { return true; }

private:
    using fields = std::map<std::string, std::string>;

#ifdef BUILD_WITH_CONTAINER_SYSTEM
    using container = container_module::value_container;
    using adapter = network_system::integration::container_system_adapter;

    static bytes write(const std::string& type, const fields& content) {
        const auto made = std::make_shared<container>();
        made->set_message_type(type);
        for (const auto& [name, text] : content) {
#if __has_include(<kcenon/container/container.h>)  // since 2026
            made->set(name, text);
#else
            made->add(std::make_shared<container_module::string_value>(name, text));
#endif
        }
        return adapter(made).serialize({});
    }

    static std::pair<std::string, fields> read(const bytes& data) {
        const auto received = adapter::parse(data);
        if (!received) {
            return {};
        }
        fields content;
        for (const char* name : {"number", "item", "quantity", "total_cents", "problem"}) {
#if __has_include(<kcenon/container/container.h>)
            if (const auto value = received->get(name)) {
                content[name] = std::get<std::string>(value->data);
            }
#else
            if (const auto value = received->get_value(name); !value->is_null()) {
                content[name] = value->to_string();
            }
#endif
        }
        return {received->message_type(), content};
    }
#else
    // The type, then each field: its name, its length, and its text, which may hold anything.
    static bytes write(const std::string& type, const fields& content) {
        std::string text = type + '\n';
        for (const auto& [name, value] : content) {
            text += name + ' ' + std::to_string(value.size()) + '\n' + value + '\n';
        }
        return {text.begin(), text.end()};
    }

    static std::pair<std::string, fields> read(const bytes& data) {
        const std::string text(data.begin(), data.end());
        fields content;
        std::size_t at = text.find('\n');
        const std::string type = text.substr(0, at);
        while (at != std::string::npos && ++at < text.size()) {
            const std::size_t space = text.find(' ', at);
            const std::size_t line_end = text.find('\n', at);
            if (space >= line_end || line_end == std::string::npos) {
                return {};
            }
            std::size_t length = 0;
            const char* const digits_end = text.data() + line_end;
            const auto [stop, error] = std::from_chars(text.data() + space + 1, digits_end, length);
            if (error != std::errc{} || stop != digits_end || length > text.size() - line_end - 1) {
                return {};
            }
            content[text.substr(at, space - at)] = text.substr(line_end + 1, length);
            at = line_end + 1 + length;
        }
        return {type, content};
    }
#endif
};
