#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the stand-ins for both generations of container_system write and read: a text that looks like the real one,
/// with the same gaps (nothing is escaped, anything reads as a container), and is not the real one.
namespace stand_in {

enum header_field { target = 1, target_sub, source, source_sub, message_type_field, version_field };

struct text_value {
    std::string name;
    int type;
    std::string text;
};

struct container_text {
    std::map<int, std::string> header{{message_type_field, "data_container"}, {version_field, "stand-in"}};
    std::vector<text_value> values;

    /// Nothing when it cannot be written, which here is so without a message type.
    std::string write() const {
        if (header.at(message_type_field).empty()) {
            return "";
        }
        std::string text = "@header={";
        for (const auto& field : header) {
            text += '[' + std::to_string(field.first) + ',' + field.second + "];";
        }
        text += "};@data={";
        for (const text_value& value : values) {
            text += '[' + value.name + ',' + std::to_string(value.type) + ',' + value.text + "];";
        }
        return text + "};";
    }

    /// What is no container gives an empty one. Throws std::invalid_argument for a number that is none.
    static container_text read(const std::string& text, bool only_header) {
        container_text result;
        for (const auto& entry : entries(text, "@header={")) {
            result.header[std::stoi(entry.first)] = entry.second;
        }
        if (!only_header) {
            for (const auto& entry : entries(text, "@data={")) {
                const std::size_t comma = entry.second.find(',');
                result.values.push_back({entry.first, std::stoi(entry.second), entry.second.substr(comma + 1)});
            }
        }
        return result;
    }

private:
    static std::vector<std::pair<std::string, std::string>> entries(const std::string& text, const char* section) {
        std::vector<std::pair<std::string, std::string>> found;
        std::size_t at = text.find(section);
        const std::size_t end = at == std::string::npos ? at : text.find("};", at);
        while (end != std::string::npos && (at = text.find('[', at)) < end) {
            const std::size_t comma = text.find(',', at);
            const std::size_t close = text.find("];", at);
            if (comma > close || close > end) {
                break;
            }
            found.emplace_back(text.substr(at + 1, comma - at - 1), text.substr(comma + 1, close - comma - 1));
            at = close;
        }
        return found;
    }
};

/// The header of a container, which both generations show alike.
class container_header {
public:
    void set_source(std::string_view id, std::string_view sub_id) noexcept {
        content_.header[source] = id;
        content_.header[source_sub] = sub_id;
    }
    void set_target(std::string_view id, std::string_view sub_id = "") noexcept {
        content_.header[target] = id;
        content_.header[target_sub] = sub_id;
    }
    void set_message_type(std::string_view type) noexcept { content_.header[message_type_field] = type; }

    std::string source_id() const noexcept { return field(source); }
    std::string source_sub_id() const noexcept { return field(source_sub); }
    std::string target_id() const noexcept { return field(target); }
    std::string target_sub_id() const noexcept { return field(target_sub); }
    std::string message_type() const noexcept { return field(message_type_field); }
    std::string version() const noexcept { return field(version_field); }

protected:
    container_text content_;

private:
    std::string field(int id) const {
        const auto found = content_.header.find(id);
        return found == content_.header.end() ? "" : found->second;
    }
};

}  // namespace stand_in
