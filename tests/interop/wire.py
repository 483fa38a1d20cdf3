"""The codec of the framed protocol in plain Python, written from docs/protocol.md alone.

It shares no code with the library, so that an error in one of them shows as a disagreement.
"""

import struct
from dataclasses import dataclass

PREAMBLE = b"NSYS\r\n\x1a\n"
VERSION = (1, 1)
MAX_CONTROL = 2048
MAX_ID = 255
MAX_REASON = 1024

# Algorithms: bits of the capabilities, which are the same numbers as the flags of a message. This peer has no zstd.
LZ4, ZSTD = 1, 2
MAX_RATIO = 100

HELLO, HELLO_ACK, TEXT, BINARY, PING, PONG, CLOSE, CLOSE_ACK, RECEIPT = range(1, 10)
KIND_NAMES = dict(
    enumerate("HELLO HELLO_ACK TEXT BINARY PING PONG CLOSE CLOSE_ACK RECEIPT".split(), start=1)
)

ORDERLY = 0
TIMEOUT = -4
MESSAGE_TOO_LARGE = -642
PROTOCOL = -644
SERVER_BUSY = -663

_HEADER = struct.Struct("<IBBH")
_HELLO = struct.Struct("<BBHIIH")
_CLOSE = struct.Struct("<iQH")
_NUMBER = struct.Struct("<Q")
_LENGTH = struct.Struct("<I")


class WireError(Exception):
    """What a receiver has to answer with a CLOSE of this code."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Hello:
    ack: bool
    minor: int
    capabilities: int
    max_message_bytes: int
    id: str


@dataclass(frozen=True)
class Message:
    kind: int
    payload: bytes


@dataclass(frozen=True)
class Number:
    """PING, PONG (token), CLOSE_ACK and RECEIPT (received): frames of one number."""

    kind: int
    value: int


@dataclass(frozen=True)
class Close:
    code: int
    received: int
    reason: str


@dataclass(frozen=True)
class Skipped:
    kind: int
    payload: bytes


def frame(kind, payload=b"", flags=0, reserved=0):
    """A frame of raw parts; whoever tests a receiver may give parts that no peer sends."""
    return _HEADER.pack(len(payload), kind, flags, reserved) + payload


def hello_payload(peer_id, max_message_bytes, version=VERSION, capabilities=0):
    encoded = peer_id.encode()
    return _HELLO.pack(*version, 0, capabilities, max_message_bytes, len(encoded)) + encoded


def encode(item):
    match item:
        case Hello():
            payload = hello_payload(item.id, item.max_message_bytes, (VERSION[0], item.minor), item.capabilities)
            return frame(HELLO_ACK if item.ack else HELLO, payload)
        case Number():
            return frame(item.kind, _NUMBER.pack(item.value))
        case Close():
            reason = item.reason.encode()
            return frame(CLOSE, _CLOSE.pack(item.code, item.received, len(reason)) + reason)
        case Message() | Skipped():
            return frame(item.kind, item.payload)
    raise TypeError(item)


def _text(what, data, length, limit):
    if length > limit:
        raise WireError(PROTOCOL, f"{what} of {length} bytes: at most {limit}")
    if length > len(data):
        raise WireError(PROTOCOL, f"{what} of {length} bytes, of which {len(data)} are there")
    try:
        return data[:length].decode()
    except UnicodeDecodeError:
        raise WireError(PROTOCOL, f"{what} is not UTF-8") from None


def _unpack(what, layout, payload):
    if len(payload) < layout.size:
        raise WireError(PROTOCOL, f"{what} of {len(payload)} bytes: at least {layout.size}")
    return layout.unpack_from(payload)


def decode(kind, payload):
    """The frame that the payload of this kind makes."""
    name = KIND_NAMES.get(kind)
    if kind in (HELLO, HELLO_ACK):
        if len(payload) >= 2 and payload[0] != VERSION[0]:
            raise WireError(PROTOCOL, f"version {payload[0]}.{payload[1]}, this side speaks {VERSION[0]}.{VERSION[1]}")
        _, minor, _, capabilities, limit, length = _unpack(name, _HELLO, payload)
        return Hello(kind == HELLO_ACK, minor, capabilities, limit, _text("id", payload[_HELLO.size :], length, MAX_ID))
    if kind in (TEXT, BINARY):
        return Message(kind, payload)
    if kind in (PING, PONG, CLOSE_ACK, RECEIPT):
        return Number(kind, _unpack(name, _NUMBER, payload)[0])
    if kind == CLOSE:
        code, received, length = _unpack(name, _CLOSE, payload)
        return Close(code, received, _text("reason", payload[_CLOSE.size :], length, MAX_REASON))
    return Skipped(kind, payload)


def lz4_unpack(block, length):
    """What a block of LZ4 unpacks to, if that is `length` bytes."""
    source, out = iter(block), bytearray()

    def number(nibble):
        more = 255 if nibble == 15 else 0
        while more == 255:
            more = next(source)
            nibble += more
        return nibble

    try:
        while True:
            token = next(source)
            out += bytes(next(source) for _ in range(number(token >> 4)))
            low = next(source, None)
            if low is None:
                break
            offset = low + 256 * next(source)
            count = 4 + number(token & 15)
            if not 0 < offset <= len(out) or len(out) + count > length:
                raise WireError(PROTOCOL, "LZ4: copies from outside, or too much")
            for _ in range(count):
                out.append(out[-offset])
    except (StopIteration, RuntimeError):
        raise WireError(PROTOCOL, "LZ4: cut short") from None
    if len(out) != length:
        raise WireError(PROTOCOL, f"LZ4: {len(out)} bytes instead of {length}")
    return bytes(out)


def unpack(algorithm, payload, limit):
    """The message that came compressed."""
    (length,) = _unpack("compressed message", _LENGTH, payload)
    if length > limit:
        raise WireError(MESSAGE_TOO_LARGE, f"message of {length} bytes: the limit is {limit}")
    if not len(payload) < length <= MAX_RATIO * len(payload):
        raise WireError(PROTOCOL, f"message of {length} bytes in {len(payload)}")
    if algorithm != LZ4:
        raise NotImplementedError(f"algorithm {algorithm}")
    return lz4_unpack(payload[_LENGTH.size :], length)


class Decoder:
    """Cuts a stream of bytes into frames. `agreed` are the algorithms that both hellos have offered."""

    def __init__(self, limit, agreed=0):
        self.limit = limit
        self.agreed = agreed
        self.unpacked = 0
        self.buffer = bytearray()

    def feed(self, data):
        self.buffer += data

    def next(self):
        """The next frame, or None if more bytes are needed."""
        if len(self.buffer) < _HEADER.size:
            return None
        length, kind, flags, reserved = _HEADER.unpack_from(self.buffer)
        known = kind in KIND_NAMES
        packed = kind in (TEXT, BINARY) and flags in (LZ4, ZSTD) and flags & self.agreed
        if reserved != 0 or kind == 0 or (known and flags != 0 and not packed):
            raise WireError(PROTOCOL, f"bad header: kind {kind}, flags {flags}, reserved {reserved}")
        if known and kind not in (TEXT, BINARY):
            if length > MAX_CONTROL:
                raise WireError(PROTOCOL, f"control frame of {length} bytes: at most {MAX_CONTROL}")
        elif length > self.limit:
            raise WireError(MESSAGE_TOO_LARGE, f"message of {length} bytes: the limit is {self.limit}")
        end = _HEADER.size + length
        if len(self.buffer) < end:
            return None
        payload = bytes(self.buffer[_HEADER.size : end])
        del self.buffer[:end]
        if packed:
            self.unpacked += 1
            return Message(kind, unpack(flags, payload, self.limit))
        return decode(kind, payload)
