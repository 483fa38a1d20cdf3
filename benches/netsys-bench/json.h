#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// A JSON value; an object keeps the order of its members.
class json {
public:
    enum class type { null, boolean, number, string, array, object };

    json() = default;
    json(bool value) : type_(type::boolean), boolean_(value) {}
    json(double value) : type_(type::number), number_(value) {}
    json(int value) : json(static_cast<double>(value)) {}
    json(std::uint32_t value) : json(static_cast<double>(value)) {}
    /// Exact up to 2^53, as JSON's readers have it.
    json(std::uint64_t value) : json(static_cast<double>(value)) {}
    json(std::string value) : type_(type::string), string_(std::move(value)) {}
    json(const char* value) : json(std::string(value)) {}

    static json make_array();
    static json make_object();

    type kind() const { return type_; }
    bool is(type type) const { return type_ == type; }

    /// To an array or object.
    void push(json value) { items_.push_back(std::move(value)); }
    void set(const std::string& name, json value);

    /// The values of an array.
    const std::vector<json>& items() const { return items_; }
    /// The members of an object.
    const std::vector<std::pair<std::string, json>>& members() const { return members_; }
    /// A member of an object; a null where there is none.
    const json& operator[](const std::string& name) const;

    bool boolean() const { return type_ == type::boolean && boolean_; }
    /// 0 if it is no number.
    double number() const { return type_ == type::number ? number_ : 0; }
    /// As an integer that cannot be negative; 0 if it is none.
    std::uint64_t count() const;
    const std::string& string() const { return string_; }

    /// As text; arrays of numbers, and of these, stay on one line.
    std::string text() const;
    /// Throws failure, with the position, for what is no JSON.
    static json parse(const std::string& text);

private:
    void write(std::string& out, int depth) const;
    bool is_flat() const;

    type type_ = type::null;
    bool boolean_ = false;
    double number_ = 0;
    std::string string_;
    std::vector<json> items_;
    std::vector<std::pair<std::string, json>> members_;
};

}  // namespace bench
