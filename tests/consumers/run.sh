#!/bin/sh
# Builds each of the programs here against the installed package, as its generation did, and runs it: outside the tree,
# from a copy, so that they find nothing but what is installed.
#   tests/consumers/run.sh PREFIX [PROGRAM...]     all, or those named: g0 g1 g2 g3 g4 specification
set -eu

[ $# -ge 1 ] || { echo "usage: $0 PREFIX [PROGRAM...]" >&2; exit 2; }
prefix=$(cd "$1" && pwd -P)
shift
[ $# -gt 0 ] || set -- g0 g1 g2 g3 g4 specification
here=$(cd "$(dirname "$0")" && pwd -P)
lib_dir=$(dirname "$(find "$prefix" -name libNetworkSystem.so)")
work=$(mktemp -d "${TMPDIR:-/tmp}/network_system_consumers.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP PIPE

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# Runs a command, and shows what it said only if it fails.
quietly() {
    "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "$*"; }
}

mkdir -p "$work/consumers/network_system/build" "$work/cpp"
cp -R "$here"/*/ "$here/check.h" "$work/consumers"
cp "$here/../cpp/waiting.h" "$work/cpp"
# Some programs expect the library's tree beside them, built.
ln -s "$prefix/include" "$work/consumers/network_system/include"
ln -s "$lib_dir" "$work/consumers/network_system/build/lib"

for program in "$@"; do
    build="$work/build/$program"
    quietly cmake -S "$work/consumers/$program" -B "$build" -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_PREFIX_PATH=$prefix" \
        "-DCMAKE_RUNTIME_OUTPUT_DIRECTORY=$build/bin" -Werror=dev
    quietly cmake --build "$build"
    said=$(timeout 300 "$build"/bin/*) || fail "$program"
    echo "ok   $program: $said"
done
