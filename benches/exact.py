"""Costs that do not jitter: system calls and user instructions per message.

Each is the slope between a run and one three times as long, so that starting and stopping are not counted. Both ends
are watched at once: they are slowed down alike, and how they fall into step with each other changes the least.
"""

import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from process import Failure, run_once
from progress import progress

SIDES = ("server", "client")
LENGTHS = (1, 3)


@dataclasses.dataclass(frozen=True)
class Tool:
    name: str
    program: str
    command: tuple  # @ is the file that it writes

    def counts(self, path: pathlib.Path) -> dict:
        """By the name of what was counted; the sum has none."""
        raise NotImplementedError


class SystemCalls(Tool):
    def counts(self, path: pathlib.Path) -> dict:
        found = dict(re.findall(r"^\s*(\w+)\s+(\d+)\s*$", path.read_text(), re.MULTILINE))
        if "total" not in found:
            raise Failure("strace wrote no summary")
        counts = {name: int(count) for name, count in found.items() if name != "total"}
        return {"": sum(counts.values()), **counts}


class Instructions(Tool):
    def counts(self, path: pathlib.Path) -> dict:
        total = re.search(r"^(?:summary|totals): (\d+)", path.read_text(), re.MULTILINE)
        if total is None:
            raise Failure("callgrind wrote no summary")
        return {"": int(total.group(1))}


TOOLS = (
    SystemCalls("system_calls", "strace", ("strace", "-f", "-c", "-U", "name,calls", "-o", "@")),
    Instructions("instructions", "valgrind", ("valgrind", "-q", "--tool=callgrind", "--callgrind-out-file=@")),
)


def require(tool: Tool) -> None:
    """Whether it is there and allowed to watch a process."""
    if shutil.which(tool.program) is None:
        raise Failure(f"{tool.program} is not installed: .ci/setup test installs it")
    with tempfile.TemporaryDirectory() as folder:
        command = [part.replace("@", f"{folder}/counts") for part in tool.command]
        tried = subprocess.run([*command, "true"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if tried.returncode != 0:
            raise Failure(f"{tool.program} cannot watch a process on this machine (ptrace is perhaps not permitted: "
                          f"kernel.yama.ptrace_scope, or a container without SYS_PTRACE):\n{tried.stderr}")


def count_slopes(programs: dict, row, contestant, tool: Tool) -> dict:
    """{side: {name: per message}}"""
    found, sent = [], []
    with tempfile.TemporaryDirectory() as folder:
        paths = {side: pathlib.Path(folder) / side for side in SIDES}
        wraps = {side: [part.replace("@", str(paths[side])) for part in tool.command] for side in SIDES}
        for length in LENGTHS:
            run = row.with_messages(length * row.messages)
            run_once(programs, run, contestant, wraps["server"], wraps["client"])
            found.append({side: tool.counts(paths[side]) for side in SIDES})
            sent.append(run.messages)
    short, long = found
    slopes = {}
    for side in SIDES:
        slopes[side] = {name: (long[side].get(name, 0) - short[side].get(name, 0)) / (sent[1] - sent[0])
                        for name in {**short[side], **long[side]}}
    return slopes


def measure_path(programs: dict, row, contestant) -> dict:
    """{side: what it costs}, of one contestant of one row."""
    costs = {side: {} for side in SIDES}
    for tool in TOOLS:
        for side, slopes in count_slopes(programs, row, contestant, tool).items():
            costs[side][tool.name] = slopes.pop("")
            by_call = {name: round(value, 4) for name, value in sorted(slopes.items()) if value >= 0.001}
            if by_call:
                costs[side]["by_call"] = by_call
    return costs


def measure(programs: dict, paths: list) -> list:
    """A line for each (row, contestant). Several at a time, since counts do not depend on who else is running."""
    for tool in TOOLS:
        require(tool)
    lines = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        running = [pool.submit(measure_path, programs, row, contestant) for row, contestant in paths]
        for (row, contestant), path in zip(paths, running):
            progress(f"counting: {row.name}, {contestant.name}")
            lines.append({"row": row.name, "contestant": contestant.name, **path.result()})
    progress("")
    return lines
