#!/bin/sh
# Builds and runs programs outside the tree against the package: against a copy of the install PREFIX in another place,
# in every way that a program can find it, and against this source tree.
#   tests/package/run.sh PREFIX
set -eu

[ $# -eq 1 ] || { echo "usage: $0 PREFIX" >&2; exit 2; }
prefix=$(cd "$1" && pwd -P)
here=$(cd "$(dirname "$0")" && pwd -P)
source_tree=$(cd "$here/../.." && pwd -P)
work=$(mktemp -d "${TMPDIR:-/tmp}/network_system_package.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP PIPE

moved="$work/moved"
cp -a "$prefix" "$moved"
pc_dir=$(dirname "$(find "$moved" -name network-system.pc)")
lib_dir=$(dirname "$pc_dir")
all_targets="NetworkSystem::Core;NetworkSystem::Static;NetworkSystem::NetworkSystem;NetworkSystem::network"
all_targets="$all_targets;NetworkSystem;network;network_system;network_system::network_system;NetworkSystem::Kcenon"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# Runs a command, and shows what it said only if it fails.
quietly() {
    "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "$*"; }
}

# linked shared|static PROGRAM: the program got the library in the way that was meant, and from the moved folder.
linked() {
    # Programs that are installed find it as bin/../lib.
    found=$(ldd "$2" | sed -n 's/.*libnetwork_system\.so\.2 => \([^ ]*\).*/\1/p' | sed 's,/[^/]*/\.\./,/,')
    case "$1" in
        shared) [ "$found" = "$lib_dir/libnetwork_system.so.2" ] || fail "$2 loads '$found'" ;;
        static) [ -z "$found" ] || fail "$2 loads $found though it was linked statically" ;;
    esac
}

# exchanged PROGRAM...: each runs, and a message went there and back.
exchanged() {
    for program in "$@"; do
        said=$("$program") || fail "$program"
        case "$said" in
            "exchanged: "?*) ;;
            *) fail "$program said '$said'" ;;
        esac
    done
}

# consume NAME -DCONSUMER_...: configures and builds the consumer project as NAME and runs all its programs. Their C++
# would be too old for the headers, if the targets did not ask for more.
consume() {
    name=$1
    shift
    quietly cmake -S "$here/consumer" -B "$work/$name" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_STANDARD=14 \
        -Werror=dev "$@"
    quietly cmake --build "$work/$name" --parallel 2
    exchanged "$work/$name"/bin/*
    echo "ok   $name"
}

installed() {
    name=$1
    shift
    consume "$name" "-DCMAKE_PREFIX_PATH=$moved" "$@"
}

# refused NAME TEXT -DCONSUMER_...: the configuration fails and says TEXT.
refused() {
    name=$1
    text=$2
    shift 2
    if cmake -S "$here/consumer" -B "$work/$name" "-DCMAKE_PREFIX_PATH=$moved" -DCONSUMER_LANGUAGES=C "$@" \
        >"$work/log" 2>&1; then
        fail "$name was configured"
    fi
    tr -s ' \n' '  ' <"$work/log" | grep -qF "$text" || { cat "$work/log" >&2; fail "$name does not say: $text"; }
    echo "ok   $name"
}

# compile NAME PC [pkg-config options]: one program of each language, by hand with pkg-config.
compile() {
    name=$1
    shift
    mkdir "$work/$name"
    flags=$(PKG_CONFIG_PATH="$pc_dir" pkg-config --cflags --libs "$@")
    # shellcheck disable=SC2086 # flags are words
    quietly "${CC:-cc}" -std=c99 -Wall -Wextra -Werror -o "$work/$name/exchange_c" "$here/exchange.c" $flags
    # shellcheck disable=SC2086
    quietly "${CXX:-c++}" -std=c++17 -Wall -Wextra -Werror -o "$work/$name/exchange_cpp" "$here/exchange.cpp" $flags
}

# Nothing installed may know where it was installed.
if grep -rlF "$prefix" "$moved"; then
    fail "these files name the folder that they were installed to"
fi
echo "ok   no file names its prefix"

cmp "$source_tree/docs/metrics.schema.json" "$moved/share/network_system/metrics.schema.json" ||
    fail "the schema of the reports is not installed as it is"
echo "ok   the schema of the reports"

"$moved/bin/netsys-bench" --version >/dev/null || fail "netsys-bench does not run from another place"
linked shared "$moved/bin/netsys-bench"
echo "ok   netsys-bench"

# A moved install: CMake.
installed cmake_shared "-DCONSUMER_LANGUAGES=C;CXX" -DCONSUMER_REQUEST=NetworkSystem \
    -DCONSUMER_TARGETS=NetworkSystem::Core
linked shared "$work/cmake_shared/bin/exchange_c_NetworkSystem__Core"
linked shared "$work/cmake_shared/bin/exchange_cpp_NetworkSystem__Core"
installed cmake_static "-DCONSUMER_LANGUAGES=C;CXX" "-DCONSUMER_REQUEST=NetworkSystem;2.0;COMPONENTS;Core;Static" \
    -DCONSUMER_TARGETS=NetworkSystem::Static
linked static "$work/cmake_static/bin/exchange_c_NetworkSystem__Static"
linked static "$work/cmake_static/bin/exchange_cpp_NetworkSystem__Static"
installed cmake_c_only -DCONSUMER_LANGUAGES=C -DCONSUMER_REQUEST=NetworkSystem -DCONSUMER_TARGETS=NetworkSystem::Core
installed cmake_cxx_only -DCONSUMER_LANGUAGES=CXX "-DCONSUMER_REQUEST=NetworkSystem;2.0.0;EXACT" \
    -DCONSUMER_TARGETS=NetworkSystem::Core
installed cmake_every_target -DCONSUMER_LANGUAGES=C "-DCONSUMER_REQUEST=NetworkSystem;1.0" \
    "-DCONSUMER_TARGETS=$all_targets"
installed cmake_alias "-DCONSUMER_LANGUAGES=C;CXX" "-DCONSUMER_REQUEST=NetworkSystem;1.0" -DCONSUMER_ALIAS=ON \
    -DCONSUMER_TARGETS=network
installed cmake_later_name "-DCONSUMER_LANGUAGES=C;CXX" "-DCONSUMER_REQUEST=network_system;CONFIG" \
    "-DCONSUMER_TARGETS=network_system;network_system::network_system"
installed cmake_kcenon -DCONSUMER_LANGUAGES=CXX -DCONSUMER_REQUEST=NetworkSystem -DNetworkSystem_USE_STATIC_LIBS=ON \
    -DCONSUMER_TARGETS=NetworkSystem::Kcenon
linked static "$work/cmake_kcenon/bin/kcenon_paths_cpp_NetworkSystem__Kcenon"
installed cmake_names_static -DCONSUMER_LANGUAGES=C -DCONSUMER_REQUEST=NetworkSystem \
    -DNetworkSystem_USE_STATIC_LIBS=ON -DCONSUMER_TARGETS=NetworkSystem
linked static "$work/cmake_names_static/bin/exchange_c_NetworkSystem"
installed cmake_find_module -DCONSUMER_LANGUAGES=C "-DCONSUMER_REQUEST=NetworkSystem;1.0;MODULE" \
    "-DCMAKE_MODULE_PATH=$lib_dir/cmake/NetworkSystem" -DCONSUMER_TARGETS=NetworkSystem::Core
mkdir "$work/own_modules"
cp "$lib_dir/cmake/NetworkSystem/FindNetworkSystem.cmake" "$work/own_modules"
PKG_CONFIG_PATH="$pc_dir" consume cmake_copied_find_module -DCONSUMER_LANGUAGES=C \
    "-DCONSUMER_REQUEST=NetworkSystem;MODULE" "-DCMAKE_MODULE_PATH=$work/own_modules" \
    -DCONSUMER_TARGETS=NetworkSystem::Core

# With other libraries that the program asks for: stand-ins for them in two generations, and where there are none.
stand_ins=$source_tree/tests/companions
with_companions="-DBUILD_WITH_CONTAINER_SYSTEM=ON -DBUILD_WITH_THREAD_SYSTEM=ON"
of_2025="-DCMAKE_PREFIX_PATH=$moved;$stand_ins/thread_system_stand_in_2025;$stand_ins/common_system_stand_in_2025"
of_2026="-DCMAKE_PREFIX_PATH=$moved;$stand_ins/container_system_stand_in_2026;$stand_ins/thread_system_stand_in_2026"
of_2026="$of_2026;$stand_ins/common_system_stand_in_2026"
# companions NAME -D...: both are there, and work.
companions() {
    name=$1
    shift
    # shellcheck disable=SC2086 # flags are words
    consume "$name" -DCONSUMER_LANGUAGES=CXX -DCONSUMER_TARGETS=NetworkSystem::Core -DCONSUMER_PROGRAM=companions.cpp \
        $with_companions "$@"
}
companions companions_2025 "$of_2025" -DCONSUMER_REQUEST=NetworkSystem \
    "-DCONSUMER_FIRST=$stand_ins/container_system_stand_in_2025"
companions companions_2025_root "$of_2025" -DCONSUMER_REQUEST=NetworkSystem -DBUILD_WITH_COMMON_SYSTEM=ON \
    "-DCONTAINER_SYSTEM_ROOT=$stand_ins/container_system_stand_in_2025"
companions companions_2026 "$of_2026" -DCONSUMER_REQUEST=NetworkSystem
companions companions_2026_common "$of_2026" "-DCONSUMER_REQUEST=NetworkSystem;MODULE" -DBUILD_WITH_COMMON_SYSTEM=ON \
    "-DCMAKE_MODULE_PATH=$lib_dir/cmake/NetworkSystem"
# companions_absent NAME -D...: there are none, which is said, and the rest works.
companions_absent() {
    name=$1
    shift
    # shellcheck disable=SC2086
    consume "$name" -DCONSUMER_LANGUAGES=CXX -DCONSUMER_TARGETS=NetworkSystem::Core $with_companions \
        "-DCONSUMER_WITHOUT=BUILD_WITH_CONTAINER_SYSTEM;BUILD_WITH_THREAD_SYSTEM" "$@"
    quietly cmake "$work/$name"
    for text in "ContainerSystem not found, container integration disabled" \
        "ThreadSystem not found, thread integration disabled"; do
        tr -s ' \n' '  ' <"$work/log" | grep -qF "$text" || fail "$name does not say: $text"
    done
}
companions_absent companions_absent "-DCMAKE_PREFIX_PATH=$moved" -DCONSUMER_REQUEST=NetworkSystem

refused cmake_newer_version 'requested version "3.0"' "-DCONSUMER_REQUEST=NetworkSystem;3.0"
refused cmake_unknown_component "there is no component Turbo; there are Core and Static" \
    "-DCONSUMER_REQUEST=NetworkSystem;COMPONENTS;Turbo"

# A moved install: pkg-config.
compile pkgconfig_shared network-system
LD_LIBRARY_PATH="$lib_dir" exchanged "$work"/pkgconfig_shared/exchange_*
LD_LIBRARY_PATH="$lib_dir" linked shared "$work/pkgconfig_shared/exchange_c"
echo "ok   pkgconfig_shared"
compile pkgconfig_other_name NetworkSystem
LD_LIBRARY_PATH="$lib_dir" exchanged "$work"/pkgconfig_other_name/exchange_*
echo "ok   pkgconfig_other_name"
compile pkgconfig_static network-system-static
exchanged "$work"/pkgconfig_static/exchange_*
linked static "$work/pkgconfig_static/exchange_c"
echo "ok   pkgconfig_static"

# This source tree, as a subdirectory of a program, through a copy that must stay as it is.
mkdir "$work/source"
tar -C "$source_tree" --exclude=./target --exclude=./.git --exclude=./build -cf - . | tar -C "$work/source" -xf -
listing() { (cd "$work/source" && find . -type f -exec cksum {} + | sort -k3); }
listing >"$work/before"
quietly cargo fetch --locked --manifest-path "$source_tree/Cargo.toml"
export CARGO_NET_OFFLINE=true # once the crates are there, no build may need the network
cargo_dir="$work/fetch_content/_deps/network_system-build/cargo"
if [ -d "$source_tree/target/release" ]; then
    # The crates that it needs are the same ones, and take longer to build than the library, which is left out.
    mkdir -p "$cargo_dir"
    cp -a "$source_tree/target/release" "$cargo_dir"
    find "$cargo_dir" -depth \( -iname '*network*system*' -o -name '*netsys*' \) -exec rm -rf {} +
fi
consume fetch_content "-DCONSUMER_LANGUAGES=C;CXX" "-DCONSUMER_SOURCE=$work/source" -DCONSUMER_FETCH=ON \
    -DBUILD_TESTS=ON "-DCONSUMER_TARGETS=NetworkSystem::Core;NetworkSystem::Static;network;network_system"
consume add_subdirectory -DCONSUMER_LANGUAGES=C "-DCONSUMER_SOURCE=$work/source" \
    "-DNETWORK_CARGO_TARGET_DIR=$cargo_dir" "-DCONSUMER_TARGETS=$all_targets"
companions add_subdirectory_companions_2025 "$of_2025" "-DCONSUMER_SOURCE=$work/source" \
    "-DNETWORK_CARGO_TARGET_DIR=$cargo_dir" "-DCONSUMER_FIRST=$stand_ins/container_system_stand_in_2025"
companions add_subdirectory_companions_2026 "$of_2026" "-DCONSUMER_SOURCE=$work/source" \
    "-DNETWORK_CARGO_TARGET_DIR=$cargo_dir" -DBUILD_WITH_COMMON_SYSTEM=ON
companions_absent add_subdirectory_companions_absent "-DCONSUMER_SOURCE=$work/source" \
    "-DNETWORK_CARGO_TARGET_DIR=$cargo_dir"
for name in libNetworkSystem.so libnetwork_system.so libnetwork_system.a; do
    [ -e "$work/add_subdirectory/network_system/lib/$name" ] || fail "$name is not in the build tree's lib folder"
done
consume add_subdirectory_static -DCONSUMER_LANGUAGES=C "-DCONSUMER_SOURCE=$work/source" -DBUILD_SHARED_LIBS=OFF \
    "-DNETWORK_CARGO_TARGET_DIR=$cargo_dir" -DCONSUMER_ALIAS=ON "-DCONSUMER_TARGETS=network;NetworkSystem"
linked static "$work/add_subdirectory_static/bin/exchange_c_NetworkSystem"

# Every option that programs set for the earlier library is taken without a word.
set --
for option in BUILD_TESTS BUILD_SAMPLES BUILD_SHARED_LIBS BUILD_VERIFY_BUILD BUILD_MESSAGING_BRIDGE \
    BUILD_WITH_CONTAINER_SYSTEM BUILD_WITH_THREAD_SYSTEM BUILD_WITH_LOGGER_SYSTEM BUILD_WITH_MONITORING_SYSTEM \
    BUILD_WITH_COMMON_SYSTEM NETWORK_BUILD_BENCHMARKS NETWORK_BUILD_INTEGRATION_TESTS NETWORK_BUILD_SAMPLES \
    NETWORK_BUILD_TESTS NETWORK_BUILD_MODULES NETWORK_ENABLE_GRPC_OFFICIAL ENABLE_COVERAGE BUILD_TLS_SUPPORT \
    BUILD_WEBSOCKET_SUPPORT; do
    set -- "$@" "-D$option=OFF"
done
quietly cmake -S "$work/source" -B "$work/options" "$@"
if grep -i warning "$work/log"; then
    fail "an option of the earlier library draws a warning"
fi
echo "ok   options of the earlier library"

listing >"$work/after"
cmp -s "$work/before" "$work/after" || fail "a build changed the source tree: $(diff "$work/before" "$work/after")"
echo "ok   the source tree is as it was"

# Last, since it takes from the moved folder: with the static library alone, Libs.private must be all that it needs.
rm "$lib_dir"/lib*.so*
compile pkgconfig_private --static network-system
exchanged "$work"/pkgconfig_private/exchange_*
# Some C libraries get by with less than what rustc asks for; it must all be named.
while read -r flag; do
    case " $flags " in *" $flag "*) ;; *) fail "network-system.pc does not name $flag for static linking" ;; esac
done <"$source_tree/cmake/native-static-libs.txt"
echo "ok   pkgconfig_private"
installed cmake_static_alone -DCONSUMER_LANGUAGES=C -DCONSUMER_REQUEST=NetworkSystem -DCONSUMER_TARGETS=NetworkSystem
refused cmake_component_not_installed "component Core is not installed" \
    "-DCONSUMER_REQUEST=NetworkSystem;COMPONENTS;Core"
