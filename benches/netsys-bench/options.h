#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "framing.h"
#include "json.h"

namespace bench {

enum class command { help, version, serve, ping_pong, echo, one_way, broadcast, idle, connect, churn, compare };
enum class serve_work { echo, sink, broadcast };
enum class progress_mode { when_terminal, always, off };

struct target {
    std::string host;
    std::uint16_t port = 0;
};

/// What the command line says; members keep these defaults where it says nothing, and parse_options sets those that
/// depend on the command.
struct options {
    bench::command command = command::help;
    std::vector<target> targets;
    std::vector<std::string> files;  // of compare
    bench::framing framing;

    std::string listen_host = "0.0.0.0";
    std::uint16_t listen_port = 0;
    serve_work work = serve_work::echo;

    std::uint32_t size = 64;
    std::uint32_t connections = 1;
    std::uint32_t outstanding = 1;
    double rate = 0;      // a second; 0: closed loop
    double duration = 0;  // seconds; 0: until `messages`
    double warmup = 0;
    std::uint64_t messages = 0;  // 0: until `duration`
    std::uint32_t connecting = 256;
    double connect_timeout = 10;
    double drain = 3;
    std::uint32_t loops = 1;
    std::uint64_t max_message = 16u << 20;
    bool reset = false;
    bool confirm = true;
    pid_t pid = 0;

    bool tls = false;
    bool insecure = false;
    bool resumption = true;
    std::uint32_t tls_min = 0;  // NETSYS_TLS_*, 0: the library's default
    std::string ca;
    std::string certificate;
    std::string key;
    std::string server_name;

    std::string json_file;  // "-": standard output
    std::string svg_file;
    std::string title;
    bool quiet = false;
    progress_mode progress = progress_mode::when_terminal;
};

/// Throws usage_error.
options parse_options(int argc, char** argv);

const char* command_name(command command);
/// What --help prints.
std::string help_text();
/// What describes a run, for its report: names as on the command line.
std::vector<std::pair<std::string, json>> parameters_of(const options& options);

}  // namespace bench
