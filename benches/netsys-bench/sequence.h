#pragma once

#include <cstddef>
#include <cstdint>
#include <set>

namespace bench {

/// Tells numbered messages that come as they were sent from those that come late, behind ones that were sent after
/// them, and from those that come again.
class sequence {
public:
    enum class verdict { in_order, late, repeated };

    verdict take(std::uint64_t number) {
        if (number < next_) return missing_.erase(number) == 1 ? verdict::late : verdict::repeated;
        for (; next_ < number && missing_.size() < most_missing; ++next_) missing_.insert(next_);
        next_ = number + 1;
        return verdict::in_order;
    }

private:
    static constexpr std::size_t most_missing = 4096;

    std::uint64_t next_ = 0;
    std::set<std::uint64_t> missing_;
};

}  // namespace bench
