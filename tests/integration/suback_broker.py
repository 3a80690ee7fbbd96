#!/usr/bin/env python3
"""A broker over TLS that answers SUBSCRIBE wrongly on purpose: suback_broker.py PORT DIRECTORY HOW

HOW  right    a code for each filter
     short    one code, however many filters
     long     three codes more than filters
     refuse   a code for each filter, 0x80 for the second one of the connection
     strange  codes that do not exist
     once     the first SUBSCRIBE is answered, then the connection ends
Prints the number of filters of each SUBSCRIBE, one a line, into DIRECTORY/subscribes.
"""
import socket
import ssl
import sys

PORT, DIRECTORY, HOW = int(sys.argv[1]), sys.argv[2], sys.argv[3]


class Gone(Exception):
    pass


def read(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise Gone
        data += more
    return data


def read_packet(connection):
    kind = read(connection, 1)[0]
    size = shift = 0
    while True:
        byte = read(connection, 1)[0]
        size |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return kind, read(connection, size)


def count_filters(body, is_5):
    at, count = 2, 0
    if is_5:
        at += 1 + body[at]  # short properties
    while at < len(body):
        at += 3 + int.from_bytes(body[at:at + 2], "big")
        count += 1
    return count


def serve(connection):
    _, body = read_packet(connection)
    is_5 = body[6] == 5
    connection.sendall(b"\x20\x03\0\0\0" if is_5 else b"\x20\x02\0\0")
    seen = 0
    while True:
        kind, body = read_packet(connection)
        if kind != 0x82:
            continue
        count = count_filters(body, is_5)
        with open(f"{DIRECTORY}/subscribes", "a") as file:
            print(count, file=file)
        codes = [0] * count
        if HOW == "refuse":
            codes = [0x80 if seen + i == 1 else 0 for i in range(count)]
        seen += count
        if HOW == "short":
            codes = [0]
        elif HOW == "long":
            codes = [0] * (count + 3)
        elif HOW == "strange":
            codes = [3] * count
        answer = body[:2] + (b"\0" if is_5 else b"") + bytes(codes)
        connection.sendall(bytes([0x90, len(answer)]) + answer)
        if HOW == "once":
            return


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{DIRECTORY}/server.pem", f"{DIRECTORY}/server.key")
context.load_verify_locations(f"{DIRECTORY}/ca.pem")
context.verify_mode = ssl.CERT_REQUIRED
listener = socket.create_server(("127.0.0.1", PORT))
while True:
    connection, _ = listener.accept()
    try:
        with context.wrap_socket(connection, server_side=True) as connection:
            serve(connection)
    except (Gone, OSError):
        pass
