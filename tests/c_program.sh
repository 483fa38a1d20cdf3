# Sourced by tests that run a C program against the library, as in
#
#   . "$(dirname "$0")/../c_program.sh"
#
# Reads the arguments INCLUDE and LIBDIR: INCLUDE holds network_system.h, LIBDIR libnetwork_system.so. CC names the C
# compiler. Sets here, the directory of the test, and scratch, one that is removed at the end; defines build.
set -eu

if [ $# -ne 2 ]; then
    sed -n '2,/^\./s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
include=$(cd "$1" && pwd)
libdir=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Cargo's target directory has the library under its development name only.
if [ ! -e "$libdir/libnetwork_system.so.2" ]; then
    ln -s "$libdir/libnetwork_system.so" "$scratch/libnetwork_system.so.2"
fi

# build NAME [FLAG...]: makes NAME of NAME.c, in the scratch directory.
build() {
    name=$1
    shift
    "${CC:-cc}" -std=c99 -Wall -Wextra -Wpedantic -Werror "$@" -I"$include" "$here/$name.c" \
        -L"$libdir" -lnetwork_system -Wl,-rpath,"$libdir:$scratch" -o "$scratch/$name"
}
