"""A C client against a Python server."""

import socket
import unittest

import wire
from c_process import CProcess
from framed_peer import Peer


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.listener = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        self.listener.settimeout(10)

    def start(self, **options):
        """A C client, and its connection as accepted."""
        client = self.enterContext(CProcess("client", self.listener.getsockname()[1], **options))
        return client, self.listener.accept()[0]

    def session(self, **options):
        client, sock = self.start()
        peer = self.enterContext(Peer.accept(sock, "python-server", **options))
        client.wait("open framing=1 client=c-client server=python-server")
        return client, peer

    def greeted(self, **options):
        """A C client whose hello has been read and not been answered."""
        client, sock = self.start(**options)
        peer = self.enterContext(Peer(sock))
        peer.expect_preamble()
        return client, peer, peer.expect(wire.Hello)


class Messages(ClientTest):
    def test_hello(self):
        _, _, hello = self.greeted(max_message_bytes=5000)
        self.assertEqual(hello, wire.Hello(False, 1, 0, 5000, "c-client"))

    def test_messages(self):
        client, peer = self.session()
        client.command("text hello")
        self.assertEqual(peer.expect(wire.Message), wire.Message(wire.TEXT, b"hello"))
        peer.send(wire.TEXT, b"text")
        peer.send(wire.BINARY, b"")
        peer.send(wire.BINARY, b"b" * 100_000)
        client.wait("message kind=1 len=4 data=text")
        client.wait("message kind=2 len=0 data=")
        client.wait("message kind=2 len=100000 data=bbb")

    def test_compressed_messages(self):
        words = b"over and over " * 60
        for capabilities in (0, wire.LZ4):
            client, sock = self.start(compression=2)  # NETSYS_COMPRESSION_LZ4
            peer = self.enterContext(Peer.accept(sock, "python-server", capabilities=capabilities))
            self.assertEqual(peer.client.capabilities, wire.LZ4)
            client.wait("open framing=1 client=c-client server=python-server")
            client.command(f"text {words.decode()}")
            self.assertEqual(peer.expect(wire.Message), wire.Message(wire.TEXT, words))
            self.assertEqual(peer.decoder.unpacked, capabilities)

    def test_one_byte_at_a_time(self):
        client, peer, _ = self.greeted()
        peer.trickle(wire.PREAMBLE + peer.hello(True, "slow") + wire.frame(wire.TEXT, b"drop by drop"))
        client.wait("open framing=1 client=c-client server=slow")
        client.wait("message kind=1 len=12 data=drop by drop")

    def test_preamble_on_its_own(self):
        client, sock = self.start()
        peer = self.enterContext(Peer(sock))
        peer.write(wire.PREAMBLE)
        peer.expect_preamble()
        peer.expect(wire.Hello)
        peer.write(peer.hello(True, "early"))
        client.wait("open framing=1 client=c-client server=early")

    def test_unknown_kinds_are_skipped_and_pings_answered(self):
        client, peer = self.session()
        peer.write(wire.frame(42, b"x" * 5000, flags=3) + wire.encode(wire.Number(wire.PING, 99)))
        self.assertEqual(peer.frame(), wire.Number(wire.PONG, 99))
        peer.send(wire.TEXT, b"after")
        client.wait("message kind=1 len=5 data=after")


class Closing(ClientTest):
    def test_the_client_stops(self):
        client, peer = self.session()
        client.command("text one")
        client.command("text two")
        peer.send(wire.TEXT, b"x")
        client.wait("message ")
        client.end_input()
        peer.messages(2)
        self.assertEqual(peer.expect(wire.Close).received, 1)
        peer.acknowledge()
        self.assertEqual(peer.finish(), [])
        report = client.wait_close()
        expected = {"reason": 0, "by_peer": 0, "accepted": 2, "undelivered": 0, "exact": 1, "text": "stopped"}
        self.assertEqual(report, report | expected)
        client.wait("stopped")

    def test_the_client_stops_before_it_was_answered(self):
        client, peer, _ = self.greeted()
        client.command("text early")
        client.end_input()
        self.assertEqual(peer.expect(wire.Message).payload, b"early")
        self.assertEqual(peer.expect(wire.Close).received, 0)
        peer.write(wire.PREAMBLE + peer.hello(True, "late"))
        peer.acknowledge()
        self.assertEqual(peer.finish(), [])
        client.wait("stopped")

    def test_the_server_closes(self):
        client, peer = self.session()
        peer.send(wire.TEXT, b"x")
        client.command("text one")
        peer.messages(1)
        self.assertEqual(peer.close(-645, "handler failed", received=0), 1)
        self.assertEqual(peer.finish(), [])
        report = client.wait_close()
        expected = {"reason": -645, "by_peer": 1, "accepted": 1, "undelivered": 1, "exact": 1, "text": "handler failed"}
        self.assertEqual(report, report | expected)
        client.wait("stopped")

    def test_the_connection_breaks(self):
        client, peer = self.session()
        client.command("text one")
        peer.messages(1)
        peer.sock.close()
        report = client.wait_close()
        self.assertEqual(report, report | {"by_peer": 1, "accepted": 1, "undelivered": 1, "exact": 0})
        self.assertNotEqual(report["reason"], 0)
        client.wait("stopped")


class Refusals(ClientTest):
    def assert_told(self, client, code, word=""):
        """The client's user learns of the error, and the client stops."""
        match = client.wait(rf"error status={code} message=(.*)")
        self.assertIn(word, match[1])
        client.wait("stopped")

    def assert_refused(self, peer, code, *words):
        close = peer.expect(wire.Close)
        self.assertEqual(close.code, code, close)
        for word in words:
            self.assertIn(word, close.reason)
        self.assertEqual(peer.finish(), [])

    def test_the_server_is_busy(self):
        client, peer, _ = self.greeted()
        peer.write(wire.PREAMBLE + wire.encode(wire.Close(wire.SERVER_BUSY, 0, "all 5 seats are taken")))
        self.assert_told(client, wire.SERVER_BUSY, "all 5 seats are taken")

    def test_the_server_refuses_the_version(self):
        client, peer, _ = self.greeted()
        peer.write(wire.PREAMBLE + wire.encode(wire.Close(wire.PROTOCOL, 0, "version 1.0, this side speaks 2.0")))
        self.assert_told(client, wire.PROTOCOL, "this side speaks 2.0")

    def test_the_server_speaks_another_version(self):
        client, peer, _ = self.greeted()
        peer.write(wire.PREAMBLE + wire.frame(wire.HELLO_ACK, wire.hello_payload("new", 1, version=(2, 0))))
        self.assert_refused(peer, wire.PROTOCOL, "2.0", "1.1")
        self.assert_told(client, wire.PROTOCOL, "2.0")

    def test_the_server_is_not_framed(self):
        client, sock = self.start()
        peer = self.enterContext(Peer(sock))
        peer.write(b"220 mail.example ESMTP\r\n")
        self.assert_told(client, wire.PROTOCOL)

    def test_the_server_ends_without_a_word(self):
        client, peer, _ = self.greeted()
        peer.sock.close()
        client.wait("error status=-6")
        client.wait("stopped")

    def test_the_server_does_not_answer(self):
        client, _, _ = self.greeted(connect_timeout_ms=300)
        client.wait("error status=-602")
        client.wait("stopped")

    def test_a_message_before_the_answer(self):
        client, peer, _ = self.greeted()
        peer.write(wire.PREAMBLE + wire.frame(wire.TEXT, b"too early"))
        self.assert_refused(peer, wire.PROTOCOL)
        self.assert_told(client, wire.PROTOCOL)

    def test_what_breaks_the_protocol(self):
        for fault in (
            wire.frame(wire.TEXT, b"x", reserved=1),
            wire.frame(wire.HELLO, wire.hello_payload("x", 1)),
            wire.frame(wire.HELLO_ACK, wire.hello_payload("x", 1)),
            bytes(8),
        ):
            with self.subTest(fault=fault):
                client, peer = self.session()
                peer.write(fault)
                self.assert_refused(peer, wire.PROTOCOL)
                self.assertEqual(client.wait_close()["reason"], wire.PROTOCOL)

    def test_too_long_a_message(self):
        client, peer = self.session()
        peer.write(wire.frame(wire.TEXT, b"x" * ((1 << 20) + 1)))
        self.assert_refused(peer, wire.MESSAGE_TOO_LARGE, "1048577", "1048576")
        self.assertEqual(client.wait_close()["reason"], wire.MESSAGE_TOO_LARGE)


if __name__ == "__main__":
    unittest.main()
