// The business of the service: what orders cost, and what was sold.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "orders.h"

/// Takes orders, on several threads at a time: the handlers of different sessions overlap on a pool.
class order_desk {
public:
    receipt take(const order& wanted) {
        const auto price = prices_.find(wanted.item);
        if (price == prices_.end()) {
            return {wanted.number, 0, "there is no " + wanted.item};
        }
        if (wanted.quantity < 1 || wanted.quantity > most_of_one) {
            return {wanted.number, 0, "from 1 to " + std::to_string(most_of_one) + " can be ordered"};
        }
        const std::lock_guard<std::mutex> lock(mutex_);
        sold_[wanted.item] += wanted.quantity;
        return {wanted.number, wanted.quantity * price->second, ""};
    }

    /// "3 apples, 5 pears"
    std::string sold() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        std::string list;
        for (const auto& [item, quantity] : sold_) {
            list += (list.empty() ? "" : ", ") + std::to_string(quantity) + ' ' + item + 's';
        }
        return list.empty() ? "nothing" : list;
    }

private:
    static constexpr int most_of_one = 1000;

    const std::map<std::string, int> prices_{{"apple", 25}, {"pear", 40}, {"quince", 95}};
    mutable std::mutex mutex_;
    std::map<std::string, std::int64_t> sold_;
};
