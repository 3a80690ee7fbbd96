#!/usr/bin/env python3
"""Speak to the daemon's socket as no decent client does; say what it answers.

usage: hostile.py SOCKET WHAT [SECONDS]

Prints one line: `rejected CODE PATH TEXT`, `goodbye CODE TEXT`, `failed CODE TEXT`, `closed`
(without a word), `accepted LEVEL`, or `silent` (nothing within SECONDS, 60 if not said).
The numbers are those of docs/protocol.md.
"""
import os
import socket
import struct
import sys

HELLO, OPEN_SHADOW, REPORT = 0x01, 0x02, 0x03
WATCH, FORGET, WILL, BYE = 0x07, 0x0a, 0x0c, 0x0d
ADMIN, HISTORY = 0x0e, 0x0f
WELCOME, ANSWER, REJECTED, FAILED, GOODBYE = 0x41, 0x43, 0x44, 0x48, 0x49
SET, UNSET = 1, 2
BOOL, INT64, DOUBLE, STRING, ARRAY, EMPTY_OBJECT = 1, 2, 3, 4, 5, 6
QUEUED, ACCEPTED = 1, 3


def frame(kind, payload, flags=0, shadow=0):
    return struct.pack("<BBHI", kind, flags, shadow, len(payload)) + payload


def text16(data):
    return struct.pack("<H", len(data)) + data


def text32(data):
    return struct.pack("<I", len(data)) + data


def hello():
    return frame(HELLO, struct.pack("<HHQ", 1, 1, 4711) + text16(b"hostile"))


def operation(path, kind, value):
    return struct.pack("<BB", SET, kind) + text16(path) + value


def report(*operations, level=QUEUED, request=1):
    return frame(REPORT, struct.pack("<QB", request, level) + b"".join(operations))


def number(path, value):
    return operation(path, DOUBLE, struct.pack("<d", value))


def string(path, data):
    return operation(path, STRING, text32(data))


def array(path, data):
    return operation(path, ARRAY, text32(data))


def open_shadow(thing, shadow):
    return frame(OPEN_SHADOW, struct.pack("<Q", 1) + text16(thing) + text16(shadow), shadow=1)


def about(kind, path, handle=0):
    return frame(kind, struct.pack("<Q", 1) + text16(path), shadow=handle)


def admin(action, argument=0, duration=0, request=1):
    return frame(ADMIN, struct.pack("<QBII", request, action, argument, duration))


def deep(levels):
    return string(b"".join(b"/k%d" % level for level in range(levels)), b"x")


WHAT = {
    "nan": lambda: hello() + report(number(b"/bad/nan", float("nan"))),
    "infinity": lambda: hello() + report(number(b"/bad/inf", float("inf"))),
    "empty-key": lambda: hello() + report(number(b"/bad//x", 1.0)),
    "no-slash": lambda: hello() + report(number(b"bad", 1.0)),
    "utf8-path": lambda: hello() + report(number(b"/bad/\xff\xfe", 1.0)),
    "utf8-value": lambda: hello() + report(string(b"/bad/text", b"\xc3\x28")),
    "array-null": lambda: hello() + report(array(b"/bad/list", b"[1,null]")),
    "array-text": lambda: hello() + report(array(b"/bad/list", b"[1,")),
    "array-deep": lambda: hello() + report(array(b"/bad/list", b"[" * 3000 + b"]" * 3000)),
    "deep": lambda: hello() + report(deep(9)),
    "large": lambda: hello() + report(string(b"/bad/large", b"x" * 9000)),
    "half-bad": lambda: hello() + report(number(b"/good/one", 1.0), number(b"/bad/nan", float("nan"))),
    "long-frame": lambda: hello() + struct.pack("<BBHI", REPORT, 0, 0, 70000) + b"x" * 1000,
    "endless-frame": lambda: hello() + struct.pack("<BBHI", REPORT, 0, 0, 0xFFFFFFFF),
    "short-report": lambda: hello() + frame(REPORT, b"\x01\x02"),
    "cut-operation": lambda: hello() + report(number(b"/bad/x", 1.0)[:-3]),
    "unknown-type": lambda: hello() + frame(0x3E, b"abc"),
    "ignorable-type": lambda: hello() + frame(0x3E, b"abc", flags=0x80)
    + report(number(b"/good/ignorable", 1.0)),
    "unknown-handle": lambda: hello() + frame(
        REPORT, struct.pack("<QB", 1, QUEUED) + number(b"/bad/x", 1.0), shadow=99),
    "set-root": lambda: hello() + report(number(b"", 1.0)),
    "contradiction": lambda: hello() + report(number(b"/bad/a", 1.0), number(b"/bad/a/b", 1.0)),
    "other-thing": lambda: hello() + open_shadow(b"somebody-elses-thing", b""),
    "thing-name": lambda: hello() + open_shadow(b"no/thing", b""),
    "shadow-name": lambda: hello() + open_shadow(b"", b"no shadow"),
    "shadow-name-nul": lambda: hello() + open_shadow(b"", b"a\0b"),
    "shadow-name-long": lambda: hello() + open_shadow(b"", b"a" * 65),
    "watch-handle": lambda: hello() + about(WATCH, b"", handle=99),
    "watch-path": lambda: hello() + about(WATCH, b"no/pointer"),
    "watch-utf8": lambda: hello() + about(WATCH, b"/\xff"),
    "short-watch": lambda: hello() + frame(WATCH, b"\1\2\3"),
    "forget-nothing": lambda: hello() + about(FORGET, b"/never/reported"),
    "deep-will": lambda: hello() + frame(WILL, struct.pack("<Q", 1) + deep(9)),
    "cut-will": lambda: hello() + frame(WILL, struct.pack("<Q", 1) + number(b"/bad/x", 1.0)[:-3]),
    "long-bye": lambda: hello() + frame(BYE, b"bye"),
    "behind-bye": lambda: hello() + frame(BYE, b"") + report(number(b"/bad/behind", 1.0)),
    "admin-action": lambda: hello() + admin(200),
    "admin-nothing": lambda: hello() + admin(0),
    "admin-level": lambda: hello() + admin(5, 0xFFFFFFFF),
    "admin-long": lambda: hello() + admin(5, 7, 0xFFFFFFFF),
    "short-admin": lambda: hello() + frame(ADMIN, bytes(9)),
    "short-history": lambda: hello() + frame(HISTORY, bytes(7)),
    "admin-flood": lambda: hello() + b"".join(admin(1, request=i + 1) for i in range(3000)) + frame(0x3E, b""),
    "no-hello": lambda: report(number(b"/bad/x", 1.0)),
    "version": lambda: frame(HELLO, struct.pack("<HHQ", 900, 901, 1) + text16(b"future")),
    "json": lambda: b'{"set":{"a":1}}\n',
    "http": lambda: b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "random": lambda: os.urandom(4096),
    "zeros": lambda: bytes(4096),
}


def read_frames(connection):
    """Yield (type, payload) until the daemon closes."""
    buffer = b""
    while True:
        while len(buffer) >= 8:
            kind, _, _, size = struct.unpack_from("<BBHI", buffer)
            if len(buffer) < 8 + size:
                break
            yield kind, buffer[8:8 + size]
            buffer = buffer[8 + size:]
        chunk = connection.recv(65536)
        if not chunk:
            return
        buffer += chunk


def take_text(payload, offset):
    size, = struct.unpack_from("<H", payload, offset)
    text = payload[offset + 2:offset + 2 + size].decode("utf-8", "replace")
    return text, offset + 2 + size


def describe(kind, payload):
    if kind == REJECTED:
        code, = struct.unpack_from("<I", payload, 16)
        path, offset = take_text(payload, 20)
        text, _ = take_text(payload, offset)
        return f"rejected {code} {path} {text}"
    if kind == GOODBYE:
        code, = struct.unpack_from("<I", payload)
        text, _ = take_text(payload, 4)
        return f"goodbye {code} {text}"
    if kind == FAILED:
        code, = struct.unpack_from("<I", payload, 8)
        text, _ = take_text(payload, 12)
        return f"failed {code} {text}"
    if kind == ANSWER:
        return f"accepted {payload[0]}"
    return None


def main(path, what, seconds="60"):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(float(seconds))
    connection.connect(path)
    try:
        connection.sendall(WHAT[what]())
    except OSError:
        pass  # closed on us in the middle: what it said is still there to be read
    try:
        for kind, payload in read_frames(connection):
            told = describe(kind, payload)
            if told:
                print(told)
                return 0
        print("closed")
    except socket.timeout:
        print("silent")
    except ConnectionResetError:
        print("closed")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
