#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace bench {

/// Counts values in buckets whose width is at most 1/128 of the values in them. Recording takes no lock and no memory;
/// one thread at a time uses a histogram.
///
/// Values below 256 have a bucket each; above that each power of two has 128.
class histogram {
public:
    void record(std::uint64_t value) {
        ++buckets_[index_of(value)];
        ++count_;
        sum_ += static_cast<double>(value);
        if (value < min_) min_ = value;
        if (value > max_) max_ = value;
    }

    void add(const histogram& other);

    std::uint64_t count() const { return count_; }
    /// The least and greatest value as they were recorded; 0 if there are none.
    std::uint64_t min() const { return count_ == 0 ? 0 : min_; }
    std::uint64_t max() const { return max_; }
    double mean() const { return count_ == 0 ? 0.0 : sum_ / static_cast<double>(count_); }
    double sum() const { return sum_; }

    /// The value that a share of all values, 0 to 1, does not exceed: the top of its bucket, at most max().
    std::uint64_t quantile(double share) const;
    /// The value of this rank: 1 is the least.
    std::uint64_t ranked(std::uint64_t rank) const;

    /// The buckets that are not empty, by index.
    std::vector<std::pair<std::size_t, std::uint64_t>> filled() const;
    /// Makes it what filled(), min(), max() and sum() told of another one. False: they do not fit together.
    bool restore(const std::vector<std::pair<std::size_t, std::uint64_t>>& filled, std::uint64_t min, std::uint64_t max,
                 double sum);

    /// The least and the greatest value that count in a bucket.
    static std::uint64_t lowest(std::size_t index);
    static std::uint64_t highest(std::size_t index);
    static constexpr std::size_t bucket_count = 57 * 128 + 128;

private:
    static std::size_t index_of(std::uint64_t value) {
        if (value < 256) return static_cast<std::size_t>(value);
        const unsigned shift = 56u - static_cast<unsigned>(__builtin_clzll(value));
        return (static_cast<std::size_t>(shift) << 7) + static_cast<std::size_t>(value >> shift);
    }

    std::vector<std::uint64_t> buckets_ = std::vector<std::uint64_t>(bucket_count);
    std::uint64_t count_ = 0;
    std::uint64_t min_ = UINT64_MAX;
    std::uint64_t max_ = 0;
    double sum_ = 0;
};

}  // namespace bench
