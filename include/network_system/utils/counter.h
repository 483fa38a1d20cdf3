#pragma once

#include <atomic>
#include <cstdint>
#include <ostream>
#include <type_traits>

#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::utils {

/// A number that any thread may change at any time, as a std::atomic, and that can be copied, so that structs of them
/// can be returned.
class counter {
    template <typename Number>
    using if_integer = std::enable_if_t<std::is_integral_v<Number>, int>;

public:
    counter(std::uint64_t value = 0) noexcept : value_(value) {}
    counter(const counter& other) noexcept : value_(other.load()) {}
    counter& operator=(const counter& other) noexcept {
        store(other.load());
        return *this;
    }
    counter& operator=(std::uint64_t value) noexcept {
        store(value);
        return *this;
    }

    operator std::uint64_t() const noexcept { return load(); }

    std::uint64_t load(std::memory_order order = std::memory_order_seq_cst) const noexcept {
        return value_.load(order);
    }
    void store(std::uint64_t value, std::memory_order order = std::memory_order_seq_cst) noexcept {
        value_.store(value, order);
    }
    std::uint64_t exchange(std::uint64_t value, std::memory_order order = std::memory_order_seq_cst) noexcept {
        return value_.exchange(value, order);
    }
    std::uint64_t fetch_add(std::uint64_t more, std::memory_order order = std::memory_order_seq_cst) noexcept {
        return value_.fetch_add(more, order);
    }
    std::uint64_t fetch_sub(std::uint64_t less, std::memory_order order = std::memory_order_seq_cst) noexcept {
        return value_.fetch_sub(less, order);
    }

    std::uint64_t operator++() noexcept { return fetch_add(1) + 1; }
    std::uint64_t operator++(int) noexcept { return fetch_add(1); }
    std::uint64_t operator--() noexcept { return fetch_sub(1) - 1; }
    std::uint64_t operator--(int) noexcept { return fetch_sub(1); }
    std::uint64_t operator+=(std::uint64_t more) noexcept { return fetch_add(more) + more; }
    std::uint64_t operator-=(std::uint64_t less) noexcept { return fetch_sub(less) - less; }

    friend bool operator==(const counter& one, const counter& other) noexcept { return one.load() == other.load(); }
    friend bool operator!=(const counter& one, const counter& other) noexcept { return one.load() != other.load(); }

    // With numbers of any type, so that programs may compare with 1 as well as with 1u.
    template <typename Number, if_integer<Number> = 0>
    friend bool operator==(const counter& one, Number other) noexcept {
        return one.compare(other) == 0;
    }
    template <typename Number, if_integer<Number> = 0>
    friend bool operator==(Number one, const counter& other) noexcept {
        return 0 == other.compare(one);
    }
    template <typename Number, if_integer<Number> = 0>
    friend bool operator!=(const counter& one, Number other) noexcept {
        return one.compare(other) != 0;
    }
    template <typename Number, if_integer<Number> = 0>
    friend bool operator!=(Number one, const counter& other) noexcept {
        return 0 != other.compare(one);
    }
    template <typename Number, if_integer<Number> = 0>
    friend bool operator<(const counter& one, Number other) noexcept {
        return one.compare(other) < 0;
    }
    template <typename Number, if_integer<Number> = 0>
    friend bool operator<(Number one, const counter& other) noexcept {
        return 0 < other.compare(one);
    }
    template <typename Number, if_integer<Number> = 0>
    friend bool operator>(const counter& one, Number other) noexcept {
        return one.compare(other) > 0;
    }
    template <typename Number, if_integer<Number> = 0>
    friend bool operator>(Number one, const counter& other) noexcept {
        return 0 > other.compare(one);
    }
    template <typename Number, if_integer<Number> = 0>
    friend bool operator<=(const counter& one, Number other) noexcept {
        return one.compare(other) <= 0;
    }
    template <typename Number, if_integer<Number> = 0>
    friend bool operator<=(Number one, const counter& other) noexcept {
        return 0 <= other.compare(one);
    }
    template <typename Number, if_integer<Number> = 0>
    friend bool operator>=(const counter& one, Number other) noexcept {
        return one.compare(other) >= 0;
    }
    template <typename Number, if_integer<Number> = 0>
    friend bool operator>=(Number one, const counter& other) noexcept {
        return 0 >= other.compare(one);
    }

    friend std::ostream& operator<<(std::ostream& out, const counter& value) { return out << value.load(); }

private:
    /// Less than 0 when this is less than the other, 0 when they are equal, and more than 0 when this is more.
    template <typename Number>
    int compare(Number other) const noexcept {
        const std::uint64_t value = load();
        const auto number = static_cast<std::uint64_t>(other);
        if (other < Number{} || value > number) {
            return 1;
        }
        return value < number ? -1 : 0;
    }

    std::atomic<std::uint64_t> value_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::utils
