"""kill -9 a sender in a storm: nothing is lost, what is doubled was in flight, and one sends at a time."""

from __future__ import annotations

import asyncio
import itertools
import random
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from bot.outbox import PARALLEL
from referrals.ports import Tx
from referrals.said import Notice, Priority
from storage.store import Store, utc_now
from tests.support.rows import add_person
from tests.support.store import open_store

ROOT = Path(__file__).resolve().parents[3]
PEOPLE, EACH = 60, 6
PATIENCE_S = 300
CHANCE = random.Random()


class CountingTelegram:
    """Says yes to everything, and remembers who said what."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []  # (token, text)
        self.texts: set[str] = set()
        self._ids = itertools.count(1)
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        if request.match_info["method"] == "sendMessage":
            text = (await request.json())["text"]
            self.said.append((request.match_info["token"], text))
            self.texts.add(text)
        me = {"id": 7, "is_bot": True, "first_name": "Bot", "username": "a_bot"}
        return web.json_response({"ok": True, "result": {"message_id": next(self._ids), **me}})

    async def until(self, count: int) -> None:
        """Wait until so many were said, those that were said twice counted once."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.texts) < count:
                await asyncio.sleep(0.01)


@pytest.fixture
async def counting() -> AsyncIterator[CountingTelegram]:
    telegram = CountingTelegram()
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", telegram.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    telegram.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield telegram
    await runner.cleanup()


def start(
    url: str, telegram: CountingTelegram, token: str, ahead_s: int, *more: str
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.support.killed_sender", url, telegram.url, token, str(ahead_s)]
    return subprocess.Popen([*command, *more], cwd=ROOT, stdout=subprocess.DEVNULL)


async def end(process: subprocess.Popen[bytes]) -> int:
    return await asyncio.to_thread(process.wait, PATIENCE_S)


def fill(store: Store) -> None:
    for n in range(PEOPLE):
        store.run(add_person, f"p{n}", 1000 + n)


def queue(store: Store, numbers: range) -> None:
    def verb(tx: Tx) -> None:
        tx.say_many([Notice(f"p{n % PEOPLE}", f"number {n}", priority=Priority.BULK) for n in numbers])

    store.run(verb)


@pytest.mark.timeout(1800)  # a hundred kills in the long run
async def test_killed_senders_lose_nothing_and_double_at_most_what_was_in_flight(
    database_url: str, counting: CountingTelegram, long_run: bool
) -> None:
    sqlite = database_url.startswith("sqlite")
    kills = 100 if long_run else 3 if sqlite else 1
    store = open_store(database_url, utc_now, seed=None)
    fill(store)
    queued = 0
    for kill in range(kills):
        queue(store, range(queued, queued + PEOPLE * EACH))
        queued += PEOPLE * EACH
        before = len(counting.texts)
        # On SQLite a new sender takes the lease by force; elsewhere its clock has passed the lease's end.
        sender = start(database_url, counting, "1:a", 0 if sqlite else 11 * kill)
        await counting.until(before + CHANCE.randint(1, PEOPLE * EACH // 2))
        sender.kill()
        await end(sender)
    last = start(database_url, counting, "1:a", 0 if sqlite else 11 * kills, "drain")
    assert await end(last) == 0
    said = Counter(text for _, text in counting.said)
    store.close()
    assert set(said) == {f"number {n}" for n in range(queued)}, "something was lost"
    doubled = sum(said.values()) - queued
    print(f"\n{kills} kills, {queued} messages: {doubled} doubled")
    assert doubled <= kills * PARALLEL


async def test_a_second_process_waits_and_takes_over(postgres_url: str, counting: CountingTelegram) -> None:
    store = open_store(postgres_url, utc_now, seed=None)
    fill(store)
    queue(store, range(PEOPLE))
    first = start(postgres_url, counting, "1:first", 0)
    await counting.until(1)
    # Six seconds ahead it sees the lease end after four: longer than a living sender leaves it unrenewed.
    second = start(postgres_url, counting, "1:second", 6)
    total = PEOPLE
    for _ in range(9):  # more than four seconds of work, in which the second one could push in
        await counting.until(total)
        queue(store, range(total, total + 10))
        total += 10
        await asyncio.sleep(0.5)
    assert {token for token, _ in counting.said} == {"1:first"}
    for _ in range(6):
        queue(store, range(total, total + PEOPLE))
        total += PEOPLE
    await counting.until(total - PEOPLE * 5)
    first.kill()
    await end(first)
    await counting.until(total)
    second.terminate()  # a clean stop
    assert await end(second) == 0
    store.close()
    tokens = [token for token, _ in counting.said]
    assert tokens == sorted(tokens), "both sent at the same time"
    assert tokens[-1] == "1:second"
    said = Counter(text for _, text in counting.said)
    assert sum(said.values()) - total <= PARALLEL
