"""A Python client against a C server in the mode auto."""

import contextlib
import socket
import struct
import time
import unittest

import wire
from c_process import CProcess
from framed_peer import EndOfStream, Peer

PREAMBLE_AND_HELLO = wire.PREAMBLE + wire.frame(wire.HELLO, wire.hello_payload("python", 1 << 20))
PROMPTLY = 1.0
AUTO, LZ4 = 1, 2  # NETSYS_COMPRESSION_*


class ServerTest(unittest.TestCase):
    def server(self, **options):
        return self.enterContext(CProcess("server", **options))

    def client(self, server, peer_id="python", **options):
        return self.enterContext(Peer.connect(server.address, peer_id, **options))

    def stranger(self, server):
        """A connection on which nothing has been said."""
        return self.enterContext(Peer(socket.create_connection(server.address, timeout=10)))

    def assert_refused(self, peer, code, *words):
        """The next frame is a CLOSE of this code that came promptly, and the stream ends."""
        begin = time.monotonic()
        close = peer.expect(wire.Close)
        self.assertLess(time.monotonic() - begin, PROMPTLY)
        self.assertEqual(close.code, code, close)
        self.assertNotEqual(close.reason, "")
        for word in words:
            self.assertIn(word, close.reason)
        self.assertEqual(peer.finish(), [])
        return close


class Messages(ServerTest):
    def test_hello(self):
        server = self.server(max_message_bytes=5000)
        peer = self.client(server, "größe")
        self.assertEqual(peer.ack, wire.Hello(True, 1, 0, 5000, "c-server"))
        self.assertEqual(server.wait(r"open framing=1 client=(.*) server=(.*)").groups(), ("größe", "c-server"))

    def test_every_kind_and_size(self):
        peer = self.client(self.server())
        sent = [
            (wire.TEXT, b"hello"),
            (wire.BINARY, b"\0\xff\n\r" * 3),
            (wire.TEXT, b""),
            (wire.BINARY, b""),
            (wire.TEXT, b"\xc3\x28 is not UTF-8"),
            (wire.BINARY, bytes(range(256)) * 400),
            (wire.BINARY, b"z" * (1 << 20)),
            (wire.TEXT, wire.PREAMBLE),
        ]
        for kind, payload in sent:
            peer.send(kind, payload)
        self.assertEqual([(item.kind, item.payload) for item in peer.messages(len(sent))], sent)

    def test_compressed_messages(self):
        words = b"the quick brown fox jumps over the lazy dog, " * 200
        packed = struct.pack("<I", 300) + bytes.fromhex("1f610100ff1360616161616161")
        for compression, offered in ((LZ4, 1), (AUTO, 3)):
            server = self.server(compression=compression)
            peer = self.client(server, capabilities=wire.LZ4)
            self.assertEqual(peer.ack.capabilities, offered)
            for payload in (words, b"short", bytes(1 << 20), words):
                peer.send(wire.TEXT, payload)
                self.assertEqual(peer.messages(1)[0].payload, payload)
            self.assertEqual(peer.decoder.unpacked, 3)
            peer.write(wire.frame(wire.BINARY, packed, flags=wire.LZ4))
            self.assertEqual(peer.messages(1)[0], wire.Message(wire.BINARY, b"a" * 300))
            self.assertEqual(peer.decoder.unpacked, 4)

            one_of_before = self.client(server)
            one_of_before.send(wire.TEXT, words)
            self.assertEqual(one_of_before.messages(1)[0].payload, words)
            one_of_before.write(wire.frame(wire.BINARY, packed, flags=wire.LZ4))
            self.assert_refused(one_of_before, wire.PROTOCOL, "not agreed")

    def test_one_byte_at_a_time(self):
        peer = self.stranger(self.server())
        peer.trickle(PREAMBLE_AND_HELLO)
        peer.trickle(wire.frame(wire.TEXT, b"drop by drop") + wire.frame(wire.BINARY))
        peer.expect_preamble()
        self.assertEqual(peer.expect(wire.Hello).id, "c-server")
        self.assertEqual([item.payload for item in peer.messages(2)], [b"drop by drop", b""])

    def test_all_in_one_write(self):
        peer = self.stranger(self.server())
        peer.write(PREAMBLE_AND_HELLO + b"".join(wire.frame(wire.TEXT, b"%d" % i) for i in range(1000)))
        peer.expect_preamble()
        peer.expect(wire.Hello)
        self.assertEqual([int(item.payload) for item in peer.messages(1000)], list(range(1000)))

    def test_unknown_kinds_are_skipped(self):
        peer = self.client(self.server())
        peer.write(wire.frame(200, b"from a later version", flags=0x81) + wire.frame(10) + wire.frame(255, b"x" * 9000))
        peer.send(wire.TEXT, b"still here")
        self.assertEqual(peer.expect(wire.Message).payload, b"still here")
        self.assertEqual(peer.close(), 1)

    def test_fields_of_a_later_minor_version_are_ignored(self):
        server = self.server()
        peer = self.stranger(server)
        hello = wire.hello_payload("later", 1 << 20, version=(1, 7), capabilities=0x80000001)
        peer.write(wire.PREAMBLE + wire.frame(wire.HELLO, hello + b"more"))
        peer.expect_preamble()
        self.assertEqual(peer.expect(wire.Hello).minor, 1)
        server.wait("open framing=1 client=later ")

    def test_ping(self):
        peer = self.client(self.server())
        for token in (0, 7, 2**64 - 1):
            peer.write(wire.encode(wire.Number(wire.PING, token)))
            self.assertEqual(peer.frame(), wire.Number(wire.PONG, token))

    def test_heartbeats_keep_a_quiet_session_alive_and_end_a_dead_one(self):
        server = self.server(heartbeat_ms=100)
        peer = self.client(server)
        for _ in range(5):
            ping = peer.frame()
            self.assertEqual(ping.kind, wire.PING)
            peer.write(wire.encode(wire.Number(wire.PONG, ping.value)))
        with self.assertRaises((EndOfStream, ConnectionResetError)):
            while True:
                self.assertIsInstance(peer.frame(), (wire.Number, wire.Close))
        self.assertNotEqual(server.wait_close()["reason"], 0)

    def test_receipts(self):
        peer = self.client(self.server())
        messages = wire.frame(wire.BINARY, b"12345678") * 8192
        for _ in range(16):
            peer.write(messages)
            peer.sent += 8192
            peer.messages(8192)
        self.assertGreaterEqual(peer.confirmed, 65536)

    def test_a_raw_peer_on_the_same_port(self):
        server = self.server()
        framed, raw = self.client(server), self.stranger(server)
        raw.write(b"plain bytes")
        server.wait("open framing=2 client= ")
        self.assertEqual(raw.read(11), b"plain bytes")
        framed.send(wire.TEXT, b"framed")
        self.assertEqual(framed.expect(wire.Message).payload, b"framed")

    def test_a_silent_peer_is_raw_once_it_is_spoken_to(self):
        server = self.server()
        raw = self.stranger(server)
        server.wait("open framing=0 client= ")
        server.command("text welcome")
        self.assertEqual(raw.read(7), b"welcome")
        raw.write(b"plain bytes")
        self.assertEqual(raw.read(11), b"plain bytes")

    def test_a_preamble_after_the_server_spoke_raw(self):
        server = self.server()
        peer = self.stranger(server)
        server.wait("open framing=0 client= ")
        server.command("text welcome")
        self.assertEqual(peer.read(7), b"welcome")
        peer.write(PREAMBLE_AND_HELLO)
        self.assertEqual(server.wait_close()["reason"], wire.PROTOCOL)

    def test_a_late_preamble(self):
        server = self.server()
        peer = self.stranger(server)
        server.wait("open framing=0 client= ")
        peer.write(PREAMBLE_AND_HELLO)
        peer.expect_preamble()
        peer.expect(wire.Hello)
        peer.send(wire.TEXT, b"late")
        self.assertEqual(peer.expect(wire.Message).payload, b"late")

    def test_a_raw_peer_that_begins_like_a_preamble(self):
        raw = self.stranger(self.server())
        raw.trickle(b"NSYS\n")
        self.assertEqual(raw.read(5), b"NSYS\n")


class Closing(ServerTest):
    def echo(self, peer, count):
        for _ in range(count):
            peer.send(wire.TEXT, b"x")
        peer.messages(count)

    def test_the_client_closes(self):
        server = self.server()
        peer = self.client(server)
        self.echo(peer, 10)
        self.assertEqual(peer.close(reason="bye, größe"), 10)
        report = server.wait_close()
        self.assertEqual(peer.finish(), [])
        expected = {"reason": 0, "by_peer": 1, "accepted": 10, "undelivered": 0, "exact": 1, "text": "bye, größe"}
        self.assertEqual(report, report | expected)

    def test_a_session_in_one_write(self):
        server = self.server()
        peer = self.stranger(server)
        close = wire.encode(wire.Close(0, 0, "that was all"))
        peer.write(PREAMBLE_AND_HELLO + wire.frame(wire.TEXT, b"one") + wire.frame(wire.BINARY, b"two") + close)
        peer.sent = 2
        peer.expect_preamble()
        peer.expect(wire.Hello)
        peer.finish()
        self.assertEqual(peer.confirmed, 2)
        report = server.wait_close()
        expected = {"reason": 0, "by_peer": 1, "accepted": 2, "undelivered": 2, "exact": 1, "text": "that was all"}
        self.assertEqual(report, report | expected)

    def test_the_client_closes_with_an_error_and_did_not_handle_all(self):
        server = self.server()
        peer = self.client(server)
        self.echo(peer, 10)
        self.assertEqual(peer.close(-645, "broken", received=7), 10)
        report = server.wait_close()
        expected = {"reason": -645, "by_peer": 1, "accepted": 10, "undelivered": 3, "exact": 1, "text": "broken"}
        self.assertEqual(report, report | expected)

    def test_the_server_closes(self):
        server = self.server()
        peer = self.client(server)
        self.echo(peer, 10)
        server.command("close 0 maintenance")
        self.assertEqual(peer.expect(wire.Close), wire.Close(0, 10, "maintenance"))
        peer.acknowledge(received=8)
        report = server.wait_close()
        self.assertEqual(peer.finish(), [])
        self.assertEqual(report, report | {"by_peer": 0, "accepted": 10, "undelivered": 2, "exact": 1})

    def test_the_server_closes_with_a_code(self):
        server = self.server()
        peer = self.client(server)
        server.command("close -99 out of order")
        self.assertEqual(peer.expect(wire.Close), wire.Close(-99, 0, "out of order"))
        peer.acknowledge()
        self.assertEqual(peer.finish(), [])

    def test_both_close_at_once(self):
        server = self.server()
        peer = self.client(server)
        self.echo(peer, 3)
        server.command("close 0 server first")
        close = peer.expect(wire.Close)
        peer.write(wire.encode(wire.Close(0, peer.received, "client first")))
        self.assertEqual(peer.finish(), [])
        self.assertEqual((close.received, peer.confirmed), (3, 3))
        report = server.wait_close()
        self.assertEqual(report, report | {"accepted": 3, "undelivered": 0, "exact": 1})

    def test_an_answer_to_no_close(self):
        peer = self.client(self.server())
        peer.acknowledge()
        self.assertEqual(peer.expect(wire.Close).code, wire.PROTOCOL)

    def test_messages_behind_a_close_of_the_server_are_not_handled(self):
        server = self.server()
        peer = self.client(server)
        self.echo(peer, 2)
        server.command("close 0 enough")
        self.assertEqual(peer.expect(wire.Close).received, 2)
        for _ in range(5):
            peer.send(wire.TEXT, b"too late")
        peer.acknowledge()
        self.assertEqual(peer.finish(), [])
        report = server.wait_close()
        self.assertEqual(report, report | {"accepted": 2, "undelivered": 0, "exact": 1})

    def test_a_stream_that_ends_without_a_close(self):
        server = self.server()
        peer = self.client(server)
        self.echo(peer, 4)
        peer.write(wire.encode(wire.Number(wire.RECEIPT, 3)))
        peer.finish()
        report = server.wait_close()
        self.assertEqual(report, report | {"by_peer": 1, "accepted": 4, "undelivered": 1, "exact": 0})

    def test_stop(self):
        server = self.server()
        peer = self.client(server)
        self.echo(peer, 3)
        server.end_input()
        self.assertEqual(peer.expect(wire.Close).received, 3)
        peer.acknowledge()
        self.assertEqual(peer.finish(), [])
        report = server.wait_close()
        self.assertEqual(report, report | {"accepted": 3, "undelivered": 0, "exact": 1})
        server.wait("stopped")

    def test_abort(self):
        server = self.server()
        peer = self.client(server)
        server.command("abort")
        with self.assertRaises(ConnectionResetError):
            peer.frame()


class Refusals(ServerTest):
    def test_another_major_version(self):
        peer = self.stranger(self.server())
        peer.write(wire.PREAMBLE + wire.frame(wire.HELLO, b"\x02\x01what comes next is unknown"))
        peer.expect_preamble()
        self.assert_refused(peer, wire.PROTOCOL, "2.1", "1.1")

    def test_what_breaks_the_protocol(self):
        server = self.server()
        faults = {
            "reserved bits": wire.frame(wire.TEXT, b"x", reserved=1),
            "reserved bits of an unknown kind": wire.frame(99, b"x", reserved=0x8000),
            "flags": wire.frame(wire.BINARY, b"x", flags=1),
            "kind 0": bytes(64),
            "text": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "a short PING": wire.frame(wire.PING, b"1234567"),
            "a short CLOSE": wire.frame(wire.CLOSE, b"123"),
            "a reason that is not UTF-8": wire.frame(wire.CLOSE, bytes(12) + b"\1\0\xff"),
            "a long control frame": wire.frame(wire.PONG, bytes(2049)),
            "a second HELLO": wire.frame(wire.HELLO, wire.hello_payload("again", 1)),
            "a HELLO_ACK from a client": wire.frame(wire.HELLO_ACK, wire.hello_payload("x", 1)),
        }
        for name, fault in faults.items():
            with self.subTest(name), contextlib.closing(Peer.connect(server.address).sock) as sock:
                peer = Peer(sock)
                peer.send(wire.TEXT, b"good")
                peer.expect(wire.Message)
                peer.write(fault)
                self.assertEqual(self.assert_refused(peer, wire.PROTOCOL).received, 1)
                self.assertEqual(server.wait_close()["reason"], wire.PROTOCOL)

    def test_anything_else_before_a_hello(self):
        server = self.server()
        for kind in (wire.HELLO_ACK, wire.TEXT, wire.BINARY, wire.PONG, wire.RECEIPT):
            with self.subTest(wire.KIND_NAMES[kind]):
                peer = self.stranger(server)
                peer.write(wire.PREAMBLE + wire.frame(kind, wire.hello_payload("x", 1)))
                peer.expect_preamble()
                self.assert_refused(peer, wire.PROTOCOL)

    def test_a_bad_hello(self):
        server = self.server()
        hello = wire.hello_payload("python", 1 << 20)
        for name, payload in {
            "cut": hello[:-1],
            "empty": b"",
            "long id": hello[:12] + b"\x00\x01" + b"x" * 256,
            "id not UTF-8": hello[:12] + b"\x01\x00\xff",
        }.items():
            with self.subTest(name):
                peer = self.stranger(server)
                peer.write(wire.PREAMBLE + wire.frame(wire.HELLO, payload))
                peer.expect_preamble()
                self.assert_refused(peer, wire.PROTOCOL)

    def test_too_long_a_message_is_refused_at_its_header(self):
        server = self.server(max_message_bytes=4000)
        for kind in (wire.TEXT, wire.BINARY, 77):
            with self.subTest(kind=kind):
                peer = self.client(server)
                peer.send(wire.BINARY, bytes(4000))
                self.assertEqual(len(peer.expect(wire.Message).payload), 4000)
                peer.write(wire.frame(kind, bytes(4001))[:8])
                self.assert_refused(peer, wire.MESSAGE_TOO_LARGE, "4001", "4000")

    def test_a_refusal_survives_what_is_still_on_the_way(self):
        peer = self.client(self.server(max_message_bytes=4000))
        peer.write(wire.frame(wire.TEXT, bytes(4001)) + bytes(300_000))
        self.assert_refused(peer, wire.MESSAGE_TOO_LARGE)

    def test_messages_too_long_for_this_client_are_not_sent(self):
        server = self.server()
        peer = self.client(server, limit=10)
        peer.send(wire.TEXT, b"x" * 11)
        server.wait("not echoed status=-642")
        peer.send(wire.TEXT, b"short")
        self.assertEqual(peer.expect(wire.Message).payload, b"short")

    def test_a_full_server(self):
        server = self.server(max_connections=1)
        self.client(server)
        peer = self.stranger(server)
        peer.write(PREAMBLE_AND_HELLO)
        peer.expect_preamble()
        self.assert_refused(peer, wire.SERVER_BUSY)

    def test_a_hello_that_does_not_come_after_a_late_preamble(self):
        server = self.server(handshake_timeout_ms=400)
        peer = self.stranger(server)
        server.wait("open framing=0 client= ")
        peer.write(wire.PREAMBLE)
        peer.expect_preamble()
        self.assert_refused(peer, wire.TIMEOUT)

    def test_a_hello_that_does_not_come(self):
        peer = self.stranger(self.server(handshake_timeout_ms=200))
        peer.write(wire.PREAMBLE + wire.frame(wire.HELLO, bytes(30))[:9])
        peer.expect_preamble()
        self.assert_refused(peer, wire.TIMEOUT)


if __name__ == "__main__":
    unittest.main()
