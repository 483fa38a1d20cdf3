#!/usr/bin/env python3
"""Measures the library beside other programs that do the same, and judges the goals P1 to P12.

Prints tables; writes report.html, report.md and results.json to --out. Exit status: 0 no goal is missed, 1 some are
(they are listed), 2 something did not run or a count is wrong. With --budget it counts the exact costs only, and
compares them with what is checked in: 0 within the budget, 1 over it.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import random
import re
import shlex
import subprocess
import sys

import budget
import exact
import goals
import markdown
import measure
import memory
import peers
import records
import report as page
import rows
import table
import tls
from process import Failure
from progress import progress

ROOT = pathlib.Path(__file__).resolve().parent.parent
PARTS = ("rows", "exact", "memory", "records", "tls")
ROUNDS = {"full": 10, "quick": 3, "counts": 1}
SECONDS = {"full": 0.25, "quick": 0.05, "counts": 0.0}
MEMORY_ROUNDS = {"full": 3, "quick": 1}
# Ten thousand take seconds to open and to close.
MOST_CONNECTIONS = {"full": 10_000, "quick": 1000, "counts": 1000}
TLS_SHARE = {"full": 1.0, "quick": 0.05, "counts": 0.0}
RECORD_SHARE = {"full": 1.0, "quick": 0.04, "counts": 0.02}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", dest="mode", action="store_const", const="quick", default="full",
                        help="short rounds, and few: two minutes")
    parser.add_argument("--counts", dest="mode", action="store_const", const="counts",
                        help="one very short round: only the counts of messages are judged")
    parser.add_argument("--budget", action="store_true", help="compare the exact costs with benches/budget.json")
    parser.add_argument("--write", action="store_true", help="with --budget: make what is counted the budget")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART",
                        help=f"measure only these parts: {', '.join(PARTS)}")
    parser.add_argument("--rows", nargs="*", default=[], metavar="WORD", help="only rows with all these words")
    parser.add_argument("--peers", nargs="+", choices=peers.PEERS, default=list(peers.PEERS), metavar="PEER",
                        help=f"only contestants made of these: {', '.join(peers.PEERS)}")
    parser.add_argument("--rounds", type=int, help="how many")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of the shuffling")
    parser.add_argument("--include", type=pathlib.Path, default=ROOT / "include")
    parser.add_argument("--lib", type=pathlib.Path, default=ROOT / "target" / "release")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "target" / "bench")
    parser.add_argument("--cc", default=os.environ.get("CC", "cc"))
    parser.add_argument("--cxx", default=os.environ.get("CXX", "c++"))
    options = parser.parse_args()
    if options.write and not options.budget:
        parser.error("--write is for --budget")
    options.out = options.out.absolute()
    options.rounds = options.rounds or ROUNDS[options.mode]
    if options.rows:
        options.only = [part for part in options.only if part in ("rows", "exact")]
        there = [row for part, every in (("rows", rows.ROWS), ("exact", rows.EXACT_ROWS)) if part in options.only
                 for row in every]
        if not any(is_wanted(row, options) for row in there):
            names = "; ".join(dict.fromkeys(row.name for row in there))
            parser.error(f"no row has all of {options.rows} in its name; there are: {names}")
    return options


def is_wanted(row, options: argparse.Namespace) -> bool:
    return all(word in row.name for word in options.rows)


def processor() -> str:
    found = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found.group(1) if found else platform.machine()


def commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()


def build(options: argparse.Namespace) -> dict:
    """The programs whose libraries this machine has; says which it has not."""
    wanted = []
    for name in [*options.peers, *(["monitor"] if "netsys" in options.peers else [])]:
        try:
            peers.require(name, options)
            wanted.append(name)
        except peers.NotInstalled as missing:
            print(f"left out: {missing}", file=sys.stderr)
    progress(f"building: {', '.join(wanted)}")
    return peers.build(wanted, options)


def select(every: tuple, options: argparse.Namespace, programs: dict) -> list:
    """The rows that are asked for, with those contestants whose programs are there."""
    chosen = [row.among(programs) for row in every if is_wanted(row, options)]
    return [row for row in chosen if row.contestants]


def exact_paths(options: argparse.Namespace, programs: dict) -> list:
    """(row, contestant); if it must be quick, those only that goals are about."""
    chosen = select(rows.EXACT_ROWS, options, programs)
    paths = [(row, contestant) for row in chosen for contestant in row.contestants]
    needed = goals.paths_needed()
    return [(row, who) for row, who in paths if options.mode == "full" or (row.name, who.name) in needed]


def measure_rows(options: argparse.Namespace, programs: dict, skipped: dict) -> list:
    chosen = select(rows.ROWS, options, programs)
    limit = min(memory.most_connections(), MOST_CONNECTIONS[options.mode])
    for row in chosen:
        if row.connections > limit:
            skipped[row.name] = f"{row.connections:,} connections: a quick run, or a low limit of descriptors"
    chosen = [row for row in chosen if row.name not in skipped]
    return measure.measure(programs, chosen, options.rounds, SECONDS[options.mode], options.seed)


def measure_memory(options: argparse.Namespace, programs: dict, skipped: dict) -> list:
    row = rows.IDLE_ROW.among(programs)
    if memory.CLIENTS * row.connections > memory.most_connections():
        skipped[row.name] = f"{memory.CLIENTS * row.connections:,} connections do not fit into the limit of descriptors"
        return []
    return memory.measure(programs, row, min(options.rounds, MEMORY_ROUNDS[options.mode]), options.seed)


def measure_parts(options: argparse.Namespace, programs: dict) -> dict:
    """Prints each part when it is done, and returns all."""
    mode, skipped, parts = options.mode, {}, {}
    if "rows" in options.only:
        parts["results"] = measure_rows(options, programs, skipped)
        table.print_rows(parts["results"])
    if "exact" in options.only and mode != "counts":
        parts["exact"] = exact.measure(programs, exact_paths(options, programs))
        table.print_exact(parts["exact"])
    if "memory" in options.only and mode != "counts":
        parts["memory"] = measure_memory(options, programs, skipped)
        table.print_memory(parts["memory"])
    if "records" in options.only and "monitor" in programs:
        calls = int(records.CALLS * RECORD_SHARE[mode])
        parts["records"] = records.measure(programs["monitor"], options.rounds, options.seed, calls)
        table.print_records(parts["records"])
    if "tls" in options.only and "netsys" in programs:
        parts["tls"] = tls.measure(programs["netsys"], options.out, options.rounds, options.seed, TLS_SHARE[mode])
        table.print_tls(parts["tls"])
    return {**parts, "skipped": skipped}


def run(options: argparse.Namespace) -> int:
    programs = build(options)
    report = {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), "commit": commit(),
        "command": shlex.join(["benches/run.py", *sys.argv[1:]]),
        "machine": {"processor": processor(), "cpus": os.cpu_count(), "kernel": platform.release()},
        "mode": options.mode, "rounds": options.rounds, "seed": options.seed,
        "not_built": [name for name in options.peers if name not in programs],
        **measure_parts(options, programs),
    }
    if options.mode == "counts":
        print("\nEvery count is right; a run that short tells nothing about goals.")
        return 0
    report["goals"] = goals.judge(report)
    table.print_goals(report["goals"])
    (options.out / "results.json").write_text(json.dumps(report, indent=1) + "\n")
    page.write(report, options.out / "report.html")
    markdown.write(report, options.out / "report.md")
    print(f"\nwritten: {options.out / 'report.html'}, report.md, results.json")
    missed = [goal["name"] for goal in report["goals"] if goal["state"] == goals.MISSED]
    unknown = [goal["name"] for goal in report["goals"] if goal["state"] == goals.UNKNOWN]
    if unknown:
        print(f"not measured, or not all of it: {', '.join(unknown)}")
    print(f"MISSED: {', '.join(missed)}" if missed else "No goal is missed.")
    return 1 if missed else 0


def main() -> int:
    options = parse()
    if not options.budget:
        return run(options)
    programs = peers.build(["netsys"], options)
    return budget.write(programs) if options.write else budget.compare(programs)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        sys.exit(2)
