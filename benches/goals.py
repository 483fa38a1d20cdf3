"""The goals P1 to P12, as data, and how each is judged by what was measured.

A goal has parts; each is a figure beside a limit. A ratio is the median over the rounds of the ratio within a round. A
part is met, missed, or not measured; a goal is missed if a part of it is, and met if all its parts are.
"""

import dataclasses
import statistics
import typing

import rows

MET, MISSED, UNKNOWN = "met", "missed", "not measured"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A part that was judged. Without a figure: `why` says why it was not measured."""

    what: str
    limit: str
    state: str
    figure: typing.Optional[float] = None
    low: typing.Optional[float] = None
    high: typing.Optional[float] = None
    unit: str = ""
    why: str = ""


class Missing(Exception):
    """What a part needs was not measured; says what."""


class Results:
    """What was measured, by name."""

    def __init__(self, report: dict):
        self.rounds = {(line["row"], line["contestant"]): line["samples"] for line in report.get("results", ())}
        self.paths = {(line["row"], line["contestant"]): line for line in report.get("exact", ())}
        self.idle = {line["contestant"]: line["samples"] for line in report.get("memory", ())}
        self.tls = {(line["row"], line["server"]): line["values"] for line in report.get("tls", ())}
        self.skipped = report.get("skipped", {})

    def of_rounds(self, row: str, contestant: str, figure: str) -> list:
        if (row, contestant) not in self.rounds:
            raise Missing(self.skipped.get(row, f"no figures of {contestant}"))
        return self.rounds[row, contestant][figure]

    def of_path(self, row: str, contestant: str, side: str, what: str) -> float:
        if (row, contestant) not in self.paths:
            raise Missing("the exact costs were not counted")
        return self.paths[row, contestant][side][what]

    def of_idle(self, contestant: str, figure: str) -> list:
        if contestant not in self.idle:
            raise Missing(self.skipped.get(rows.IDLE_ROW.name, "idle sessions were not measured"))
        return self.idle[contestant][figure]

    def of_tls(self, row: str, server: str) -> list:
        if (row, server) not in self.tls:
            raise Missing(f"no figures of {server} with TLS")
        return self.tls[row, server]


def ratios(figures: list, base: list) -> list:
    """Of each figure to that of the base in the same round."""
    return [figure / reference for figure, reference in zip(figures, base)]


@dataclasses.dataclass(frozen=True)
class Limit:
    """A part of a goal: what its figure is, and what it must be."""

    what: str
    at_most: typing.Optional[float] = None
    at_least: typing.Optional[float] = None
    unit: str = "x"

    def figures(self, results: Results) -> list:
        """By rounds."""
        raise NotImplementedError

    def judged(self, figures: list) -> float:
        """What the limit is for."""
        return statistics.median(figures)

    @property
    def limit(self) -> str:
        return f"<= {self.at_most:,g}" if self.at_most is not None else f">= {self.at_least:,g}"

    def holds(self, figure: float) -> bool:
        return figure <= self.at_most if self.at_most is not None else figure >= self.at_least

    def judge(self, results: Results) -> Verdict:
        try:
            found = self.figures(results)
        except Missing as missing:
            return Verdict(self.what, self.limit, UNKNOWN, unit=self.unit, why=str(missing))
        figure = self.judged(found)
        state = MET if self.holds(figure) else MISSED
        return Verdict(self.what, self.limit, state, figure, min(found), max(found), self.unit)


@dataclasses.dataclass(frozen=True)
class Ratio(Limit):
    """Of one contestant of a row to another, in the same round."""

    row: str = ""
    contestant: str = "netsys"
    base: str = "epoll"
    figure: str = "value"

    def figures(self, results: Results) -> list:
        return ratios(*(results.of_rounds(self.row, name, self.figure) for name in (self.contestant, self.base)))


@dataclasses.dataclass(frozen=True)
class Exact(Limit):
    """System calls or instructions per message, at one end."""

    row: str = ""
    cost: str = ""
    unit: str = ""

    def figures(self, results: Results) -> list:
        return [results.of_path(self.row, "netsys", "server", self.cost)]


@dataclasses.dataclass(frozen=True)
class ExactRatio(Limit):
    """Of the instructions of one contestant to those of another, both ends together."""

    row: str = ""
    contestant: str = ""
    base: str = "netsys"

    def figures(self, results: Results) -> list:
        mine, base = (sum(results.of_path(self.row, name, side, "instructions") for side in ("server", "client"))
                      for name in (self.contestant, self.base))
        return [mine / base]


@dataclasses.dataclass(frozen=True)
class Idle(Limit):
    """Of connections that do nothing; beside another contestant's if there is a base."""

    contestant: str = "netsys"
    base: str = ""
    figure: str = ""
    unit: str = "B"

    def figures(self, results: Results) -> list:
        mine = results.of_idle(self.contestant, self.figure)
        return ratios(mine, results.of_idle(self.base, self.figure)) if self.base else mine


@dataclasses.dataclass(frozen=True)
class Tls(Limit):
    """A figure of a server with TLS; beside another server's if there is a base."""

    row: str = ""
    server: str = "netsys"
    base: str = ""

    def figures(self, results: Results) -> list:
        mine = results.of_tls(self.row, self.server)
        return ratios(mine, results.of_tls(self.row, self.base)) if self.base else mine


@dataclasses.dataclass(frozen=True)
class Flat(Limit):
    """How far the costs at several sizes lie from their median: the figure that is farthest from it, as a ratio."""

    deviation: float = 0.15

    def costs(self, results: Results) -> list:
        """One for each size."""
        raise NotImplementedError

    def figures(self, results: Results) -> list:
        costs = self.costs(results)
        return [cost / statistics.median(costs) for cost in costs]

    def judged(self, figures: list) -> float:
        return max(figures, key=lambda ratio: abs(ratio - 1))

    @property
    def limit(self) -> str:
        return f"{1 - self.deviation:g} to {1 + self.deviation:g}"

    def holds(self, figure: float) -> bool:
        return abs(figure - 1) <= self.deviation


@dataclasses.dataclass(frozen=True)
class FlatOverConnections(Flat):
    """What a message costs the server, beside what it costs the epoll program: the kernel's share grows for both."""

    def costs(self, results: Results) -> list:
        costs = []
        for count in rows.CONNECTIONS:
            name = rows.connections_row(count).name
            mine, base = (results.of_rounds(name, contestant.name, "server_cpu_ns")
                          for contestant in reversed(rows.SERVERS))
            costs.append(statistics.median(ratios(mine, base)))
        return costs


@dataclasses.dataclass(frozen=True)
class FlatOverGroups(Flat):
    """What an answer through a group costs the server, beside ever more other groups."""

    row: str = ""

    def costs(self, results: Results) -> list:
        names = [rows.groups_contestant(count).name for count in rows.GROUPS]
        first = results.of_rounds(self.row, names[0], "server_cpu_ns")
        return [statistics.median(ratios(results.of_rounds(self.row, name, "server_cpu_ns"), first)) for name in names]


@dataclasses.dataclass(frozen=True)
class Goal:
    name: str
    text: str
    parts: tuple

    def judge(self, results: Results) -> dict:
        parts = [part.judge(results) for part in self.parts]
        states = {part.state for part in parts}
        state = MISSED if MISSED in states else UNKNOWN if UNKNOWN in states else MET
        return {"name": self.name, "text": self.text, "state": state,
                "parts": [dataclasses.asdict(part) for part in parts]}


PING, ONE_WAY, ECHO, BROADCAST = "ping-pong 64 B", "one way 64 B", "echo 50 x 32", "broadcast to 1000"
# Two figures of one program lie this far apart from one minute to the next on a shared machine.
NOISE = 0.1

GOALS = (
    Goal("P1", "Ping-pong: a round trip of 64 B", (
        Ratio("median round trip, to epoll's", at_most=1.10, row=PING),
        Ratio("to ZeroMQ's", at_most=0.5, row=PING, base="ZeroMQ"),
    )),
    Goal("P2", "What the server does for an echo, exactly", (
        Exact("system calls", at_most=3.02, row=PING, cost="system_calls"),
        Exact("user instructions", at_most=1500, row=PING, cost="instructions"),
    )),
    Goal("P3", "One way, 64 B", (
        Ratio("messages/s sent in callbacks, to epoll's", at_least=0.6, row=ONE_WAY),
        Ratio("... by a thread", at_least=0.6, row=ONE_WAY, contestant="netsys, thread"),
        Ratio("to ZeroMQ's", at_least=8, row=ONE_WAY, base="ZeroMQ"),
        Ratio("to the usual asio pattern's", at_least=50, row=ONE_WAY, base="asio, usual"),
    )),
    Goal("P4", "One way, 1 KiB and 64 KiB", (
        Ratio("1 KiB, to epoll's", at_least=0.6, row="one way 1 KiB"),
        Ratio("1 KiB, to ZeroMQ's", at_least=2, row="one way 1 KiB", base="ZeroMQ"),
        Ratio("64 KiB, to epoll's", at_least=0.9, row="one way 64 KiB"),
        Ratio("64 KiB, to ZeroMQ's", at_least=1.5, row="one way 64 KiB", base="ZeroMQ"),
    )),
    Goal("P5", "Echo, 50 connections with 32 messages outstanding each", (
        Ratio("messages/s, to epoll's", at_least=0.9, row=ECHO),
        Ratio("the server alone, to epoll's", at_least=0.9, row=f"{ECHO}, server alone", contestant="netsys server"),
        Ratio("to ZeroMQ's", at_least=2, row=ECHO, base="ZeroMQ"),
        Ratio("to the usual asio pattern's", at_least=20, row=ECHO, base="asio, usual"),
        Exact("system calls per message, server", at_most=0.07, row=ECHO, cost="system_calls"),
        Exact("user instructions per message, server", at_most=150, row=ECHO, cost="instructions"),
    )),
    Goal("P6", "Broadcast to 1000, 16 outstanding", (
        Ratio("deliveries/s, to epoll's", at_least=0.9, row=BROADCAST),
        Ratio("the server alone, to epoll's", at_least=0.9, row=f"{BROADCAST}, server alone",
              contestant="netsys server"),
        Ratio("to ZeroMQ's", at_least=1.2, row=BROADCAST, base="ZeroMQ"),
    )),
    Goal("P7", "Idle sessions", (
        Idle("memory per session", at_most=1536, figure="bytes_per_session"),
        Idle("connects/s, the server alone, to epoll's", at_least=0.9, contestant="netsys server", base="epoll",
             figure="connects_per_second", unit="x"),
        Idle("of the growth, what is kept when all are closed", at_most=0.1, figure="kept_share", unit=""),
        Idle("growth when as many come again, to the first time's", at_most=1.05, figure="growth_again", unit="x"),
    )),
    Goal("P8", "The C++ headers over the C ABI, in user instructions", (
        ExactRatio("ping-pong, both ends", at_most=1.02, row=PING, contestant="netsys, C++"),
        ExactRatio("echo 1 x 32, both ends", at_most=1.02, row="echo 1 x 32", contestant="netsys, C++"),
    )),
    Goal("P9", "Callbacks on a pool beside inline, 32 outstanding", (
        Ratio("messages/s", at_least=0.5, row="echo 1 x 32", contestant="netsys, pool", base="netsys"),
        Ratio("processor time of the server per message", at_most=2, row="echo 1 x 32", contestant="netsys, pool",
              base="netsys", figure="server_cpu_ns"),
    )),
    Goal("P10", "What a message costs, from 1 to 10,000 connections or groups", (
        FlatOverConnections("connections: processor time beside epoll's, farthest from the median"),
        FlatOverGroups("groups: processor time, farthest from the median", row=rows.GROUPS_ROW),
    )),
    Goal("P11", "TLS 1.3", (
        Tls("64 KiB, to openssl s_server's rate", at_least=0.8, row="one way 64 KiB", base="openssl"),
        Tls("memory per idle session", at_most=40, row="idle session", unit="KiB"),
    )),
    Goal("P12", "Raw beside framed: not slower, but for noise", (
        Ratio("round trip", at_most=1 + NOISE, row=PING, contestant="netsys, raw", base="netsys"),
        Ratio("one way, messages/s", at_least=1 - NOISE, row=ONE_WAY, contestant="netsys, raw", base="netsys"),
        Ratio("echo, messages/s", at_least=1 - NOISE, row=ECHO, contestant="netsys, raw", base="netsys"),
    )),
)


def paths_needed() -> set:
    """(row, contestant) whose exact costs goals are about."""
    needed = set()
    for part in (part for goal in GOALS for part in goal.parts):
        if isinstance(part, Exact):
            needed.add((part.row, rows.NETSYS.name))
        elif isinstance(part, ExactRatio):
            needed |= {(part.row, part.contestant), (part.row, part.base)}
    return needed


def judge(report: dict) -> list:
    results = Results(report)
    return [goal.judge(results) for goal in GOALS]
