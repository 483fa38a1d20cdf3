#pragma once

#include <string>
#include <vector>

#include "result.h"

namespace bench {

/// A result for people.
std::string table_of(const result& result);

/// A chart: the percentile curves of all results, and their rates over time. XML without scripts and without references
/// to anything else; its colours stand out from light and from dark backgrounds.
std::string chart_of(const std::vector<const result*>& results, const std::string& title);

/// 1234567 nanoseconds as "1.235 ms".
std::string time_text(double ns);
/// A figure with as many digits as mean something.
std::string figure_text(double value);
/// Columns of equal width; the first is flush left, the others flush right.
std::string columns(const std::vector<std::vector<std::string>>& rows);

}  // namespace bench
