#!/usr/bin/env python3
"""A crowd of bad clients at the daemon's socket, for some seconds.

usage: crowd.py SOCKET WHAT SECONDS [COUNT]

  connects   connect and hang up, as fast as it goes, from COUNT processes
  garbage    COUNT connections that send bytes without meaning, again and again
  loris      COUNT connections that send a report, one byte every 20 ms
  half       COUNT connections that send half a frame and stay
  deaf       COUNT connections that watch and ask for everything and never read
  stay       COUNT connections that say HELLO and stay until stdin ends, and SECONDS more where
             some were not answered yet; says "all are answered" on stderr when all were
  names      COUNT programs, each with another name, that report and hang up

Prints one line of JSON at the end. What it may see is judged by the test.
"""
import json
import os
import select
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import hostile  # noqa: E402

GET, STATUS = 0x04, 0x05


def connect(path, blocking=False):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(60 if blocking else None)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        return None
    connection.setblocking(blocking)
    return connection


def hello(name):
    return hostile.frame(hostile.HELLO, struct.pack("<HHQ", 1, 1, 1) + hostile.text16(name))


def send(connection, data):
    """How much of it was taken; -1: it is closed."""
    try:
        return connection.send(data)
    except BlockingIOError:
        return 0
    except OSError:
        return -1


def said(connection):
    """What the daemon has said so far: (bytes, whether it closed)."""
    data = b""
    while True:
        try:
            chunk = connection.recv(65536)
        except BlockingIOError:
            return data, False
        except OSError:
            return data, True
        if not chunk:
            return data, True
        data += chunk


def goodbye_of(data):
    offset = 0
    while len(data) >= offset + 8:
        kind, _, _, size = struct.unpack_from("<BBHI", data, offset)
        if kind == hostile.GOODBYE:
            return hostile.describe(kind, data[offset + 8:offset + 8 + size])
        offset += 8 + size
    return None


def connects(path, seconds, count):
    """One process is not fast enough to hurt."""
    readers = []
    for _ in range(count):
        reader, writer = os.pipe()
        if os.fork() == 0:
            made, end = 0, time.monotonic() + seconds
            while time.monotonic() < end:
                connection = connect(path)
                if connection:
                    connection.close()
                    made += 1
            os.write(writer, b"%d\n" % made)
            os._exit(0)
        os.close(writer)
        readers.append(reader)
    made = sum(int(os.read(reader, 32)) for reader in readers)
    for _ in readers:
        os.wait()
    return {"connects": made, "a_second": int(made / seconds)}


def garbage(path, seconds, count):
    crowd, sent, made, end = [], 0, 0, time.monotonic() + seconds
    while time.monotonic() < end:
        while len(crowd) < count:
            connection = connect(path)
            if not connection:
                break
            made += 1
            crowd.append(connection)
        kept = []
        for connection in crowd:
            # After a good HELLO it is no better.
            data = (hello(b"garbage") if made % 2 else b"") + os.urandom(2048)
            taken = send(connection, data)
            if taken < 0 or said(connection)[1]:
                connection.close()
            else:
                sent += taken
                kept.append(connection)
        crowd = kept
        time.sleep(0.002)
    return {"connections": made, "bytes": sent}


def loris(path, seconds, count):
    message = hello(b"loris") + hostile.report(hostile.number(b"/loris", 1.0))
    crowd = [c for c in (connect(path) for _ in range(count)) if c]
    position, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        for connection in crowd:
            send(connection, message[position:position + 1])
        position = (position + 1) % len(message)
        time.sleep(0.02)
    return {"connections": len(crowd)}


def half(path, seconds, count):
    message = hello(b"half") + hostile.frame(hostile.REPORT, b"x" * 60000)[:40000]
    crowd = [c for c in (connect(path) for _ in range(count)) if c]
    for connection in crowd:
        send(connection, message)
    time.sleep(seconds)
    return {"connections": len(crowd)}


def deaf(path, seconds, count):
    crowd = [c for c in (connect(path) for _ in range(count)) if c]
    for connection in crowd:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        send(connection, hello(b"deaf") + b"".join(
            hostile.frame(hostile.WATCH, struct.pack("<Q", i + 1) + hostile.text16(b""))
            for i in range(60)))
    asked, end = 0, time.monotonic() + seconds
    question = hostile.frame(STATUS, struct.pack("<Q", 99)) * 50
    while time.monotonic() < end:
        for connection in crowd:
            asked += max(0, send(connection, question))
        time.sleep(0.02)
    return {"connections": len(crowd), "bytes": asked}


def stay(path, seconds, count):
    heard = {c: b"" for c in (connect(path) for _ in range(count)) if c}
    for connection in heard:
        send(connection, hello(b"stay"))
    unanswered, gone, end = set(heard), set(), None
    while end is None or (unanswered and time.monotonic() < end):
        inputs = [c for c in heard if c not in gone] + ([sys.stdin] if end is None else [])
        for ready in select.select(inputs, [], [], 0.1)[0]:
            if ready is sys.stdin:
                end = time.monotonic() + seconds if not os.read(0, 4096) else None
                continue
            data, closed = said(ready)
            heard[ready] += data
            if closed:
                gone.add(ready)
            if ready in unanswered and (closed or heard[ready][:1] == bytes([hostile.WELCOME])):
                unanswered.discard(ready)
                if not unanswered:
                    print("all are answered", file=sys.stderr, flush=True)
    texts = [text for text in map(goodbye_of, heard.values()) if text]
    return {"connections": len(heard), "kept": len(heard) - len(gone), "refused": len(texts),
            "texts": sorted(set(texts))}


def names(path, seconds, count):
    made, end = 0, time.monotonic() + seconds
    for i in range(count):
        connection = connect(path, blocking=True)
        if not connection or time.monotonic() > end:
            break
        connection.sendall(hello(b"program-%d" % i)
                           + hostile.report(hostile.number(b"/named", float(i)), request=1))
        for kind, _ in hostile.read_frames(connection):
            if kind == hostile.ANSWER:
                made += 1
                break
        connection.close()
    return {"programs": made}


def main(path, what, seconds, count="50"):
    kinds = {f.__name__: f for f in (connects, garbage, loris, half, deaf, stay, names)}
    print(json.dumps(kinds[what](path, float(seconds), int(count))))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
