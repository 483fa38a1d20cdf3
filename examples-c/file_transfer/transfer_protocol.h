// What the three programs of the file transfer say to each other: binary messages, whose first byte is their kind.
//
//   ready      receiver -> server -> receiver   the receiver's client id is the name that a sender asks for
//   offer      sender   -> server -> receiver   size, name of the receiver, name of the file; the server joins the
//                                               two, and passes on all that follows in either direction
//   accept     receiver -> sender
//   data       sender   -> receiver             any number of chunks
//   end        sender   -> receiver             the SHA-256 of what was sent
//   verified   receiver -> sender               the SHA-256 of what was received and written
//   refuse     anyone                           instead of any answer, with the reason
//
// Numbers are unsigned 64-bit, most significant byte first.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace transfer {

enum class kind : char {
    ready = 'R',
    offer = 'O',
    accept = 'A',
    refuse = 'X',
    data = 'D',
    end = 'E',
    verified = 'V',
};

/// Of a file, in one message: large enough that the cost of a message vanishes, small enough to queue several.
constexpr std::size_t chunk_size = 64 * 1024;

/// A peer that takes nothing for this long is given up.
constexpr int patience_seconds = 300;

inline std::string message(kind what, std::string_view body = {}) {
    std::string text(1, static_cast<char>(what));
    text += body;
    return text;
}

inline bool is(kind what, std::string_view message) {
    return !message.empty() && message.front() == static_cast<char>(what);
}

inline std::string_view body(std::string_view message) {
    return message.substr(std::min<std::size_t>(1, message.size()));
}

struct offer {
    std::uint64_t size = 0;
    std::string receiver;
    std::string file;

    std::string encode() const {
        std::string text;
        for (int shift = 56; shift >= 0; shift -= 8) {
            text += static_cast<char>((size >> shift) & 0xff);
        }
        return message(kind::offer, text + receiver + '\0' + file);
    }

    static std::optional<offer> decode(std::string_view message) {
        std::string_view rest = body(message);
        if (!is(kind::offer, message) || rest.size() < 8) {
            return std::nullopt;
        }
        offer result;
        for (const char byte : rest.substr(0, 8)) {
            result.size = result.size << 8 | static_cast<unsigned char>(byte);
        }
        rest.remove_prefix(8);
        const std::size_t separator = rest.find('\0');
        if (separator == std::string_view::npos) {
            return std::nullopt;
        }
        result.receiver = rest.substr(0, separator);
        result.file = rest.substr(separator + 1);
        return result;
    }
};

/// A name of a file that came from elsewhere may be one plain component of a path, and nothing that a file system, a
/// shell or a terminal could take for more.
inline bool is_safe_file_name(std::string_view name) {
    const auto harmless = [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '/' && c != '\\' && c != ':';
    };
    return !name.empty() && name.size() <= 200 && name.front() != '.' && name.front() != '-' &&
           std::all_of(name.begin(), name.end(), harmless);
}

inline bool parse_port(const char* text, unsigned short& port) {
    const char* end = text + std::strlen(text);
    const auto [stop, error] = std::from_chars(text, end, port);
    return error == std::errc{} && stop == end;
}

}  // namespace transfer
