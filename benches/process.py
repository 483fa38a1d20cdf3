"""One run of a benchmark: a server process and a client process on loopback, and the check of what both counted."""

import contextlib
import json
import pathlib
import subprocess
import typing

TIMEOUT = 120


class Failure(Exception):
    """Something did not run to its end, or did not move what it should have."""


def program_of(programs: dict, name: str) -> pathlib.Path:
    if name not in programs:
        raise Failure(f"there is no program {name}")
    return programs[name]


def arguments_of(row, contestant) -> list:
    """What both ends are told, so that both know what is going to be sent."""
    arguments = ["--work", row.work, "--framing", contestant.framing or row.framing, "--size", str(row.size)]
    arguments += ["--messages", str(row.messages), "--connections", str(row.connections), "--window", str(row.window)]
    if contestant.groups:
        arguments += ["--groups", str(contestant.groups)]
    if contestant.busy_poll_us:
        arguments += ["--busy-poll-us", str(contestant.busy_poll_us)]
    return arguments


class Server:
    """A server process from its start, which is when it tells its port, to its end, which is that of its input."""

    def __init__(self, command: list, where: str):
        self.where = where
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = self.process.stdout.readline().strip()
        if not self.port.isdigit():
            self.kill()
            raise Failure(f"{where}: the server did not start")

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def finish(self) -> dict:
        """Ends it and returns what it has counted."""
        try:
            output, _ = self.process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.where}: the server did not end within {TIMEOUT} s") from None
        if self.process.returncode != 0:
            raise Failure(f"{self.where}: the server ended with {self.process.returncode}")
        return json.loads(output)


@contextlib.contextmanager
def serving(programs: dict, row, contestant, wrap: typing.Sequence = ()) -> typing.Iterator:
    command = [*wrap, program_of(programs, contestant.server), "--role", "server", *arguments_of(row, contestant)]
    if contestant.dispatch:
        command += ["--dispatch", contestant.dispatch]
    server = Server(command, f"{row.name} / {contestant.name}")
    try:
        yield server
    finally:
        server.kill()


def client_command(programs: dict, row, contestant, port: str) -> list:
    command = [program_of(programs, contestant.client), "--port", port, "--sender", contestant.sender]
    return command + arguments_of(row, contestant)


def run_once(programs: dict, row, contestant, wrap_server: typing.Sequence = (),
             wrap_client: typing.Sequence = ()) -> dict:
    """Returns what both ends reported, after checking it."""
    where = f"{row.name} / {contestant.name}"
    with serving(programs, row, contestant, wrap_server) as server:
        command = [*wrap_client, *client_command(programs, row, contestant, server.port)]
        try:
            client = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            raise Failure(f"{where}: the client did not end within {TIMEOUT} s") from None
        if client.returncode != 0:
            raise Failure(f"{where}: the client ended with {client.returncode}")
        result = {"client": json.loads(client.stdout), "server": server.finish()}
    check(where, row, contestant, result)
    return result


def check(where: str, row, contestant, result: dict) -> None:
    """Every message arrived once, whole and in order; the programs check the order themselves, and count errors."""
    size, messages = row.size, row.messages
    got = messages * (row.connections if row.work == "broadcast" else 1)
    wanted = {
        ("server", "bytes"): messages * size,
        ("client", "bytes"): 0 if row.work == "stream" else got * size,
        ("client", "messages"): 0 if row.work == "stream" else got,
        ("server", "errors"): 0,
        ("client", "errors"): 0,
    }
    if (contestant.framing or row.framing) == "framed" or row.work == "stream":
        wanted["server", "messages"] = messages
    for (side, what), expected in wanted.items():
        if result[side][what] != expected:
            raise Failure(f"{where}: {side} {what}: {result[side][what]} instead of {expected}")
