#include "options.h"

#include <network_system.h>

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "failure.h"
#include "payload.h"

namespace bench {

namespace {

constexpr unsigned bit(command command) {
    return 1u << static_cast<unsigned>(command);
}

constexpr unsigned exchanges = bit(command::ping_pong) | bit(command::echo);
constexpr unsigned streams = exchanges | bit(command::one_way) | bit(command::broadcast);
constexpr unsigned openers = bit(command::idle) | bit(command::connect) | bit(command::churn);
constexpr unsigned drivers = streams | openers;
constexpr unsigned serves = bit(command::serve);
constexpr unsigned compares = bit(command::compare);

/// One option: what it is called, what it takes (empty: nothing), what it belongs to, and what it does.
struct option {
    const char* name;
    const char* value;
    unsigned commands;
    const char* help;
    std::function<void(options&, const std::string& text)> apply;
};

[[noreturn]] void wrong(const char* name, const std::string& text, const std::string& expected) {
    throw usage_error(std::string(name) + " " + (text.empty() ? "''" : text) + ": expected " + expected);
}

std::uint64_t whole(const char* name, const std::string& text, std::uint64_t low, std::uint64_t high) {
    char* end = nullptr;
    errno = 0;
    const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    const unsigned long long value = digits ? std::strtoull(text.c_str(), &end, 10) : 0;
    if (!digits || errno != 0 || value < low || value > high) {
        wrong(name, text, "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
    }
    return value;
}

std::uint32_t count(const char* name, const std::string& text, std::uint64_t low, std::uint64_t high) {
    return static_cast<std::uint32_t>(whole(name, text, low, high));
}

double decimal(const char* name, const std::string& text, double low, double high, const char* unit) {
    char* end = nullptr;
    const bool digits = !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos;
    const double value = digits ? std::strtod(text.c_str(), &end) : 0;
    if (!digits || *end != '\0' || value < low || value > high) {
        char range[96];
        std::snprintf(range, sizeof range, "a number of %s from %g to %g, like 2.5", unit, low, high);
        wrong(name, text, range);
    }
    return value;
}

std::string path(const char* name, const std::string& text) {
    if (text.empty()) wrong(name, text, "the name of a file");
    return text;
}

std::uint32_t tls_version(const std::string& text) {
    if (text == "1.2") return NETSYS_TLS_1_2;
    if (text == "1.3") return NETSYS_TLS_1_3;
    wrong("--tls-min", text, "1.2 or 1.3");
}

serve_work work_of(const std::string& text) {
    if (text == "echo") return serve_work::echo;
    if (text == "sink") return serve_work::sink;
    if (text == "broadcast") return serve_work::broadcast;
    wrong("--work", text, "echo (sends back what it gets), sink (counts it) or broadcast (sends it to everyone)");
}

const std::vector<option>& all_options() {
    using text_t = const std::string&;
    static const std::vector<option> all = {
        {"--framing", "F", drivers | serves,
         "how messages are told apart: framed (the library's protocol; default), raw, auto,\n"
         "or a length before each: length1, length{2,4,8}{le,be}",
         [](options& o, text_t t) {
             const bool counts_itself = o.framing.counts_itself;
             o.framing = parse_framing(t);
             o.framing.counts_itself = counts_itself;
         }},
        {"--length-counts-itself", "", drivers | serves, "the length prefix is part of the length that it tells",
         [](options& o, text_t) { o.framing.counts_itself = true; }},
        {"--size", "BYTES", streams | bit(command::churn), "a message's payload, at least 32 (64)",
         [](options& o, text_t t) { o.size = count("--size", t, payload::header_bytes, payload::largest); }},
        {"--connections", "N", drivers,
         "how many (ping-pong, one-way 1; echo 50; broadcast 100 subscribers; idle, connect\n"
         "1000; churn 16 at a time)",
         [](options& o, text_t t) { o.connections = count("--connections", t, 1, 1'000'000); }},
        {"--outstanding", "N", bit(command::echo) | bit(command::broadcast),
         "messages on their way at a time, of each connection (echo 32, broadcast 16)",
         [](options& o, text_t t) { o.outstanding = count("--outstanding", t, 1, 1'000'000); }},
        {"--rate", "N", streams | bit(command::connect) | bit(command::churn),
         "open loop: so many messages (connections) a second in all, each at its fixed time;\n"
         "latencies count from that time, so that a stall counts for all that it delayed",
         [](options& o, text_t t) { o.rate = decimal("--rate", t, 0.001, 1e8, "messages a second"); }},
        {"--duration", "SECONDS", (drivers & ~bit(command::connect)) | serves,
         "how long to measure (10); serve: when to end (never)",
         [](options& o, text_t t) { o.duration = decimal("--duration", t, 0.01, 1e6, "seconds"); }},
        {"--messages", "N", streams | bit(command::churn),
         "how many to measure in all; with --duration, whichever ends first",
         [](options& o, text_t t) { o.messages = whole("--messages", t, 1, 1'000'000'000'000); }},
        {"--warmup", "SECONDS", streams, "sent before that, and not measured (1; with --messages alone 0)",
         [](options& o, text_t t) { o.warmup = decimal("--warmup", t, 0, 1e5, "seconds"); }},
        {"--connecting", "N", drivers, "how many connections are being made at a time (256)",
         [](options& o, text_t t) { o.connecting = count("--connecting", t, 1, 100'000); }},
        {"--connect-timeout", "SECONDS", drivers, "how long a connection may take (10)",
         [](options& o, text_t t) { o.connect_timeout = decimal("--connect-timeout", t, 0.01, 3600, "seconds"); }},
        {"--drain", "SECONDS", drivers, "how long to wait for answers and closes after the end (3)",
         [](options& o, text_t t) { o.drain = decimal("--drain", t, 0.01, 3600, "seconds"); }},
        {"--no-confirm", "", bit(command::one_way), "do not ask the server at the end what it has got",
         [](options& o, text_t) { o.confirm = false; }},
        {"--reset", "", openers, "end connections by a reset, which leaves no port waiting (TIME_WAIT)",
         [](options& o, text_t) { o.reset = true; }},
        {"--pid", "PID", bit(command::idle), "a server on this machine: measure its memory per connection",
         [](options& o, text_t t) { o.pid = static_cast<pid_t>(whole("--pid", t, 1, 0x7fffffff)); }},
        {"--loops", "N", drivers | serves, "threads that do the work (1)",
         [](options& o, text_t t) { o.loops = count("--loops", t, 1, 4096); }},
        {"--max-message", "BYTES", drivers | serves, "the largest message that is taken (16777216)",
         [](options& o, text_t t) { o.max_message = whole("--max-message", t, payload::header_bytes, 1u << 30); }},
        {"--port", "N", serves, "the port to listen on; 0: a free one, which is printed (0)",
         [](options& o, text_t t) { o.listen_port = static_cast<std::uint16_t>(whole("--port", t, 0, 65535)); }},
        {"--host", "HOST", serves, "the address to listen on (0.0.0.0)",
         [](options& o, text_t t) {
             if (t.empty()) wrong("--host", t, "an address of this machine");
             o.listen_host = t;
         }},
        {"--work", "W", serves, "echo (default), sink or broadcast", [](options& o, text_t t) { o.work = work_of(t); }},
        {"--tls", "", drivers | serves, "encrypt; a server needs --certificate and --key",
         [](options& o, text_t) { o.tls = true; }},
        {"--ca", "FILE", drivers | serves,
         "PEM: whom to trust (default: the system's); a server then asks its clients too",
         [](options& o, text_t t) { o.ca = path("--ca", t); }},
        {"--insecure", "", drivers, "take any certificate", [](options& o, text_t) { o.insecure = true; }},
        {"--server-name", "NAME", drivers, "the name that the server's certificate is for (its host)",
         [](options& o, text_t t) {
             if (t.empty()) wrong("--server-name", t, "a name");
             o.server_name = t;
         }},
        {"--certificate", "FILE", drivers | serves, "PEM: the own certificate",
         [](options& o, text_t t) { o.certificate = path("--certificate", t); }},
        {"--key", "FILE", drivers | serves, "PEM: its key", [](options& o, text_t t) { o.key = path("--key", t); }},
        {"--tls-min", "V", drivers | serves, "1.2 (default) or 1.3",
         [](options& o, text_t t) { o.tls_min = tls_version(t); }},
        {"--no-resumption", "", drivers | serves, "make the whole handshake each time",
         [](options& o, text_t) { o.resumption = false; }},
        {"--json", "FILE", drivers | compares, "write the result; '-': to the standard output, and no table",
         [](options& o, text_t t) { o.json_file = path("--json", t); }},
        {"--svg", "FILE", drivers | compares, "write a chart: percentiles, and the rate over time",
         [](options& o, text_t t) { o.svg_file = path("--svg", t); }},
        {"--title", "TEXT", drivers | compares, "what the report is called", [](options& o, text_t t) { o.title = t; }},
        {"--quiet", "", drivers | serves | compares, "no table, and no line of progress unless --progress",
         [](options& o, text_t) { o.quiet = true; }},
        {"--progress", "", drivers, "a line of progress, also where stderr is no terminal",
         [](options& o, text_t) { o.progress = progress_mode::always; }},
        {"--no-progress", "", drivers, "none", [](options& o, text_t) { o.progress = progress_mode::off; }},
    };
    return all;
}

struct named_command {
    const char* name;
    bench::command command;
    const char* help;
};

constexpr named_command commands[] = {
    {"serve", command::serve, "a server to drive, through the library"},
    {"ping-pong", command::ping_pong, "one message forth and back, then the next"},
    {"echo", command::echo, "many connections with many messages on their way"},
    {"one-way", command::one_way, "as many messages as the transport takes"},
    {"broadcast", command::broadcast, "one connection sends, all others get it"},
    {"idle", command::idle, "connections that are only open"},
    {"connect", command::connect, "how fast connections are made"},
    {"churn", command::churn, "connect, exchange one message, close; again and again"},
    {"compare", command::compare, "two results, figure by figure"},
};

std::string names_of_commands() {
    std::string out;
    for (const named_command& each : commands) out += (out.empty() ? "" : ", ") + std::string(each.name);
    return out;
}

command command_of(const std::string& text) {
    if (text == "--help" || text == "-h" || text == "help") return command::help;
    if (text == "--version") return command::version;
    if (text == "--compare") return command::compare;
    for (const named_command& each : commands) {
        if (text == each.name) return each.command;
    }
    throw usage_error("'" + text + "' is no command: expected " + names_of_commands() + ", --help or --version");
}

const option& option_of(const std::string& name, command command) {
    for (const option& each : all_options()) {
        if (name != each.name) continue;
        if ((each.commands & bit(command)) == 0) {
            throw usage_error(name + " does not go with " + command_name(command) + ": see netsys-bench --help");
        }
        return each;
    }
    throw usage_error("there is no option " + name + ": see netsys-bench --help");
}

std::vector<target> targets_of(const std::string& text) {
    std::vector<target> out;
    std::size_t begin = 0;
    while (begin <= text.size()) {
        std::size_t end = text.find(',', begin);
        if (end == std::string::npos) end = text.size();
        const std::string part = text.substr(begin, end - begin);
        char host[1024];
        target next;
        if (netsys_endpoint_parse({part.data(), part.size()}, host, sizeof host, nullptr, &next.port) != NETSYS_OK ||
            next.port == 0) {
            throw usage_error("'" + part + "' is no server: expected HOST:PORT, [IPV6]:PORT, or several with commas " +
                              "between them");
        }
        next.host = host;
        out.push_back(std::move(next));
        begin = end + 1;
    }
    return out;
}

void set_defaults(options& out) {
    switch (out.command) {
        case command::echo:
            out.connections = 50;
            out.outstanding = 32;
            break;
        case command::broadcast:
            out.connections = 100;
            out.outstanding = 16;
            break;
        case command::idle:
        case command::connect:
            out.connections = 1000;
            break;
        case command::churn:
            out.connections = 16;
            break;
        default:
            break;
    }
}

void check(options& out, bool outstanding_given, bool warmup_given) {
    const bool driving = (bit(out.command) & drivers) != 0;
    if (driving && out.targets.empty()) {
        throw usage_error(std::string(command_name(out.command)) + ": which server? Expected HOST:PORT behind it");
    }
    if (out.command == command::compare && out.files.size() != 2) {
        throw usage_error("compare: expected two files that --json has written, there are " +
                          std::to_string(out.files.size()));
    }
    if (out.framing.counts_itself && out.framing.kind != framing::kind_t::length) {
        throw usage_error("--length-counts-itself: expected a --framing with a length, not " + out.framing.name());
    }
    if (driving && out.framing.kind == framing::kind_t::automatic) {
        throw usage_error("--framing auto: only a server tells peers apart; expected framed, raw or a length");
    }
    if ((bit(out.command) & (streams | bit(command::churn))) != 0) {
        if (out.size > out.max_message) {
            throw usage_error("--size " + std::to_string(out.size) + ": expected at most --max-message, which is " +
                              std::to_string(out.max_message));
        }
        if (out.size > out.framing.longest()) {
            throw usage_error("--size " + std::to_string(out.size) + ": " + out.framing.name() +
                              " can tell of at most " + std::to_string(out.framing.longest()) + " bytes");
        }
        if (out.command == command::one_way && out.confirm && out.framing.longest() < payload::report_bytes) {
            throw usage_error("the confirmation of one-way does not fit " + out.framing.name() + ": use --no-confirm");
        }
    }
    if (out.rate > 0 && outstanding_given) {
        throw usage_error(
            "--outstanding does not go with --rate, which sends at fixed times, however much is "
            "outstanding");
    }
    const bool certificate = !out.certificate.empty();
    if (!out.tls && (certificate || !out.key.empty() || !out.ca.empty() || out.insecure || !out.server_name.empty() ||
                     out.tls_min != 0 || !out.resumption)) {
        throw usage_error("options of TLS are given, and --tls is not");
    }
    if (certificate == out.key.empty()) throw usage_error("--certificate and --key belong together: one is missing");
    if (out.command == command::serve && out.tls && !certificate) {
        throw usage_error("--tls: a server needs --certificate and --key");
    }
    if (out.insecure && !out.ca.empty()) {
        throw usage_error("--insecure takes any certificate, --ca only some: expected one of them");
    }
    if (driving && out.command != command::connect && out.duration == 0 && out.messages == 0) out.duration = 10;
    if (!warmup_given && (bit(out.command) & streams) != 0 && out.duration > 0) out.warmup = 1;
}

}  // namespace

options parse_options(int argc, char** argv) {
    if (argc < 2) throw usage_error("which command? Expected " + names_of_commands() + ", --help or --version");
    options out;
    out.command = command_of(argv[1]);
    set_defaults(out);
    bool outstanding_given = false;
    bool warmup_given = false;
    for (int i = 2; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--help" || word == "-h") {
            out.command = command::help;
            return out;
        }
        if (word.size() < 2 || word[0] != '-') {
            if (out.command == command::compare) {
                out.files.push_back(word);
            } else if ((bit(out.command) & drivers) != 0 && out.targets.empty()) {
                out.targets = targets_of(word);
            } else {
                throw usage_error("'" + word + "' was not expected");
            }
            continue;
        }
        const std::size_t equals = word.find('=');
        const std::string name = word.substr(0, equals);
        const option& found = option_of(name, out.command);
        std::string text;
        if (found.value[0] == '\0') {
            if (equals != std::string::npos) throw usage_error(name + " takes no value");
        } else if (equals != std::string::npos) {
            text = word.substr(equals + 1);
        } else if (++i < argc) {
            text = argv[i];
        } else {
            throw usage_error(name + ": expected " + found.value + " behind it");
        }
        found.apply(out, text);
        outstanding_given |= name == "--outstanding";
        warmup_given |= name == "--warmup";
    }
    check(out, outstanding_given, warmup_given);
    return out;
}

const char* command_name(command command) {
    for (const named_command& each : commands) {
        if (each.command == command) return each.name;
    }
    return command == command::version ? "--version" : "--help";
}

std::string help_text() {
    std::string out =
        "netsys-bench drives a server, its own or any other that sends messages back, and measures it.\n\n"
        "  netsys-bench serve [options]\n"
        "  netsys-bench WORKLOAD HOST:PORT[,HOST:PORT...] [options]\n"
        "  netsys-bench --compare A.json B.json [options]\n"
        "  netsys-bench --help | --version\n\n";
    for (const named_command& each : commands) {
        std::string name = each.name;
        name.resize(12, ' ');
        out += "  " + name + each.help + "\n";
    }
    out += "\nOptions, with their defaults in brackets:\n\n";
    for (const option& each : all_options()) {
        std::string name = std::string(each.name) + (each.value[0] == '\0' ? "" : " ") + each.value;
        name.resize(name.size() < 26 ? 26 : name.size() + 1, ' ');
        std::string text = each.help;
        for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
            text.insert(at + 1, std::string(28, ' '));
        }
        out += "  " + name + text + "\n";
    }
    out +=
        "\nExit status: 0 measured; 1 measured, and something went wrong (lost or wrong messages, connections that\n"
        "failed); 2 the arguments are wrong or nothing could be measured. Ctrl-C ends a run and reports what it has.\n";
    return out;
}

std::vector<std::pair<std::string, json>> parameters_of(const options& options) {
    const unsigned of = bit(options.command);
    std::vector<std::pair<std::string, json>> out;
    out.emplace_back("framing", options.framing.name() + (options.framing.counts_itself ? ", counts itself" : ""));
    out.emplace_back("connections", options.connections);
    if ((of & (streams | bit(command::churn))) != 0) out.emplace_back("size", options.size);
    if (options.rate > 0) {
        out.emplace_back("rate", options.rate);
    } else if ((of & (bit(command::echo) | bit(command::broadcast))) != 0) {
        out.emplace_back("outstanding", options.outstanding);
    }
    if (options.duration > 0) out.emplace_back("duration", options.duration);
    if (options.messages > 0) out.emplace_back("messages", options.messages);
    if ((of & streams) != 0) out.emplace_back("warmup", options.warmup);
    if ((of & (bit(command::connect) | bit(command::idle))) != 0) out.emplace_back("connecting", options.connecting);
    if ((of & openers) != 0) out.emplace_back("reset", options.reset);
    out.emplace_back("loops", options.loops);
    const bool only_1_3 = options.tls_min == NETSYS_TLS_1_3;
    out.emplace_back("tls", !options.tls ? "no" : options.insecure ? "not verified" : only_1_3 ? "1.3" : "yes");
    return out;
}

}  // namespace bench
