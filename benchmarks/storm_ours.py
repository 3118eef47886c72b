"""The product in a storm: the whole product with a hundred thousand messages queued, and alerts among them.

`python -m benchmarks.storm_ours TELEGRAM TOKEN SECRET DATABASE BULK TARGET`: fills the database, writes the
presses that raise an alarm to the file TARGET, and serves until its input is closed. Five times a second a
turn queues an alert that says when its turn began: whoever hears it knows how long it took.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from itertools import count
from pathlib import Path

from benchmarks import ours
from benchmarks.press_ours import IN_ONE_TURN
from benchmarks.processes import say
from bot.app import Extras, Parts
from bot.settings import Settings
from bot.webhook import PATH
from referrals.model import Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import Notice, Priority
from referrals.service.people import people
from storage.store import Store

HEARERS, ALERTED, MENTORS, COORDINATORS, MEMBERS = 2_000, 200, 40, 4, 200
FIRST_ACCOUNT = 8_000_000
ALERT_EVERY_S = 0.2
KEY = "desk.undelivered"  # any text with a number in it


def accounts(which: str) -> range:
    """The accounts of one kind of people; the simulator must know them all."""
    first = FIRST_ACCOUNT
    for kind, size in (("hear", HEARERS), ("alert", ALERTED), ("mentor", MENTORS), ("desk", COORDINATORS)):
        if kind == which:
            return range(first, first + size)
        first += size
    raise KeyError(which)


def fill(store: Store, bulk: int) -> tuple[list[str], list[tuple[int, str, str]]]:
    """Queue everything; the people to be alerted, and a press (account, data, case code) for each member."""
    hearers = store.run(_meet, "hear")
    alerted = store.run(_meet, "alert")
    presses = store.run(_add_members, store.run(_add_seats, "mentor", Role.MENTOR))
    store.run(_add_seats, "desk", Role.COORDINATOR)
    for first in range(0, bulk, IN_ONE_TURN):
        store.run(_queue, hearers, range(first, min(first + IN_ONE_TURN, bulk)))
    return alerted, presses


def _meet(tx: Tx, which: str) -> list[str]:
    ids = [people.meet(tx, account).id for account in accounts(which)]
    for person_id in ids:
        people.choose_language(tx, person_id, "en")
    return ids


def _add_seats(tx: Tx, which: str, role: Role) -> list[str]:
    ids = _meet(tx, which)
    tx.add(*(Seat(f"{which}-{n}", role, None, person_id) for n, person_id in enumerate(ids)))
    return ids


def _add_members(tx: Tx, mentors: list[str]) -> list[tuple[int, str, str]]:
    found = []
    for n in range(MEMBERS):
        member = ours.add_member(tx, n, len(mentors))
        found.append((accounts("mentor")[n % len(mentors)], f"1:danger.who:{member.id}", member.code))
    return found


def _queue(tx: Tx, hearers: list[str], numbers: range) -> None:
    tx.say_many([
        Notice(
            hearers[n % len(hearers)], KEY, {"count": str(n)}, priority=Priority.BULK, dedupe=f"storm:{n}"
        )
        for n in numbers
    ])  # fmt: skip


def _alert(tx: Tx, person_id: str, began: int) -> None:
    params, alert = {"count": str(began)}, Priority.ALERT
    tx.say(Notice(person_id, KEY, params, priority=alert, dedupe=f"storm:{began}"))


async def serve(settings: Settings, alerted: list[str]) -> None:
    """Run the product; it ends when the parent is gone."""
    made: list[Parts] = []

    async def look(parts: Parts, _: object) -> None:
        made.append(parts)

    def ready(address: str) -> None:
        say(port=int(address.rpartition(":")[2]), path=PATH)

    extras = Extras(ready=ready, prepare=look)

    async def alert() -> None:
        for n in count():
            await asyncio.sleep(ALERT_EVERY_S)
            if made and not extras.ended.is_set():
                began = time.time_ns() // 1000
                await made[0].store.turn(_alert, alerted[n % len(alerted)], began)
                made[0].deliverer.wake()

    await ours.serve(settings, extras, alert())


def main() -> None:
    telegram, token, secret, url, bulk, target = sys.argv[1:]
    with ours.settings(telegram, token, url, secret) as settings:
        alerted, presses = ours.filled(settings, lambda store: fill(store, int(bulk)))
        Path(target).write_text(json.dumps(presses), encoding="utf-8")
        asyncio.run(serve(settings, alerted))


if __name__ == "__main__":
    main()
