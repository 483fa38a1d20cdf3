"""What is measured: the workloads, and who takes part in each."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Contestant:
    """Who takes part in a row: the programs on both ends, as peers.py names them, and how they are used."""

    name: str
    server: str
    client: str
    sender: str = "callback"
    framing: str = ""  # instead of the row's
    dispatch: str = ""  # of the server's callbacks
    groups: int = 0  # of the server, through one of which it answers
    busy_poll_us: int = 0  # of both ends

    def only(self, **changes) -> "Contestant":
        return dataclasses.replace(self, **changes)


@dataclasses.dataclass(frozen=True)
class Row:
    """One workload. `messages` is the most that are moved: a slow contestant moves fewer (see measure.py)."""

    name: str
    work: str
    framing: str
    messages: int
    contestants: tuple
    size: int = 64
    connections: int = 1
    window: int = 1
    fewest: int = 1  # messages on each connection
    figure: str = "value"  # what its chart shows

    @property
    def unit(self) -> str:
        if self.figure == "server_cpu_ns":
            return "ns of the server's CPU"
        return {"pingpong": "us, median", "broadcast": "deliveries/s"}.get(self.work, "msg/s")

    @property
    def lower_is_better(self) -> bool:
        return self.work == "pingpong" or self.figure != "value"

    def with_messages(self, messages: float) -> "Row":
        """As many as a run can have that are nearest below, and at least one window."""
        if self.work == "broadcast":
            return dataclasses.replace(self, messages=max(self.window, int(messages)))
        if self.work == "pingpong":
            return dataclasses.replace(self, messages=max(100, int(messages)))
        per_connection = max(self.window, self.fewest, int(messages) // self.connections)
        return dataclasses.replace(self, messages=per_connection * self.connections)

    def among(self, peers) -> "Row":
        """Without those whose programs are not there."""
        there = tuple(c for c in self.contestants if {c.server, c.client} <= set(peers))
        return dataclasses.replace(self, contestants=there)


EPOLL = Contestant("epoll", "epoll", "epoll")
NETSYS = Contestant("netsys", "netsys", "netsys")
NETSYS_RAW = NETSYS.only(name="netsys, raw", framing="raw")
NETSYS_THREAD = NETSYS.only(name="netsys, thread", sender="thread")
NETSYS_WAIT = NETSYS.only(name="netsys, thread, SEND_WAIT", sender="wait")
NETSYS_POOL = NETSYS.only(name="netsys, pool", dispatch="pool")
NETSYS_BUSY = NETSYS.only(name="netsys, busy polling", busy_poll_us=100)
NETSYS_CPP = Contestant("netsys, C++", "netsys_cpp", "netsys_cpp")
OTHERS = tuple(Contestant(name, peer, peer) for name, peer in (
    ("libuv", "libuv"), ("asio, tuned", "asio_tuned"), ("asio, usual", "asio_usual"), ("ZeroMQ", "zeromq"),
    ("nng", "nng")))
# The epoll program drives every server, raw: only the server differs.
SERVERS = (EPOLL, Contestant("netsys server", "netsys", "epoll"))
OTHER_SERVERS = tuple(Contestant(f"{name} server", peer, "epoll") for name, peer in (
    ("libuv", "libuv"), ("asio, tuned", "asio_tuned"), ("asio, usual", "asio_usual")))

CONNECTIONS = (1, 10, 100, 1000, 10_000)
GROUPS = (1, 10, 100, 1000, 10_000)
GROUPS_ROW = "ping-pong through a group"


def connections_row(count: int) -> Row:
    name = f"echo, {count:,} connection{'s' if count > 1 else ''}, server alone"
    messages = 10_000 if count == 1 else 100_000
    return Row(name, "echo", "raw", messages, SERVERS, connections=count, fewest=10, figure="server_cpu_ns")


def groups_contestant(count: int) -> Contestant:
    return NETSYS.only(name=f"{count:,} group{'s' if count > 1 else ''}", groups=count)


ROWS = (
    Row("ping-pong 64 B", "pingpong", "framed", 10_000,
        (EPOLL, NETSYS, NETSYS_RAW, NETSYS_CPP, NETSYS_BUSY, *OTHERS)),
    Row("ping-pong 64 B, server alone", "pingpong", "raw", 10_000, (*SERVERS, *OTHER_SERVERS)),
    Row("one way 64 B", "stream", "framed", 4_000_000,
        (EPOLL, NETSYS, NETSYS_THREAD, NETSYS_WAIT, NETSYS_RAW, NETSYS_CPP, *OTHERS)),
    Row("one way 1 KiB", "stream", "framed", 400_000, (EPOLL, NETSYS, NETSYS_THREAD, NETSYS_WAIT, *OTHERS), size=1024),
    Row("one way 64 KiB", "stream", "framed", 8_000, (EPOLL, NETSYS, NETSYS_THREAD, NETSYS_WAIT, *OTHERS), size=65536),
    Row("echo 50 x 32", "echo", "framed", 400_000, (EPOLL, NETSYS, NETSYS_RAW, NETSYS_CPP, *OTHERS), connections=50,
        window=32),
    Row("echo 50 x 32, server alone", "echo", "raw", 400_000, (*SERVERS, *OTHER_SERVERS),
        connections=50, window=32),
    Row("echo 1 x 32", "echo", "framed", 400_000, (EPOLL, NETSYS, NETSYS_POOL), window=32),
    Row("broadcast to 1000", "broadcast", "framed", 320, (EPOLL, NETSYS, *OTHERS), connections=1000, window=16),
    Row("broadcast to 1000, server alone", "broadcast", "raw", 320, (*SERVERS, *OTHER_SERVERS),
        connections=1000, window=16),
    *(connections_row(count) for count in CONNECTIONS),
    Row(GROUPS_ROW, "pingpong", "framed", 10_000, tuple(map(groups_contestant, GROUPS)),
        connections=100, figure="server_cpu_ns"),
)

# What the system calls and instructions of are counted: see exact.py. A row of 1 x 32 has one order of events only.
EXACT_ROWS = (
    Row("ping-pong 64 B", "pingpong", "framed", 1_000, (NETSYS, NETSYS_CPP, EPOLL)),
    Row("ping-pong 64 B, raw", "pingpong", "raw", 1_000, (NETSYS,)),
    Row("one way 64 B", "stream", "framed", 40_000, (NETSYS, EPOLL)),
    Row("one way 64 B, raw", "stream", "raw", 40_000, (NETSYS,)),
    Row("echo 1 x 32", "echo", "framed", 8_000, (NETSYS, NETSYS_CPP, EPOLL), window=32),
    Row("echo 1 x 32, raw", "echo", "raw", 8_000, (NETSYS,), window=32),
    Row("echo 50 x 32", "echo", "framed", 16_000, (NETSYS, EPOLL), connections=50, window=32),
)

# Connections that do nothing: see memory.py.
IDLE_ROW = Row("idle", "idle", "framed", 2_000, (NETSYS, *(c.only(framing="raw") for c in SERVERS)), connections=2_000)
