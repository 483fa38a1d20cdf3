"""The cost of TLS: the library as a server beside plain rustls and openssl s_server, with one client for all of them.

Only the server differs, so that what the client costs falls out of no ratio but bounds it: the processor time of the
server is the sharper figure.
"""

import dataclasses
import json
import os
import pathlib
import random
import resource
import shutil
import socket
import statistics
import subprocess
import threading

from process import TIMEOUT, Failure
from progress import progress

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The client of "netsys, both ends" is the library too: framed messages, sent from inside callbacks.
BOTH = "netsys, both ends"
SERVERS = ("rustls", "openssl", "netsys", BOTH)
DESCRIPTORS = 4096


@dataclasses.dataclass(frozen=True)
class Row:
    """One workload. `count` is of handshakes, of messages of `size` bytes, or of connections that are
    idle after one such message."""

    name: str
    work: str
    count: int
    fewest: int
    unit: str
    size: int = 0

    @property
    def servers(self) -> tuple:
        if self.work == "stream":
            return SERVERS
        # s_server has one connection at a time.
        return ("rustls", "netsys") if self.work == "idle" else ("rustls", "openssl", "netsys")

    @property
    def messages(self) -> list:
        return ["--work", "stream", "--size", str(self.size), "--messages", str(self.count)]


ROWS = (
    Row("full handshakes", "full", 1000, 5, "per second"),
    Row("resumed handshakes", "resumed", 1000, 5, "per second"),
    Row("one way 1 KiB", "stream", 300_000, 500, "MiB/s", size=1024),
    Row("one way 64 KiB", "stream", 12_000, 20, "MiB/s", size=65536),
    Row("idle session", "idle", 500, 4, "KiB per session", size=16384),
)


def listening(pid: int, port: int) -> bool:
    """Whether somebody listens on the port, seen without connecting to it."""
    lines = pathlib.Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    return any(f":{port:04X}" in line.split()[1] and line.split()[3] == "0A" for line in lines)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Server:
    """A server process, from its start to its end."""

    def __init__(self, name: str, row: Row, programs: dict, folder: pathlib.Path):
        self.name = name
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        port = free_port() if name == "openssl" else 0
        command = {
            "netsys": [programs["netsys"], "--role", "server", "--work", "sink", "--framing", "raw",
                       "--certificate", certificate, "--key", key],
            BOTH: [programs["netsys"], "--role", "server", *row.messages, "--certificate", certificate, "--key", key],
            "rustls": [programs["tls_peer"], "server", folder],
            "openssl": ["openssl", "s_server", "-quiet", "-tls1_3", "-accept", f"127.0.0.1:{port}",
                        "-cert", certificate, "-key", key],
        }[name]
        out = subprocess.DEVNULL if name == "openssl" else subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, text=True)
        if name == "openssl":
            while not listening(self.process.pid, port):
                if self.process.poll() is not None:
                    raise Failure("openssl s_server did not start")
            self.port = str(port)
        else:
            self.port = self.process.stdout.readline().strip()
            if not self.port.isdigit():
                raise Failure(f"{name}: the server did not start")

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def cpu_ns(self) -> int:
        """Processor time of its threads so far."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)

    def memory_kib(self) -> int:
        """Its own memory: no files, no shared pages."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon:")))

    def bytes_taken(self) -> int:
        """Ends it, and returns what it has counted."""
        try:
            output, _ = self.process.communicate(timeout=TIMEOUT)  # closes its standard input: the sign to end
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name}: the server did not end within {TIMEOUT} s") from None
        if self.process.returncode != 0:
            raise Failure(f"{self.name}: the server ended with {self.process.returncode}")
        result = json.loads(output)
        if result.get("errors", 0):
            raise Failure(f"{self.name}: {result['errors']} errors in the server")
        return result["bytes"]


def check_taken(row: Row, server: Server, expected: int) -> None:
    taken = server.bytes_taken()
    if taken != expected:
        raise Failure(f"{row.name} / {server.name}: the server took {taken} bytes instead of {expected}")


def run_idle(row: Row, server: Server, programs: dict, folder: pathlib.Path) -> dict:
    """The slope between COUNT connections and twice as many, so that what the first one costs is not counted."""
    command = [programs["tls_peer"], "idle", folder, server.port, str(row.count), str(row.size)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        patience = threading.Timer(TIMEOUT, client.kill)
        patience.start()
        try:
            memory = []
            for expected in (row.count, 2 * row.count):
                client.stdin.write("\n")
                client.stdin.flush()
                if client.stdout.readline().strip() != str(expected):
                    raise Failure(f"{row.name} / {server.name}: not {expected} connections")
                memory.append(server.memory_kib())
            client.stdin.close()
            if client.wait(TIMEOUT) != 0:
                raise Failure(f"{row.name} / {server.name}: client ended with {client.returncode}")
        finally:
            patience.cancel()
            client.kill()
    check_taken(row, server, 2 * row.count * row.size)
    return {"value": (memory[1] - memory[0]) / row.count, "cpu_ns": 0.0}


def run_moving(row: Row, server: Server, programs: dict, folder: pathlib.Path) -> dict:
    command = [programs["tls_peer"], row.work, folder, server.port, str(row.count)]
    command += [str(row.size)] if row.size else []
    if server.name == BOTH:
        command = [programs["netsys"], "--port", server.port, *row.messages]
        command += ["--certificate", folder / "certificate.pem"]
    where = f"{row.name} / {server.name}"
    before = server.cpu_ns()
    try:
        client = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        raise Failure(f"{where}: the client did not end within {TIMEOUT} s") from None
    cpu = server.cpu_ns() - before
    if client.returncode != 0:
        raise Failure(f"{where}: client ended with {client.returncode}")
    result = json.loads(client.stdout)
    if row.work != "stream" and result["resumed"] != (row.count if row.work == "resumed" else 0):
        raise Failure(f"{where}: {result['resumed']} of {row.count} handshakes were resumed")
    if server.name != "openssl":
        check_taken(row, server, row.count * row.size)
    moved = row.count * row.size / 2**20 if row.size else row.count
    return {"value": moved / result["seconds"], "cpu_ns": cpu / moved, "suite": result.get("suite", "")}


def run_once(row: Row, name: str, programs: dict, folder: pathlib.Path) -> dict:
    with Server(name, row, programs, folder) as server:
        run = run_idle if row.work == "idle" else run_moving
        return run(row, server, programs, folder)


def summary(row: Row, samples: dict) -> list:
    lines = []
    for name in row.servers:
        mine = samples.get((row.name, name))
        if not mine:
            continue
        values = [sample["value"] for sample in mine]
        line = {"row": row.name, "server": name, "unit": row.unit, "median": statistics.median(values),
                "min": min(values), "max": max(values), "values": values, "suite": mine[0].get("suite", ""),
                "server_cpu_ns": statistics.median(sample["cpu_ns"] for sample in mine)}
        base = samples[row.name, SERVERS[0]]
        line["ratio"] = statistics.median(value / other["value"] for value, other in zip(values, base))
        lines.append(line)
    return lines


def build(counts: bool) -> pathlib.Path:
    """The rustls peer. Where only counts matter the debug build will do, which the tests have made already."""
    profile, folder = ("dev", "debug") if counts else ("peer", "peer")
    command = ["cargo", "build", "--quiet", "--locked", "--profile", profile, "--example", "tls_peer"]
    if subprocess.run(command, cwd=ROOT).returncode != 0:
        raise Failure("tls_peer does not compile")
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return ROOT / target / folder / "examples" / "tls_peer"


def measure(netsys: pathlib.Path, out: pathlib.Path, rounds: int, seed: int, share: float) -> list:
    """Shuffled rounds, with a share of each row's count; the servers of a row run next to each other. A share of 0 is
    the fewest there are, which tells nothing about time. A line for each server of each row."""
    programs = {"netsys": netsys, "tls_peer": build(counts=share == 0)}
    folder = out / "tls"
    folder.mkdir(exist_ok=True)
    if subprocess.run([programs["tls_peer"], "certificate", folder]).returncode != 0:
        raise Failure("no certificate could be made")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(DESCRIPTORS, limits[1]), limits[1]))
    missing = set() if shutil.which("openssl") else {"openssl"}
    rows = [dataclasses.replace(row, count=max(row.fewest, int(share * row.count))) for row in ROWS]
    if missing:
        print("\nno openssl program here: its rows are left out")
    generator = random.Random(seed)
    samples = {}
    for number in range(1, rounds + 1):
        for row in generator.sample(rows, len(rows)):
            progress(f"round {number}/{rounds}: TLS, {row.name}")
            names = [name for name in row.servers if name not in missing]
            for name in generator.sample(names, len(names)):
                samples.setdefault((row.name, name), []).append(run_once(row, name, programs, folder))
    progress("")
    for row in rows:
        found = [sample for name in row.servers for sample in samples.get((row.name, name), [])]
        suites = {sample["suite"] for sample in found if sample.get("suite")}
        if len(suites) > 1:
            raise Failure(f"{row.name}: not all servers encrypt alike: {suites}")
    return [line for row in rows for line in summary(row, samples)]
