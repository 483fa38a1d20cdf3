#pragma once

// Programs of 2025 got <asio.hpp> with the library's headers and use it; nothing of the library needs it.
#if !defined(NETWORK_SYSTEM_NO_ASIO) && __has_include(<asio.hpp>)
#ifndef ASIO_STANDALONE
#define ASIO_STANDALONE
#endif
#include <asio.hpp>

#include "network_system/detail/error_category.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

inline bool report_errors_as_asio() noexcept {
    asio_misc_category.store(&asio::error::get_misc_category(), std::memory_order_release);
    asio_system_category.store(&asio::error::get_system_category(), std::memory_order_release);
    return true;
}

inline const bool errors_are_reported_as_asio = report_errors_as_asio();

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
#endif
