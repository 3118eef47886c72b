"""The product's press: the whole product, as `python -m bot run` starts it, with contacts that are due.

`python -m benchmarks.press_ours STUB_PORT SECRET DATABASE CHECK_INS PRESSES`: fills the database, writes the
file of presses and serves until its input is closed. Webhook, sender, heartbeat and Telegram's limits are as
in life. Mentors take turns, so that those in flight are different people.

Only the clock crawls: a minute after each press its Undo button is taken away, and that second turn, which is
no part of a press, must not fall into another round.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks import ours
from benchmarks.processes import say
from bot.app import Extras
from bot.clock import Clock
from bot.settings import Settings
from bot.webhook import PATH
from referrals.members import CheckIn, CheckInKind
from referrals.model import Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service.people import people
from storage.store import Store

TOKEN = "7000000001:" + "a" * 35
MENTORS, MEMBERS_EACH = 400, 5
FIRST_ACCOUNT = 8_000_000
IN_ONE_TURN = 500


class CrawlingClock(Clock):
    """A thousand times slower than life."""

    def __init__(self) -> None:
        super().__init__()
        self._began = super().now()

    def now(self) -> datetime:
        return self._began + (super().now() - self._began) / 1000


def fill(store: Store, check_ins: int) -> list[tuple[int, str]]:
    """Mentors with members, and contacts that are due; each with the callback data of its 'Save' button."""
    mentors = store.run(_add_mentors)
    members = store.run(_add_members)
    presses: list[tuple[int, str]] = []
    for first in range(0, check_ins, IN_ONE_TURN):
        numbers = range(first, min(first + IN_ONE_TURN, check_ins))
        ids = store.run(_add_check_ins, mentors, members, numbers)
        presses += [
            (FIRST_ACCOUNT + n % MENTORS, f"1:check.save:{check_in}:1:1-1")
            for n, check_in in zip(numbers, ids, strict=True)
        ]
    return presses


def _add_mentors(tx: Tx) -> list[str]:
    found = []
    for n in range(MENTORS):
        person = people.meet(tx, FIRST_ACCOUNT + n)
        people.choose_language(tx, person.id, "en" if n % 2 else "th")
        tx.add(Seat(f"mentor-{n}", Role.MENTOR, None, person.id))
        found.append(person.id)
    return found


def _add_members(tx: Tx) -> list[str]:
    """Five members for each mentor; the next mentor is the backup."""
    return [ours.add_member(tx, n, MENTORS).id for n in range(MENTORS * MEMBERS_EACH)]


def _add_check_ins(tx: Tx, mentors: list[str], members: list[str], numbers: range) -> list[str]:
    """As `checkins.remind` leaves them, without the reminders: those were sent long ago."""
    ids = []
    for n in numbers:
        member, mentor = members[n % len(members)], mentors[n % len(mentors)]
        check_in = CheckIn(tx.new_id(), CheckInKind.MEMBER, member, tx.now, mentor, "check-in", 1)
        tx.add(check_in)
        tx.set_timer("check_in_missed", check_in.id, tx.now + timedelta(hours=24))
        ids.append(check_in.id)
    return ids


async def serve(settings: Settings, presses: int) -> None:
    """Run the product; it ends when the parent is gone."""

    def ready(address: str) -> None:
        say(port=int(address.rpartition(":")[2]), path=PATH, presses=presses)

    await ours.serve(settings, Extras(clock=CrawlingClock(), ready=ready))


def main() -> None:
    stub, secret, url, check_ins, target = sys.argv[1:]
    with ours.settings(f"http://127.0.0.1:{stub}", TOKEN, url, secret) as settings:
        presses = ours.filled(settings, lambda store: fill(store, int(check_ins)))
        Path(target).write_text(json.dumps(presses), encoding="utf-8")
        asyncio.run(serve(settings, len(presses)))


if __name__ == "__main__":
    main()
