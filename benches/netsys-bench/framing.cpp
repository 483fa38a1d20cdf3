#include "framing.h"

#include <network_system.h>

#include "failure.h"
#include "payload.h"

namespace bench {

std::string framing::name() const {
    switch (kind) {
        case kind_t::framed:
            return "framed";
        case kind_t::raw:
            return "raw";
        case kind_t::automatic:
            return "auto";
        case kind_t::length:
            break;
    }
    return "length" + std::to_string(width) + (width == 1 ? "" : big_endian ? "be" : "le");
}

std::uint32_t framing::for_library() const {
    if (kind == kind_t::framed) return NETSYS_FRAMING_FRAMED;
    return kind == kind_t::automatic ? NETSYS_FRAMING_AUTO : NETSYS_FRAMING_RAW;
}

std::uint32_t framing::message_kind() const {
    return is_stream() ? NETSYS_MESSAGE_STREAM : NETSYS_MESSAGE_BINARY;
}

std::size_t framing::write_prefix(std::uint64_t length, std::uint8_t* out) const {
    if (kind != kind_t::length) return 0;
    if (counts_itself) length += width;
    for (std::size_t i = 0; i < width; ++i) {
        out[big_endian ? width - 1 - i : i] = static_cast<std::uint8_t>(length >> (8 * i));
    }
    return width;
}

std::uint64_t framing::longest() const {
    if (kind != kind_t::length || width == 8) return UINT64_MAX;
    return (std::uint64_t{1} << (8 * width)) - 1 - (counts_itself ? width : 0);
}

framing parse_framing(const std::string& text) {
    framing out;
    if (text == "framed") return out;
    if (text == "raw") {
        out.kind = framing::kind_t::raw;
        return out;
    }
    if (text == "auto") {
        out.kind = framing::kind_t::automatic;
        return out;
    }
    out.kind = framing::kind_t::length;
    if (text == "length1") {
        out.width = 1;
        return out;
    }
    for (const std::size_t width : {2, 4, 8}) {
        for (const bool big_endian : {false, true}) {
            out.width = width;
            out.big_endian = big_endian;
            if (text == out.name()) return out;
        }
    }
    throw usage_error("--framing " + text + ": expected framed, raw, auto, or a length prefix before each message: " +
                      "length1, length2le, length2be, length4le, length4be, length8le or length8be");
}

splitter splitter::of_prefixed(const framing& framing, std::uint64_t longest) {
    splitter out;
    out.mode_ = mode::prefixed;
    out.framing_ = framing;
    out.longest_ = longest;
    out.header_ = out.skip_ = framing.width;
    return out;
}

splitter splitter::of_size(std::size_t size) {
    splitter out;
    out.longest_ = size;
    return out;
}

splitter splitter::of_payloads(std::uint64_t longest) {
    splitter out;
    out.mode_ = mode::payloads;
    out.longest_ = longest;
    out.header_ = payload::size_known_bytes;
    return out;
}

std::size_t splitter::want(const std::uint8_t* data, std::size_t length) {
    if (mode_ == mode::sized) return static_cast<std::size_t>(longest_);
    if (length < header_) return header_;
    std::uint64_t body = 0;
    if (mode_ == mode::payloads) {
        body = payload::announced_size(data);
        if (body == 0) {
            fault_ = "the bytes that came are no message of netsys-bench";
            return 0;
        }
    } else {
        for (std::size_t i = 0; i < header_; ++i) {
            body |= static_cast<std::uint64_t>(data[framing_.big_endian ? header_ - 1 - i : i]) << (8 * i);
        }
        if (framing_.counts_itself) {
            if (body < header_) {
                fault_ = "a length prefix of " + std::to_string(body) + ", which is less than it has itself";
                return 0;
            }
            body -= header_;
        }
    }
    if (body > longest_) {
        fault_ = "a message of " + std::to_string(body) + " bytes was announced, and " + std::to_string(longest_) +
                 " are the most that is taken (--max-message): is it the right --framing?";
        return 0;
    }
    return skip_ + static_cast<std::size_t>(body);
}

}  // namespace bench
