"""Presses buttons by HTTP, so many at once, from a process of its own: `python -m benchmarks.load PRESSES`.

PRESSES is a JSON file of [account, callback data]. Each line of standard input is an order: `{"port", "path",
"secret", "first", "count", "in_flight", "update"}`; its answer is `{"seconds", "statuses", "p50", "p99"}`.
All requests are written before the clock starts.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter, deque
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.harness import percentile
from benchmarks.processes import say
from benchmarks.wire import request, take_message

MESSAGE_DATE = 1795000000
SECRET_HEADER = "X_Telegram_Bot_Api_Secret_Token"


def press(update_id: int, account: int, data: str) -> dict[str, Any]:
    """A callback query as Telegram sends it, with the message that the button stands under."""
    person = {"id": account, "is_bot": False, "first_name": "Mentor", "language_code": "th"}
    button = {"text": "Save", "callback_data": data}
    message = {
        "message_id": 1000 + update_id % 1000,
        "from": {"id": 7000000001, "is_bot": True, "first_name": "Bot", "username": "a_bot"},
        "chat": {"id": account, "first_name": "Mentor", "type": "private"},
        "date": MESSAGE_DATE,
        "text": "A contact is due.",
        "reply_markup": {"inline_keyboard": [[button]]},
    }
    query = {"id": str(update_id), "from": person, "message": message, "chat_instance": "1", "data": data}
    return {"update_id": update_id, "callback_query": query}


class Lane(asyncio.Protocol):
    """One kept connection: sends the next request when the last is answered."""

    def __init__(self, waiting: deque[bytes], statuses: Counter[str], took: list[float]) -> None:
        self._waiting, self._statuses, self._took = waiting, statuses, took
        self._buffer = bytearray()
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def go_on(self) -> None:
        assert self._transport is not None
        if not self._waiting:
            self._transport.close()
            return
        self._sent_at = perf_counter()
        self._transport.write(self._waiting.popleft())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        message = take_message(self._buffer)
        if message is not None:
            self._took.append(perf_counter() - self._sent_at)
            self._statuses[message[0].split(b" ", 2)[1].decode()] += 1
            self.go_on()

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


async def send(port: int, requests: list[bytes], in_flight: int) -> dict[str, Any]:
    """Send them all; how long it took and what was answered."""
    waiting, statuses, took = deque(requests), Counter[str](), list[float]()
    loop = asyncio.get_running_loop()
    lanes = [
        (await loop.create_connection(lambda: Lane(waiting, statuses, took), "127.0.0.1", port))[1]
        for _ in range(in_flight)
    ]
    begin = perf_counter()
    for lane in lanes:
        lane.go_on()
    await asyncio.gather(*(lane.ended for lane in lanes))
    seconds = perf_counter() - begin
    return {
        "seconds": seconds,
        "statuses": statuses,
        "p50": percentile(took, 0.5),
        "p99": percentile(took, 0.99),
    }


def requests_of(order: dict[str, Any], presses: list[tuple[int, str]]) -> list[bytes]:
    """The order's requests, ready to be written to a socket."""
    found = []
    for n, (account, data) in enumerate(presses[order["first"] : order["first"] + order["count"]]):
        body = json.dumps(press(order["update"] + n, account, data)).encode()
        found.append(request(order["path"], body, **{SECRET_HEADER: order["secret"]}))
    return found


def main() -> None:
    presses = [(account, data) for account, data in json.loads(Path(sys.argv[1]).read_text())]
    say(presses=len(presses))
    for line in sys.stdin:
        order = json.loads(line)
        requests = requests_of(order, presses)
        say(**asyncio.run(send(order["port"], requests, order["in_flight"])))


if __name__ == "__main__":
    main()
