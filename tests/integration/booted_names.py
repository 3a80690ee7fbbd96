"""For the booted tests: a name server at 127.0.0.1:53 that knows each name as ::1 only, and the way
from [::1]:PORT to 127.0.0.1:PORT, where the sandbox is. Says each question on standard output."""

import asyncio
import sys

PORT = int(sys.argv[1])


def answer(question):
    """One AAAA record of ::1; for everything else: the name is known, without such a record."""
    end = 12
    while question[end]:
        end += 1 + question[end]
    end += 5
    kind = int.from_bytes(question[end - 4:end - 2], 'big')
    print('asked for type', kind, flush=True)
    records = b''
    if kind == 28:
        records = b'\xc0\x0c' + question[end - 4:end] + (5).to_bytes(4, 'big') + b'\0\x10' + bytes(15) + b'\1'
    return (question[:2] + b'\x85\x80\0\1' + (b'\0\1' if records else b'\0\0') + bytes(4)
            + question[12:end] + records)


class NameServer(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(answer(data), addr)


async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()


async def forward(reader, writer):
    try:
        there = await asyncio.open_connection('127.0.0.1', PORT)
    except OSError:
        writer.close()
        return
    print('a connection over IPv6', flush=True)
    await asyncio.gather(copy(reader, there[1]), copy(there[0], writer))


async def main():
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(NameServer, local_addr=('127.0.0.1', 53))
    server = await asyncio.start_server(forward, '::1', PORT)
    await server.serve_forever()

asyncio.run(main())
