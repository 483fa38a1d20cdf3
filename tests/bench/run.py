#!/usr/bin/env python3
"""netsys-bench, as its users have it: each workload against its own server in every framing, against servers that are
not its own and misbehave, its reports, its exit statuses, and what it says to wrong arguments.

    run.py PROGRAM [NAME...]      all tests, or those whose names contain one of these

Time is under test in one place only: a server that stalls must show in the latencies of an open loop.
"""

import json
import math
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

sys.dont_write_bytecode = True
import peers  # noqa: E402

PATIENCE_S = 60
PERCENTILES = ("p50", "p90", "p99", "p99.9", "p99.99")
SVG = "{http://www.w3.org/2000/svg}"
FRAMINGS = ("framed", "raw", "length4be", "length2le --length-counts-itself")

program = ""
scratch = pathlib.Path()


class Failed(Exception):
    """Something is not as it must be."""


def must(condition, what):
    if not condition:
        raise Failed(what)


def run(*arguments, status=0, **more):
    """Runs the program to its end; what it said."""
    ended = subprocess.run([program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           timeout=PATIENCE_S, **more)
    must(ended.returncode == status, f"{arguments}: exit status {ended.returncode}, not {status}\n{ended.stdout}"
                                     f"{ended.stderr}")
    return ended


class Server:
    """netsys-bench serve, until the block ends; then it must end in good order."""

    def __init__(self, work, framing, *more, status=0):
        self.status = status
        self.process = subprocess.Popen(
            [program, "serve", "--work", work, "--host", "127.0.0.1", "--framing", *framing.split(), *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.fullmatch(rf"serving {work}, .*, on 127\.0\.0\.1:(\d+)\n", line)
        if found is None:
            self.process.kill()
            raise Failed(f"serve said {line!r} {self.process.communicate()[1]}")
        self.port = int(found[1])
        self.said = ""

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.said, errors = self.process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        if kind is None:
            must(self.process.returncode == self.status, f"serve: {self.process.returncode} {errors}")


def measure(workload, port, *more, status=0, svg=True):
    """Runs a workload with all of its reports, which are checked; the JSON."""
    chart = scratch / "chart.svg"
    ended = run(workload, f"127.0.0.1:{port}", "--json", "-", *(["--svg", chart] if svg else []), *more, status=status)
    must(ended.stderr == "", f"{workload}: stderr has {ended.stderr!r}")
    result = json.loads(ended.stdout)
    check_result(result)
    if svg:
        check_chart(chart)
    must((result["errors"] != {}) == (status == 1), f"{workload}: errors {result['errors']}, status {status}")
    return result


def bucket(index):
    """The values that count in a bucket, as docs/netsys-bench.md says."""
    if index < 256:
        return index, index
    shift = index // 128 - 1
    low = (index - 128 * shift) << shift
    return low, low + (1 << shift) - 1


def check_result(result):
    must(result["format"] == "netsys-bench result" and result["version"] == 1, "the format")
    for member in ("title", "workload", "target", "started", "tool_version", "library_version", "parameters", "unit",
                   "rate", "bytes_per_second", "figures", "errors", "notes", "interrupted", "seconds"):
        must(member in result, f"no {member}")
    machine = result["machine"]
    must(machine["kernel"].startswith("Linux ") and machine["cpus"] == os.cpu_count() and machine["cpu"],
         f"the machine: {machine}")
    for name, times in result["times"].items():
        counts = [count for _, count in times["histogram"]]
        must(sum(counts) == times["count"] > 0, f"{name}: the buckets hold {sum(counts)} of {times['count']}")
        values = [times["min"], *(times[each] for each in PERCENTILES), times["max"]]
        must(values == sorted(values), f"{name}: {values}")
        must(times["min"] <= times["mean"] <= times["max"], f"{name}: the mean")
        # Each percentile anew, from the buckets: no more than 1/128 away.
        for each in PERCENTILES:
            rank = max(1, math.ceil(float(each[1:]) / 100 * times["count"] - 1e-6))
            seen = 0
            for index, count in times["histogram"]:
                seen += count
                if seen >= rank:
                    break
            low, high = bucket(index)
            must(low <= times[each] <= high and high - low <= low / 128, f"{name}: {each} is {times[each]}, not {low}")


def check_chart(file):
    text = file.read_text(encoding="utf-8")
    root = xml.etree.ElementTree.fromstring(text)
    must(root.tag == SVG + "svg", root.tag)
    tags = {SVG + tag for tag in ("svg", "title", "g", "rect", "line", "text", "polyline")}
    for element in root.iter():
        must(element.tag in tags, element.tag)
        for name, value in element.attrib.items():
            must("href" not in name and "url(" not in value and not name.startswith("on"), f"{name}={value}")
    must(len(list(root.iter(SVG + "polyline"))) > 0, "there is no curve")
    return root


def above(times, limit_ns):
    """How many took longer."""
    return sum(count for index, count in times["histogram"] if bucket(index)[0] > limit_ns)


# --- workloads against the tool's own server -------------------------------------------------------------------------


def test_ping_pong():
    for framing in FRAMINGS:
        with Server("echo", framing) as server:
            result = measure("ping-pong", server.port, "--framing", *framing.split(), "--messages", 500)
        figures = result["figures"]
        must(figures["sent"] == figures["answered"] == result["times"]["latency"]["count"] == 500, figures)
        must(sum(result["series"]["counts"]) == 500, result["series"])
        must("500 messages" in server.said, server.said)


def test_echo():
    for framing in FRAMINGS:
        with Server("echo", framing, "--loops", "2") as server:
            result = measure("echo", server.port, "--framing", *framing.split(), "--messages", 20003, "--connections",
                             20, "--loops", 2, "--size", 200)
            must(result["figures"]["answered"] == 20003, result["figures"])
            # More than a connection's queue holds: the server does not read while it waits for room.
            result = measure("echo", server.port, "--framing", *framing.split(), "--messages", 400, "--connections", 1,
                             "--outstanding", 400, "--size", 30000)
        must(result["figures"]["answered"] == 400, result["figures"])


def test_open_loop():
    with Server("echo", "framed") as server:
        result = measure("echo", server.port, "--rate", 5000, "--messages", 1000, "--connections", 7)
        must(result["figures"]["answered"] == 1000 == result["times"]["send delay"]["count"], result["figures"])
        # The last of them was due 999 / 5000 s after the first.
        must(result["seconds"] >= 0.1998, result["seconds"])
        result = measure("ping-pong", server.port, "--rate", 2000, "--duration", 0.3, "--warmup", 0.1)
        must(abs(result["figures"]["sent"] - 600) <= 1, result["figures"])


def test_one_way():
    for framing in FRAMINGS:
        with Server("sink", framing) as server:
            result = measure("one-way", server.port, "--framing", *framing.split(), "--messages", 30000,
                             "--connections", 3)
            must(result["figures"]["confirmed"] == 30000, result["figures"])
            result = measure("one-way", server.port, "--framing", *framing.split(), "--rate", 20000, "--messages", 2000)
            must(result["figures"]["confirmed"] == 2000, result["figures"])


def test_one_way_unconfirmed():
    for more in (("--no-confirm",), ("--drain", 0.1)):
        with peers.silent() as server:
            result = measure("one-way", server.port, "--framing", "raw", "--messages", 20000, *more)
        must("confirmed" not in result["figures"] and "not confirmed" in result["notes"][0], result["notes"])
    with Server("echo", "length4le") as server:
        result = measure("one-way", server.port, "--framing", "length4le", "--messages", 2000)
    must("not confirmed" in result["notes"][0] and "sent back" in result["notes"][0], result["notes"])


def test_broadcast():
    for framing in ("framed", "raw", "length4be"):
        with Server("broadcast", framing) as server:
            result = measure("broadcast", server.port, "--framing", framing, "--messages", 300, "--connections", 20)
            must(result["figures"]["delivered"] == 6000 == sum(result["series"]["counts"]), result["figures"])
            result = measure("broadcast", server.port, "--framing", framing, "--messages", 100, "--rate", 2000,
                             "--connections", 5)
            must(result["figures"]["delivered"] == 500, result["figures"])


def test_broadcast_of_none():
    with Server("sink", "framed") as server:
        ended = run("broadcast", f"127.0.0.1:{server.port}", "--connections", 2, "--connect-timeout", 0.2, status=2)
    must("of 2 connections 0 got" in ended.stderr, ended.stderr)


def test_idle():
    for framing in ("framed", "raw"):
        with Server("echo", framing) as server:
            result = measure("idle", server.port, "--framing", framing, "--connections", 300, "--duration", 0.2,
                             "--pid", server.process.pid)
        figures = result["figures"]
        must(figures["opened"] == figures["alive at the end"] == 300, figures)
        must(figures["server KiB open"] > figures["server KiB before"] > 0, figures)
        must("300 connections" in server.said, server.said)


def test_connect():
    for framing in ("framed", "length4be"):
        with Server("echo", framing) as server:
            result = measure("connect", server.port, "--framing", framing, "--connections", 400, "--connecting", 50)
            must(result["figures"]["opened"] == 400 == result["times"]["connect"]["count"], result["figures"])
            result = measure("connect", server.port, "--framing", framing, "--connections", 50, "--rate", 500,
                             "--reset")
            must(result["seconds"] >= 49 / 500, result["seconds"])


def test_churn():
    for framing in ("framed", "raw", "length4be"):
        for more in ((), ("--reset",), ("--rate", 1000)):
            with Server("echo", framing) as server:
                result = measure("churn", server.port, "--framing", framing, "--messages", 200, "--connections", 5,
                                 *more)
            must(result["figures"]["completed"] == 200, result["figures"])
            must(all(result["times"][each]["count"] == 200 for each in ("connect", "exchange", "cycle")), "the times")


def test_several_servers():
    with Server("echo", "framed") as one, Server("echo", "framed") as other:
        run("echo", f"127.0.0.1:{one.port},localhost:{other.port}", "--connections", 4, "--messages", 400, "--quiet")
    must("200 messages" in one.said and "200 messages" in other.said, one.said + other.said)


def test_auto_server():
    with Server("echo", "auto") as server:
        for framing in ("framed", "raw"):
            measure("ping-pong", server.port, "--framing", framing, "--messages", 100)


def test_encrypted():
    certificate, key = scratch / "certificate.pem", scratch / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=DNS:localhost", "-addext",
                    "basicConstraints=critical,CA:FALSE", "-out", certificate, "-keyout", key],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with Server("echo", "framed", "--tls", "--certificate", certificate, "--key", key) as server:
        named = ["--tls", "--ca", certificate, "--server-name", "localhost"]
        result = measure("ping-pong", server.port, "--messages", 100, *named)
        must(result["parameters"]["tls"] == "yes", result["parameters"])
        measure("churn", server.port, "--messages", 20, "--tls", "--insecure", "--no-resumption")
        ended = run("ping-pong", f"127.0.0.1:{server.port}", "--tls", status=2)
        must("certificate" in ended.stderr, ended.stderr)


# --- against others --------------------------------------------------------------------------------------------------


def test_stall():
    """A server does nothing for 200 ms. In an open loop that delays each message that was due meanwhile, and all of
    them must count from when they were due; in a closed loop it shows in one. Only lower bounds are judged: a machine
    that is busy makes everything later, and nothing earlier."""
    stall_s, rate = 0.2, 1000
    with peers.stalling_echo(300, stall_s) as server:
        result = measure("ping-pong", server.port, "--framing", "length4be", "--rate", rate, "--messages", 1000)
    times = result["times"]["latency"]
    # Of the 200 messages that were due in those 200 ms, half were due in the first half: they waited over 100 ms.
    must(above(times, stall_s / 2 * 1e9) >= 0.95 * rate * stall_s / 2, f"above 100 ms: {above(times, 1e8)}")
    must(times["p99"] >= 0.9 * stall_s * 1e9 and times["p90"] >= 0.4 * stall_s * 1e9, f"{times['p90']}, {times['p99']}")
    with peers.stalling_echo(300, stall_s) as server:
        result = measure("ping-pong", server.port, "--framing", "length4be", "--messages", 1000)
    times = result["times"]["latency"]
    must(times["max"] >= stall_s * 1e9 and above(times, stall_s * 0.99e9) >= 1, times["max"])
    must("closed loop" in result["notes"][0], result["notes"])


def test_no_room():
    """What an open loop could not send in time is told, not left out."""
    with peers.unread() as server:
        result = measure("one-way", server.port, "--framing", "raw", "--size", 100000, "--rate", 1000, "--duration", 0.3,
                         "--warmup", 0, "--drain", 0.1, status=1)
        must("unsent" in result["errors"], (result["errors"], result["figures"]))
        unsent = result["errors"]["unsent"]
        must(abs(result["figures"]["accepted"] + unsent - 300) <= 1 and result["errors"]["undelivered"] > 0, result)
        result = measure("one-way", server.port, "--framing", "raw", "--size", 100000, "--messages", 300, "--drain", 0.1,
                         status=1)
        must(result["errors"]["stalled"] == 1, result["errors"])
    with Server("echo", "framed", "--max-message", "1000") as server:
        result = measure("echo", server.port, "--size", 1001, "--messages", 10, "--connections", 1, "--drain", 0.1,
                         status=1, svg=False)
        must(result["figures"]["answered"] == 0 and result["errors"] == {"refused": 1}, result)
        for workload in ("churn", "broadcast"):
            ended = run(workload, f"127.0.0.1:{server.port}", "--size", 1001, "--messages", 10, "--connections", 1,
                        status=2)
            must("1001" in ended.stderr, ended.stderr)


def test_faulty_answers():
    drive = ("--framing", "length4be", "--messages", 200, "--drain", 0.2)

    def damaged(number, message):
        return [message[:-1] + bytes([message[-1] ^ 1])] if number == 50 else [message]

    for change in (damaged,
                   lambda number, message: [message[:20] + b"x" + message[21:]] if number == 50 else [message],
                   lambda number, message: [message[:-8]] if number == 50 else [message]):
        with peers.echo(change) as server:
            errors = measure("echo", server.port, *drive, "--connections", 2, "--outstanding", 4, status=1)["errors"]
        must(set(errors) == {"wrong payload", "lost"} and errors["wrong payload"] == 2, errors)
    # Each connection has its own message with that number.
    for expected, change in (({"lost": 2}, lambda number, message: [] if number == 50 else [message]),
                             ({"repeated": 2}, lambda number, message: [message] * (2 if number == 50 else 1))):
        with peers.echo(change) as server:
            errors = measure("echo", server.port, *drive, "--connections", 2, "--outstanding", 4, status=1)["errors"]
        must(errors == expected, f"{errors}, not {expected}")
    with peers.swapping_echo() as server:
        errors = measure("echo", server.port, *drive, "--connections", 1, "--outstanding", 4, status=1)["errors"]
    must(errors == {"out of order": 100}, errors)


def test_no_answer():
    """A run that only a count would end must not wait for it for ever."""
    with peers.silent() as server:
        result = measure("ping-pong", server.port, "--framing", "raw", "--messages", 10, "--drain", 0.1, status=1,
                         svg=False)
        must(result["errors"] == {"lost": 1, "stalled": 1}, result["errors"])
        ended = run("churn", f"127.0.0.1:{server.port}", "--framing", "raw", "--messages", 10, "--drain", 0.1,
                    "--connect-timeout", 0.1, status=2)
        must("nothing was answered" in ended.stderr, ended.stderr)


def test_foreign_answers():
    with peers.saying(b"\xff\xff\xff\xf0 much more than is taken") as server:
        result = measure("ping-pong", server.port, "--framing", "length4be", "--messages", 10, "--drain", 0.2, status=1,
                         svg=False)
    must(any("4294967280 bytes was announced" in text for text in result["error_texts"]), result["error_texts"])
    with peers.saying(b"HTTP/1.1 400 Bad Request\r\n" * 10) as server:
        result = measure("ping-pong", server.port, "--framing", "raw", "--messages", 10, "--drain", 0.2, status=1,
                         svg=False)
        must("wrong payload" in result["errors"], result["errors"])
        ended = run("ping-pong", f"127.0.0.1:{server.port}", "--messages", 10, status=2)
        must("no connection could be made" in ended.stderr, ended.stderr)


def test_connections_that_end():
    with peers.closing_every_other() as server:
        result = measure("echo", server.port, "--framing", "length4be", "--connections", 4, "--messages", 400,
                         "--drain", 0.2, status=1)
        must(result["errors"]["disconnected"] == 2 and result["figures"]["answered"] >= 200, result["errors"])
        measure("churn", server.port, "--framing", "length4be", "--messages", 40, "--connections", 2, status=1)


def test_wrong_bytes_for_a_server():
    with Server("echo", "length4be", status=1) as server:
        with peers.socket.create_connection(("127.0.0.1", server.port)) as wrong:
            wrong.sendall(b"\xff\xff\xff\xff")
            try:
                must(wrong.recv(1) == b"", "it was answered")
            except ConnectionResetError:
                pass
        measure("ping-pong", server.port, "--framing", "length4be", "--messages", 10)


def test_nobody_there():
    with Server("echo", "framed") as server:
        port = server.port
    for workload in ("ping-pong", "churn", "connect", "idle", "broadcast", "one-way"):
        ended = run(workload, f"127.0.0.1:{port}", "--connect-timeout", 5, status=2)
        must("refused" in ended.stderr.lower() and ended.stdout == "", ended.stderr)
    ended = run("ping-pong", "no-such-host.invalid:9", status=2)
    must("no-such-host.invalid" in ended.stderr, ended.stderr)


# --- the tool itself -------------------------------------------------------------------------------------------------


def test_interrupt():
    for workload in ("ping-pong", "one-way", "churn", "idle"):
        with Server("sink" if workload == "one-way" else "echo", "framed") as server:
            file = scratch / "interrupted.json"
            process = subprocess.Popen(
                [program, workload, f"127.0.0.1:{server.port}", "--duration", "600", "--json", file, "--progress",
                 "--connections", "3", *(["--warmup", "0"] if workload in ("ping-pong", "one-way") else [])],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
            seen = b""
            while b"/s" not in seen: # it measures
                more = process.stderr.read(1)
                must(more != b"", f"{workload} ended: {seen}")
                seen += more
            process.send_signal(signal.SIGINT)
            out, errors = process.communicate(timeout=PATIENCE_S)
        must(process.returncode == 0, f"{workload}: {process.returncode} {out} {errors}")
        result = json.loads(file.read_text())
        check_result(result)
        must(result["interrupted"] and 0 < result["seconds"] < 600 and b"interrupted" in out, result["seconds"])
        must(errors.endswith(b"\r\033[K"), "the line of progress is left behind")


def test_progress_is_for_terminals():
    with Server("echo", "framed") as server:
        target = f"127.0.0.1:{server.port}"
        must(run("ping-pong", target, "--duration", 0.3, "--warmup", 0).stderr == "", "a line of progress")
        ended = run("ping-pong", target, "--duration", 0.6, "--warmup", 0, "--progress", "--quiet")
        must("s left" in ended.stderr and "messages/s" in ended.stderr and ended.stdout == "", ended.stderr)


def test_compare():
    files = []
    with Server("echo", "framed") as server:
        for number, size in enumerate((64, 4096)):
            files.append(scratch / f"{number}.json")
            ended = run("ping-pong", f"127.0.0.1:{server.port}", "--messages", 2000, "--size", size, "--json",
                        files[-1], "--title", f"<run> & \"{size}\"")
            must(f"\"{size}\"" in ended.stdout and "p99.99" in ended.stdout, ended.stdout)
    chart = scratch / "comparison.svg"
    ended = run("--compare", *files, "--svg", chart)
    for text in ("b / a", "size: 64 | 4,096", "latency p99", "messages per second", "95 % intervals"):
        must(text in ended.stdout, f"no {text!r}: {ended.stdout}")
    must(len(list(check_chart(chart).iter(SVG + "polyline"))) == 4, "two curves in two panels")

    same = json.loads(run("compare", files[0], files[0], "--json", "-").stdout)
    must({row["note"] for row in same["rows"]} == {"same"} and same["differences"] == [], same)
    must(all(row["ratio"] == 1 for row in same["rows"] if row["a"] != 0), same)

    # The same run, but each time doubled, and then with one answer in a thousand more in the highest bucket.
    result = json.loads(files[0].read_text())
    times = result["times"]["latency"]
    times["histogram"] = [[index + 128, count] for index, count in times["histogram"]]
    times.update(min=times["min"] * 2, max=times["max"] * 2, sum=times["sum"] * 2)
    doubled = scratch / "doubled.json"
    doubled.write_text(json.dumps(result))
    rows = {row["figure"]: row for row in json.loads(run("compare", files[0], doubled, "--json", "-").stdout)["rows"]}
    must(rows["latency p50"]["note"] == "more" and abs(rows["latency p50"]["ratio"] - 2) < 0.02, rows["latency p50"])
    must(rows["messages per second"]["note"] == "same", rows["messages per second"])
    times["histogram"] = [[index - 128, count] for index, count in times["histogram"]]
    times["histogram"][-1][1] += 2
    times.update(min=times["min"] / 2, max=times["max"] / 2, sum=times["sum"] / 2, count=2002)
    doubled.write_text(json.dumps(result))
    rows = {row["figure"]: row for row in json.loads(run("compare", files[0], doubled, "--json", "-").stdout)["rows"]}
    must(rows["latency p90"]["note"] in ("same", "within noise"), rows["latency p90"])

    broken = scratch / "broken.json"
    times["histogram"].append([99999, 1])
    for text, why in (("{", "no JSON"), ("{}", "no result of netsys-bench"),
                      (json.dumps(result), "contradicts itself")):
        broken.write_text(text)
        ended = run("--compare", files[0], broken, status=2)
        must(why in ended.stderr and "broken.json" in ended.stderr, ended.stderr)
    must("missing.json" in run("--compare", files[0], scratch / "missing.json", status=2).stderr, "a missing file")


def test_arguments():
    cases = [
        ((), "which command? Expected serve, ping-pong"),
        (("ping",), "'ping' is no command: expected serve"),
        (("echo",), "which server? Expected HOST:PORT"),
        (("echo", "127.0.0.1"), "'127.0.0.1' is no server: expected HOST:PORT"),
        (("echo", "127.0.0.1:0"), "is no server"),
        (("echo", "127.0.0.1:9,"), "'' is no server"),
        (("echo", "h:1", "h:2"), "'h:2' was not expected"),
        (("echo", "h:1", "--what"), "there is no option --what"),
        (("echo", "h:1", "--size"), "--size: expected BYTES behind it"),
        (("echo", "h:1", "--size", "31"), "--size 31: expected a whole number from 32 to"),
        (("echo", "h:1", "--size", "-5"), "--size -5: expected a whole number"),
        (("echo", "h:1", "--size="), "--size '': expected a whole number"),
        (("echo", "h:1", "--messages", "99999999999999999999999"), "expected a whole number from 1 to"),
        (("echo", "h:1", "--duration", "1.5s"), "--duration 1.5s: expected a number of seconds"),
        (("echo", "h:1", "--rate", "0"), "--rate 0: expected a number of messages a second"),
        (("echo", "h:1", "--rate", "1.2.3"), "--rate 1.2.3: expected a number"),
        (("echo", "h:1", "--rate", "5", "--outstanding", "3"), "--outstanding does not go with --rate"),
        (("echo", "h:1", "--framing", "xml"), "--framing xml: expected framed, raw, auto, or a length prefix"),
        (("echo", "h:1", "--framing", "auto"), "only a server tells peers apart"),
        (("echo", "h:1", "--framing", "length1", "--size", "256"), "length1 can tell of at most 255 bytes"),
        (("echo", "h:1", "--length-counts-itself"), "expected a --framing with a length"),
        (("echo", "h:1", "--ca", "x"), "options of TLS are given, and --tls is not"),
        (("echo", "h:1", "--tls", "--key", "x"), "--certificate and --key belong together"),
        (("echo", "h:1", "--tls", "--ca", "x", "--insecure"), "expected one of them"),
        (("echo", "h:1", "--tls", "--tls-min", "1.1"), "--tls-min 1.1: expected 1.2 or 1.3"),
        (("echo", "h:1", "--quiet=yes"), "--quiet takes no value"),
        (("echo", "h:1", "--port", "5"), "--port does not go with echo"),
        (("idle", "h:1", "--outstanding", "5"), "--outstanding does not go with idle"),
        (("connect", "h:1", "--duration", "5"), "--duration does not go with connect"),
        (("serve", "--work", "eat"), "--work eat: expected echo"),
        (("serve", "--port", "65536"), "--port 65536: expected a whole number from 0 to 65535"),
        (("serve", "--tls"), "a server needs --certificate and --key"),
        (("serve", "h:1"), "'h:1' was not expected"),
        (("serve", "--host", "192.0.2.1"), "192.0.2.1"),
        (("--compare", "one.json"), "expected two files that --json has written, there are 1"),
        (("idle", "127.0.0.1:9", "--pid", str(2**31 - 1), "--connections", "1"), "RssAnon cannot be read"),
    ]
    for arguments, text in cases:
        ended = run(*arguments, status=2)
        must(text in ended.stderr and ended.stderr.startswith("netsys-bench: ") and ended.stdout == "",
             f"{arguments}: {ended.stderr!r} does not say {text!r}")
    with Server("echo", "framed") as server:
        ended = run("serve", "--host", "127.0.0.1", "--port", server.port, status=2)
        must("in use" in ended.stderr, ended.stderr)
    must(re.fullmatch(r"netsys-bench \d+\.\d+\.\d+, library \d+\.\d+\.\d+\S*\n", run("--version").stdout), "--version")
    help_text = run("--help").stdout
    must(run("echo", "--help").stdout == help_text and "--rate N" in help_text, "--help")


def test_descriptors():
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))

    ended = run("idle", "127.0.0.1:9", "--connections", 1000, status=2, preexec_fn=few)
    must("--connections 1000 needs" in ended.stderr and "hard limit is 100" in ended.stderr, ended.stderr)

    def low_soft_limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

    with Server("echo", "framed") as server:
        run("connect", f"127.0.0.1:{server.port}", "--connections", 300, "--quiet", preexec_fn=low_soft_limit)


def main():
    global program, scratch
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    program = str(pathlib.Path(sys.argv[1]).resolve())
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="netsys_bench_"))
    failures = 0
    try:
        for name, test in list(globals().items()):
            if not name.startswith("test_") or (sys.argv[2:] and not any(each in name for each in sys.argv[2:])):
                continue
            start = peers.time.monotonic()
            try:
                test()
                print(f"ok   {name[5:]}, {peers.time.monotonic() - start:.1f} s", flush=True)
            except (Failed, subprocess.SubprocessError, OSError, LookupError, ValueError) as why:
                failures += 1
                print(f"FAILED: {name[5:]}: {type(why).__name__}: {why}", file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(scratch)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
