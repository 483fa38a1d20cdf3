#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace bench {

/// What a message of this tool is for.
enum class purpose : std::uint8_t {
    data = 1,    // is measured
    probe = 2,   // broadcast: asks whether the subscribers are there
    query = 3,   // one-way: asks a sink what it has got
    report = 4,  // its answer
};

/// The first 32 bytes of each message, in little-endian order:
///
///     0 "nsb"   3 purpose   4 size of the message   8 sequence number   16 time   24 connection   28 check
///
/// The check is a digest of the others. Behind them come bytes that are the same for all messages of a run: any loss,
/// duplicate, swap, cut or shift shows.
struct header {
    purpose what = purpose::data;
    std::uint32_t size = 0;
    std::uint64_t sequence = 0;
    /// When the message was sent, or should have been: nanoseconds of the sender's CLOCK_MONOTONIC.
    std::uint64_t time = 0;
    std::uint32_t connection = 0;
};

/// What a sink has got of one connection.
struct sink_report {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    std::uint64_t wrong = 0;         // no message of this tool, or a damaged one
    std::uint64_t out_of_order = 0;  // lost, repeated or swapped ones before it
};

namespace payload {

constexpr std::size_t header_bytes = 32;
constexpr std::size_t size_known_bytes = 8;
constexpr std::size_t report_bytes = 64;
constexpr std::uint32_t largest = 1u << 30;

void write(const header& header, std::uint8_t* out);
/// None: these bytes are no message of this tool, or a damaged one.
std::optional<header> read(const std::uint8_t* data, std::size_t length);
/// The size in the first 8 bytes; 0: they do not begin a message of this tool.
std::uint64_t announced_size(const std::uint8_t* data);

void write_report(const sink_report& report, std::uint8_t* out);
sink_report read_report(const std::uint8_t* data);

/// What stands behind the header, `length` bytes: pseudo-random, so that nothing on the way compresses it.
std::vector<std::uint8_t> make_body(std::size_t length);

}  // namespace payload

}  // namespace bench
