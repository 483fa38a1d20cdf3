#!/bin/sh
# Interop of the library with a peer in Python that shares no code with it, and with OpenSSL.
#
#   run.sh INCLUDE LIBDIR
#
# INCLUDE holds network_system.h, LIBDIR libnetwork_system.so. CC names the C compiler. Leaves nothing behind.
set -eu

if [ $# -ne 2 ]; then
    sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
include=$(cd "$1" && pwd)
libdir=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"${CC:-cc}" -std=c99 -Wall -Wextra -Wpedantic -Werror -I"$include" "$here/c_peer.c" \
    -L"$libdir" -lnetwork_system -Wl,-rpath,"$libdir:$scratch" -o "$scratch/c_peer"
# Cargo's target directory has the library under its development name only.
if [ ! -e "$libdir/libnetwork_system.so.2" ]; then
    ln -s "$libdir/libnetwork_system.so" "$scratch/libnetwork_system.so.2"
fi

cd "$here"
C_PEER="$scratch/c_peer" PYTHONDONTWRITEBYTECODE=1 python3 -m unittest check_vectors test_server test_client test_tls
