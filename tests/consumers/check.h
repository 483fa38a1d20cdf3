#pragma once

#include <network_system/test_utils/network_test_utils.h>
#include <cstdio>
#include <cstdlib>

#include "../cpp/waiting.h"

// How the programs here check themselves. In a callback, where the library would catch an exception, as well as in
// main: a check that fails ends the program.
#define CHECK(condition) ((condition) ? static_cast<void>(0) : check::failed(#condition, __FILE__, __LINE__))

namespace check {

using test_support::event;
using test_support::patience;
using test_support::recorder;
using test_support::stream_sink;

[[noreturn]] inline void failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, condition);
    std::_Exit(1);
}

/// Programs of most generations have to name the port that they listen on.
inline unsigned short free_port() {
    return network_system::test_utils::get_free_port();
}

}  // namespace check
