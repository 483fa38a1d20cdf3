"""Servers that netsys-bench has not made: length-prefixed (4 bytes, big endian) or raw, in threads of the test."""

import socket
import struct
import threading
import time


class Peer:
    """Serves each connection by `serve(socket, number)` in a thread of its own, until it is closed."""

    def __init__(self, serve):
        self.serve = serve
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.sockets = []
        self.threads = []
        self.lock = threading.Lock()
        self.acceptor = threading.Thread(target=self.accept, daemon=True)
        self.acceptor.start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                number = len(self.sockets)
                self.sockets.append(connection)
                thread = threading.Thread(target=self.run, args=(connection, number), daemon=True)
                self.threads.append(thread)
            thread.start()

    def run(self, connection, number):
        try:
            self.serve(connection, number)
        except OSError:
            pass
        finally:
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.acceptor.join()
        for connection in self.sockets:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self.threads:
            thread.join()


def messages(connection):
    """The messages that come, without their lengths."""
    pending = b""
    while data := connection.recv(65536):
        pending += data
        while len(pending) >= 4:
            (length,) = struct.unpack_from(">I", pending)
            if len(pending) < 4 + length:
                break
            yield pending[4 : 4 + length]
            pending = pending[4 + length :]


def send(connection, message):
    connection.sendall(struct.pack(">I", len(message)) + message)


def echo(change=lambda number, message: [message]):
    """Sends back what change() makes of the message with that number: a list of messages."""

    def serve(connection, _):
        for number, message in enumerate(messages(connection)):
            for answer in change(number, message):
                send(connection, answer)

    return Peer(serve)


def stalling_echo(at_message, seconds):
    """Sends back everything; once, before the message with that number, it does nothing for a while."""

    def change(number, message):
        if number == at_message:
            time.sleep(seconds)
        return [message]

    return echo(change)


def swapping_echo():
    """Sends back pairs of messages in the wrong order."""
    held = []

    def change(_, message):
        held.append(message)
        if len(held) < 2:
            return []
        pair = held[::-1]
        held.clear()
        return pair

    return echo(change)


def silent():
    """Reads everything and never says anything."""

    def serve(connection, _):
        while connection.recv(1 << 20):
            pass

    return Peer(serve)


def unread():
    """Reads nothing."""
    ended = threading.Event()

    class Unread(Peer):
        def __exit__(self, *exception):
            ended.set()
            super().__exit__(*exception)

    return Unread(lambda connection, _: ended.wait())


def saying(answer):
    """Answers the first bytes with others."""

    def serve(connection, _):
        connection.recv(65536)
        connection.sendall(answer)
        while connection.recv(65536):
            pass

    return Peer(serve)


def closing_every_other():
    """Sends back what every other connection sends, and closes the others at once."""

    def serve(connection, number):
        if number % 2 == 1:
            return
        for message in messages(connection):
            send(connection, message)

    return Peer(serve)
