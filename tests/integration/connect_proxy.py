#!/usr/bin/env python3
"""A small HTTP proxy that knows CONNECT alone, for tests.

usage: connect_proxy.py FOLDER [ADDRESS]

Listens on a port that the kernel chooses, writes it to FOLDER/proxy.port, and a line a request to
FOLDER/proxy.log: the target and what came as Proxy-Authorization; then the names that the beginning of
TLS holds in clear (of the server, and of ALPN), in a line `hello`. How it behaves is read
from FOLDER/proxy.mode at each request:

  ok                   let through
  auth BASE64          let through who says just that
  resolve ADDRESS PORT let through, to there whatever the name
  answer TEXT          say TEXT, with \\r and \\n, and hang up
  slow                 let through, with an answer that comes a byte at a time
  close                hang up without an answer
  hang                 say nothing
  stuck                let through, and then carry nothing
"""
import asyncio
import os
import re
import socket
import sys

FOLDER = sys.argv[1]
ADDRESS = sys.argv[2] if len(sys.argv) > 2 else '127.0.0.1'
LOGIN = 'proxy-authorization: '


def mode():
    with open(os.path.join(FOLDER, 'proxy.mode'), encoding='utf-8') as file:
        return file.read().strip()


def note(*words):
    with open(os.path.join(FOLDER, 'proxy.log'), 'a', encoding='utf-8') as file:
        print(*words, file=file)


async def pump(reader, writer, look=lambda data: None):
    try:
        while data := await reader.read(65536):
            look(data)
            look = lambda data: None
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()


def look_at_hello(data):
    note('hello', *sorted({word.decode() for word in re.findall(rb'[A-Za-z0-9.-]{6,}', data)}))


async def let_through(reader, writer, host, port, slow):
    try:
        up_reader, up_writer = await asyncio.open_connection(host, port)
    except OSError as error:
        note('unreachable', host, port, error)
        writer.write(b'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\nnope')
        return
    answer = b'HTTP/1.1 200 Connection established\r\nX-Padding: abc\r\n\r\n'
    for size in [1] * len(answer) if slow else [len(answer)]:
        writer.write(answer[:size])
        answer = answer[size:]
        await writer.drain()
        if slow:
            await asyncio.sleep(0.001)
    await asyncio.gather(pump(reader, up_writer, look_at_hello), pump(up_reader, writer))


async def answer(reader, writer, head):
    lines = head.decode('latin-1').split('\r\n')
    login = next((line[len(LOGIN):] for line in lines if line.lower().startswith(LOGIN)), '-')
    host, port = lines[0].split(' ')[1].rsplit(':', 1)
    now, _, rest = mode().partition(' ')
    note(now, lines[0], '|', login)
    if now == 'auth' and login != 'Basic ' + rest:
        writer.write(b'HTTP/1.1 407 Proxy Authentication Required\r\n'
                     b'Proxy-Authenticate: Basic realm="test"\r\n\r\n')
    elif now == 'resolve':
        await let_through(reader, writer, *rest.split(' '), False)
    elif now in ('ok', 'auth', 'slow'):
        await let_through(reader, writer, host.strip('[]'), port, now == 'slow')
    elif now == 'answer':
        writer.write(rest.encode().decode('unicode_escape').encode('latin-1'))
    elif now == 'stuck':
        writer.write(b'HTTP/1.1 200 OK\r\n\r\n')
        await reader.read()
    elif now == 'hang':
        await reader.read()


async def serve(reader, writer):
    try:
        await answer(reader, writer, await reader.readuntil(b'\r\n\r\n'))
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    writer.close()


async def main():
    family = socket.AF_INET6 if ':' in ADDRESS else socket.AF_INET
    server = await asyncio.start_server(serve, ADDRESS, 0, family=family)
    port = server.sockets[0].getsockname()[1]
    with open(os.path.join(FOLDER, 'proxy.port.new'), 'w', encoding='utf-8') as file:
        print(port, file=file)
    os.rename(file.name, os.path.join(FOLDER, 'proxy.port'))
    await server.serve_forever()

asyncio.run(main())
