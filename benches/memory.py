"""Sessions that do nothing: what each takes of the server's memory, how fast they come, and what stays when they go."""

import json
import os
import pathlib
import random
import resource
import statistics
import subprocess
import time

from process import TIMEOUT, Failure, client_command, serving
from progress import progress

# Client processes, one after the other; each opens a row's connections, which fit into the server's backlog.
CLIENTS = 5
SPARE_DESCRIPTORS = 100
PAUSE = 0.02
# Without a change for so many seconds: what is to be freed at once has been,
SETTLED = 0.2
# and what the library's housekeeping frees, every two seconds.
TIDIED = 2.5


def memory_of(pid: int) -> int:
    """Bytes of its own: no files, no shared pages."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon:")))


def settled_memory_of(pid: int, without_change: float = SETTLED) -> int:
    changed = time.monotonic()
    deadline = changed + TIMEOUT
    last = memory_of(pid)
    while changed + without_change > time.monotonic() < deadline:
        time.sleep(PAUSE)
        now = memory_of(pid)
        if now != last:
            last, changed = now, time.monotonic()
    return last


def descriptors_of(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


class Clients:
    """Processes that hold their connections until they are told to close them."""

    def __init__(self, command: list, where: str):
        self.command, self.where, self.processes = command, where, []

    def __enter__(self) -> "Clients":
        return self

    def __exit__(self, *_) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()

    def add(self) -> None:
        process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        if process.stdout.readline().strip() != "open":
            raise Failure(f"{self.where}: not all connections opened")

    def close(self) -> float:
        """Returns the seconds that opening took."""
        seconds = 0.0
        for process in self.processes:
            try:
                output, _ = process.communicate(timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                raise Failure(f"{self.where}: a client did not end within {TIMEOUT} s") from None
            result = json.loads(output) if process.returncode == 0 else {"errors": 1}
            if result["errors"]:
                raise Failure(f"{self.where}: a client ended with {process.returncode}, or counted errors")
            seconds += result["seconds"]
        return seconds


def fill(programs: dict, row, contestant, server) -> dict:
    """Opens all connections, looks at the server's memory on the way, and closes them."""
    pid = server.process.pid
    descriptors = descriptors_of(pid)
    memory = []
    with Clients(client_command(programs, row, contestant, server.port), server.where) as clients:
        for _ in range(CLIENTS):
            clients.add()
            memory.append(settled_memory_of(pid))
        seconds = clients.close()
    deadline = time.monotonic() + TIMEOUT
    while descriptors_of(pid) > descriptors:
        if time.monotonic() > deadline:
            raise Failure(f"{server.where}: the server does not close its connections")
        time.sleep(PAUSE)
    return {"first": memory[0], "all": memory[-1], "connects_per_second": CLIENTS * row.connections / seconds}


def sample_of(programs: dict, row, contestant) -> dict:
    with serving(programs, row, contestant) as server:
        pid = server.process.pid
        start = settled_memory_of(pid)
        once = fill(programs, row, contestant, server)
        after = settled_memory_of(pid, TIDIED)
        again = fill(programs, row, contestant, server)
        errors = server.finish()["errors"]
    if errors:
        raise Failure(f"{server.where}: {errors} errors in the server")
    return {
        "bytes_per_session": (once["all"] - once["first"]) / ((CLIENTS - 1) * row.connections),
        "connects_per_second": once["connects_per_second"],
        "kept_share": (after - start) / (once["all"] - start),
        "growth_again": (again["all"] - start) / (once["all"] - start),
    }


def most_connections() -> int:
    """That one process can hold here."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE_DESCRIPTORS


def measure(programs: dict, row, rounds: int, seed: int) -> list:
    """Shuffled rounds: a line for each contestant."""
    generator = random.Random(seed)
    samples = {contestant.name: [] for contestant in row.contestants}
    for number in range(1, rounds + 1):
        for contestant in generator.sample(row.contestants, len(row.contestants)):
            progress(f"round {number}/{rounds}: {row.name}, {contestant.name}")
            samples[contestant.name].append(sample_of(programs, row, contestant))
    progress("")
    lines = []
    for name, found in samples.items():
        lines.append({"contestant": name, "connections": CLIENTS * row.connections,
                      **{key: statistics.median(sample[key] for sample in found) for key in found[0]},
                      "samples": {key: [sample[key] for sample in found] for key in found[0]}})
    return lines
