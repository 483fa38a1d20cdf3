#pragma once

// Stands in for container_system of September and October 2025: see ../../../README.md.
#include <stand_in/container_text.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace container_module {

class value {
public:
    value(std::string name, int type, std::string text) : content_{std::move(name), type, std::move(text)} {}
    virtual ~value() = default;

    std::string name() const { return content_.name; }
    bool is_null() const { return content_.type == 0; }
    std::string to_string() const { return content_.text; }
    int to_int() const { return is_null() ? 0 : std::stoi(content_.text); }
    double to_double() const { return is_null() ? 0 : std::stod(content_.text); }
    bool to_boolean() const { return content_.text == "true"; }
    const stand_in::text_value& content() const { return content_; }

private:
    stand_in::text_value content_;
};

class bool_value : public value {
public:
    bool_value(const std::string& name, bool data) : value(name, 1, data ? "true" : "false") {}
};

class int_value : public value {
public:
    int_value(const std::string& name, int data) : value(name, 4, std::to_string(data)) {}
};

class double_value : public value {
public:
    double_value(const std::string& name, double data) : value(name, 11, std::to_string(data)) {}
};

class string_value : public value {
public:
    string_value(const std::string& name, const std::string& data) : value(name, 13, data) {}
};

class value_container : public stand_in::container_header {
public:
    value_container() = default;
    value_container(const std::string& text, bool parse_only_header = true) { deserialize(text, parse_only_header); }
    value_container(const std::vector<std::uint8_t>& bytes, bool parse_only_header = true) {
        deserialize(bytes, parse_only_header);
    }
    value_container(const value_container& other, bool parse_only_header = true) {
        deserialize(other.serialize(), parse_only_header);
    }
    value_container(const std::vector<std::shared_ptr<value>>& values) {
        for (const auto& added : values) {
            add(added);
        }
    }

    std::shared_ptr<value> add(std::shared_ptr<value> added, bool = false) {
        read_values();
        content_.values.push_back(added->content());
        return added;
    }

    /// A null value when there is none of that name.
    std::shared_ptr<value> get_value(std::string_view name, unsigned int index = 0) {
        read_values();
        for (const auto& one : content_.values) {
            if (one.name == name && index-- == 0) {
                return std::make_shared<value>(one.name, one.type, one.text);
            }
        }
        return std::make_shared<value>(std::string(name), 0, "");
    }

    std::string serialize() const { return unread_.empty() ? content_.write() : unread_; }
    std::vector<std::uint8_t> serialize_array() const {
        const std::string text = serialize();
        return {text.begin(), text.end()};
    }

    bool deserialize(const std::string& text, bool parse_only_header = true) {
        content_ = stand_in::container_text::read(text, parse_only_header);
        unread_ = parse_only_header ? text : "";
        return true;
    }
    bool deserialize(const std::vector<std::uint8_t>& bytes, bool parse_only_header = true) {
        return deserialize(std::string(bytes.begin(), bytes.end()), parse_only_header);
    }

private:
    void read_values() {
        if (!unread_.empty()) {
            deserialize(std::string(unread_), false);
        }
    }

    std::string unread_;  // the values of which are read when they are asked for
};

}  // namespace container_module
