#pragma once

#include <stand_in/error_codes.h>

namespace kcenon::common::error {
namespace codes = stand_in::codes;
}
