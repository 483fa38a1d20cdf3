#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "histogram.h"
#include "json.h"
#include "machine.h"

namespace bench {

/// Times of one kind, in nanoseconds.
struct timing {
    std::string name;
    std::string what;
    histogram times;
};

/// What a run came to: all that the reports and comparisons are made of.
struct result {
    std::string title;
    std::string workload;
    std::string target;
    std::string started;  // UTC, ISO 8601
    std::string tool_version;
    std::string library_version;
    bench::machine machine;
    std::vector<std::pair<std::string, json>> parameters;

    bool interrupted = false;
    double seconds = 0;  // that were measured
    /// What the rate counts: "messages", "deliveries", "connections".
    std::string unit;
    double rate = 0;
    double bytes_rate = 0;
    /// Counts and further figures, by name.
    std::vector<std::pair<std::string, double>> figures;
    std::map<std::string, std::uint64_t> errors;
    std::map<std::string, std::uint64_t> error_texts;
    std::vector<std::string> notes;

    double slot_seconds = 0;
    std::vector<std::uint64_t> series;
    std::vector<timing> timings;

    std::uint64_t error_count() const;
};

json to_json(const result& result);
/// Throws failure for what to_json has not made.
result from_json(const json& document);
result read_result(const std::string& file);

/// Writes a file; "-" is the standard output. Throws failure.
void write_file(const std::string& file, const std::string& text);

/// The shares that percentiles are told of, and their names: 0.999 and "p99.9".
struct percentile {
    double share;
    const char* name;
};
constexpr percentile percentiles[] = {
    {0.50, "p50"}, {0.90, "p90"}, {0.99, "p99"}, {0.999, "p99.9"}, {0.9999, "p99.99"},
};

}  // namespace bench
