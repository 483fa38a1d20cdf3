"""What a record of the performance monitor costs, in nanoseconds of processor time."""

import pathlib
import random
import statistics
import subprocess

from process import TIMEOUT, Failure
from progress import progress

# The functions that record, and by how many threads at once.
RECORDS = [(name, threads) for name in ("message_sent", "latency", "connection") for threads in (1, 2, 4)]
CALLS = 5_000_000


def measure(program: pathlib.Path, rounds: int, seed: int, calls: int) -> list:
    """Shuffled rounds: a line for each function and number of threads."""
    generator = random.Random(seed)
    values = {key: [] for key in RECORDS}
    for number in range(1, rounds + 1):
        for name, threads in generator.sample(RECORDS, len(RECORDS)):
            progress(f"round {number}/{rounds}: record {name}, {threads} threads")
            command = [program, name, str(threads), str(calls)]
            try:
                result = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                raise Failure(f"monitor {name} {threads} did not end within {TIMEOUT} s") from None
            if result.returncode != 0:
                raise Failure(f"monitor {name} {threads} ended with {result.returncode}")
            values[name, threads].append(float(result.stdout))
    progress("")
    return [{"record": name, "threads": threads, "median": statistics.median(found), "min": min(found),
             "max": max(found), "values": found} for (name, threads), found in values.items()]
