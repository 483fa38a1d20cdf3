#!/usr/bin/env bash
# Compiles every public header by itself, included twice, and all of them together, in both orders.
#
#   check_headers.sh INCLUDE_DIR...
#
# Each directory is given to the compilers, in this order, and every header below it is checked; the include directory
# of an installation does as well as the source tree's. One line a failure, and a last line that says how many passed.
# Those below kcenon/ only include one of the others each (check_forwarders.sh), and are compiled only together.
# Together: with each compiler and standard, in each of the two namespaces, and with asio, which is most of the work, in
# one; the two orders by turns. Alone, without asio: with the first compiler and standard, since what a header needs is
# the same for all.
# FULL=1: all combinations, which takes minutes.
# JOBS: compilations at a time (default 2). CXX_COMPILERS, C_COMPILERS: those to use instead of gcc's and clang's.
set -u -o pipefail

[ $# -gt 0 ] || { echo "usage: $0 INCLUDE_DIR..." >&2; exit 2; }

here=$(cd "$(dirname "$0")" && pwd)
warnings=(-Wall -Wextra -Wpedantic -Werror)
c_warnings=("${warnings[@]}" -Wstrict-prototypes -Wmissing-prototypes)
standards=(c++17 c++20)
read -ra cxx_compilers <<<"${CXX_COMPILERS:-$(command -v g++) $(command -v clang++)}"
read -ra c_compilers <<<"${C_COMPILERS:-$(command -v gcc) $(command -v clang)}"
[ ${#cxx_compilers[@]} -gt 0 ] && [ ${#c_compilers[@]} -gt 0 ] || { echo "no compiler found" >&2; exit 2; }

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
: >"$work/results"

include_flags=()
for directory in "$@"; do
    [ -d "$directory" ] || { echo "$directory: no such directory" >&2; exit 2; }
    include_flags+=("-I$(cd "$directory" && pwd)")
done

# Runs a command; writes "ok" or a failure line with the first error to the results.
check() {
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        echo ok
    else
        echo "FAILED $name: $(grep -m1 -iE 'error|undefined|assert' <<<"$output" || head -n1 <<<"$output")"
    fi >>"$work/results"
}

in_background() { # as soon as fewer than JOBS are running
    while [ "$(jobs -pr | wc -l)" -ge "${JOBS:-2}" ]; do wait -n; done
    "$@" &
}

found() { # whether the compiler finds a header
    printf '#include <%s>\n' "$1" |
        "${cxx_compilers[0]}" -std=c++17 "${include_flags[@]}" -x c++ -E - >/dev/null 2>&1
}

# Headers of this library that stand for another library's, and so need it.
needs_absent_library() {
    case $1 in
    *_common_system.h) ! found kcenon/common/patterns/result.h ;;
    *) false ;;
    esac
}

check_cxx() { # NAME SOURCE COMPILER STANDARD ASIO_FLAG NAMESPACE_FLAG
    check "$1 (${3##*/}, $4, $5, $6)" \
        "$3" "-std=$4" "${warnings[@]}" "$5" "$6" "${include_flags[@]}" -fsyntax-only "$2"
}

check_c() {
    local compiler standard
    local header=$1 source=$work/c_header.c
    printf '#include <%s>\n#include <%s>\n' "$header" "$header" >"$source"
    for compiler in "${c_compilers[@]}"; do
        for standard in c99 c11; do
            check "$header (${compiler##*/}, $standard)" \
                "$compiler" -std=$standard "${c_warnings[@]}" "${include_flags[@]}" -fsyntax-only "$source"
        done
    done
}

# Two C and two C++ translation units in one program: the header may declare, but never define with linkage.
check_link() {
    local header=$1 compiler=${c_compilers[0]} cxx=${cxx_compilers[0]} unit
    for unit in one two; do
        printf '#include <%s>\nint c_%s(void);\nint c_%s(void) { return (int)sizeof(netsys_stats); }\n' \
            "$header" $unit $unit >"$work/$unit.c"
        printf '#include <%s>\nint cxx_%s() { return static_cast<int>(sizeof(netsys_stats)); }\n' \
            "$header" $unit >"$work/$unit.cpp"
    done
    printf '%s\n' 'extern "C" int c_one(void);' 'extern "C" int c_two(void);' 'int cxx_one();' 'int cxx_two();' \
        'int main() { return c_one() + c_two() == cxx_one() + cxx_two() ? 0 : 1; }' >"$work/main.cpp"
    link_program() {
        for unit in one two; do
            "$compiler" -std=c99 "${c_warnings[@]}" "${include_flags[@]}" -c "$work/$unit.c" -o "$work/c_$unit.o" &&
                "$cxx" -std=c++17 "${warnings[@]}" "${include_flags[@]}" -c "$work/$unit.cpp" -o "$work/cxx_$unit.o" ||
                return 1
        done
        "$cxx" -std=c++17 "$work/main.cpp" "$work"/c_*.o "$work"/cxx_*.o -o "$work/program" && "$work/program"
    }
    check "$header (four translation units in one program)" link_program
}

# What the header itself adds to a program that has its standard headers: netsys_ and NETSYS_ names only.
check_names() {
    local header=$1 path=$2 language=$3 compiler=$4 standard=$5
    local plain=$work/plain.$language full=$work/full.$language
    grep -E '^[[:space:]]*#[[:space:]]*include[[:space:]]*<std' "$path" >"$plain"
    printf '#include <%s>\n' "$header" >"$full"
    own_names() {
        local flags=(-x "$language" "-std=$standard" "${include_flags[@]}")
        "$compiler" "${flags[@]}" -E -dM "$plain" | sort >"$work/plain.macros" &&
            "$compiler" "${flags[@]}" -E -dM "$full" | sort >"$work/full.macros" &&
            "$compiler" "${flags[@]}" -E "$full" | python3 "$here/declared_names.py" "$header" >"$work/names" ||
            return 1
        grep -q . "$work/names" || { echo "error: no declaration found"; return 1; }
        comm -13 "$work/plain.macros" "$work/full.macros" |
            awk '$2 !~ /^(NETSYS_|NETWORK_SYSTEM_H$)/ { print "error: the header defines the macro " $2; bad = 1 }
                 END { exit bad }' &&
            awk '!/^(netsys_|NETSYS_)/ { print "error: the header declares " $0; bad = 1 } END { exit bad }' \
                "$work/names"
    }
    check "$header (names, $language)" own_names
}

headers=()
for directory in "$@"; do
    while IFS= read -r header; do
        if needs_absent_library "$header"; then
            echo "skipped $header: the library behind it was not found" >>"$work/results"
        elif [[ " ${headers[*]-} " != *" $header "* ]]; then
            headers+=("$header")
        fi
    done < <(cd "$directory" && find . -type f \( -name '*.h' -o -name '*.hpp' \) | sed 's|^\./||' | LC_ALL=C sort)
done
[ ${#headers[@]} -gt 0 ] || { echo "no headers in $*" >&2; exit 2; }

asio_settings=(-DNETWORK_SYSTEM_NO_ASIO)
found asio.hpp && asio_settings+=(-DASIO_STANDALONE)
namespaces=(-UNETWORK_SYSTEM_NAMESPACE_KCENON -DNETWORK_SYSTEM_NAMESPACE_KCENON)

printf '#include <%s>\n' "${headers[@]}" >"$work/forwards.cpp"
tac "$work/forwards.cpp" >"$work/backwards.cpp"
orders=(forwards backwards)
turn=0
for compiler in "${cxx_compilers[@]}"; do
    for number in "${!standards[@]}"; do
        for asio in "${asio_settings[@]}"; do
            for namespace in "${namespaces[@]}"; do
                combination=("$compiler" "${standards[number]}" "$asio" "$namespace")
                if [ "${FULL:-0}" = 1 ]; then
                    for order in "${orders[@]}"; do
                        in_background check_cxx "all headers, $order" "$work/$order.cpp" "${combination[@]}"
                    done
                elif [ "$asio" = -DNETWORK_SYSTEM_NO_ASIO ] || [ "$namespace" = "${namespaces[number]}" ]; then
                    order=${orders[turn]}
                    turn=$((1 - turn))
                    in_background check_cxx "all headers, $order" "$work/$order.cpp" "${combination[@]}"
                fi
            done
        done
    done
done

number=0
for header in "${headers[@]}"; do
    [[ $header != kcenon/* ]] || continue
    source=$work/$((++number)).cpp
    printf '#include <%s>\n#include <%s>\n' "$header" "$header" >"$source"
    if [ "${FULL:-0}" != 1 ]; then
        in_background check_cxx "$header" "$source" \
            "${cxx_compilers[0]}" "${standards[0]}" "${asio_settings[0]}" "${namespaces[0]}"
        continue
    fi
    for compiler in "${cxx_compilers[@]}"; do
        for standard in "${standards[@]}"; do
            for asio in "${asio_settings[@]}"; do
                for namespace in "${namespaces[@]}"; do
                    in_background check_cxx "$header" "$source" "$compiler" "$standard" "$asio" "$namespace"
                done
            done
        done
    done
done

# The macros of the C++ headers are the library's by their names, but for two that programs ask.
check_macros() {
    local directory
    for directory in "${include_flags[@]#-I}"; do
        grep -rHoE --include='*.h' '^[[:space:]]*#[[:space:]]*define[[:space:]]+[A-Za-z_0-9]+' "$directory"
    done | awk '$NF !~ /^(NETWORK_|NETSYS_|HAS_(CONTAINER|THREAD)_INTEGRATION$|ASIO_STANDALONE$)/ {
                    print "error: " $0; bad = 1 }
                END { exit bad }'
}
check "all headers (macros)" check_macros

c_header=
for directory in "$@"; do
    [ -n "$c_header" ] || [ ! -f "$directory/network_system.h" ] || c_header=$directory/network_system.h
done
if [ -n "$c_header" ]; then
    check_c network_system.h
    check_link network_system.h
    check_names network_system.h "$c_header" c "${c_compilers[0]}" c99
    check_names network_system.h "$c_header" c++ "${cxx_compilers[0]}" c++17
else
    echo "FAILED network_system.h: not found in $*" >>"$work/results"
fi
wait

grep -E '^(FAILED|skipped)' "$work/results" | sort
failed=$(grep -c '^FAILED' "$work/results")
echo "$(grep -c '^ok$' "$work/results") compilations of ${#headers[@]} headers passed, $failed failed"
[ "$failed" -eq 0 ]
