#include "progress.h"

#include <unistd.h>

#include <cstdio>

#include "clock.h"

namespace bench {

namespace {

constexpr const char* clear_line = "\r\033[K";

bool is_shown(const options& options) {
    if (options.progress == progress_mode::always) return true;
    return options.progress == progress_mode::when_terminal && !options.quiet && isatty(STDERR_FILENO) == 1;
}

}  // namespace

std::string grouped(std::uint64_t number) {
    std::string out = std::to_string(number);
    for (std::size_t i = out.size(); i > 3; i -= 3) out.insert(i - 3, ",");
    return out;
}

progress::progress(const options& options, const plan& plan, const recorder& recorder, const faults& faults,
                   const char* unit)
    : options_(options), plan_(plan), recorder_(recorder), faults_(faults), unit_(unit), shown_(is_shown(options)) {}

progress::~progress() {
    if (shown_) std::fputs(clear_line, stderr);
}

void progress::set_phase(const std::string& phase, std::uint32_t total) {
    phase_ = phase;
    total_ = total;
    done_ = 0;
    tick();
}

void progress::tick() {
    if (!shown_) return;
    std::string line = std::string(command_name(options_.command)) + "  ";
    if (phase_.empty()) {
        line += measured_text(now_ns());
    } else {
        line += phase_;
        if (total_ > 0) line += " " + grouped(done_) + " of " + grouped(total_);
    }
    if (faults_.total() > 0) line += "  " + grouped(faults_.total()) + " errors";
    std::fprintf(stderr, "%s%s", clear_line, line.c_str());
    std::fflush(stderr);
}

std::string progress::measured_text(std::uint64_t now) {
    if (now < plan_.from) return "warming up";
    const std::uint64_t count = recorder_.completed();
    const std::uint64_t since = last_ns_ == 0 ? plan_.from : last_ns_;
    const double interval = ns_to_seconds(now - since);
    const double rate = interval > 0 ? static_cast<double>(count - last_count_) / interval : 0;
    last_ns_ = now;
    last_count_ = count;

    const double elapsed = ns_to_seconds(now - plan_.from);
    const double total_rate = elapsed > 0 ? static_cast<double>(count) / elapsed : 0;
    double left = options_.duration > 0 ? options_.duration - elapsed : -1;
    if (options_.messages > 0 && total_rate > 0) {
        const double by_count = static_cast<double>(options_.messages - count) / total_rate;
        if (count <= options_.messages && (left < 0 || by_count < left)) left = by_count;
    }
    char text[160];
    std::snprintf(text, sizeof text, "%.1f s  %s %s/s", elapsed, grouped(static_cast<std::uint64_t>(rate)).c_str(),
                  unit_);
    std::string out = text;
    if (left >= 0) {
        std::snprintf(text, sizeof text, "  %.1f s left", left);
        out += text;
    }
    return out;
}

}  // namespace bench
