"""The cable between a host and the control plane.

Its near ends are sockets that listen on the loopback of the host's network namespace: a socket stays in the namespace
that it was opened in, whoever holds it. Its far ends are the same ports on the machine's loopback, so every URL is the
same on both sides.
"""

import asyncio
import contextlib
import socket

_BLOCK_BYTES = 65536


async def plug_in(listeners: list[socket.socket]) -> list[asyncio.Server]:
    """Join what is connected to each listener with the same port of the machine, while the servers are kept."""
    servers = []
    for listener in listeners:
        listener.setblocking(False)
        port = listener.getsockname()[1]

        async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int = port) -> None:
            await _join(reader, writer, port)

        servers.append(await asyncio.start_server(join, sock=listener))
    return servers


async def _join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    async with contextlib.AsyncExitStack() as ends:
        ends.callback(writer.close)
        ends.enter_context(contextlib.suppress(OSError))  # what breaks one half ends both
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        ends.callback(far_writer.close)
        halves = [asyncio.ensure_future(_pump(reader, far_writer)), asyncio.ensure_future(_pump(far_reader, writer))]
        ends.callback(lambda: [half.cancel() for half in halves])
        await asyncio.gather(*halves)


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while block := await source.read(_BLOCK_BYTES):
        target.write(block)
        await target.drain()
    target.write_eof()
