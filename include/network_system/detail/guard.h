#pragma once

#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include "network_system/detail/library_log.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// Runs `failed(what)` for the exception that is being handled.
template <typename Failed>
[[gnu::cold, gnu::noinline]] void tell_exception(Failed& failed) noexcept {
    try {
        throw;
    } catch (const std::exception& exception) {
        failed(exception.what());
    } catch (...) {
        failed("an exception that is no std::exception");
    }
}

/// Runs `body`, and `failed(what)` if it throws: no exception may reach the library's loop.
template <typename Body, typename Failed>
void guarded(Body&& body, Failed&& failed) noexcept {
    try {
        std::forward<Body>(body)();
    } catch (...) {
        tell_exception(failed);
    }
}

inline void print_failure(const char* what) noexcept {
    std::fprintf(stderr, "network_system: a callback failed: %s\n", what);
}

/// The last resort, when there is nobody left to tell, as after a failure of an error handler: the program's logger, or
/// without one the standard error stream.
inline void log_failure(const char* what) noexcept {
    if (const library_log_function log = library_log.load(std::memory_order_acquire)) {
        guarded([&] { log(error_level, "network_system::handlers", std::string("a callback failed: ") + what); },
                print_failure);
    } else {
        print_failure(what);
    }
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
