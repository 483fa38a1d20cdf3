"""Runs the C side of a test, tests/interop/c_peer.c, and waits for what it prints."""

import os
import queue
import re
import subprocess
import threading
import time

PROGRAM = os.environ.get("C_PEER", "./c_peer")
TIMEOUT = 15.0


class CProcess:
    """One process. Lines are events; `wait` looks for the next one that matches and forgets what came before it."""

    def __init__(self, role, port=0, **options):
        arguments = [PROGRAM, role, str(port), *(f"{key}={value}" for key, value in options.items())]
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", errors="replace"
        )
        self.lines = queue.Queue()
        self.history = []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        if role == "server":
            self.address = ("127.0.0.1", int(self.wait(r"listening (\d+)")[1]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def wait(self, pattern):
        """The match of the next line that matches from its start."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            try:
                line = self.lines.get(timeout=max(deadline - time.monotonic(), 0))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"no {pattern!r} from the C peer; it said {self.history}")
            self.history.append(line)
            if match := re.match(pattern, line):
                return match

    def wait_close(self):
        """The numbers and the text of the next close event."""
        fields, text = self.wait(r"close (.*?) text=(.*)$").groups()
        report = {key: int(value) for key, value in (field.split("=") for field in fields.split())}
        return report | {"text": text}

    def command(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end_input(self):
        """Lets the peer stop, without waiting for it."""
        self.process.stdin.close()

    def stop(self):
        """Ends the process, and fails if it did not end well by itself."""
        try:
            if not self.process.stdin.closed:
                self.process.stdin.close()
            code = self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        finally:
            self.reader.join()
            self.process.stdout.close()
        assert code == 0, f"the C peer ended with {code}; it said {self.history}"
