#!/bin/sh
# The binary interface is what the recorded lists say: exported symbols, struct layouts and constants, the dynamic
# section, and the libraries that a static link needs.
#   tests/abi/check.sh LIBRARY            compare (LIBRARY: libnetwork_system.so)
#   tests/abi/check.sh --update LIBRARY   record what is there, after a change that is meant
set -eu

update=no
if [ "${1-}" = --update ]; then
    update=yes
    shift
fi
[ $# -eq 1 ] || { echo "usage: $0 [--update] LIBRARY" >&2; exit 2; }
library=$1
here=$(cd "$(dirname "$0")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)
header="$root/include/network_system.h"
work=$(mktemp -d "${TMPDIR:-/tmp}/network_system_abi.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP PIPE
failures=0

# same RECORDED FOUND WHAT
same() {
    if [ "$update" = yes ]; then
        cp "$2" "$1"
        echo "recorded: $3"
    elif diff -u "$1" "$2"; then
        echo "ok   $3"
    else
        echo "FAILED: $3 (above: - recorded in ${1#"$root"/}, + found)" >&2
        failures=$((failures + 1))
    fi
}

# The lists are sorted by byte values, everywhere.
LC_ALL=C
export LC_ALL

nm -D --defined-only "$library" | awk '{print $3}' | sort >"$work/exported"
python3 "$here/header.py" functions "$header" >"$work/declared"
same "$here/symbols.txt" "$work/exported" "exported symbols"
same "$here/symbols.txt" "$work/declared" "functions in the header"

python3 "$here/header.py" layout "$header" >"$work/layout.c"
"${CC:-cc}" -std=c11 -o "$work/layout" "$work/layout.c"
"$work/layout" >"$work/layout.txt"
same "$here/layout.txt" "$work/layout.txt" "struct layouts and constants"

# The dynamic loader has another name on each architecture.
readelf -dW "$library" | sed -n \
    -e 's/.*(NEEDED).*\[\(ld-linux.*\)\]/NEEDED loader/p' \
    -e 's/.*(NEEDED).*\[\(.*\)\]/NEEDED \1/p' \
    -e 's/.*(SONAME).*\[\(.*\)\]/SONAME \1/p' \
    -e 's/.*(FLAGS_1).*\(NODELETE\).*/FLAG \1/p' | sort >"$work/dynamic"
same "$here/dynamic.txt" "$work/dynamic" "soname, flags and needed libraries"

# rustc names the libraries when it makes the static one, in any profile; the folder is kept for the next time.
cargo rustc --quiet --manifest-path "$root/Cargo.toml" --lib --locked --crate-type staticlib \
    --target-dir "$root/target/abi" -- --print "native-static-libs=$work/native" 2>"$work/log" ||
    { cat "$work/log" >&2; exit 1; }
xargs -n 1 <"$work/native" >"$work/native_lines"
same "$root/cmake/native-static-libs.txt" "$work/native_lines" "libraries for a static link"

[ "$failures" -eq 0 ]
