#pragma once

#include <cstdio>
#include <exception>
#include <utility>

#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// Runs `body`, and `failed(what)` if it throws: no exception may reach the library's loop.
template <typename Body, typename Failed>
void guarded(Body&& body, Failed&& failed) noexcept {
    try {
        std::forward<Body>(body)();
    } catch (const std::exception& exception) {
        failed(exception.what());
    } catch (...) {
        failed("an exception that is no std::exception");
    }
}

/// The last resort, when there is nobody left to tell, as after a failure of an error handler.
inline void log_failure(const char* what) noexcept {
    std::fprintf(stderr, "network_system: a callback failed: %s\n", what);
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
