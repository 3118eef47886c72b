"""The product in a storm: the whole product with a hundred thousand messages queued, and alerts among them.

`python -m benchmarks.storm_ours TELEGRAM TOKEN SECRET DATABASE BULK TARGET`: fills the database, writes the
presses that raise an alarm to the file TARGET, and serves until its input is closed. Five times a second a
turn queues an alert that says when its turn began: whoever hears it knows how long it took.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from benchmarks.press_ours import IN_ONE_TURN
from benchmarks.processes import parent_gone, say
from bot.app import Extras, Parts, open_store, product_doors, run
from bot.clock import Clock
from bot.logs import set_up_logs
from bot.settings import LogFormat, LogLevel, Mode, Settings, make_settings
from bot.webhook import PATH
from referrals import case_codes
from referrals.members import Enrolment
from referrals.model import Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import Notice, Priority
from referrals.service import people
from storage.keys import create_root_key
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
        member = Enrolment(
            id=tx.new_id(),
            code=case_codes.numbered(n, case_codes.LONG),
            programme="return-home-club",
            programme_version=1,
            phase="first-90-days",
            phase_since=tx.now,
            mentor_seat=f"mentor-{n % len(mentors)}",
            backup_seat=f"mentor-{(n + 1) % len(mentors)}",
            timezone="Asia/Bangkok",
        )
        tx.add(member)
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

    async def watch() -> None:
        await parent_gone()
        alerting.cancel()
        extras.ended.set()

    alerting = asyncio.create_task(alert())
    watching = asyncio.create_task(watch())
    await run(settings, product_doors(), extras)
    await watching


def main() -> None:
    telegram, token, secret, url, bulk, target = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="pulang-bench-") as folder:
        data, key_file = Path(folder) / "data", Path(folder) / "root.key"
        data.mkdir(mode=0o700)
        create_root_key(key_file, data)
        settings = make_settings(
            bot_token=token,
            telegram_api=telegram,
            public_url="http://127.0.0.1:8700",
            data=data,
            root_key_file=key_file,
            database_url=url,
            mode=Mode.WEBHOOK,
            webhook_secret=secret,
            listen_port=0,
        )
        set_up_logs(LogLevel.ERROR, LogFormat.CONSOLE)
        store, _ = open_store(settings, Clock())
        alerted, presses = fill(store, int(bulk))
        store.close()
        Path(target).write_text(json.dumps(presses), encoding="utf-8")
        asyncio.run(serve(settings, alerted))


if __name__ == "__main__":
    main()
