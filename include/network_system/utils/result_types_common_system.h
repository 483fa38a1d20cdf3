#pragma once

#include <kcenon/common/patterns/result.h>
#if __has_include(<kcenon/common/error/error_codes.h>)
#include <kcenon/common/error/error_codes.h>
#endif

#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "network_system/detail/namespace.h"

// common_system lived in ::common first and moved to ::kcenon::common. Unqualified look-up from inside ::kcenon finds
// whichever of the two the installed version has.
namespace kcenon::network_system_lookup {
namespace common_system = common;
}

namespace NETWORK_SYSTEM_NAMESPACE {

namespace detail {
namespace common_system = ::kcenon::network_system_lookup::common_system;
}

using VoidResult = detail::common_system::VoidResult;
using error_info = detail::common_system::error_info;

/// `Result<void>` is `VoidResult`; any other is common_system's own.
template <typename T>
using Result =
    std::conditional_t<std::is_void_v<T>, VoidResult,
                       detail::common_system::Result<std::conditional_t<std::is_void_v<T>, std::monostate, T>>>;

namespace error_codes = detail::common_system::error::codes;

template <typename T>
Result<std::decay_t<T>> ok(T&& value) {
    return Result<std::decay_t<T>>(std::forward<T>(value));
}

inline VoidResult ok() {
    return VoidResult(std::monostate{});
}

template <typename T>
Result<T> error(int code, const std::string& message, const std::string& source = "network_system",
                const std::string& details = "") {
    return Result<T>(error_info{code, message, source, details});
}

inline VoidResult error_void(int code, const std::string& message, const std::string& source = "network_system",
                             const std::string& details = "") {
    return error<std::monostate>(code, message, source, details);
}

}  // namespace NETWORK_SYSTEM_NAMESPACE
