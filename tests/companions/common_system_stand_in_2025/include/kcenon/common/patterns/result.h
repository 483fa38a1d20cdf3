#pragma once

// Stands in for common_system of October 2025, which lives in ::common: see ../../../../../README.md.
#include <stand_in/result.h>

namespace common {

using error_info = stand_in::error_info;
template <typename T>
using Result = stand_in::result<T>;
using VoidResult = Result<std::monostate>;

}  // namespace common
