#!/usr/bin/env bash
# Checks that every public header has its second include path, <kcenon/network/...>: a header there that includes the one
# of the same name below network_system/ and holds nothing else.
#
#   check_forwarders.sh INCLUDE_DIR            names what is missing or wrong
#   check_forwarders.sh INCLUDE_DIR --write    writes what is missing
#
# Some paths have no header of the same name, since the earlier library moved its own: they forward to any header.
set -u -o pipefail

case $# in
1) ;;
2) [ "$2" = --write ] || { echo "usage: $0 INCLUDE_DIR [--write]" >&2; exit 2; } ;;
*) echo "usage: $0 INCLUDE_DIR [--write]" >&2; exit 2 ;;
esac
cd "$1" || exit 2

failed=0
fail() {
    echo "FAILED $*"
    failed=$((failed + 1))
}

forwarder() { printf '#pragma once\n\n#include "network_system/%s"\n' "$1"; }

headers_below() { (cd "$1" && find . -type f -name '*.h' | sed 's|^\./||' | LC_ALL=C sort); }

# All but the library's own parts.
public_headers() { headers_below network_system | grep -vE '^(detail/|utils/result_types_)'; }

count=0
while IFS= read -r header; do
    path=kcenon/network/$header
    if [ ! -f "$path" ] && [ $# -eq 2 ]; then
        mkdir -p "$(dirname "$path")"
        forwarder "$header" >"$path"
        echo "wrote $path"
    elif [ ! -f "$path" ]; then
        fail "$path: missing; $0 $1 --write makes it"
    elif ! forwarder "$header" | cmp -s - "$path"; then
        fail "$path: is not the include of network_system/$header"
    fi
    count=$((count + 1))
done < <(public_headers)
[ "$count" -gt 0 ] || fail "network_system/: no headers found in $1"

while IFS= read -r header; do
    path=kcenon/network/$header
    target=$(sed -n 's|^#include "network_system/\(.*\)"$|\1|p' "$path")
    if [ -z "$target" ] || ! forwarder "$target" | cmp -s - "$path"; then
        fail "$path: has more in it than the include of one header"
    elif [ ! -f "network_system/$target" ]; then
        fail "$path: network_system/$target does not exist"
    fi
done < <(headers_below kcenon/network)

echo "$count headers have their second path, $failed failures"
[ "$failed" -eq 0 ]
