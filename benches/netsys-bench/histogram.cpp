#include "histogram.h"

#include <algorithm>
#include <cmath>

namespace bench {

void histogram::add(const histogram& other) {
    for (std::size_t i = 0; i < bucket_count; ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    sum_ += other.sum_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
}

std::uint64_t histogram::quantile(double share) const {
    return ranked(static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
}

std::uint64_t histogram::ranked(std::uint64_t rank) const {
    if (count_ == 0) return 0;
    rank = std::clamp<std::uint64_t>(rank, 1, count_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < bucket_count; ++i) {
        seen += buckets_[i];
        if (seen >= rank) return std::clamp(highest(i), min_, max_);
    }
    return max_;
}

std::vector<std::pair<std::size_t, std::uint64_t>> histogram::filled() const {
    std::vector<std::pair<std::size_t, std::uint64_t>> out;
    for (std::size_t i = 0; i < bucket_count; ++i) {
        if (buckets_[i] != 0) out.emplace_back(i, buckets_[i]);
    }
    return out;
}

bool histogram::restore(const std::vector<std::pair<std::size_t, std::uint64_t>>& filled, std::uint64_t min,
                        std::uint64_t max, double sum) {
    *this = histogram();
    for (const auto& [index, count] : filled) {
        if (index >= bucket_count) return false;
        buckets_[index] += count;
        count_ += count;
    }
    if (count_ == 0) return true;
    if (min > max || buckets_[index_of(min)] == 0 || buckets_[index_of(max)] == 0) return false;
    min_ = min;
    max_ = max;
    sum_ = sum;
    return true;
}

std::uint64_t histogram::lowest(std::size_t index) {
    if (index < 256) return index;
    const std::size_t shift = (index >> 7) - 1;
    return static_cast<std::uint64_t>(index - (shift << 7)) << shift;
}

std::uint64_t histogram::highest(std::size_t index) {
    return index + 1 < bucket_count ? lowest(index + 1) - 1 : UINT64_MAX;
}

}  // namespace bench
