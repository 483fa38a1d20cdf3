#pragma once

#include <stdexcept>

namespace bench {

/// The arguments are wrong; the text says what was wrong and what was expected.
struct usage_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Nothing could be measured; the text says why and what to do.
struct failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace bench
