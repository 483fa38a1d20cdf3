#include "machine.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace bench {

machine this_machine() {
    machine out;
    utsname name{};
    if (uname(&name) == 0) out.kernel = std::string(name.sysname) + " " + name.release + " " + name.machine;
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    out.cpus = cpus > 0 ? static_cast<unsigned>(cpus) : 0;
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        const std::size_t colon = line.find(": ");
        if (line.compare(0, 10, "model name") != 0 || colon == std::string::npos) continue;
        out.cpu = line.substr(colon + 2);
        break;
    }
    if (out.cpu.empty()) out.cpu = "unknown";
    return out;
}

long long status_kib(int pid, const std::string& name) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.compare(0, name.size() + 1, name + ":") != 0) continue;
        std::istringstream rest(line.substr(name.size() + 1));
        long long kib = -1;
        rest >> kib;
        return kib;
    }
    return -1;
}

}  // namespace bench
