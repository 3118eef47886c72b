"""Sends: our outbox with everything it does, raw aiohttp posts, and python-telegram-bot as it comes.

All three post the same words to the same stub, in a process of its own, with the same number under way. Ours
claims, opens the sealed account, renders, sends through `telegram.Bot` and settles; limits are lifted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from time import perf_counter

import aiohttp
from telegram import Bot

from benchmarks.harness import Row, in_turns, progress, rate, ratios
from benchmarks.processes import ROOT, child
from benchmarks.stores import POSTGRES, SQLITE, Databases, databases, open_store
from bot.outbox import PARALLEL, Deliverer
from bot.pace import Pace
from bot.request import AiohttpRequest, LeanBot
from bot.telegram_out import Messenger
from bot.texts import Texts, read_locales
from referrals.ports import Tx
from referrals.said import Notice
from referrals.service.people import people
from storage.store import Store

TOKEN = "7000000001:" + "a" * 35
FIRST_ACCOUNT = 9_000_000
NO_LIMIT = 1e9
KEY = "mentor.done"
BAR = ">= 4"


def measure(quick: bool) -> Iterator[Row]:
    """Messages a second: our outbox to both others."""
    rounds, each = (3, 300) if quick else (7, 1_500)
    texts = Texts(read_locales(ROOT / "locales"))
    words = texts.say(KEY, "en")
    with ExitStack() as stack:
        port = stack.enter_context(child("benchmarks.stub")).hear()["port"]
        runner = stack.enter_context(asyncio.Runner())
        made = stack.enter_context(databases())
        base = f"http://127.0.0.1:{port}/bot"
        raw = runner.run(_open_raw())
        default = Bot(TOKEN, base_url=base)
        runner.run(default.initialize())
        ours = {kind: Ours(made, kind, base, texts, each, runner) for kind in (SQLITE, POSTGRES)}
        ways: dict[str, Callable[[], float]] = {
            "raw": lambda: runner.run(_timed(each, lambda n: _raw_send(raw, base, FIRST_ACCOUNT + n, words))),
            "default": lambda: runner.run(
                _timed(each, lambda n: default.send_message(FIRST_ACCOUNT + n, words))
            ),
            **{kind: way.send_all for kind, way in ours.items()},
        }
        found = in_turns(ways, rounds)
        runner.run(raw.close())
        runner.run(default.shutdown())
        for way in ours.values():
            way.close()
    for kind in ours:
        shown = rate(found[kind])
        yield Row(
            f"sends, {kind}: to PTB's default",
            ratios(found[kind], found["default"]),
            shown,
            rate(found["default"]),
            "",
            BAR,
        )
        yield Row(
            f"sends, {kind}: to raw aiohttp", ratios(found[kind], found["raw"]), shown, rate(found["raw"])
        )


class Ours:
    """Our outbox on one kind of database, with as many people as it sends messages in a round."""

    def __init__(
        self, made: Databases, kind: str, base: str, texts: Texts, each: int, runner: asyncio.Runner
    ) -> None:
        progress(f"sends: {each:,} people on {kind}")
        url = made.create(kind)
        self._store: Store = open_store(url, made.key_file(url))
        self._bot = LeanBot(TOKEN, base_url=base, request=AiohttpRequest(connections=PARALLEL))
        self._runner, self._each = runner, each
        messenger = Messenger(self._bot, texts, "http://127.0.0.1:8700")
        self._sender = Deliverer(
            self._store.outbox, messenger, Pace(NO_LIMIT, NO_LIMIT), lambda: datetime.now(UTC)
        )
        runner.run(self._bot.initialize())
        self._sending = runner.run(self._begin())
        self._people = self._store.run(_meet, each)

    def send_all(self) -> float:
        """Queue one notice for each person, then let the sender go; messages a second."""
        return self._runner.run(self._send_all())

    async def _send_all(self) -> float:
        await self._store.turn(_queue, self._people)
        begin = perf_counter()
        self._sender.wake()
        await self._sender.drain()
        seconds = perf_counter() - begin
        if await self._store.outbox.next_due(datetime.now(UTC)) is not None:
            raise RuntimeError("not everything was sent")
        return self._each / seconds

    def sweep(self, after: timedelta) -> None:
        """What upkeep does some days later."""
        self._runner.run(self._store.sweep(datetime.now(UTC) + after))

    async def _begin(self) -> asyncio.Task[None]:
        return asyncio.create_task(self._sender.run())

    def close(self) -> None:
        self._sender.stop()
        self._runner.run(_wait(self._sending))
        self._runner.run(self._bot.shutdown())
        self._store.close()


async def _wait(task: asyncio.Task[None]) -> None:
    await task


async def _open_raw() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=PARALLEL))


async def _raw_send(http: aiohttp.ClientSession, base: str, account: int, words: str) -> None:
    body = {"chat_id": account, "text": words, "protect_content": True}
    async with http.post(f"{base}{TOKEN}/sendMessage", json=body) as answer:
        await answer.read()


async def _timed(each: int, send: Callable[[int], Awaitable[object]]) -> float:
    """Messages a second, with as many under way as our outbox has."""
    numbers = iter(range(each))

    async def go_on() -> None:
        for n in numbers:
            await send(n)

    begin = perf_counter()
    await asyncio.gather(*(go_on() for _ in range(PARALLEL)))
    return each / (perf_counter() - begin)


def _meet(tx: Tx, count: int) -> list[str]:
    return [people.meet(tx, FIRST_ACCOUNT + n).id for n in range(count)]


def _queue(tx: Tx, everybody: list[str]) -> None:
    for person_id in everybody:
        tx.say(Notice(person_id, KEY))
