#!/bin/sh
# The figures of the monitor and of a bridge as others read them: validated against the published JSON schema, and read
# by the parser of Prometheus' own client.
#
#   run.sh INCLUDE LIBDIR
#
# INCLUDE holds network_system.h, LIBDIR libnetwork_system.so. CC names the C compiler. Leaves nothing behind.
set -eu

if [ $# -ne 2 ]; then
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
include=$(cd "$1" && pwd)
libdir=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"${CC:-cc}" -std=c99 -D_POSIX_C_SOURCE=199309L -Wall -Wextra -Wpedantic -Werror -I"$include" "$here/record.c" \
    -L"$libdir" -lnetwork_system -Wl,-rpath,"$libdir:$scratch" -o "$scratch/record"
# Cargo's target directory has the library under its development name only.
if [ ! -e "$libdir/libnetwork_system.so.2" ]; then
    ln -s "$libdir/libnetwork_system.so" "$scratch/libnetwork_system.so.2"
fi

mkdir "$scratch/figures"
timeout 60 "$scratch/record" "$scratch/figures"
PYTHONDONTWRITEBYTECODE=1 python3 "$here/check.py" "$here/../../docs/metrics.schema.json" "$scratch/figures"
