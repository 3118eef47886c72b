"""The whole product in a process of its own: a place for it, what is in it beforehand, its run, its end."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.processes import parent_gone
from bot.app import Extras, open_store, product_doors, run
from bot.clock import Clock
from bot.logs import set_up_logs
from bot.settings import LogFormat, LogLevel, Mode, Settings, make_settings
from referrals import case_codes
from referrals.members import Enrolment
from referrals.ports import Tx
from storage.keys import create_root_key
from storage.store import Store

T = TypeVar("T")
LONGEST_SECRET = "x" * 32


@contextmanager
def settings(
    telegram: str, token: str, database: str, secret: str = LONGEST_SECRET, **more: Any
) -> Iterator[Settings]:
    """Settings as a network has them, in a folder that goes afterwards; `more` as in `bot.settings`."""
    with tempfile.TemporaryDirectory(prefix="pulang-bench-") as folder:
        data, key_file = Path(folder) / "data", Path(folder) / "root.key"
        data.mkdir(mode=0o700)
        create_root_key(key_file, data)
        set_up_logs(LogLevel.ERROR, LogFormat.CONSOLE)
        yield make_settings(
            bot_token=token,
            telegram_api=telegram,
            public_url="http://127.0.0.1:8700",
            data=data,
            root_key_file=key_file,
            database_url=database,
            mode=Mode.WEBHOOK,
            webhook_secret=secret,
            listen_port=0,
            **more,
        )


def filled(settings: Settings, fill: Callable[[Store], T]) -> T:
    """What `fill` found to do in the product's store, before the product runs."""
    store, _ = open_store(settings, Clock())
    try:
        return fill(store)
    finally:
        store.close()


def add_member(tx: Tx, number: int, mentors: int) -> Enrolment:
    """One more member of so many mentors; the next mentor is the backup."""
    member = Enrolment(
        id=tx.new_id(),
        code=case_codes.numbered(number, case_codes.LONG),
        programme="return-home-club",
        programme_version=1,
        phase="first-90-days",
        phase_since=tx.now,
        mentor_seat=f"mentor-{number % mentors}",
        backup_seat=f"mentor-{(number + 1) % mentors}",
        timezone="Asia/Bangkok",
    )
    tx.add(member)
    return member


async def serve(
    settings: Settings, extras: Extras, meanwhile: Coroutine[Any, Any, None] | None = None
) -> None:
    """Run the product, and something beside it, until the parent is gone."""
    beside = asyncio.create_task(meanwhile) if meanwhile is not None else None

    async def watch() -> None:
        await parent_gone()
        if beside is not None:
            beside.cancel()
        extras.ended.set()

    watching = asyncio.create_task(watch())
    await run(settings, product_doors(), extras)
    await watching
