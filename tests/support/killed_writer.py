"""A program that writes turns until it is killed, and prints each number after its turn was acknowledged.

`python -m tests.support.killed_writer URL FIRST`: 16 writers at once; what is printed must be found later.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys

from referrals.access import Action
from referrals.catalogue import Catalogue
from referrals.model import Actor, AuditEntry, DataClass, Record, Role, person_holder
from referrals.ports import Tx
from storage.store import Store, utc_now
from tests.support.rows import add_scrap
from tests.support.store import KEY


def write(tx: Tx, number: int) -> None:
    """A row, a sealed text for it, and an audit entry: all or nothing."""
    name = f"{number:09}"
    if tx.first_time(f"update:{name}"):
        add_scrap(tx, name)
        tx.seal(Record("scrap", name), DataClass.STORY, "text", f"story {number}", [person_holder("p1")])
        tx.audit(AuditEntry(Actor("p1", Role.FAMILY), Action.PERSON_SETTINGS, f"scrap:{name}"))


async def main(url: str, first: int) -> None:
    store = Store.open(url, KEY, Catalogue(), utc_now)
    numbers = itertools.count(first)
    os.write(1, b"ready\n")

    async def writer() -> None:
        for number in numbers:
            await store.turn(write, number)
            os.write(1, b"%d\n" % number)  # one write, so that a kill leaves no half a line unread

    await asyncio.gather(*[writer() for _ in range(16)])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
