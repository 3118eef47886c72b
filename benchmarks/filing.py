"""Strangers who file: 64 at once beside one after the other, on both databases.

Each comes for the first time, chooses a language, opens a draft, reads the plan and says yes to it: five
turns with sealing, audit, timers and notices. The floor is as many people, one after the other. What counts
is requests filed a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from time import perf_counter

from benchmarks.harness import Row, in_turns, progress, rate, ratios
from benchmarks.processes import ROOT
from benchmarks.stores import POSTGRES, SQLITE, Databases, databases
from bot.texts import read_locales
from referrals import routing
from referrals.model import Actor, AgeGroup, Role, Urgency
from referrals.network_file import NetworkFile
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.people import people
from referrals.service.request import drafts, filing, plans
from referrals.service.stewards import network
from storage.catalogue_files import read_catalogue, read_network
from storage.keys import create_root_key
from storage.store import Store, utc_now

CROWD = 64
FIRST_ACCOUNT = 10_000_000
STEWARD = Actor("operator", Role.STEWARD)
WISHES = plans.Wishes("pattani-mueang", Urgency.NORMAL, routing.Exclusions())
BARS = {SQLITE: ">= 1", POSTGRES: ">= 1"}


def measure(quick: bool) -> Iterator[Row]:
    """Requests filed a second: a crowd to a queue."""
    rounds = 3 if quick else 7
    with databases() as made:
        for kind, bar in BARS.items():
            progress(f"filing on {kind} …")
            store, accounts = _store(made, kind), count(FIRST_ACCOUNT)
            try:

                def crowd(store: Store = store, accounts: Iterator[int] = accounts) -> float:
                    return _filed_a_second(store, [next(accounts) for _ in range(CROWD)], CROWD)

                def queue(store: Store = store, accounts: Iterator[int] = accounts) -> float:
                    return _filed_a_second(store, [next(accounts) for _ in range(CROWD)], 1)

                found = in_turns({"crowd": crowd, "queue": queue}, rounds)
            finally:
                store.close()
            ours, floor = found["crowd"], found["queue"]
            name = f"{CROWD} strangers filing at once, {kind}"
            yield Row(name, ratios(ours, floor), rate(ours), rate(floor), bar=bar)


def _store(made: Databases, kind: str) -> Store:
    """A fresh network with the demo's partners."""
    catalogue = replace(read_catalogue(ROOT / "catalogue"), texts=read_locales(ROOT / "locales"))
    url = made.create(kind)
    key_file = made.key_file(url)
    store = Store.open(url, create_root_key(key_file, key_file.parent / "nothing"), catalogue, utc_now)
    store.run(_apply, read_network(ROOT / "catalogue/demo/network.toml", catalogue))
    return store


def _apply(tx: Tx, file: NetworkFile) -> None:
    network.apply(tx, STEWARD, file, network.digest(network.preview(tx, file)))


def _filed_a_second(store: Store, accounts: list[int], at_once: int) -> float:
    begin = perf_counter()
    asyncio.run(_all(store, accounts, at_once))
    return len(accounts) / (perf_counter() - begin)


async def _all(store: Store, accounts: list[int], at_once: int) -> None:
    places = asyncio.Semaphore(at_once)

    async def one(account: int) -> None:
        async with places:
            await _files(store, account)

    await asyncio.gather(*(one(account) for account in accounts))


async def _files(store: Store, account: int) -> None:
    person = (await store.turn(people.meet, account)).id
    await store.turn(people.choose_language, person, "en")
    actor = doors.as_author(person)
    adult, category = AgeGroup.ADULT, "family.visits"
    draft = await store.turn(drafts.start_draft, actor, "family-support", category, adult, "en")
    view = await store.turn(plans.plan_view, person, draft.id, WISHES)
    yes = filing.Filing(WISHES, view.consent_digest, "the bus costs more than we have", "after six")
    receipt = await store.turn(filing.file_request, person, draft.id, yes)
    if not receipt.code:
        raise RuntimeError("a request was not filed")
