// netsys-bench: a load tool on the library's C interface. docs/netsys-bench.md tells how to use it.

#include <network_system.h>

#include <cstdio>
#include <exception>

#include "compare.h"
#include "control.h"
#include "dialer.h"
#include "failure.h"
#include "options.h"
#include "report.h"
#include "result.h"
#include "workloads.h"

namespace bench {

namespace {

constexpr int exit_clean = 0;
constexpr int exit_errors = 1;
constexpr int exit_failed = 2;

result measure(const options& options, control& control) {
    switch (options.command) {
        case command::one_way:
            return run_one_way(options, control);
        case command::broadcast:
            return run_broadcast(options, control);
        case command::idle:
            return run_idle(options, control);
        case command::connect:
            return run_connect(options, control);
        case command::churn:
            return run_churn(options, control);
        default:
            return run_exchange(options, control);
    }
}

void write_table(const options& options, const std::string& table) {
    if (!options.quiet && options.json_file != "-") write_file("-", table);
}

int drive(const options& options) {
    control control;
    allow_descriptors(options.connections);
    result out = measure(options, control);
    // A kind of times that this run has none of is not told.
    std::vector<timing> filled;
    for (timing& each : out.timings) {
        if (!each.name.empty() && each.times.count() > 0) filled.push_back(std::move(each));
    }
    out.timings = std::move(filled);
    write_table(options, table_of(out));
    if (!options.json_file.empty()) write_file(options.json_file, to_json(out).text());
    if (!options.svg_file.empty()) write_file(options.svg_file, chart_of({&out}, options.title));
    return out.error_count() > 0 ? exit_errors : exit_clean;
}

int compare_files(const options& options) {
    const result a = read_result(options.files[0]);
    const result b = read_result(options.files[1]);
    const comparison out = compare(a, b, options.title);
    write_table(options, out.table);
    if (!options.json_file.empty()) write_file(options.json_file, out.document.text());
    if (!options.svg_file.empty()) write_file(options.svg_file, chart_of({&a, &b}, options.title));
    return exit_clean;
}

int run(int argc, char** argv) {
    const options options = parse_options(argc, argv);
    switch (options.command) {
        case command::help:
            write_file("-", help_text());
            return exit_clean;
        case command::version:
            std::printf("netsys-bench %d.%d.%d, library %s\n", NETSYS_VERSION_MAJOR, NETSYS_VERSION_MINOR,
                        NETSYS_VERSION_PATCH, netsys_version_string());
            return exit_clean;
        case command::serve: {
            control control;
            return serve(options, control) ? exit_clean : exit_errors;
        }
        case command::compare:
            return compare_files(options);
        default:
            return drive(options);
    }
}

}  // namespace

}  // namespace bench

int main(int argc, char** argv) {
    try {
        return bench::run(argc, argv);
    } catch (const std::exception& why) {
        std::fprintf(stderr, "netsys-bench: %s\n", why.what());
        return bench::exit_failed;
    }
}
