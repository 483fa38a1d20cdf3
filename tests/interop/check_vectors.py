#!/usr/bin/env python3
"""Checks the Python codec against tests/vectors, whose README describes the format."""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True

import wire

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "vectors"


def load(name):
    entries = []
    for line in (VECTORS / name).read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        key, value = line.split(":", 1)
        value = value.strip()
        if key == "name":
            entries.append({"name": value, "limit": 1 << 20, "agreed": 0, "bytes": b"", "expect": [], "says": []})
        elif key == "limit":
            entries[-1]["limit"] = int(value)
        elif key == "agreed":
            entries[-1]["agreed"] = sum({"lz4": wire.LZ4, "zstd": wire.ZSTD}[word] for word in value.split())
        elif key == "bytes":
            for item in value.split():
                byte, _, count = item.partition("*")
                entries[-1]["bytes"] += bytes.fromhex(byte) * int(count or 1)
        else:
            entries[-1][key].append(value)
    return entries


def quoted(text):
    if len(text.encode()) > 64 and len(set(text)) == 1:
        return f'{len(text)}*"{text[0]}"'
    return f'"{text}"'


def describe(item):
    match item:
        case wire.Hello():
            return (
                f"{'HELLO_ACK' if item.ack else 'HELLO'} version=1.{item.minor} capabilities={item.capabilities:#x} "
                f"max_message_bytes={item.max_message_bytes} id={quoted(item.id)}"
            )
        case wire.Message():
            payload = item.payload
            repeated = len(payload) > 64 and len(set(payload)) == 1
            text = f"{len(payload)}*{payload[0]:02x}" if repeated else payload.hex()
            return f"{wire.KIND_NAMES[item.kind]} {text}".rstrip()
        case wire.Number():
            field = "token" if item.kind in (wire.PING, wire.PONG) else "received"
            return f"{wire.KIND_NAMES[item.kind]} {field}={item.value}"
        case wire.Close():
            return f"CLOSE code={item.code} received={item.received} reason={quoted(item.reason)}"
        case wire.Skipped():
            return f"skip {item.kind}"
    raise TypeError(item)


def receive(vector, piece):
    """The frames of the stream, described and encoded again, when it comes in pieces of this size."""
    decoder = wire.Decoder(vector["limit"], vector["agreed"])
    lines, encoded = [], b""
    data = vector["bytes"]
    try:
        for start in range(0, len(data), piece):
            decoder.feed(data[start : start + piece])
            while (item := decoder.next()) is not None:
                lines.append(describe(item))
                encoded += wire.encode(item)
    except wire.WireError as error:
        return [*lines, f"error {error.code}"], encoded
    return lines + ["more"] * bool(decoder.buffer), encoded


class Vectors(unittest.TestCase):
    def check(self, name):
        for vector in load(name):
            for piece in (1, 3, 8, 1 << 20):
                with self.subTest(vector["name"], piece=piece):
                    lines, encoded = receive(vector, piece)
                    self.assertEqual(lines, vector["expect"])
            yield vector, encoded

    def test_preamble(self):
        for vector in load("preamble.txt"):
            with self.subTest(vector["name"]):
                first = vector["bytes"]
                if first.startswith(wire.PREAMBLE):
                    verdict = "framed"
                else:
                    verdict = "more" if wire.PREAMBLE.startswith(first) else "raw"
                self.assertEqual([verdict], vector["expect"])

    def test_frames(self):
        for vector, encoded in self.check("frames.txt"):
            with self.subTest(vector["name"]):
                self.assertEqual(encoded, vector["bytes"])

    def test_tolerated(self):
        for vector, _ in self.check("tolerated.txt"):
            self.assertNotIn("error", " ".join(vector["expect"]))

    def test_compressed(self):
        """What needs zstd, which Python's standard library does not have, is left to others."""
        checked = 0
        for vector in load("compressed.txt"):
            if vector["bytes"][5] == wire.ZSTD and vector["agreed"] & wire.ZSTD:
                continue
            checked += 1
            for piece in (1, 3, 8, 1 << 20):
                with self.subTest(vector["name"], piece=piece):
                    self.assertEqual(receive(vector, piece)[0], vector["expect"])
        self.assertGreater(checked, 15)

    def test_malformed(self):
        for vector, _ in self.check("malformed.txt"):
            self.assertTrue(vector["expect"][-1].startswith("error -"))


if __name__ == "__main__":
    unittest.main()
