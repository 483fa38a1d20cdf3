#!/usr/bin/env bash
# Fuzzes everything that a peer, a file or a user can give the library, with libFuzzer and AddressSanitizer.
#   tests/fuzz/run.sh [TARGET...]    all targets, or these
# FUZZ_SECONDS is for how long each is fuzzed (60), after the inputs of tests/fuzz/corpus and those that an earlier run
# under target/fuzz has kept. An input that breaks something is left in target/fuzz: put it into tests/fuzz/corpus with the
# fix. Again with that input only: target/fuzz/fuzzer TARGET FILE.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${FUZZ_SECONDS:-60}
out=$PWD/target/fuzz

host=$(rustc -vV | sed -n 's/^host: //p')
runtime=$(clang -print-file-name="libclang_rt.fuzzer_no_main-${host%%-*}.a")
if [[ ! -f $runtime ]]; then
    runtime=$(dirname "$(clang -print-libgcc-file-name)")/libclang_rt.fuzzer_no_main-${host%%-*}.a
fi
[[ -f $runtime ]] || {
    echo "fuzz: clang's libFuzzer is missing: install libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev, or run .ci/setup test" >&2
    exit 1
}

# The flag of the sanitizer is stable in all but name. A target is named so that cargo does not instrument build scripts.
# What is written in C is instrumented by clang in the same way.
export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$out/build
export CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
export CARGO_PROFILE_RELEASE_DEBUG=line-tables-only
export CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true
coverage=(-Cpasses=sancov-module)
for flag in level=4 inline-8bit-counters pc-table trace-compares; do
    coverage+=("-Cllvm-args=-sanitizer-coverage-$flag")
done
export RUSTFLAGS="--cfg netsys_fuzz -Zsanitizer=address ${coverage[*]}"
export CC=clang CFLAGS="-fsanitize=address,fuzzer-no-link"
cargo rustc --release --locked --quiet --example fuzzer --target "$host" -- -Clink-arg="$runtime" -Clink-arg=-lstdc++
cp "$CARGO_TARGET_DIR/$host/release/examples/fuzzer" "$out/fuzzer"

targets=("$@")
[[ ${#targets[@]} -gt 0 ]] || mapfile -t targets < <("$out/fuzzer" list)

# A panic aborts. A thread of the library is no leak, nor is what it holds.
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 RUST_BACKTRACE=1
for target in "${targets[@]}"; do
    kept=$out/corpus/$target
    mkdir -p "$kept"
    log=$out/$target.log
    # An input takes 1 s at most, or a whole server or client 10, and no single allocation 64 MiB.
    limit=1
    [[ $target == *_servers || $target == *_clients ]] && limit=25
    if ! "$out/fuzzer" "$target" -max_total_time="$seconds" -timeout=$limit -malloc_limit_mb=64 -rss_limit_mb=2048 \
        -max_len=4096 -print_final_stats=1 -artifact_prefix="$out/$target-" "$kept" "tests/fuzz/corpus/$target" \
        >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        echo "fuzz: $target failed: $log has it all" >&2
        exit 1
    fi
    awk -v name="$target" '/number_of_executed_units/ {units = $2} /average_exec_per_sec/ {rate = $2} / cov: / {for (i = 1; i < NF; i++) if ($i == "cov:") reached = $(i + 1)}
        END {printf "%-15s %10d inputs, %7d a second, %6d places reached\n", name, units, rate, reached}' "$log"
done
