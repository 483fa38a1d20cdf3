#include "run.h"

#include <algorithm>
#include <cstring>
#include <ctime>

#include "clock.h"

namespace bench {

namespace {

std::string utc_now() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

double cpu_seconds(const rusage& from, const rusage& until) {
    const auto seconds = [](const timeval& from, const timeval& until) {
        return static_cast<double>(until.tv_sec - from.tv_sec) +
               static_cast<double>(until.tv_usec - from.tv_usec) / 1e6;
    };
    return seconds(from.ru_utime, until.ru_utime) + seconds(from.ru_stime, until.ru_stime);
}

}  // namespace

run::run(const bench::options& options, bench::control& control, const char* unit)
    : options(options),
      control(control),
      context(options),
      dialer(context.handle(), options),
      progress(options, plan, recorder, faults, unit),
      body(payload::make_body(std::max<std::size_t>(options.size, payload::report_bytes) - payload::header_bytes)),
      unit_(unit) {
    control.set_tick([this] { progress.tick(); });
}

void run::begin(std::uint32_t senders) {
    started_ = utc_now();
    plan.senders = senders;
    plan.messages = options.messages;
    plan.period_ns = options.rate > 0 ? static_cast<double>(second_ns) / options.rate : 0;
    plan.start = now_ns();
    plan.from = plan.start + seconds_to_ns(options.warmup);
    if (options.duration > 0) plan.until = plan.from + seconds_to_ns(options.duration);
    getrusage(RUSAGE_SELF, &usage_from_);
    progress.measuring();
}

void run::measure(const std::function<bool()>& done) {
    if (options.warmup > 0 && !control.wait(plan.from, done)) getrusage(RUSAGE_SELF, &usage_from_);
    if (!control.interrupted()) control.wait(plan.until, done);
    if (control.interrupted()) plan.until = std::max(now_ns(), plan.from);
    end_measured();
}

void run::end_measured() {
    getrusage(RUSAGE_SELF, &usage_until_);
}

result run::make_result() {
    result out;
    out.title = options.title;
    out.workload = command_name(options.command);
    for (const target& each : options.targets) {
        out.target += (out.target.empty() ? "" : ",") + each.host + ":" + std::to_string(each.port);
    }
    out.started = started_.empty() ? utc_now() : started_;
    out.tool_version = std::to_string(NETSYS_VERSION_MAJOR) + "." + std::to_string(NETSYS_VERSION_MINOR) + "." +
                       std::to_string(NETSYS_VERSION_PATCH);
    out.library_version = netsys_version_string();
    out.machine = this_machine();
    out.parameters = parameters_of(options);
    out.interrupted = control.interrupted();
    out.unit = unit_;

    shard all;
    std::uint64_t completed = 0, bytes = 0;
    recorder.merge_into(all, completed, bytes);
    // A run that ends by a count ends with the last one.
    const bool counted = options.messages > 0 || options.duration == 0;
    const std::uint64_t until = std::min(plan.until.load(), counted ? all.last_ns : never);
    out.seconds = until > plan.from && until != never ? ns_to_seconds(until - plan.from) : 0;
    if (out.seconds > 0) {
        out.rate = static_cast<double>(completed) / out.seconds;
        out.bytes_rate = static_cast<double>(bytes) / out.seconds;
    }
    out.slot_seconds = ns_to_seconds(shard::slot_ns);
    out.series = std::move(all.series);
    out.series.resize(static_cast<std::size_t>((out.seconds + out.slot_seconds - 1e-9) / out.slot_seconds));
    for (histogram& each : all.times) out.timings.push_back({"", "", std::move(each)});
    out.figures.emplace_back("cpu seconds of the tool", cpu_seconds(usage_from_, usage_until_));
    return out;
}

void run::name_latency(result& result, const std::string& completion) const {
    result.timings[0].name = "latency";
    result.timings[0].what =
        (plan.open_loop() ? "from when a message was to be sent to " : "from sending a message to ") + completion;
}

void run::name_send_delay(result& result) const {
    result.timings[1].name = "send delay";
    result.timings[1].what = "from when a message was to be sent to when the transport took it";
}

void run::add_errors(result& result) const {
    result.errors = faults.by_kind();
    result.error_texts = faults.by_text();
}

bool run::is_intact(const header& header, const std::uint8_t* data, std::size_t length) const {
    return length == options.size && header.size == length &&
           std::memcmp(data + payload::header_bytes, body.data(), length - payload::header_bytes) == 0;
}

bool run::is_new(sequence::verdict verdict) {
    if (verdict == sequence::verdict::late) faults.add(fault::out_of_order);
    if (verdict == sequence::verdict::repeated) faults.add(fault::repeated);
    return verdict != sequence::verdict::repeated;
}

std::uint64_t drain_deadline(const options& options) {
    return now_ns() + seconds_to_ns(options.drain);
}

}  // namespace bench
