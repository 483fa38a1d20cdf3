#!/usr/bin/env bash
# Builds each hazard program against the shared library, runs it under a time limit, and checks its exit status.
#
#   run.sh INCLUDE_DIR LIBRARY_DIR CC [NAME...]
#
# One line a program; NAMEs select programs. HAZARD_LIMIT: seconds that one run may take (default 180).
# HAZARD_STORM_CALLS: how many calls each thread of storm makes (default 100000).
# HAZARD_WRAPPER: a command to run the programs under, such as valgrind.
set -u -o pipefail

[ $# -ge 3 ] || { echo "usage: $0 INCLUDE_DIR LIBRARY_DIR CC [NAME...]" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
include=$(cd "$1" && pwd) && library=$(cd "$2" && pwd)/libnetwork_system.so || exit 2
read -ra cc <<<"$3"
read -ra wrapper <<<"${HAZARD_WRAPPER:-}"
shift 3
limit=${HAZARD_LIMIT:-180}
[ -e "$library" ] || { echo "$library: no such library" >&2; exit 2; }

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
ln -s "$library" "$work/libnetwork_system.so.2" # a build directory has the library under its plain name only
export LD_LIBRARY_PATH=$work

nm -D --defined-only "$library" | awk '$2 ~ /^[TtWi]$/ && $3 ~ /^netsys_/ { print $3 }' >"$work/exported" &&
    python3 "$here/generate_calls.py" "$include/network_system.h" "$work/exported" >"$work/calls.inc" || exit 1

names=("$@")
failures=0

selected() {
    local wanted
    [ ${#names[@]} -eq 0 ] && return 0
    for wanted in "${names[@]}"; do [ "$wanted" = "$1" ] && return 0; done
    return 1
}

build() { # build PROGRAM: linked against the library, unless it opens that itself
    local link=("$library")
    [ "$1" = dlopen_cycle ] && link=(-ldl)
    "${cc[@]}" -std=c99 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wpedantic -Werror -I"$include" -I"$here" -I"$work" \
        "$here/$1.c" -o "$work/$1" -pthread -Wl,--no-as-needed "${link[@]}"
}

# hazard STATUS REPETITIONS PROGRAM [ARGUMENT]
hazard() {
    local expected=$1 repetitions=$2 program=$3 output status round
    shift 3
    selected "$program" || return 0
    if [ ! -x "$work/$program" ] && ! build "$program"; then
        echo "FAILED $program: does not build"
        failures=$((failures + 1))
        return
    fi
    for ((round = 1; round <= repetitions; ++round)); do
        output=$(timeout -k 5 -s ABRT "$limit" "${wrapper[@]}" "$work/$program" "$@" 2>&1)
        status=$?
        if [ $status -ne "$expected" ]; then
            echo "FAILED $program $*: exit status $status, expected $expected (run $round of $repetitions)"
            [ -z "$output" ] || tail -n 20 <<<"$output"
            failures=$((failures + 1))
            return
        fi
    done
    echo "ok $program${1:+ ${1##*/}}${output:+: $output}"
}

hazard 17 1 link_only
hazard 42 10 exit_running
for callback in accept open message close end stopped release; do
    hazard 43 5 exit_in_callback $callback
done
hazard 0 1 dlopen_cycle "$library"
hazard 0 1 fork_child
hazard 0 1 fork_first
hazard 0 1 peer_reset
hazard 0 1 churn
hazard 0 1 struct_size
hazard 0 1 bad_handles
hazard 0 1 other_sessions
hazard 0 1 jobs
hazard 0 1 polling
hazard 0 1 callbacks
hazard 0 1 bridges
hazard 0 1 storm ${HAZARD_STORM_CALLS:-}

# accept() fails three times and then no more (reliability row 30).
for error in EMFILE ENFILE ENOBUFS ENOMEM ECONNABORTED EPROTO; do
    wrapper=(strace -f -qq -o "$work/strace" -e trace=accept4 -e "inject=accept4:error=$error:when=1..3")
    hazard 0 1 accept_errors $error
done

[ $failures -eq 0 ]
