"""Times: shuffled rounds, in which the contestants of a row run next to each other, so that a noisy minute hits all."""

import random
import statistics

from process import run_once
from progress import progress

# The share of a row's messages that the first run of a contestant moves, by which its number is found.
TRIAL_SHARE = 0.02


def figures(row, result: dict) -> dict:
    client, server = result["client"], result["server"]
    moved = server["messages"] if row.work == "stream" else client["messages"]
    # The server's time counts from when all connections are open, which may be after the first messages.
    late_share = 1 - server["early_bytes"] / server["bytes"]
    return {
        "value": client["p50_us"] if row.work == "pingpong" else moved / client["seconds"],
        "p99_us": client["p99_us"],
        "server_cpu_ns": 1000 * (server["user_us"] + server["system_us"]) / (moved * late_share),
        "client_cpu_ns": 1000 * (client["user_us"] + client["system_us"]) / moved,
    }


def fitted(programs: dict, row, contestant, seconds: float):
    """The row with as many messages as the contestant moves in that time, and no more than the row has; in no time at
    all, as few as there can be. It warms up what the first round would otherwise find cold."""
    trial = row.with_messages(row.messages * TRIAL_SHARE)
    if seconds == 0:
        return trial
    result = run_once(programs, trial, contestant)
    rate = trial.messages / result["client"]["seconds"]
    return row.with_messages(min(row.messages, max(trial.messages, rate * seconds)))


def measure(programs: dict, rows: list, rounds: int, seconds: float, seed: int) -> list:
    """A line for each contestant of each row, with the figures of all rounds."""
    generator = random.Random(seed)
    entries = {}
    for row in rows:
        for contestant in row.contestants:
            progress(f"trial: {row.name}, {contestant.name}")
            entries[row.name, contestant.name] = (fitted(programs, row, contestant, seconds), [])
    for number in range(1, rounds + 1):
        for row in generator.sample(rows, len(rows)):
            progress(f"round {number}/{rounds}: {row.name}")
            for contestant in generator.sample(row.contestants, len(row.contestants)):
                own, samples = entries[row.name, contestant.name]
                samples.append(figures(own, run_once(programs, own, contestant)))
    progress("")
    return [line_of(row, contestant, entries) for row in rows for contestant in row.contestants]


def line_of(row, contestant, entries: dict) -> dict:
    own, samples = entries[row.name, contestant.name]
    _, base = entries[row.name, row.contestants[0].name]
    values = [sample[row.figure] for sample in samples]
    ratios = [value / reference[row.figure] for value, reference in zip(values, base)]
    line = {
        "row": row.name, "contestant": contestant.name, "unit": row.unit, "messages": own.messages,
        "lower_is_better": row.lower_is_better,
        "median": statistics.median(values), "min": min(values), "max": max(values),
        "ratio": statistics.median(ratios), "ratio_min": min(ratios), "ratio_max": max(ratios),
    }
    for name in ("p99_us", "server_cpu_ns", "client_cpu_ns"):
        line[name] = statistics.median(sample[name] for sample in samples)
    line["samples"] = {name: [sample[name] for sample in samples] for name in samples[0]}
    return line
