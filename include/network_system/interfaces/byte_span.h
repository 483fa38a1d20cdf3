#pragma once

#include <cstddef>
#include <cstdint>

#include "network_system/detail/namespace.h"

#if __has_include(<span>)
#include <span>
#endif

namespace NETWORK_SYSTEM_NAMESPACE::interfaces {

#ifdef __cpp_lib_span

/// Bytes that somebody else owns.
using byte_span = std::span<const std::uint8_t>;

#else

/// Bytes that somebody else owns: what a C++17 program gets in place of std::span<const std::uint8_t>, with the part
/// of its interface that readers of bytes use. As C++20 the name means std::span itself.
class byte_span {
public:
    using element_type = const std::uint8_t;
    using value_type = std::uint8_t;
    using iterator = const std::uint8_t*;

    constexpr byte_span() noexcept = default;
    constexpr byte_span(const std::uint8_t* data, std::size_t size) noexcept : data_(data), size_(size) {}

    constexpr const std::uint8_t* data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr std::size_t size_bytes() const noexcept { return size_; }
    constexpr bool empty() const noexcept { return size_ == 0; }

    constexpr iterator begin() const noexcept { return data_; }
    constexpr iterator end() const noexcept { return data_ + size_; }
    constexpr const std::uint8_t& operator[](std::size_t index) const noexcept { return data_[index]; }

    constexpr byte_span first(std::size_t count) const noexcept { return {data_, count}; }
    constexpr byte_span last(std::size_t count) const noexcept { return {data_ + (size_ - count), count}; }
    constexpr byte_span subspan(std::size_t offset) const noexcept { return {data_ + offset, size_ - offset}; }

private:
    const std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
};

#endif

}  // namespace NETWORK_SYSTEM_NAMESPACE::interfaces
