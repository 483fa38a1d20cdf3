#include <algorithm>
#include <cmath>
#include <cstdio>

#include "report.h"

namespace bench {

namespace {

constexpr double width = 860;
constexpr double left = 78;
constexpr double right = 36;
constexpr double line_height = 17;
constexpr double panel_height = 250;
/// Middle tones: a contrast of about 4.5 and 4 with white and with black.
constexpr const char* text_colour = "#767676";
constexpr const char* colours[] = {"#2f7fd1", "#c4682b", "#4c9141", "#9a5fc7"};
constexpr const char* dashes[] = {"none", "7 4", "2 4", "9 3 2 3"};

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                // XML has no other control characters, escaped or not.
                if (static_cast<unsigned char>(c) >= 0x20 || c == '\t') out += c;
        }
    }
    return out;
}

std::string at(const char* format, double x, double y) {
    char text[96];
    std::snprintf(text, sizeof text, format, x, y);
    return text;
}

/// One part of the chart, with the scales of both axes from 0 to 1.
class panel {
public:
    panel(double top, std::string title) : top_(top) {
        out_ = "<g>\n";
        text(left, top_ - 14, "start", title);
        out_ += at("<rect x=\"%.1f\" y=\"%.1f\"", left, top_);
        out_ += at(" width=\"%.1f\" height=\"%.1f\" fill=\"none\" stroke=\"", width - left - right, panel_height);
        out_ += std::string(text_colour) + "\" stroke-opacity=\"0.6\"/>\n";
    }

    void x_tick(double share, const std::string& name) {
        line(x(share), top_, x(share), top_ + panel_height);
        text(x(share), top_ + panel_height + 17, "middle", name);
    }
    void y_tick(double share, const std::string& name) {
        line(left, y(share), width - right, y(share));
        text(left - 7, y(share) + 4, "end", name);
    }
    void curve(const std::vector<std::pair<double, double>>& points, std::size_t number) {
        if (points.empty()) return;
        out_ += std::string("<polyline fill=\"none\" stroke-width=\"1.8\" stroke=\"") + colours[number % 4] +
                "\" stroke-dasharray=\"" + dashes[number % 4] + "\" points=\"";
        for (const auto& [share_x, share_y] : points) out_ += at("%.1f,%.1f ", x(share_x), y(share_y));
        out_ += "\"/>\n";
    }
    void name_curve(std::size_t row, std::size_t number, const std::string& name) {
        const double height = top_ + 18 + 17 * static_cast<double>(row);
        out_ += at("<line x1=\"%.1f\" y1=\"%.1f\"", left + 12, height - 4);
        out_ += at(" x2=\"%.1f\" y2=\"%.1f\"", left + 44, height - 4);
        out_ += std::string(" stroke-width=\"1.8\" stroke=\"") + colours[number % 4] + "\" stroke-dasharray=\"" +
                dashes[number % 4] + "\"/>\n";
        text(left + 51, height, "start", name);
    }
    std::string end() const { return out_ + "</g>\n"; }

private:
    double x(double share) const { return left + std::clamp(share, 0.0, 1.0) * (width - left - right); }
    double y(double share) const { return top_ + (1 - std::clamp(share, 0.0, 1.0)) * panel_height; }
    void line(double x1, double y1, double x2, double y2) {
        out_ += at("<line x1=\"%.1f\" y1=\"%.1f\"", x1, y1) + at(" x2=\"%.1f\" y2=\"%.1f\"", x2, y2) + " stroke=\"" +
                text_colour + "\" stroke-opacity=\"0.3\"/>\n";
    }
    void text(double x, double y, const char* anchor, const std::string& words) {
        out_ +=
            at("<text x=\"%.1f\" y=\"%.1f\"", x, y) + " text-anchor=\"" + anchor + "\">" + escaped(words) + "</text>\n";
    }

    double top_;
    std::string out_;
};

std::string short_name(const result& of, std::size_t number) {
    if (!of.title.empty()) return of.title;
    return std::string(1, static_cast<char>('a' + number % 26));
}

struct named_curve {
    const histogram* times;
    std::string name;
};

std::vector<named_curve> curves_of(const std::vector<const result*>& results) {
    std::vector<named_curve> out;
    for (std::size_t i = 0; i < results.size(); ++i) {
        for (const timing& each : results[i]->timings) {
            // Two results are compared by their first times; more curves would hide them.
            if (each.times.count() == 0 || (results.size() > 1 && &each != &results[i]->timings.front())) continue;
            out.push_back(
                {&each.times, results.size() > 1 ? short_name(*results[i], i) + ", " + each.name : each.name});
        }
    }
    return out;
}

/// Percentiles on a logarithmic axis of nines: each further one takes the same room.
std::string percentile_panel(double top, const std::vector<named_curve>& curves) {
    double most = 1, low = 1e18, high = 1;
    for (const named_curve& each : curves) {
        most = std::max(most, static_cast<double>(each.times->count()));
        low = std::min(low, std::max(1.0, static_cast<double>(each.times->quantile(0))));
        high = std::max(high, static_cast<double>(each.times->max()));
    }
    const double nines = std::clamp(std::ceil(std::log10(most)), 1.0, 7.0);
    const double bottom = std::floor(std::log10(low));
    const double range = std::max(1.0, std::ceil(std::log10(high)) - bottom);
    panel out(top, "Share of all that took at most so long");
    const char* names[] = {"0 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %", "99.9999 %", "99.99999 %"};
    for (int i = 0; i <= static_cast<int>(nines); ++i) out.x_tick(i / nines, names[i]);
    for (int i = 0; i <= static_cast<int>(range); ++i) {
        const double value = std::pow(10.0, bottom + i);
        const char* units[] = {"ns", "us", "ms", "s"};
        std::size_t unit = 0;
        double shown = value;
        for (; shown >= 1000 && unit < 3; ++unit) shown /= 1000;
        char name[32];
        std::snprintf(name, sizeof name, "%.0f %s", shown, units[unit]);
        out.y_tick(i / range, name);
    }
    for (std::size_t i = 0; i < curves.size(); ++i) {
        std::vector<std::pair<double, double>> points;
        constexpr int steps = 400;
        const double own = std::clamp(std::log10(static_cast<double>(curves[i].times->count())), 0.0, nines);
        for (int k = 0; k <= steps; ++k) {
            const double nine = own * k / steps;
            const double value =
                std::max(1.0, static_cast<double>(curves[i].times->quantile(1 - std::pow(10.0, -nine))));
            points.emplace_back(nine / nines, (std::log10(value) - bottom) / range);
        }
        const double max = std::max(1.0, static_cast<double>(curves[i].times->max()));
        points.emplace_back(own / nines, (std::log10(max) - bottom) / range);
        out.curve(points, i);
        out.name_curve(i, i, curves[i].name);
    }
    return out.end();
}

/// 1, 2 or 5 times a power of ten, so that some five of them make `high`.
double tick_of(double high) {
    const double power = std::pow(10.0, std::floor(std::log10(high / 4)));
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (high / (power * factor) <= 6) return power * factor;
    }
    return power * 10;
}

/// The rate over time, in seconds; what is left of the last interval is left out if it is too short to say anything.
std::vector<std::pair<double, double>> rates_of(const result& of) {
    std::vector<std::pair<double, double>> out;
    for (std::size_t i = 0; i < of.series.size(); ++i) {
        const double start = static_cast<double>(i) * of.slot_seconds;
        const double length = std::min(of.slot_seconds, of.seconds - start);
        if (length <= 0 || (i > 0 && length < of.slot_seconds / 2)) break;
        const double rate = static_cast<double>(of.series[i]) / length;
        out.emplace_back(start + length / 2, rate);
        if (of.series.size() == 1) out.emplace_back(start + length, rate);  // a line needs two points
    }
    return out;
}

std::string rate_panel(double top, const std::vector<const result*>& results) {
    double high = 1, seconds = 0.001;
    for (const result* each : results) {
        for (const auto& [time, rate] : rates_of(*each)) high = std::max(high, rate);
        seconds = std::max(seconds, each->seconds);
    }
    const double step = tick_of(high);
    const double ceiling = std::ceil(high * 1.02 / step) * step;
    panel out(top, results.front()->unit + " per second, over time");
    for (double value = 0; value <= ceiling * 1.0001; value += step) out.y_tick(value / ceiling, figure_text(value));
    const double time_step = tick_of(seconds);
    for (double time = 0; time <= seconds * 1.0001; time += time_step) {
        char name[32];
        std::snprintf(name, sizeof name, "%g s", time);
        out.x_tick(time / seconds, name);
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
        std::vector<std::pair<double, double>> points;
        for (const auto& [time, rate] : rates_of(*results[i])) points.emplace_back(time / seconds, rate / ceiling);
        out.curve(points, i);
        if (results.size() > 1) out.name_curve(i, i, short_name(*results[i], i));
    }
    return out.end();
}

}  // namespace

std::string chart_of(const std::vector<const result*>& results, const std::string& title) {
    const std::vector<named_curve> curves = curves_of(results);
    const bool has_series =
        std::any_of(results.begin(), results.end(), [](const result* each) { return !each->series.empty(); });
    double top = 92 + line_height * static_cast<double>(results.size() - 1);
    std::string panels;
    if (!curves.empty()) {
        panels += percentile_panel(top, curves);
        top += panel_height + 78;
    }
    if (has_series) {
        panels += rate_panel(top, results);
        top += panel_height + 78;
    }
    const double height = top - 34;
    std::string subtitles;
    for (std::size_t i = 0; i < results.size(); ++i) {
        const result& each = *results[i];
        const std::string rate = each.rate > 0 ? figure_text(each.rate) + " " + each.unit + "/s, " : "";
        subtitles += at("<text x=\"%.0f\" y=\"%.0f\">", left, 50 + line_height * static_cast<double>(i)) +
                     escaped((results.size() > 1 ? short_name(each, i) + ": " : "") + each.workload + " " +
                             each.target + ", " + rate + each.started) +
                     "</text>\n";
    }
    std::string name = title;
    if (name.empty()) name = results.size() > 1 ? "netsys-bench: comparison" : results.front()->title;
    if (name.empty()) name = "netsys-bench: " + results.front()->workload;
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" ";
    out += at("viewBox=\"0 0 %.0f %.0f\"", width, height) + at(" width=\"%.0f\" height=\"%.0f\"", width, height);
    out += std::string(" font-family=\"sans-serif\" font-size=\"12\" fill=\"") + text_colour + "\">\n";
    out += "<title>" + escaped(name) + "</title>\n";
    out += at("<text x=\"%.0f\" y=\"%.0f\" font-size=\"17\">", left, 30) + escaped(name) + "</text>\n";
    return out + subtitles + panels + "</svg>\n";
}

}  // namespace bench
