#include "compare.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <vector>

#include "report.h"

namespace bench {

namespace {

/// Runs on the same machine differ by so much without any reason that could be named.
constexpr double least_difference = 0.03;
/// Standard deviations to both sides of an interval that holds 95 of 100.
constexpr double deviations = 2;

constexpr const char* rule =
    "within noise: less than 3 % apart, or the 95 % intervals overlap. Of a rate, that is the mean of the intervals of "
    "time\nof the run plus and minus two standard errors; of a percentile, the values whose ranks are two standard "
    "deviations\nbelow and above its own. Figures with neither are judged by the 3 % alone. Runs differ from each "
    "other "
    "by more than\none run can tell: repeat both before you believe a small difference.\n";

struct interval {
    double low = 0;
    double high = 0;
};

std::optional<interval> rate_interval(const result& of) {
    // The last part may be cut short.
    if (of.series.size() < 6) return std::nullopt;
    const std::size_t count = of.series.size() - 1;
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const double rate = static_cast<double>(of.series[i]) / of.slot_seconds;
        sum += rate;
        squares += rate * rate;
    }
    const double n = static_cast<double>(count);
    const double mean = sum / n;
    const double error = std::sqrt(std::max(0.0, squares / n - mean * mean) / (n - 1));
    return interval{of.rate - deviations * error, of.rate + deviations * error};
}

std::optional<interval> quantile_interval(const histogram& of, double share) {
    const double n = static_cast<double>(of.count());
    const double deviation = deviations * std::sqrt(n * share * (1 - share));
    const double low = std::floor(n * share - deviation), high = std::ceil(n * share + deviation);
    // Beyond the ends there is no value that would bound it.
    if (low < 1 || high > n) return std::nullopt;
    return interval{static_cast<double>(of.ranked(static_cast<std::uint64_t>(low))),
                    static_cast<double>(of.ranked(static_cast<std::uint64_t>(high)))};
}

std::string judgement(double a, double b, const std::optional<interval>& of_a, const std::optional<interval>& of_b) {
    if (a == b) return "same";
    const bool overlap = of_a && of_b && of_a->low <= of_b->high && of_b->low <= of_a->high;
    const bool close = std::fabs(a - b) <= least_difference * std::min(std::fabs(a), std::fabs(b));
    return overlap || close ? "within noise" : b > a ? "more" : "less";
}

class table {
public:
    table() { rows_.push_back({"", "a", "b", "b / a", ""}); }

    void add(const std::string& name, double a, double b, bool is_time, const std::string& note) {
        char ratio[32] = "";
        if (a != 0) std::snprintf(ratio, sizeof ratio, "%.3f", b / a);
        const auto text = [is_time](double value) { return is_time ? time_text(value) : figure_text(value); };
        rows_.push_back({name, text(a), text(b), ratio, note});
        json row = json::make_object();
        row.set("figure", name);
        row.set("a", a);
        row.set("b", b);
        if (a != 0) row.set("ratio", b / a);
        row.set("note", note);
        document_.push(std::move(row));
    }

    std::string text() const { return columns(rows_); }
    json document() const { return document_; }

private:
    std::vector<std::vector<std::string>> rows_;
    json document_ = json::make_array();
};

std::string text_of(const json& value) {
    if (value.is(json::type::string)) return value.string();
    if (value.is(json::type::boolean)) return value.boolean() ? "yes" : "no";
    return value.is(json::type::number) ? figure_text(value.number()) : "not given";
}

/// What was not the same in both runs.
std::vector<std::string> differences(const result& a, const result& b) {
    std::vector<std::string> out;
    const auto differ = [&out](const std::string& name, const std::string& of_a, const std::string& of_b) {
        if (of_a != of_b) out.push_back(name + ": " + of_a + " | " + of_b);
    };
    differ("workload", a.workload, b.workload);
    differ("library", a.library_version, b.library_version);
    differ("kernel", a.machine.kernel, b.machine.kernel);
    differ("cpu", std::to_string(a.machine.cpus) + " x " + a.machine.cpu,
           std::to_string(b.machine.cpus) + " x " + b.machine.cpu);
    json of_a = json::make_object(), of_b = json::make_object();
    for (const auto& [name, value] : a.parameters) of_a.set(name, value);
    for (const auto& [name, value] : b.parameters) of_b.set(name, value);
    for (const auto& [name, value] : a.parameters) differ(name, text_of(value), text_of(of_b[name]));
    for (const auto& [name, value] : b.parameters) {
        if (of_a[name].is(json::type::null)) differ(name, "not given", text_of(value));
    }
    return out;
}

}  // namespace

comparison compare(const result& a, const result& b, const std::string& title) {
    table rows;
    if (a.rate > 0 || b.rate > 0) {
        const auto note = judgement(a.rate, b.rate, rate_interval(a), rate_interval(b));
        rows.add(a.unit + " per second", a.rate, b.rate, false, note);
    }
    for (const auto& [name, value] : a.figures) {
        for (const auto& [other, of_b] : b.figures) {
            if (name == other) rows.add(name, value, of_b, false, judgement(value, of_b, std::nullopt, std::nullopt));
        }
    }
    rows.add("errors", static_cast<double>(a.error_count()), static_cast<double>(b.error_count()), false,
             judgement(static_cast<double>(a.error_count()), static_cast<double>(b.error_count()), std::nullopt,
                       std::nullopt));
    for (const timing& of_a : a.timings) {
        for (const timing& of_b : b.timings) {
            if (of_a.name != of_b.name) continue;
            rows.add(of_a.name + " mean", of_a.times.mean(), of_b.times.mean(), true,
                     judgement(of_a.times.mean(), of_b.times.mean(), std::nullopt, std::nullopt));
            for (const percentile& each : percentiles) {
                const double value_a = static_cast<double>(of_a.times.quantile(each.share));
                const double value_b = static_cast<double>(of_b.times.quantile(each.share));
                rows.add(of_a.name + " " + each.name, value_a, value_b, true,
                         judgement(value_a, value_b, quantile_interval(of_a.times, each.share),
                                   quantile_interval(of_b.times, each.share)));
            }
            const double max_a = static_cast<double>(of_a.times.max());
            const double max_b = static_cast<double>(of_b.times.max());
            rows.add(of_a.name + " max", max_a, max_b, true, judgement(max_a, max_b, std::nullopt, std::nullopt));
        }
    }

    comparison out;
    const auto name_of = [](const result& of) {
        return (of.title.empty() ? "" : of.title + ", ") + of.workload + " " + of.target + ", " + of.started;
    };
    out.table = title.empty() ? "" : title + "\n";
    out.table += "a: " + name_of(a) + "\nb: " + name_of(b) + "\n";
    json differing = json::make_array();
    for (const std::string& each : differences(a, b)) {
        out.table += "they differ in " + each + "\n";
        differing.push(each);
    }
    out.table += "\n" + rows.text() + "\n" + rule;
    out.document = json::make_object();
    out.document.set("format", "netsys-bench comparison");
    out.document.set("version", 1);
    out.document.set("title", title);
    out.document.set("a", name_of(a));
    out.document.set("b", name_of(b));
    out.document.set("differences", std::move(differing));
    out.document.set("rows", rows.document());
    return out;
}

}  // namespace bench
