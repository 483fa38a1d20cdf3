#!/usr/bin/env bash
# Builds the examples against an installed NetworkSystem and runs them as separate processes, with real data.
#
#   demo.sh PREFIX [--quick]        PREFIX: where the package was installed; --quick: less data, and no optimisation
#
# Prints what happened, and ends with an error at the first thing that is not as it must be.
set -euo pipefail

readonly usage="usage: $0 PREFIX [--quick]"
[[ $# -eq 1 || ($# -eq 2 && $2 == --quick) ]] || { echo "$usage" >&2; exit 2; }
prefix=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly prefix here

lines=1000 echoes=20000 file_mb=200 build_type=Release
[[ ${2:-} != --quick ]] || { lines=200 echoes=5000 file_mb=20 build_type=Debug; }
readonly lines echoes file_mb build_type
readonly rss_limit_kb=$((64 * 1024))
readonly patience_s=60

work=$(mktemp -d)
readonly work
readonly bin=$work/build
declare -A pids=() inputs=()

# --- processes -------------------------------------------------------------------------------------------------------

cleanup() {
    local status=$?
    trap - EXIT
    if ((${#pids[@]} > 0)); then
        kill -KILL "${pids[@]}" 2>/dev/null || true
        wait 2>/dev/null || true
    fi
    rm -rf "$work"
    ((status == 0)) || echo "DEMO FAILED" >&2
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap : PIPE # a write to a peer that has gone is an error here, not the silent end of this script

fail() {
    echo "FAILED: $*" >&2
    local log
    for log in "$work"/*.out "$work"/*.err; do
        [[ -s $log ]] && { echo "--- the end of ${log##*/}:"; tail -n 8 "$log"; } >&2
    done
    exit 1
}

report() { printf '    %s\n' "$*"; }

# start NAME COMMAND...: in the background, with a pipe as its input and its output in NAME.out and NAME.err
start() {
    local name=$1 input
    shift
    rm -f "$work/$name.in"
    mkfifo "$work/$name.in"
    (
        for input in "${inputs[@]}"; do exec {input}>&-; done # else the other peers' inputs would never end
        trap - EXIT
        exec "$@" <"$work/$name.in" >"$work/$name.out" 2>"$work/$name.err"
    ) &
    pids[$name]=$!
    exec {input}>"$work/$name.in"
    inputs[$name]=$input
}

say() { printf '%s\n' "$2" >&"${inputs[$1]}"; }

hang_up() {
    local input=${inputs[$1]}
    exec {input}>&-
    unset "inputs[$1]"
}

reap() {
    local pid=${pids[$1]} status=0
    wait "$pid" || status=$?
    unset "pids[$1]"
    ((status == 0)) || fail "$1 ended with status $status"
}

# finish NAME...: ends their inputs and waits for their ends, which must be successful
finish() {
    local name
    for name in "$@"; do
        hang_up "$name"
        reap "$name"
    done
}

stop() {
    kill -TERM "${pids[$1]}"
    finish "$1"
}

# --- waiting for events, with a limit --------------------------------------------------------------------------------

# await WHAT COMMAND...: until the command succeeds
await() {
    local what=$1 deadline=$((SECONDS + patience_s))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || fail "waited ${patience_s} s for: $what"
        sleep 0.02
    done
}

heard() { grep -sqE -- "$2" "$work/$1.out"; }
await_line() { await "$1 to print '$2'" heard "$1" "$2"; }
heard_lines() { (($(grep -cE -- "$2" "$work/$1.out") >= $3)); }

port_of() {
    await_line "$1" '^listening on [0-9]+$'
    port=$(sed -n 's/^listening on //p' "$work/$1.out")
}

# A program of the old library can't ask which port it got, so ask the kernel.
listening_port() {
    local descriptor inode hex
    for descriptor in "/proc/$1/fd"/*; do
        inode=$(readlink "$descriptor") || continue
        [[ $inode == socket:* ]] || continue
        inode=${inode//[^0-9]/}
        hex=$(awk -v inode="$inode" '$4 == "0A" && $10 == inode { sub(/.*:/, "", $2); print $2 }' "/proc/$1/net/tcp")
        [[ -z $hex ]] || { port=$((16#$hex)); return 0; }
    done
    return 1
}

# --- the build -------------------------------------------------------------------------------------------------------

build() {
    echo "Building the examples from $prefix"
    cmake -S "$here" -B "$bin" -DCMAKE_PREFIX_PATH="$prefix" "-DCMAKE_BUILD_TYPE=$build_type" >"$work/cmake.out" 2>&1 ||
        fail "cmake"
    cmake --build "$bin" --parallel 2 >"$work/make.out" 2>&1 || fail "the build"
    report "with CMake: $(find "$bin" -maxdepth 1 -type f -executable -printf '%f ')"

    local pc flags libdir
    pc=$(find "$prefix" -name network-system.pc -print -quit)
    [[ -n $pc ]] || fail "no network-system.pc under $prefix"
    flags=$(PKG_CONFIG_PATH=${pc%/*} pkg-config --cflags --libs network-system)
    libdir=$(PKG_CONFIG_PATH=${pc%/*} pkg-config --variable=libdir network-system)
    # shellcheck disable=SC2086 # the flags are several words
    "${CC:-cc}" -std=c99 -O2 -Wall -Wextra -Wpedantic -Werror "$here/echo_client.c" -o "$bin/echo_client_pc" $flags \
        -Wl,-rpath,"$libdir" >"$work/pkg-config.out" 2>&1 || fail "the build with pkg-config"
    report "with pkg-config: the echo client in C99"
}

# --- 1: old, new and foreign peers on one port -----------------------------------------------------------------------

# converse SERVER: mia (modern, framed), lee (legacy, raw) and pat (Python, raw) all talk at once on $port
converse() {
    local peer
    start mia "$bin/chat_client" 127.0.0.1 "$port" mia
    start lee "$bin/legacy_chat_client" 127.0.0.1 "$port"
    start pat python3 "$here/raw_peer.py" 127.0.0.1 "$port"
    for peer in mia lee pat; do
        say "$peer" "$peer is here"
    done
    for peer in mia lee pat; do # each has been heard by itself, so all are members from here on
        await_line "$peer" "$peer is here"
    done

    local speakers=()
    for peer in mia lee pat; do
        seq -f "$peer line %.0f" "$lines" >&"${inputs[$peer]}" &
        speakers+=($!)
    done
    wait "${speakers[@]}"

    for peer in mia lee pat; do
        await "$peer to hear $((3 * lines)) lines" heard_lines "$peer" ' line [0-9]+$' $((3 * lines))
        grep -E ' line [0-9]+$' "$work/$peer.out" >"$work/$peer.heard"
    done
    cmp "$work/mia.heard" "$work/lee.heard" || fail "mia and lee heard different things from $1"
    cmp "$work/mia.heard" "$work/pat.heard" || fail "mia and pat heard different things from $1"
    for peer in mia lee pat; do
        cmp <(grep -o "$peer line .*" "$work/mia.heard") <(seq -f "$peer line %.0f" "$lines") ||
            fail "the lines of $peer are not as they were sent through $1"
    done
    finish lee pat
}

# mia, the modern client, stays until the server goes: it is told so.
end_conversation() {
    stop "$1"
    await "mia to be told of the end" grep -q 'disconnected' "$work/mia.err"
    finish mia
}

old_and_new_on_one_port() {
    echo "1. A legacy client (unchanged source), a modern client (framed) and Python's socket (raw TCP) on one port"
    start chat_server "$bin/chat_server" 0
    port_of chat_server
    converse chat_server
    end_conversation chat_server
    report "modern server, port $port: 3 peers sent $lines lines each; all 3 received the same $((3 * lines)), in order"

    start legacy_chat_server "$bin/legacy_chat_server" 0
    await_line legacy_chat_server '^started$'
    await "the legacy server's port" listening_port "${pids[legacy_chat_server]}"
    converse legacy_chat_server
    end_conversation legacy_chat_server
    report "legacy server, unchanged, port $port: the same 3 peers, the same result"
}

# --- 2: the C programs -----------------------------------------------------------------------------------------------

echo_in_c() {
    echo "2. Echo in C"
    start echo_server "$bin/echo_server" 0
    port_of echo_server

    "$bin/echo_client" 127.0.0.1 "$port" "$echoes" 64 >"$work/echo.out" 2>"$work/echo.err" || fail "echo of 64 bytes"
    report "$(<"$work/echo.out")"
    "$bin/echo_client_pc" 127.0.0.1 "$port" 100 1048576 >"$work/echo.out" 2>"$work/echo.err" || fail "echo of 1 MiB"
    report "$(<"$work/echo.out") (the client built with pkg-config)"

    start pat python3 "$here/raw_peer.py" 127.0.0.1 "$port"
    say pat "raw bytes, no protocol"
    await_line pat '^raw bytes, no protocol$'
    finish pat
    report "a raw TCP peer got its bytes back"

    stop echo_server
    report "the server: $(tail -n 1 "$work/echo_server.out")"
}

# --- 3: rooms --------------------------------------------------------------------------------------------------------

in_room() {
    say "$1" "/join $2"
    await_line "$1" "^\* \[$2\] $1 has joined\$"
}

# expect NAME LINE...: exactly these lines were said in rooms that NAME was in, in this order
expect() {
    local name=$1
    shift
    cmp <(grep '^\[' "$work/$name.out") <(printf '%s\n' "$@") || fail "$name did not hear what was meant for it"
    report "$name heard exactly:$(printf ' "%s"' "$@")"
}

rooms() {
    echo "3. Chat with groups: ann is in red, bob in red and blue, eve in blue"
    local peer
    start chat_server "$bin/chat_server" 0
    port_of chat_server
    for peer in ann bob eve; do
        start "$peer" "$bin/chat_client" 127.0.0.1 "$port" "$peer"
        await_line "$peer" "^\* welcome, $peer\$"
    done
    in_room ann red
    in_room bob red
    in_room bob blue
    in_room eve blue

    say ann "first"
    await_line ann 'ann: first'
    say bob "second"
    await_line bob 'bob: second'
    say eve "third"
    await_line eve 'eve: third'
    say bob "/leave blue"
    await_line eve 'bob has left'
    say eve "fourth"
    await_line eve 'eve: fourth'

    finish ann bob eve
    expect ann "[red] ann: first"
    expect bob "[red] ann: first" "[blue] bob: second" "[blue] eve: third"
    expect eve "[blue] bob: second" "[blue] eve: third" "[blue] eve: fourth"
    stop chat_server
}

# --- 4: a large file -------------------------------------------------------------------------------------------------

declare -A peak_kb=()

note_peaks() {
    local name kb
    for name in transfer_server transfer_receive transfer_send; do
        kb=$(awk '/^VmHWM:/ { print $2 }' "/proc/${pids[$name]}/status" 2>/dev/null) || continue
        [[ -z $kb ]] || peak_kb[$name]=$kb
    done
}

# VmHWM is a high-water mark, so only what happens after the last look could be missed.
sender_has_ended() {
    note_peaks
    ! kill -0 "${pids[transfer_send]}" 2>/dev/null
}

received_bytes() { stat -c %s "$work/received/random.bin.part" 2>/dev/null || echo 0; }
read_bytes() { awk '/^rchar:/ { print $2 }' "/proc/${pids[transfer_send]}/io" 2>/dev/null || echo "${file_mb}000000"; }
received_a_quarter() { note_peaks; (($(received_bytes) >= file_mb * 250000)); }

# The sender has read nothing of its file for half a second.
sender_is_held() {
    local before
    note_peaks
    before=$(read_bytes)
    sleep 0.5
    (($(read_bytes) == before))
}

transfer() {
    local name
    rm -rf "$work/received"
    mkdir "$work/received"
    peak_kb=()
    start transfer_receive "$bin/transfer_receive" 127.0.0.1 "$port" disk "$work/received"
    await_line transfer_receive '^waiting as disk$'
    start transfer_send "$bin/transfer_send" 127.0.0.1 "$port" disk "$work/random.bin"
    "$@"
    await "the end of the transfer" sender_has_ended
    finish transfer_send transfer_receive

    local sent received
    sent=$(sha256sum <"$work/random.bin")
    received=$(sha256sum <"$work/received/random.bin") || fail "no file was received"
    [[ $sent == "$received" ]] || fail "the received file differs"
    heard transfer_send "sha256 ${sent%% *}" || fail "the sender's own SHA-256 differs from sha256sum's"
    heard transfer_receive "sha256 ${sent%% *}" || fail "the receiver's own SHA-256 differs from sha256sum's"

    report "$(<"$work/transfer_send.out")"
    for name in transfer_send transfer_server transfer_receive; do
        [[ -n ${peak_kb[$name]:-} ]] || fail "the memory of $name was not measured"
        report "$(printf '%-16s peak RSS %5.1f MB' "$name" "$(awk "BEGIN { print ${peak_kb[$name]} / 1024 }")")"
        ((peak_kb[$name] < rss_limit_kb)) || fail "$name used ${peak_kb[$name]} kB, the limit is $rss_limit_kb kB"
    done
}

hold_the_receiver() {
    local receiver=${pids[transfer_receive]} at held
    await "a quarter of the file" received_a_quarter
    kill -STOP "$receiver"
    at=$(received_bytes)
    await "the sender to be held" sender_is_held
    held=$(read_bytes)
    ((held < file_mb * 1000000)) || fail "the sender was not held back: it has read its whole file"
    kill -CONT "$receiver"
    report "receiver stopped at $((at / 1000000)) MB: the sender was held at $((held / 1000000)) MB, then both went on"
}

large_file() {
    echo "4. A file of $file_mb MB of random data, from one client through the server to another"
    head -c "${file_mb}000000" /dev/urandom >"$work/random.bin"
    start transfer_server "$bin/transfer_server" 0
    port_of transfer_server
    transfer true
    # Less than this fits into the kernel's socket buffers, where nobody can hold it.
    ((file_mb < 200)) || transfer hold_the_receiver
    stop transfer_server
    report "the server: $(tail -n 1 "$work/transfer_server.out")"
}

# --- 5: names and addresses ------------------------------------------------------------------------------------------

names_and_addresses() {
    echo "5. Names and addresses"
    local line
    "$bin/resolve_address" localhost 192.0.2.1 '[::1]' >"$work/resolve.out" 2>"$work/resolve.err" ||
        fail "resolve_address"
    grep -qE '^localhost: (127\.|::1)' "$work/resolve.out" || fail "localhost has no loopback address"
    grep -qxF '192.0.2.1: 192.0.2.1' "$work/resolve.out" || fail "an address was not given back as it is"
    heard resolve '^3 hosts, [3-9] addresses, 1 names cached$' || fail "the cache does not hold the one name"
    report "$(tail -n 1 "$work/resolve.out")"

    "$bin/network_info" localhost 192.168.1.1 8.8.8.8 >"$work/info.out" 2>"$work/info.err" || fail "network_info"
    for line in '^reached 127\.0\.0\.1:[0-9]+$' '^localhost: .* is loopback$' '^192.168.1.1: .* is private$' \
        '^8.8.8.8: .* is global$'; do
        heard info "$line" || fail "network_info did not print '$line'"
    done
    report "$(grep '^reached' "$work/info.out"); $(grep -c ' is ' "$work/info.out") addresses classified"
}

# --- 6: one capability each, which checks itself ----------------------------------------------------------------------

self_checking=(
    compression
    bridge bridge_cpp
    connection_pool connection_pool_cpp
    limits limits_cpp
    logging logging_cpp
    monitor monitor_cpp
    reconnecting_client reconnecting_client_cpp
    session_manager session_manager_cpp
    slow_peer slow_peer_cpp
    watched_server watched_server_cpp
)

one_capability_each() {
    echo "6. One capability each"
    local name
    for name in "${self_checking[@]}"; do
        timeout "$patience_s" "$bin/$name" >"$work/$name.out" 2>"$work/$name.err" || fail "$name ended with status $?"
        report "$(printf '%-24s %s' "$name" "$(tail -n 1 "$work/$name.out")")"
    done
    make_certificates "$work/certificates"
    for name in tls tls_cpp; do
        timeout "$patience_s" "$bin/$name" "$work/certificates" >"$work/$name.out" 2>"$work/$name.err" ||
            fail "$name ended with status $?"
        report "$(printf '%-24s %s' "$name" "$(tail -n 1 "$work/$name.out")")"
    done
}

# make_certificates FOLDER: those of an issuer, a server on this host, and a client called alice
make_certificates() {
    local name purpose
    mkdir "$1"
    (
        cd "$1"
        key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
        openssl req -x509 "${key[@]}" -days 2 -keyout ca.key -out ca.pem -subj "/CN=issuer" \
            -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign
        for name in server alice; do
            purpose=$([[ $name == server ]] && echo serverAuth || echo clientAuth)
            openssl req "${key[@]}" -keyout "$name.key" -out "$name.csr" -subj "/CN=$name"
            openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "$name.pem" \
                -extfile <(printf 'extendedKeyUsage=%s\nsubjectAltName=IP:127.0.0.1\n' "$purpose")
        done
    ) >"$work/certificates.log" 2>&1 || fail "openssl made no certificates: $(cat "$work/certificates.log")"
}

# --- 7: where callbacks run ------------------------------------------------------------------------------------------

where_callbacks_run() {
    echo "7. Callbacks in the program's own loop, on a pool, and on the program's own threads"
    local program
    seq -f "line %.0f of the input" "$echoes" >"$work/input"
    for program in poll_loop poll_loop_cpp; do
        "$bin/$program" <"$work/input" >"$work/$program.out" 2>"$work/$program.err" || fail "$program"
        cmp "$work/$program.out" <(tr a-z A-Z <"$work/input") || fail "$program did not give back its input in capitals"
        report "$program: $(<"$work/$program.err")"
    done
    for program in worker_pool executor executor_cpp; do
        "$bin/$program" >"$work/$program.out" 2>"$work/$program.err" || fail "$program"
        report "$program: $(tail -n 1 "$work/$program.out")"
    done
}

# --- 8: a configuration file -----------------------------------------------------------------------------------------

configured_from_a_file() {
    echo "8. A configuration file"
    local name
    "$bin/configured_server" "$here/network.toml" server.timeout=5m >"$work/configured.out" 2>"$work/configured.err" ||
        fail "configured_server"
    heard configured '^server\.timeout is 5m; the server answered: as configured$' ||
        fail "the configuration had no effect"
    report "$(tail -n 1 "$work/configured.out")"
    (cd "$work" && "$bin/configured_server_cpp" "$here/network.toml") >"$work/faults.out" 2>"$work/faults.err" ||
        fail "configured_server_cpp"
    for name in 2:1:\ server\.prot 3:11:\ server\.timeout 6:20:\ client\.send_queue_limit; do
        heard faults "^refused: .*:$name: " || fail "the fault $name was not told"
    done
    report "$(grep -c '^refused' "$work/faults.out") faults of another file were told by line and key"
}

# --- 9: a service ----------------------------------------------------------------------------------------------------

a_service() {
    echo "9. A service: orders over a bridge, on a thread pool, and a page of metrics that is scraped"
    python3 "$here/service/check.py" "$bin/service" "$bin/order_client" "$here/service/service.toml" "$lines" \
        >"$work/service.out" 2>"$work/service.err" || fail "the service"
    report "$(tail -n 1 "$work/service.out")"
}

build
old_and_new_on_one_port
echo_in_c
rooms
large_file
names_and_addresses
one_capability_each
where_callbacks_run
configured_from_a_file
a_service
echo "All as it must be."
