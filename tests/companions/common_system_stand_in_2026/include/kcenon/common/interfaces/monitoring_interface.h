#pragma once

#include <kcenon/common/patterns/result.h>

#include <string>

namespace kcenon::common::interfaces {

/// The one function of the real interface that this library calls.
class IMonitor {
public:
    virtual ~IMonitor() = default;
    virtual VoidResult record_metric(const std::string& name, double value) = 0;
};

}  // namespace kcenon::common::interfaces
