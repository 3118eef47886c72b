"""kill -9 at any moment: what was acknowledged is there, whole, once, and the audit is unbroken."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from pathlib import Path

from referrals.model import Actor, DataClass, Record, Role
from referrals.persons import Scrap
from referrals.ports import Tx
from tests.support.store import SettableClock, open_store, prepare

ROOT = Path(__file__).resolve().parents[3]
CHANCE = random.Random()


async def test_killed_writers_lose_nothing_acknowledged(
    database_url: str, clock: SettableClock, long_run: bool
) -> None:
    sqlite = database_url.startswith("sqlite")
    kills = (200 if sqlite else 50) if long_run else (8 if sqlite else 3)
    prepare(database_url)
    acknowledged: set[int] = set()
    for kill in range(kills):
        # The first one lives long enough to be told of something, however slow the machine is.
        after_s = CHANCE.uniform(0, 0.15) if kill else 0.5
        acknowledged |= _write_and_be_killed(database_url, kill * 1_000_000, after_s)
    if not sqlite:
        await asyncio.sleep(0.2)  # the server notices that its clients are gone

    store = open_store(database_url, clock)
    standing = {int(scrap.id) for scrap in store.run(lambda tx: tx.find(Scrap))}
    assert len(acknowledged) > kills
    assert acknowledged - standing == set()
    # At most the 16 that were under way at each kill stand without having been told.
    assert len(standing - acknowledged) <= 16 * kills
    assert await store.verify_audit() == []
    for number in standing:
        assert store.run(_story, number) == {"text": f"story {number}"}
    store.close()


def _story(tx: Tx, number: int) -> dict[str, str]:
    actor = Actor("p1", Role.FAMILY)
    return dict(tx.open_sealed(actor, Record("scrap", f"{number:09}"), DataClass.STORY))


def _write_and_be_killed(url: str, first: int, after_s: float) -> set[int]:
    """Start a writer, kill it a moment after it is ready; the numbers that it had said were written."""
    command = [sys.executable, "-m", "tests.support.killed_writer", url, str(first)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        process.kill()
    said = process.stdout.read()
    process.wait()
    process.stdout.close()
    return {int(line) for line in said.split(b"\n") if line}
