#!/usr/bin/env python3
"""Runs the order desk and clients of it as separate processes, and reads its metrics page as Prometheus would.

    check.py SERVICE ORDER_CLIENT CONFIG [ORDERS]

Ends with 0 only if every receipt was right and the pages tell exactly what the clients did.
"""
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

PATIENCE = 60
CLIENTS = 3
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class Failure(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failure(what)


def get(url, method="GET"):
    """Status, content type and text of a page."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=PATIENCE) as answer:
            expect(answer.headers["Connection"] == "close", f"{url} does not say that it closes the connection")
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def converse(port, *pieces):
    """What the page answers to bytes that urllib would not send, each piece in a segment of its own."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            peer.sendall(piece)
            time.sleep(0.02)  # so that they arrive apart; were they not to, the answer is the same
        answer = b""
        while chunk := peer.recv(65536):
            answer += chunk
        return answer.decode()


def samples(text):
    """The samples of a page in Prometheus' text format, each of which has its TYPE before it."""
    types, found = set(), {}
    for line in text.splitlines():
        if match := re.fullmatch(r"# TYPE (\w+) (counter|gauge|summary)", line):
            types.add(match[1])
        elif not line.startswith("# HELP "):
            match = re.fullmatch(r"((\w+?)(?:_sum|_count)?(?:\{[^}]*\})?) (\S+)", line)
            expect(match and (match[2] in types or match[1] in types), f"a line of /metrics is no sample: {line}")
            found[match[1]] = float(match[3])
    return found


def check_counts(base, orders):
    """Every figure that the clients' orders decide. Their ends may be counted a moment after the clients'."""
    wanted = {
        "network_system_connections_total": CLIENTS,
        "network_system_open_connections": 0,
        "network_system_received_messages_total": CLIENTS * orders,
        "network_system_sent_messages_total": CLIENTS * orders,
        "network_system_latency_seconds_count": CLIENTS * orders,
        'network_system_errors_total{kind="receive"}': 0,
    }
    deadline = time.monotonic() + PATIENCE
    while True:
        status, content_type, text = get(base + "/metrics")
        expect(status == 200 and content_type == PROMETHEUS, f"/metrics is {content_type}")
        found = samples(text)
        wrong = {name: found.get(name) for name, value in wanted.items() if found.get(name) != value}
        if not wrong:
            break
        expect(time.monotonic() < deadline, f"/metrics says {wrong}, not {wanted}")
        time.sleep(0.02)
    status, content_type, text = get(base + "/metrics.json?pretty")
    expect(status == 200 and content_type == "application/json", "/metrics.json is not as it must be")
    expect(json.loads(text)["messages"]["received"] == CLIENTS * orders, "/metrics.json counts otherwise")
    status, _, text = get(base + "/status")
    expect(status == 200 and '"order desk" runs on 127.0.0.1' in text, f"/status says {text}")
    return len(found)


def check_refusals(base, port):
    expect(get(base + "/elsewhere")[0] == 404, "a page that there is none of is found")
    expect(get(base + "/metrics", "POST")[0] == 405, "a page can be posted to")
    in_pieces = converse(port, b"GET /metr", b"ics HTTP/1.1\r\nHost: x\r", b"\n\r", b"\n")
    expect(in_pieces.startswith("HTTP/1.1 200 OK\r\n"), "a request in pieces is not understood")
    for bad in (b"metrics please", b"", b"GET metrics HTTP/1.1", b"GET /metrics HTTP/2", b"GET /metrics  HTTP/1.1"):
        expect(converse(port, bad + b"\r\n\r\n").startswith("HTTP/1.1 400 "), f"{bad} is understood")
    endless = converse(port, b"GET /metrics HTTP/1.1\r\nX: ", b"x" * 8192)
    expect(endless.startswith("HTTP/1.1 431 "), "a request without an end is read on")


def read_value(service, pattern):
    """What the first line like the pattern has in its group; a service that does not print one is killed."""
    limit = threading.Timer(PATIENCE, service.kill)
    limit.start()
    said = []
    try:
        for line in iter(service.stdout.readline, ""):
            if match := re.search(pattern, line):
                return match[1]
            said.append(line)
    finally:
        limit.cancel()
    raise Failure(f"the service did not print {pattern}, but:\n{''.join(said)}")


def check(service_program, client_program, config, orders):
    service = subprocess.Popen([service_program, config, "--metrics", "0"], stdout=subprocess.PIPE, text=True)
    try:
        page = int(read_value(service, r"^metrics on http://127\.0\.0\.1:(\d+)/metrics$"))
        port = read_value(service, r"^listening on (\d+)$")
        clients = [subprocess.Popen([client_program, "127.0.0.1", port, str(orders)]) for _ in range(CLIENTS)]
        expect(not any([client.wait(timeout=PATIENCE) for client in clients]), "a client got a wrong receipt, or none")
        base = f"http://127.0.0.1:{page}"
        count = check_counts(base, orders)
        check_refusals(base, page)
        service.send_signal(signal.SIGTERM)
        rest, _ = service.communicate(timeout=PATIENCE)
        expect(service.returncode == 0, f"the service ended with {service.returncode}")
        sold = CLIENTS * sum(1 + number % 3 for number in range(orders) if number % 5 != 4)
        summary = f"sold {sold} pears in {CLIENTS * orders} messages on {CLIENTS} connections"
        expect(summary in rest.splitlines(), f"the service did not print '{summary}', but:\n{rest}")
        expect("asked to stop" in rest, "the log does not tell of the stop")
        print(f"{CLIENTS} clients, {orders} orders each; {count} samples scraped, all as the clients did; {summary}")
    finally:
        if service.poll() is None:
            service.kill()
            service.wait()


if len(sys.argv) not in (4, 5):
    sys.exit(__doc__)
try:
    check(*sys.argv[1:4], int(sys.argv[4]) if len(sys.argv) == 5 else 500)
except (Failure, subprocess.TimeoutExpired, OSError) as failure:
    sys.exit(f"check.py: {failure}")
