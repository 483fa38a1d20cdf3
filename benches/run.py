#!/usr/bin/env python3
"""The cost of the path: the library against a plain epoll program, in the same run. And of a record of the monitor.

Builds the peers, runs every row's contestants next to each other in shuffled rounds, checks every count, prints a
table and writes JSON. Exit status: 0 all goals hold, 1 a goal is missed, 2 something did not run or a count is wrong.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import platform
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

import peers
import tls
from tls import Failure

ROOT = pathlib.Path(__file__).resolve().parent.parent
RUN_TIMEOUT = 120


@dataclasses.dataclass(frozen=True)
class Contestant:
    """Who takes part in a row: the programs on both ends, and the limit its ratio to the first has to keep."""

    name: str
    server: str
    client: str
    sender: str = "callback"
    goal: float = 0.0


EPOLL = Contestant("epoll", "epoll", "epoll")
LIBRARY = Contestant("netsys", "netsys", "netsys")
# The epoll client drives both servers: only the server differs.
LIBRARY_SERVER = Contestant("netsys server", "netsys", "epoll")
# In every row whose framing they know; both ends are the same program.
OTHERS = [Contestant(name, name, name) for name in peers.PEERS if name not in ("epoll", "netsys")]


def senders(goal: float = 0.0) -> tuple:
    """One way is sent from inside callbacks, or by the main thread, which waits by itself or lets the library wait."""
    return (
        EPOLL,
        Contestant("netsys, callback", "netsys", "netsys", "callback", goal),
        Contestant("netsys, thread", "netsys", "netsys", "thread", goal),
        Contestant("netsys, thread, SEND_WAIT", "netsys", "netsys", "wait"),
    )


@dataclasses.dataclass(frozen=True)
class Row:
    """One workload. `messages` takes about a quarter of a second of the epoll program."""

    name: str
    work: str
    framing: str
    messages: int
    contestants: tuple
    size: int = 64
    connections: int = 1
    window: int = 1

    @property
    def unit(self) -> str:
        return {"pingpong": "us p50", "broadcast": "deliveries/s"}.get(self.work, "msg/s")

    @property
    def lower_is_better(self) -> bool:
        return self.work == "pingpong"

    def scaled(self, factor: float) -> "Row":
        per_connection = max(self.window, int(self.messages * factor) // self.connections)
        if self.work == "broadcast":
            return dataclasses.replace(self, messages=max(self.window, int(self.messages * factor)))
        return dataclasses.replace(self, messages=per_connection * self.connections)


ROWS = (
    Row("ping-pong 64 B", "pingpong", "framed", 10_000, (EPOLL, dataclasses.replace(LIBRARY, goal=1.15))),
    Row("ping-pong 64 B, raw", "pingpong", "raw", 10_000, (EPOLL, LIBRARY, LIBRARY_SERVER)),
    Row("one way 64 B", "stream", "framed", 4_000_000, senders(goal=0.5)),
    Row("one way 64 B, raw", "stream", "raw", 4_000_000, senders()),
    Row("one way 1 KiB", "stream", "framed", 500_000, senders(), size=1024),
    Row("one way 64 KiB", "stream", "framed", 8_000, senders(), size=65536),
    Row("echo 50 x 32", "echo", "framed", 500_000, (EPOLL, LIBRARY), connections=50, window=32),
    Row("echo 50 x 32, raw", "echo", "raw", 500_000, (EPOLL, LIBRARY, LIBRARY_SERVER), connections=50, window=32),
    Row("broadcast to 1000", "broadcast", "framed", 320, (EPOLL, LIBRARY), connections=1000, window=16),
    Row("broadcast to 1000, raw", "broadcast", "raw", 320, (EPOLL, LIBRARY_SERVER), connections=1000, window=16),
)


# The functions that record, and by how many threads at once.
RECORDS = [(name, threads) for name in ("message_sent", "latency", "connection") for threads in (1, 2, 4)]
RECORD_CALLS = 5_000_000


def fit(row: Row, contestant: Contestant) -> Row:
    """Fewer messages for a program that takes long over small ones: it is the rate that counts."""
    share = peers.PROGRAMS[contestant.client].share
    return row if row.work == "pingpong" or row.size > 1024 or share == 1 else row.scaled(share)


def run_once(programs: dict, row: Row, contestant: Contestant, wrap_server: list = (), wrap_client: list = ()) -> dict:
    """One server process, one client process; returns what both reported after checking it."""
    arguments = ["--work", row.work, "--framing", row.framing, "--size", str(row.size)]
    arguments += ["--messages", str(row.messages), "--connections", str(row.connections), "--window", str(row.window)]
    where = f"{row.name} / {contestant.name}"
    server = subprocess.Popen(
        [*wrap_server, programs[contestant.server], "--role", "server", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        port = server.stdout.readline().strip()
        if not port.isdigit():
            raise Failure(f"{where}: the server did not start")
        command = [*wrap_client, programs[contestant.client], "--port", port, "--sender", contestant.sender, *arguments]
        try:
            client = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=RUN_TIMEOUT)
        except subprocess.TimeoutExpired:
            raise Failure(f"{where}: the client did not end within {RUN_TIMEOUT} s") from None
        try:
            output, _ = server.communicate(timeout=RUN_TIMEOUT)  # closes its standard input: the sign to end
        except subprocess.TimeoutExpired:
            raise Failure(f"{where}: the server did not end within {RUN_TIMEOUT} s") from None
    finally:
        if server.poll() is None:
            server.kill()
        server.wait()
    if client.returncode != 0 or server.returncode != 0:
        raise Failure(f"{where}: client ended with {client.returncode}, server with {server.returncode}")
    result = {"client": json.loads(client.stdout), "server": json.loads(output)}
    check(where, row, result)
    return result


def check(where: str, row: Row, result: dict) -> None:
    """Every message arrived once, whole and in order; the peers check the order themselves and count it as errors."""
    size, messages = row.size, row.messages
    got = messages * (row.connections if row.work == "broadcast" else 1)
    wanted = {
        ("server", "bytes"): messages * size,
        ("client", "bytes"): 0 if row.work == "stream" else got * size,
        ("client", "messages"): 0 if row.work == "stream" else got,
        ("server", "errors"): 0,
        ("client", "errors"): 0,
    }
    if row.framing == "framed" or row.work == "stream":
        wanted["server", "messages"] = messages
    for (side, what), expected in wanted.items():
        if result[side][what] != expected:
            raise Failure(f"{where}: {side} {what}: {result[side][what]} instead of {expected}")


def figures(row: Row, result: dict) -> dict:
    client, server = result["client"], result["server"]
    moved = server["messages"] if row.work == "stream" else client["messages"]
    return {
        "value": client["p50_us"] if row.work == "pingpong" else moved / client["seconds"],
        "p99_us": client["p99_us"],
        "server_cpu_ns": 1000 * (server["user_us"] + server["system_us"]) / moved,
        "client_cpu_ns": 1000 * (client["user_us"] + client["system_us"]) / moved,
    }


def measure(programs: dict, rows: list, rounds: int, seed: int) -> list:
    """Shuffled rounds. The contestants of a row run next to each other, so that a noisy minute hits all of them."""
    generator = random.Random(seed)
    samples = {(row.name, contestant.name): [] for row in rows for contestant in row.contestants}
    for number in range(1, rounds + 1):
        for row in generator.sample(rows, len(rows)):
            if sys.stderr.isatty():
                print(f"\rround {number}/{rounds}: {row.name:<28}", end="", file=sys.stderr, flush=True)
            for contestant in generator.sample(row.contestants, len(row.contestants)):
                result = run_once(programs, fit(row, contestant), contestant)
                samples[row.name, contestant.name].append(figures(row, result))
    if sys.stderr.isatty():
        print(f"\r{'':<48}\r", end="", file=sys.stderr)
    return [summary(row, contestant, samples) for row in rows for contestant in row.contestants]


def summary(row: Row, contestant: Contestant, samples: dict) -> dict:
    mine, base = samples[row.name, contestant.name], samples[row.name, row.contestants[0].name]
    values = [sample["value"] for sample in mine]
    ratios = [sample["value"] / reference["value"] for sample, reference in zip(mine, base)]
    ratio = statistics.median(ratios)
    line = {
        "row": row.name, "contestant": contestant.name, "unit": row.unit,
        "messages": fit(row, contestant).messages,
        "median": statistics.median(values), "min": min(values), "max": max(values),
        "ratio": ratio, "ratio_min": min(ratios), "ratio_max": max(ratios),
        "values": values,
    }
    for name in ("p99_us", "server_cpu_ns", "client_cpu_ns"):
        line[name] = statistics.median(sample[name] for sample in mine)
    if contestant.goal:
        line["goal"] = {"limit": contestant.goal, "kind": "at most" if row.lower_is_better else "at least"}
        line["goal"]["met"] = ratio <= contestant.goal if row.lower_is_better else ratio >= contestant.goal
    return line


def number(value: float) -> str:
    for limit, letter in ((1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g} {letter}"
    return f"{value:.3g}"


def print_table(lines: list) -> None:
    head = ("workload", "who", "median", "min - max", "ratio (min - max)", "server, client", "goal")
    table = []
    for index, line in enumerate(lines):
        first = index == 0 or lines[index - 1]["row"] != line["row"]
        goal = line.get("goal")
        table.append((
            f"{line['row']}, {line['unit']}" if first else "",
            line["contestant"],
            number(line["median"]),
            f"{number(line['min'])} - {number(line['max'])}",
            "1" if first else f"{line['ratio']:.2f} ({line['ratio_min']:.2f} - {line['ratio_max']:.2f})",
            f"{number(line['server_cpu_ns'])}, {number(line['client_cpu_ns'])}",
            f"{goal['kind']} {goal['limit']}: {'holds' if goal['met'] else 'MISSED'}" if goal else "",
        ))
    widths = [max(len(row[column]) for row in [head, *table]) for column in range(len(head))]
    for row in [head, tuple("-" * width for width in widths), *table]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    print("\nserver, client: CPU nanoseconds per message, user and system")


def count_system_calls(path: pathlib.Path) -> float:
    total = re.search(r"^100\.00\s+\S+\s+\S*\s+(\d+)\s.*total$", path.read_text(), re.MULTILINE)
    if total is None:
        raise Failure("strace wrote no summary")
    return float(total.group(1))


def count_instructions(path: pathlib.Path) -> float:
    total = re.search(r"^(?:summary|totals): (\d+)", path.read_text(), re.MULTILINE)
    if total is None:
        raise Failure("callgrind wrote no summary")
    return float(total.group(1))


def measure_exactly(programs: dict, rows: list, tool: str, wrap: list, count, scale: float) -> list:
    """What one message costs in system calls or instructions: the slope between a run and one three times as long,
    so that starting and stopping are not counted."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "counts"
        wrapper = [part.replace("@", str(path)) for part in wrap]
        for row in rows:
            for contestant in row.contestants:
                line = {"row": row.name, "contestant": contestant.name}
                for side in ("server", "client"):
                    counts, sent = [], []
                    fitting = fit(row, contestant)
                    for length in (fitting.scaled(scale), fitting.scaled(3 * scale)):
                        run_once(programs, length, contestant, **{f"wrap_{side}": wrapper})
                        counts.append(count(path))
                        sent.append(length.messages)
                    line[side] = (counts[1] - counts[0]) / (sent[1] - sent[0])
                lines.append(line)
    print(f"\n{tool} per message (server, client)")
    for line in lines:
        print(f"  {line['row']:<24} {line['contestant']:<26} {line['server']:>10.3f} {line['client']:>10.3f}")
    return lines


def measure_records(program: pathlib.Path, rounds: int, seed: int, calls: int) -> list:
    """What a record of the performance monitor costs, in nanoseconds of processor time. Shuffled rounds."""
    generator = random.Random(seed)
    values = {key: [] for key in RECORDS}
    for _ in range(rounds):
        for name, threads in generator.sample(RECORDS, len(RECORDS)):
            command = [program, name, str(threads), str(calls)]
            try:
                result = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=RUN_TIMEOUT)
            except subprocess.TimeoutExpired:
                raise Failure(f"monitor {name} {threads} did not end within {RUN_TIMEOUT} s") from None
            if result.returncode != 0:
                raise Failure(f"monitor {name} {threads} ended with {result.returncode}")
            values[name, threads].append(float(result.stdout))
    lines = [{"record": name, "threads": threads, "median": statistics.median(found), "values": found}
             for (name, threads), found in values.items()]
    print("\nnanoseconds of processor time per record of the performance monitor, median (min - max)")
    for line in lines:
        spread = f"({min(line['values']):.1f} - {max(line['values']):.1f})"
        print(f"  {line['record']:<14} threads: {line['threads']}  {line['median']:>6.1f} {spread}")
    return lines


def select(options: argparse.Namespace) -> list:
    rows = []
    for row in ROWS:
        if not all(word in row.name for word in options.rows):
            continue
        others = [other for other in OTHERS if row.framing in peers.PROGRAMS[other.server].framings]
        contestants = tuple(
            c for c in (*row.contestants, *others) if {c.server, c.client} <= set(options.peers))
        rows.append(dataclasses.replace(row, contestants=contestants))
    if not rows:
        raise Failure("no such row")
    return [row.scaled(0.05 if options.quick else options.scale) for row in rows]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short round: counts are checked, goals are not")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the number of messages")
    parser.add_argument("--rows", nargs="*", default=[], metavar="WORD", help="only rows with all these words")
    parser.add_argument("--peers", nargs="+", choices=peers.PEERS, default=["epoll", "netsys"])
    parser.add_argument("--records", action="store_true", help="only what a record of the performance monitor costs")
    parser.add_argument("--tls", action="store_true", help="only the cost of TLS")
    parser.add_argument("--syscalls", action="store_true", help="also count system calls per message (strace)")
    parser.add_argument("--instructions", action="store_true", help="also count instructions per message (valgrind)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of the shuffling")
    parser.add_argument("--include", type=pathlib.Path, default=ROOT / "include")
    parser.add_argument("--lib", type=pathlib.Path, default=ROOT / "target" / "release")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "target" / "bench")
    parser.add_argument("--cc", default=os.environ.get("CC", "cc"))
    parser.add_argument("--cxx", default=os.environ.get("CXX", "c++"))
    options = parser.parse_args()
    options.out = options.out.absolute()
    return options


def main() -> int:
    options = parse()
    if options.quick:
        options.rounds = 1
    rows = [] if options.records or options.tls else select(options)
    programs = peers.build([*options.peers, *(["monitor"] if "netsys" in options.peers else [])], options)
    report = {
        "machine": {"kernel": platform.release(), "cpus": os.cpu_count()},
        "rounds": options.rounds, "seed": options.seed, "quick": options.quick,
        "results": measure(programs, rows, options.rounds, options.seed),
    }
    if rows:
        print_table(report["results"])
    if "monitor" in programs and not options.rows and not options.tls:
        calls = RECORD_CALLS // 50 if options.quick else RECORD_CALLS
        report["records"] = measure_records(programs["monitor"], options.rounds, options.seed, calls)
    if "netsys" in programs and not options.rows and not options.records:
        report["tls"] = tls.measure(programs["netsys"], options.out, options.rounds, options.seed, options.quick)
    exact = [row for row in rows if row.work in ("pingpong", "stream", "echo") and row.size == 64]
    scale = 1.0 if options.quick else 0.05
    if options.syscalls and shutil.which("strace"):
        report["system_calls"] = measure_exactly(
            programs, exact, "system calls", ["strace", "-f", "-c", "-o", "@"], count_system_calls, scale)
    if options.instructions and shutil.which("valgrind"):
        wrap = ["valgrind", "-q", "--tool=callgrind", "--callgrind-out-file=@"]
        report["instructions"] = measure_exactly(
            programs, exact, "user instructions", wrap, count_instructions, scale)
    path = options.out / "path.json"
    path.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\nwritten: {path}")
    missed = [line for line in report["results"] if not line.get("goal", {"met": True})["met"]]
    missed += [goal for line in report.get("tls", []) for goal in line["goals"] if not goal["met"]]
    return 1 if missed and not options.quick else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        sys.exit(2)
