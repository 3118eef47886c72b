"""A Bot API that says yes to everything at once: `python -m benchmarks.stub`, ended by closing its input."""

from __future__ import annotations

import asyncio
import itertools
import json

from benchmarks.processes import parent_gone, say
from benchmarks.wire import response, take_message

ME = {"id": 7000000001, "is_bot": True, "first_name": "Stub", "username": "stub_bot"}
_message_ids = itertools.count(1)


def answer(method: bytes) -> bytes:
    """What this Bot API says to a method."""
    if method == b"getMe":
        result: object = ME
    elif method == b"sendMessage":
        chat = {"id": 1, "type": "private", "first_name": "Somebody"}
        sent = {"message_id": next(_message_ids), "date": 1795000000, "chat": chat}
        result = {**sent, "from": ME, "text": "Hello"}
    else:
        result = True
    return response(json.dumps({"ok": True, "result": result}).encode())


class Api(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._buffer += data
        while (message := take_message(self._buffer)) is not None:
            path = message[0].split(b" ", 2)[1]
            self._transport.write(answer(path.rpartition(b"/")[2]))


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Api, "127.0.0.1", 0)
    say(port=server.sockets[0].getsockname()[1])
    await parent_gone()
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
