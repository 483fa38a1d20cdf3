#pragma once

// Stands in for common_system of April 2026: see ../../../../../README.md.
#include <stand_in/result.h>

namespace kcenon::common {

using error_info = stand_in::error_info;
template <typename T>
using Result = stand_in::result<T>;
using VoidResult = Result<std::monostate>;

}  // namespace kcenon::common
