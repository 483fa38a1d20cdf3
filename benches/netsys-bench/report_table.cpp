#include <algorithm>
#include <cmath>
#include <cstdio>

#include "progress.h"
#include "report.h"

namespace bench {

namespace {

std::string formatted(const char* format, double value) {
    char text[64];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

std::string parameter_text(const json& value) {
    if (value.is(json::type::string)) return value.string();
    if (value.is(json::type::boolean)) return value.boolean() ? "yes" : "no";
    return formatted("%.10g", value.number());
}

}  // namespace

std::string time_text(double ns) {
    if (ns < 1e3) return formatted("%.0f ns", ns);
    if (ns < 1e6) return formatted("%.2f us", ns / 1e3);
    if (ns < 1e9) return formatted("%.3f ms", ns / 1e6);
    return formatted("%.3f s", ns / 1e9);
}

std::string figure_text(double value) {
    if (value < 0) return "-" + figure_text(-value);
    if (value >= 1000 || std::floor(value) == value) return grouped(static_cast<std::uint64_t>(std::llround(value)));
    return formatted(value < 1 ? "%.4f" : "%.2f", value);
}

std::string columns(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        if (widths.size() < row.size()) widths.resize(row.size());
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string out;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string blanks(widths[i] - row[i].size(), ' ');
            line += i == 0 ? row[i] + blanks : "  " + blanks + row[i];
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

std::string table_of(const result& result) {
    std::string out = result.title.empty() ? "" : result.title + "\n";
    out += result.workload + " " + result.target;
    for (const auto& [name, value] : result.parameters) out += "  " + name + " " + parameter_text(value);
    out += "\n" + result.machine.kernel + ", " + std::to_string(result.machine.cpus) + " x " + result.machine.cpu +
           ", library " + result.library_version + "\n\n";

    std::vector<std::vector<std::string>> rows;
    rows.push_back({"measured", formatted("%.3f s", result.seconds) + (result.interrupted ? ", interrupted" : "")});
    if (result.rate > 0) {
        rows.push_back({result.unit + " per second", figure_text(result.rate)});
        if (result.bytes_rate > 0) {
            rows.push_back({"MiB per second", formatted("%.2f", result.bytes_rate / 1048576.0)});
        }
    }
    for (const auto& [name, value] : result.figures) rows.push_back({name, figure_text(value)});
    out += columns(rows);

    rows.clear();
    rows.push_back({"", "count", "min", "mean"});
    for (const percentile& each : percentiles) rows.back().push_back(each.name);
    rows.back().push_back("max");
    for (const timing& each : result.timings) {
        rows.push_back({each.name, grouped(each.times.count()), time_text(static_cast<double>(each.times.min())),
                        time_text(each.times.mean())});
        for (const percentile& of : percentiles) {
            rows.back().push_back(time_text(static_cast<double>(each.times.quantile(of.share))));
        }
        rows.back().push_back(time_text(static_cast<double>(each.times.max())));
    }
    if (rows.size() > 1) {
        out += "\n" + columns(rows);
        for (const timing& each : result.timings) out += "  " + each.name + ": " + each.what + "\n";
    }
    if (!result.notes.empty()) out += "\n";
    for (const std::string& note : result.notes) out += "note: " + note + "\n";
    if (!result.errors.empty()) out += "\n";
    for (const auto& [kind, count] : result.errors) out += "ERROR: " + grouped(count) + " " + kind + "\n";
    for (const auto& [text, count] : result.error_texts) out += "  " + text + " (" + grouped(count) + ")\n";
    return out;
}

}  // namespace bench
