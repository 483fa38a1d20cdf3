#pragma once

#include <string>

#include "result.h"

namespace bench {

/// Two results, figure by figure.
struct comparison {
    std::string table;
    json document;
};

comparison compare(const result& a, const result& b, const std::string& title);

}  // namespace bench
