#include "payload.h"

#include <cstring>

namespace bench::payload {

namespace {

void put(std::uint8_t* out, std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

std::uint64_t get(const std::uint8_t* data, std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value |= static_cast<std::uint64_t>(data[i]) << (8 * i);
    return value;
}

std::uint64_t mixed(std::uint64_t value) {
    value = (value ^ (value >> 31)) * 0x9e3779b97f4a7c15u;
    return value ^ (value >> 29);
}

std::uint32_t digest(const std::uint8_t* data) {
    std::uint64_t value = mixed(get(data, 8));
    value = mixed(value ^ get(data + 8, 8));
    value = mixed(value ^ get(data + 16, 8));
    return static_cast<std::uint32_t>(mixed(value ^ get(data + 24, 4)));
}

}  // namespace

void write(const header& header, std::uint8_t* out) {
    out[0] = 'n';
    out[1] = 's';
    out[2] = 'b';
    out[3] = static_cast<std::uint8_t>(header.what);
    put(out + 4, header.size, 4);
    put(out + 8, header.sequence, 8);
    put(out + 16, header.time, 8);
    put(out + 24, header.connection, 4);
    put(out + 28, digest(out), 4);
}

std::uint64_t announced_size(const std::uint8_t* data) {
    if (data[0] != 'n' || data[1] != 's' || data[2] != 'b') return 0;
    const std::uint64_t size = get(data + 4, 4);
    return size < header_bytes ? 0 : size;
}

std::optional<header> read(const std::uint8_t* data, std::size_t length) {
    if (length < header_bytes || announced_size(data) != length || get(data + 28, 4) != digest(data)) {
        return std::nullopt;
    }
    header out;
    out.what = static_cast<purpose>(data[3]);
    out.size = static_cast<std::uint32_t>(length);
    out.sequence = get(data + 8, 8);
    out.time = get(data + 16, 8);
    out.connection = static_cast<std::uint32_t>(get(data + 24, 4));
    return out;
}

void write_report(const sink_report& report, std::uint8_t* out) {
    put(out, report.messages, 8);
    put(out + 8, report.bytes, 8);
    put(out + 16, report.wrong, 8);
    put(out + 24, report.out_of_order, 8);
}

sink_report read_report(const std::uint8_t* data) {
    return {get(data, 8), get(data + 8, 8), get(data + 16, 8), get(data + 24, 8)};
}

std::vector<std::uint8_t> make_body(std::size_t length) {
    std::vector<std::uint8_t> out(length);
    std::uint64_t state = 1;
    for (std::uint8_t& byte : out) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        byte = static_cast<std::uint8_t>(state >> 56);
    }
    return out;
}

}  // namespace bench::payload
