#include "json.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "failure.h"

namespace bench {

namespace {

constexpr int deepest = 64;

void write_string(std::string& out, const std::string& text) {
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
            out += escaped;
        } else {
            out += c;
        }
    }
    out += '"';
}

void write_number(std::string& out, double value) {
    if (!std::isfinite(value)) {
        out += "null";
        return;
    }
    char text[40];
    const bool whole = std::floor(value) == value && std::fabs(value) < 9007199254740992.0;
    std::snprintf(text, sizeof text, whole ? "%.0f" : "%.9g", value);
    out += text;
}

class parser {
public:
    explicit parser(const std::string& text) : text_(text) {}

    json document() {
        json out = value(0);
        skip_blanks();
        if (at_ != text_.size()) fail("nothing more was expected");
        return out;
    }

private:
    [[noreturn]] void fail(const char* what) const {
        throw failure("no JSON at byte " + std::to_string(at_) + ": " + what);
    }

    void skip_blanks() {
        while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) != nullptr && text_[at_] != '\0') ++at_;
    }

    bool take(char c) {
        skip_blanks();
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    bool take_word(const char* word) {
        const std::size_t length = std::strlen(word);
        if (text_.compare(at_, length, word) != 0) return false;
        at_ += length;
        return true;
    }

    json value(int depth) {
        if (depth > deepest) fail("too deeply nested");
        skip_blanks();
        if (take('{')) return object(depth);
        if (take('[')) return array(depth);
        if (at_ < text_.size() && text_[at_] == '"') return string();
        if (take_word("true")) return true;
        if (take_word("false")) return false;
        if (take_word("null")) return json();
        return number();
    }

    json object(int depth) {
        json out = json::make_object();
        if (take('}')) return out;
        do {
            skip_blanks();
            if (at_ >= text_.size() || text_[at_] != '"') fail("a member's name was expected");
            const std::string name = string();
            if (!take(':')) fail("a colon was expected");
            out.set(name, value(depth + 1));
        } while (take(','));
        if (!take('}')) fail("a comma or } was expected");
        return out;
    }

    json array(int depth) {
        json out = json::make_array();
        if (take(']')) return out;
        do {
            out.push(value(depth + 1));
        } while (take(','));
        if (!take(']')) fail("a comma or ] was expected");
        return out;
    }

    std::string string() {
        std::string out;
        for (++at_; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '"') {
                ++at_;
                return out;
            }
            if (static_cast<unsigned char>(c) < 0x20) fail("a control character in a string");
            if (c != '\\') {
                out += c;
                continue;
            }
            if (++at_ >= text_.size()) break;
            escape(out);
        }
        fail("a string does not end");
    }

    void escape(std::string& out) {
        static const char names[] = "\"\\/bfnrt";
        static const char meanings[] = "\"\\/\b\f\n\r\t";
        const char c = text_[at_];
        if (c != 'u') {
            const char* found = c == '\0' ? nullptr : std::strchr(names, c);
            if (found == nullptr) fail("an unknown escape");
            out += meanings[found - names];
            return;
        }
        const std::string digits = text_.substr(at_ + 1, 4);
        if (digits.size() != 4 || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
            fail("four hexadecimal digits were expected");
        }
        at_ += 4;
        // Single units only: this tool writes no others.
        const unsigned long unit = std::strtoul(digits.c_str(), nullptr, 16);
        if (unit < 0x80) {
            out += static_cast<char>(unit);
        } else if (unit < 0x800) {
            out += static_cast<char>(0xc0 | (unit >> 6));
            out += static_cast<char>(0x80 | (unit & 0x3f));
        } else {
            out += static_cast<char>(0xe0 | (unit >> 12));
            out += static_cast<char>(0x80 | ((unit >> 6) & 0x3f));
            out += static_cast<char>(0x80 | (unit & 0x3f));
        }
    }

    json number() {
        const std::size_t end = text_.find_first_not_of("+-.0123456789eE", at_);
        const std::string digits = text_.substr(at_, end == std::string::npos ? end : end - at_);
        char* rest = nullptr;
        const double out = std::strtod(digits.c_str(), &rest);
        if (digits.empty() || *rest != '\0') fail("a value was expected");
        at_ += digits.size();
        return out;
    }

    const std::string& text_;
    std::size_t at_ = 0;
};

}  // namespace

json json::make_array() {
    json out;
    out.type_ = type::array;
    return out;
}

json json::make_object() {
    json out;
    out.type_ = type::object;
    return out;
}

void json::set(const std::string& name, json value) {
    members_.emplace_back(name, std::move(value));
}

const json& json::operator[](const std::string& name) const {
    static const json none;
    for (const auto& [key, value] : members_) {
        if (key == name) return value;
    }
    return none;
}

std::uint64_t json::count() const {
    const double value = number();
    return value >= 1 && value < 18446744073709551615.0 ? static_cast<std::uint64_t>(value) : 0;
}

bool json::is_flat() const {
    for (const json& item : items_) {
        const bool pair = item.is(type::array) && item.items_.size() <= 2 && item.is_flat();
        if (!item.is(type::number) && !pair) return false;
    }
    return true;
}

void json::write(std::string& out, int depth) const {
    const std::string indent(static_cast<std::size_t>(depth) * 2 + 2, ' ');
    const std::string end(static_cast<std::size_t>(depth) * 2, ' ');
    const char* separator = "";
    const bool flat = is_flat();
    switch (type_) {
        case type::null:
            out += "null";
            return;
        case type::boolean:
            out += boolean_ ? "true" : "false";
            return;
        case type::number:
            write_number(out, number_);
            return;
        case type::string:
            write_string(out, string_);
            return;
        case type::array:
            out += '[';
            for (const json& item : items_) {
                out += separator;
                if (!flat) out += '\n' + indent;
                item.write(out, depth + 1);
                separator = flat ? ", " : ",";
            }
            if (!flat) out += '\n' + end;
            out += ']';
            return;
        case type::object:
            out += '{';
            for (const auto& [name, value] : members_) {
                out += separator;
                out += '\n' + indent;
                write_string(out, name);
                out += ": ";
                value.write(out, depth + 1);
                separator = ",";
            }
            if (!members_.empty()) out += '\n' + end;
            out += '}';
            return;
    }
}

std::string json::text() const {
    std::string out;
    write(out, 0);
    out += '\n';
    return out;
}

json json::parse(const std::string& text) {
    return parser(text).document();
}

}  // namespace bench
