"""The budget: what each path of the library may cost per message, in system calls and user instructions.

They are counted, not timed, so that they can be compared with figures that are checked in (budget.json), on any machine
of the same kind. A path that is over its budget is counted again, and the least counts: what disturbs a run only adds.
"""

import json
import pathlib
import platform
import statistics

import exact
import rows
from process import Failure

PATH = pathlib.Path(__file__).resolve().parent / "budget.json"
COSTS = {"system_calls": "system calls", "instructions": "user instructions"}
# (per message, share): at least twice what counts differed by on busy processors. A wake-up more now and then is a
# system call, and a stream has few.
TOLERANCES = {"system_calls": (0.003, 0.02), "instructions": (0.0, 0.03)}
TRIES = 3
# Their batches depend on time.
UNSTABLE = ("echo 50 x 32",)

UPDATE = """
If that is what the change has to cost, make it the budget and say why in the commit:
    cargo build --release --locked && benches/run.py --budget --write
"""


def paths() -> list:
    return [(row, rows.NETSYS) for row in rows.EXACT_ROWS if row.name not in UNSTABLE]


def costs_of(lines: list) -> dict:
    """{row: {side: costs}}"""
    return {line["row"]: {side: line[side] for side in exact.SIDES} for line in lines}


def allowance(cost: str, budget: float) -> float:
    fixed, share = TOLERANCES[cost]
    return fixed + share * budget


def read() -> dict:
    budgets = json.loads(PATH.read_text()) if PATH.exists() else {}
    machine = platform.machine()
    if machine not in budgets:
        raise Failure(f"{PATH.name} has no figures for {machine}: benches/run.py --budget --write adds them")
    missing = [row.name for row, _ in paths() if row.name not in budgets[machine]]
    if missing:
        raise Failure(f"{PATH.name} lacks {'; '.join(missing)}: benches/run.py --budget --write adds what is missing")
    return budgets[machine]


def changes_of(found: dict, budget: dict) -> tuple:
    """What is over the budget and what is under it, by more than the tolerance: (row, side, cost, new, old)."""
    over, under = [], []
    for row, sides in found.items():
        for side, costs in sides.items():
            for cost in COSTS:
                new, old = costs[cost], budget[row][side][cost]
                if abs(new - old) > allowance(cost, old):
                    (over if new > old else under).append((row, side, cost, new, old))
    return over, under


def describe(change: tuple, found: dict, budget: dict) -> str:
    row, side, cost, new, old = change
    share = f" ({100 * (new - old) / old:+.1f} %)" if old else ""
    text = f"  {row}, {side}: {COSTS[cost]} per message: {old:.4g} -> {new:.4g}{share}"
    if cost == "system_calls":
        then, now = (side_costs.get("by_call", {}) for side_costs in (budget[row][side], found[row][side]))
        grown = [(name, then.get(name, 0), now.get(name, 0)) for name in sorted({*then, *now})]
        text += "".join(f"\n      {name}: {before:.4g} -> {after:.4g}" for name, before, after in grown
                        if abs(after - before) > allowance(cost, before))
    return text


def least(first: dict, second: dict) -> dict:
    """Of each side's costs of a row; the calls by name go with their sum."""
    out = {}
    for side in exact.SIDES:
        calls = min(first[side], second[side], key=lambda costs: costs["system_calls"])
        instructions = min(first[side]["instructions"], second[side]["instructions"])
        out[side] = {**calls, "instructions": instructions}
    return out


def compare(programs: dict) -> int:
    """0: within the budget; 1: over it."""
    budget = read()
    found = costs_of(exact.measure(programs, paths()))
    over, under = changes_of(found, budget)
    for _ in range(TRIES - 1):
        rows_over = {row for row, *_ in over}
        if not rows_over:
            break
        print(f"over the budget, counted again: {'; '.join(sorted(rows_over))}")
        again = costs_of(exact.measure(programs, [path for path in paths() if path[0].name in rows_over]))
        for row, costs in again.items():
            found[row] = least(found[row], costs)
        over, under = changes_of(found, budget)
    if under:
        print("Below the budget by more than counting differs, so the budget may be lowered (benches/run.py --budget "
              "--write):")
        print("\n".join(describe(change, found, budget) for change in under))
    if over:
        print("OVER THE BUDGET (benches/budget.json):")
        print("\n".join(describe(change, found, budget) for change in over))
        print(UPDATE)
        return 1
    print(f"{len(found)} paths, both ends: system calls and user instructions are within the budget.")
    return 0


def write(programs: dict) -> int:
    """Makes what is counted the budget of machines like this one: medians of several runs."""
    runs = [costs_of(exact.measure(programs, paths())) for _ in range(TRIES)]
    medians = {}
    for row, sides in runs[0].items():
        medians[row] = {}
        for side, costs in sides.items():
            digits = {"system_calls": 4, "instructions": 1}
            medians[row][side] = {cost: round(statistics.median(run[row][side][cost] for run in runs), digits[cost])
                                  for cost in COSTS}
            medians[row][side]["by_call"] = costs.get("by_call", {})
    budgets = json.loads(PATH.read_text()) if PATH.exists() else {}
    budgets[platform.machine()] = medians
    PATH.write_text(json.dumps(budgets, indent=1, sort_keys=True) + "\n")
    print(f"written: {PATH}")
    return 0
