#include "faults.h"

namespace bench {

void faults::add(const std::string& kind, std::uint64_t count, const std::string& text) {
    if (count == 0) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    total_.fetch_add(count, std::memory_order_relaxed);
    kinds_[kind] += count;
    if (text.empty()) return;
    const bool known = texts_.count(text) != 0 || texts_.size() < most_texts;
    texts_[known ? text : "and others"] += count;
}

std::map<std::string, std::uint64_t> faults::by_kind() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return kinds_;
}

std::map<std::string, std::uint64_t> faults::by_text() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return texts_;
}

}  // namespace bench
