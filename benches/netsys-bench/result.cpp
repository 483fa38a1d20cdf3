#include "result.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include "failure.h"

namespace bench {

namespace {

constexpr const char* format = "netsys-bench result";
constexpr int version = 1;
/// More points of a series than this make a file long and a chart no better.
constexpr std::size_t most_points = 600;

json histogram_to_json(const histogram& times) {
    json buckets = json::make_array();
    for (const auto& [index, count] : times.filled()) {
        json pair = json::make_array();
        pair.push(static_cast<std::uint64_t>(index));
        pair.push(count);
        buckets.push(std::move(pair));
    }
    return buckets;
}

json timing_to_json(const timing& timing) {
    json out = json::make_object();
    out.set("what", timing.what);
    out.set("unit", "ns");
    out.set("count", timing.times.count());
    out.set("min", timing.times.min());
    out.set("mean", timing.times.mean());
    for (const percentile& each : percentiles) out.set(each.name, timing.times.quantile(each.share));
    out.set("max", timing.times.max());
    out.set("sum", timing.times.sum());
    // Bucket i < 256 counts the value i; above, with s = i / 128 - 1, the values from (i - 128 s) 2^s on, 2^s of them.
    out.set("histogram", histogram_to_json(timing.times));
    return out;
}

timing timing_from_json(const std::string& name, const json& from) {
    std::vector<std::pair<std::size_t, std::uint64_t>> filled;
    for (const json& pair : from["histogram"].items()) {
        if (pair.items().size() != 2) throw failure("a bucket that is no pair");
        filled.emplace_back(static_cast<std::size_t>(pair.items()[0].count()), pair.items()[1].count());
    }
    timing out{name, from["what"].string(), histogram()};
    if (!out.times.restore(filled, from["min"].count(), from["max"].count(), from["sum"].number())) {
        throw failure("the histogram of '" + name + "' contradicts itself");
    }
    return out;
}

template <typename Value>
json map_to_json(const Value& values) {
    json out = json::make_object();
    for (const auto& [name, value] : values) out.set(name, value);
    return out;
}

}  // namespace

std::uint64_t result::error_count() const {
    std::uint64_t out = 0;
    for (const auto& [name, count] : errors) out += count;
    return out;
}

json to_json(const result& from) {
    json out = json::make_object();
    out.set("format", format);
    out.set("version", version);
    out.set("title", from.title);
    out.set("workload", from.workload);
    out.set("target", from.target);
    out.set("started", from.started);
    out.set("tool_version", from.tool_version);
    out.set("library_version", from.library_version);
    json machine = json::make_object();
    machine.set("kernel", from.machine.kernel);
    machine.set("cpu", from.machine.cpu);
    machine.set("cpus", from.machine.cpus);
    out.set("machine", std::move(machine));
    out.set("parameters", map_to_json(from.parameters));
    out.set("interrupted", from.interrupted);
    out.set("seconds", from.seconds);
    out.set("unit", from.unit);
    out.set("rate", from.rate);
    out.set("bytes_per_second", from.bytes_rate);
    out.set("figures", map_to_json(from.figures));
    out.set("errors", map_to_json(from.errors));
    out.set("error_texts", map_to_json(from.error_texts));
    json notes = json::make_array();
    for (const std::string& note : from.notes) notes.push(note);
    out.set("notes", std::move(notes));

    json series = json::make_object();
    const std::size_t merged = (from.series.size() + most_points - 1) / most_points;
    series.set("interval_seconds", from.slot_seconds * static_cast<double>(merged == 0 ? 1 : merged));
    json counts = json::make_array();
    for (std::size_t i = 0; i < from.series.size(); i += merged) {
        std::uint64_t sum = 0;
        for (std::size_t k = i; k < i + merged && k < from.series.size(); ++k) sum += from.series[k];
        counts.push(sum);
    }
    series.set("counts", std::move(counts));
    out.set("series", std::move(series));

    json timings = json::make_object();
    for (const timing& each : from.timings) timings.set(each.name, timing_to_json(each));
    out.set("times", std::move(timings));
    return out;
}

result from_json(const json& from) {
    if (from["format"].string() != format || from["version"].count() != version) {
        throw failure("it is no result of netsys-bench, or of another version of it");
    }
    result out;
    out.title = from["title"].string();
    out.workload = from["workload"].string();
    out.target = from["target"].string();
    out.started = from["started"].string();
    out.tool_version = from["tool_version"].string();
    out.library_version = from["library_version"].string();
    const json& machine = from["machine"];
    out.machine = {machine["kernel"].string(), machine["cpu"].string(), static_cast<unsigned>(machine["cpus"].count())};
    out.parameters = from["parameters"].members();
    out.interrupted = from["interrupted"].boolean();
    out.seconds = from["seconds"].number();
    out.unit = from["unit"].string();
    out.rate = from["rate"].number();
    out.bytes_rate = from["bytes_per_second"].number();
    for (const auto& [name, value] : from["figures"].members()) out.figures.emplace_back(name, value.number());
    for (const auto& [name, value] : from["errors"].members()) out.errors[name] = value.count();
    for (const auto& [name, value] : from["error_texts"].members()) out.error_texts[name] = value.count();
    for (const json& note : from["notes"].items()) out.notes.push_back(note.string());
    out.slot_seconds = from["series"]["interval_seconds"].number();
    for (const json& count : from["series"]["counts"].items()) out.series.push_back(count.count());
    for (const auto& [name, value] : from["times"].members()) out.timings.push_back(timing_from_json(name, value));
    return out;
}

result read_result(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw failure(file + ": " + std::strerror(errno));
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    try {
        return from_json(json::parse(text));
    } catch (const failure& why) {
        throw failure(file + ": " + why.what());
    }
}

void write_file(const std::string& file, const std::string& text) {
    std::FILE* out = file == "-" ? stdout : std::fopen(file.c_str(), "w");
    if (out == nullptr) throw failure(file + ": " + std::strerror(errno));
    const bool written = std::fwrite(text.data(), 1, text.size(), out) == text.size();
    const bool ended = (file == "-" ? std::fflush(out) : std::fclose(out)) == 0;
    if (!written || !ended) throw failure(file + ": could not be written: " + std::strerror(errno));
}

}  // namespace bench
