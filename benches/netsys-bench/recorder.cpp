#include "recorder.h"

#include <algorithm>

namespace bench {

shard& recorder::local() {
    thread_local shard* own = nullptr;
    if (own == nullptr) {
        const std::lock_guard<std::mutex> lock(mutex_);
        own = &shards_.emplace_back();
    }
    return *own;
}

std::uint64_t recorder::completed() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::uint64_t out = 0;
    for (const shard& each : shards_) out += each.completed();
    return out;
}

void recorder::merge_into(shard& out, std::uint64_t& completed, std::uint64_t& bytes) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    completed = bytes = 0;
    for (const shard& each : shards_) {
        for (std::size_t i = 0; i < shard::histograms; ++i) out.times[i].add(each.times[i]);
        if (out.series.size() < each.series.size()) out.series.resize(each.series.size());
        for (std::size_t i = 0; i < each.series.size(); ++i) out.series[i] += each.series[i];
        out.last_ns = std::max(out.last_ns, each.last_ns);
        completed += each.completed();
        bytes += each.bytes();
    }
}

}  // namespace bench
