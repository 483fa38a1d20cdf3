#!/usr/bin/env python3
"""A peer of the framed protocol: blocking, one connection, the standard library only.

As a program it is an echo server (`framed_peer.py server PORT`) or a client that sends each line of its input and
prints what comes back (`framed_peer.py client HOST PORT`).
"""

import socket
import sys
import time

import wire

LIMIT = 1 << 20


class EndOfStream(Exception):
    """The other side ended its direction."""


class Peer:
    """One side of a connection. `sent` and `received` count messages, as section 5 of the protocol defines them."""

    def __init__(self, sock, limit=LIMIT, timeout=10.0, capabilities=0):
        self.sock = sock
        self.capabilities = capabilities
        self.timeout = timeout
        self.decoder = wire.Decoder(limit)
        self.sent = 0
        self.received = 0
        self.confirmed = 0
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    # Setting up

    @classmethod
    def connect(cls, address, peer_id="", **options):
        """A connected client, its hello answered."""
        peer = cls(socket.create_connection(address, timeout=10), **options)
        try:
            peer.write(wire.PREAMBLE + peer.hello(False, peer_id))
            peer.expect_preamble()
            peer.ack = peer.expect(wire.Hello)
            peer.decoder.agreed = peer.ack.capabilities & peer.capabilities
        except BaseException:
            peer.sock.close()
            raise
        return peer

    @classmethod
    def accept(cls, sock, peer_id="", **options):
        """The server's side of a connection that has just been accepted, the client's hello answered."""
        peer = cls(sock, **options)
        peer.expect_preamble()
        peer.client = peer.expect(wire.Hello)
        peer.decoder.agreed = peer.client.capabilities & peer.capabilities
        peer.write(wire.PREAMBLE + peer.hello(True, peer_id))
        return peer

    def hello(self, ack, peer_id):
        return wire.encode(wire.Hello(ack, wire.VERSION[1], self.capabilities, self.decoder.limit, peer_id))

    def expect_preamble(self):
        got = self.read(len(wire.PREAMBLE))
        if got != wire.PREAMBLE:
            raise wire.WireError(wire.PROTOCOL, f"{got!r} is not the preamble")

    # Writing

    def write(self, data):
        self.sock.settimeout(self.timeout)
        self.sock.sendall(data)

    def trickle(self, data):
        """Writes the bytes one by one, each in a segment of its own."""
        for byte in data:
            self.write(bytes([byte]))

    def send(self, kind, payload):
        self.write(wire.frame(kind, payload))
        self.sent += 1

    # Reading

    def read(self, size):
        """So many plain bytes, of a stream of which no frame has been read yet."""
        got = b""
        while len(got) < size:
            self.sock.settimeout(self.timeout)
            data = self.sock.recv(size - len(got))
            if not data:
                raise EndOfStream(f"after {got!r}")
            got += data
        return got

    def frame(self):
        """The next frame, whatever it is, within the timeout."""
        deadline = time.monotonic() + self.timeout
        while (item := self.decoder.next()) is None:
            self.sock.settimeout(max(deadline - time.monotonic(), 0.001))
            data = self.sock.recv(1 << 18)
            if not data:
                raise EndOfStream
            self.decoder.feed(data)
        if isinstance(item, wire.Message):
            self.received += 1
        elif isinstance(item, wire.Close):
            self.confirm(item.received)
        elif isinstance(item, wire.Number) and item.kind in (wire.RECEIPT, wire.CLOSE_ACK):
            self.confirm(item.value)
        return item

    def confirm(self, received):
        if not self.confirmed <= received <= self.sent:
            raise wire.WireError(wire.PROTOCOL, f"received {received} after {self.confirmed}, of {self.sent} sent")
        self.confirmed = received

    def next(self):
        """The next frame that is not housekeeping: pings are answered, receipts noted, unknown kinds skipped."""
        while True:
            item = self.frame()
            if isinstance(item, wire.Number) and item.kind == wire.PING:
                self.write(wire.encode(wire.Number(wire.PONG, item.value)))
            elif not isinstance(item, wire.Skipped) and getattr(item, "kind", None) != wire.RECEIPT:
                return item

    def expect(self, expected):
        """The next frame, which has to be of this class."""
        item = self.next()
        if not isinstance(item, expected):
            raise wire.WireError(wire.PROTOCOL, f"{item} where {expected.__name__} was due")
        return item

    def messages(self, count):
        return [self.expect(wire.Message) for _ in range(count)]

    # Closing

    def close(self, code=wire.ORDERLY, reason="", received=None):
        """Closes from this side; gives back what the other side says it received."""
        self.write(wire.encode(wire.Close(code, self.received if received is None else received, reason)))
        while True:
            item = self.next()
            if isinstance(item, wire.Close) or getattr(item, "kind", None) == wire.CLOSE_ACK:
                return self.confirmed

    def acknowledge(self, received=None):
        """Answers a CLOSE."""
        self.write(wire.encode(wire.Number(wire.CLOSE_ACK, self.received if received is None else received)))

    def finish(self):
        """Ends this direction and reads to the end of the stream; gives back the frames that still came."""
        self.sock.shutdown(socket.SHUT_WR)
        rest = []
        try:
            while True:
                rest.append(self.frame())
        except EndOfStream:
            return rest


def serve(port):
    with socket.create_server(("127.0.0.1", port)) as listener:
        print(f"listening on port {listener.getsockname()[1]}", flush=True)
        while True:
            sock, address = listener.accept()
            with Peer.accept(sock, "python", timeout=86400) as peer:
                print(f"{address}: {peer.client}", flush=True)
                while isinstance(item := peer.next(), wire.Message):
                    peer.send(item.kind, item.payload)
                print(f"{address}: {item}", flush=True)
                peer.acknowledge()
                peer.finish()


def talk(host, port):
    with Peer.connect((host, port), "python") as peer:
        print(peer.ack)
        for line in sys.stdin.buffer:
            peer.send(wire.TEXT, line.rstrip(b"\n"))
            print(peer.next())
        print(f"the server received {peer.close(reason='end of input')} messages")
        peer.finish()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["server", port]:
            serve(int(port))
        case ["client", host, port]:
            talk(host, int(port))
        case _:
            sys.exit(__doc__)
