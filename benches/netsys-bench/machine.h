#pragma once

#include <string>

namespace bench {

/// The machine that a run was made on.
struct machine {
    std::string kernel;
    std::string cpu;
    unsigned cpus = 0;
};

machine this_machine();

/// A figure of /proc/PID/status in KiB, "RssAnon"; -1: it cannot be read.
long long status_kib(int pid, const std::string& name);

}  // namespace bench
