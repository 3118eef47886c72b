"""A small network in a store, for tests of the verbs: people, partners, a clock, timers that fire."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from bot.texts import read_locales
from referrals import routing
from referrals.model import Actor, AgeGroup, Offer, Referral, Role, Urgency
from referrals.persons import Person, Seat
from referrals.ports import Delivery, Sent, Tx
from referrals.said import Timer
from referrals.service import timers
from referrals.service.common import doors
from referrals.service.matter import offering
from referrals.service.people import people
from referrals.service.request import drafts, filing, plans
from referrals.service.stewards import network
from storage.catalogue_files import read_catalogue, read_network
from storage.store import Store
from tests.support.laid import lay
from tests.support.store import SettableClock, open_store
from tests.support.watched import watch

ROOT = Path(__file__).resolve().parents[2]
STEWARD = Actor("steward", Role.STEWARD)
CATALOGUE = replace(read_catalogue(ROOT / "catalogue"), texts=read_locales(ROOT / "locales"))
NETWORK = read_network(ROOT / "catalogue/demo/network.toml", CATALOGUE)


class Small:
    """The demo's network in a store, without chat and simulator."""

    def __init__(self, store: Store, clock: SettableClock) -> None:
        self.store, self.clock = store, clock
        watch(store)  # every test of a verb is a test of its audit rows
        lay(store, _apply, clock.now)

    @classmethod
    @contextmanager
    def opened(cls, url: str) -> Iterator[Self]:
        """It, in a fresh store at `url`, on a Tuesday at ten in Bangkok; closed whatever happens."""
        store = open_store(url, clock := SettableClock(), CATALOGUE)
        try:
            yield cls(store, clock)
        finally:
            store.close()

    @classmethod
    def around(cls, store: Store, clock: SettableClock) -> Self:
        """The same helpers around a store that has a network already."""
        self = cls.__new__(cls)
        self.store, self.clock = store, clock
        watch(store)
        return self

    def person(self, account: int, seat: str = "") -> str:
        """The id of a person with that account, on that seat."""
        return self.store.run(seated, account, seat)

    def draft(self, person_id: str, category: str = "family.visits") -> str:
        actor = doors.as_author(person_id)
        found = self.store.run(drafts.start_draft, actor, "family-support", category, AgeGroup.ADULT, "en")
        return found.id

    def filed(
        self,
        person_id: str,
        urgency: Urgency = Urgency.URGENT,
        area: str = "pattani-mueang",
        without: frozenset[str] = frozenset(),
    ) -> str:
        """A filed request; returns its id."""
        draft_id = self.draft(person_id)
        wishes = plans.Wishes(area, urgency, routing.Exclusions(organizations=without))
        view = self.store.run(plans.plan_view, person_id, draft_id, wishes)
        yes = filing.Filing(wishes, view.consent_digest, "a story", "a contact")
        self.store.run(filing.file_request, person_id, draft_id, yes)
        return draft_id

    def referral(self, referral_id: str) -> Referral:
        found = self.store.run(_get, Referral, referral_id)
        assert isinstance(found, Referral)
        return found

    def live_offer(self, referral_id: str) -> Offer | None:
        return self.store.run(lambda tx: offering.live_offer(tx, doors.referral_by_id(tx, referral_id)))

    def at_partner(self, referral_id: str) -> str:
        """The id by which the partner that was asked or has accepted knows a matter."""
        return self.referral(referral_id).offer_id or "nothing"

    def workers_of(self, organization_id: str) -> list[str]:
        seats = self.store.run(lambda tx: tx.find(Seat, organization_id=organization_id, role=Role.WORKER))
        return [seat.person_id for seat in seats if seat.person_id]

    def timers(self) -> list[Timer]:
        return self.store.run(lambda tx: tx.find(Timer))

    def said(self) -> list[tuple[str, str]]:
        """Send everything that is due now; who was told what (person id, text key), deletions left out."""
        return asyncio.run(self._said())

    async def _said(self) -> list[tuple[str, str]]:
        return [(d.person_id, d.text) for d in await self._sent() if d.text]

    def deliveries(self) -> list[Delivery]:
        """The same with all that a message has: buttons, slot, what it edits."""
        return asyncio.run(self._sent())

    async def _sent(self) -> list[Delivery]:
        heard: list[Delivery] = []
        while found := await self.store.outbox.claim(self.clock.now, 100):
            ends = [Sent(d.id, self._next_message() if d.message_id is None else None) for d in found]
            await self.store.outbox.settle(ends, self.clock.now)
            heard += found
        return heard

    def _next_message(self) -> int:
        self.messages = getattr(self, "messages", 0) + 1
        return self.messages

    def passes(self, duration: timedelta) -> int:
        """Time passes and every timer fires at its own instant; returns how many did."""
        end, fired = self.clock.now + duration, 0
        while True:
            due = sorted((t for t in self.timers() if t.due_at <= end), key=lambda t: (t.due_at, t.id))
            if not due:
                break
            self.clock.now = max(self.clock.now, due[0].due_at)
            self.store.run(timers.fire, due[0].id, due[0].due_at)
            fired += 1
        self.clock.now = end
        return fired


def _apply(tx: Tx) -> None:
    changes = network.preview(tx, NETWORK)
    network.apply(tx, STEWARD, NETWORK, network.digest(changes))


def seated(tx: Tx, account: int, seat_id: str) -> str:
    person: Person = people.meet(tx, account)
    people.choose_language(tx, person.id, "en")
    if seat_id:
        seat = tx.get(Seat, seat_id)
        assert seat is not None
        tx.save(replace(seat, person_id=person.id))
    return person.id


def _get(tx: Tx, kind: type[Any], row_id: str) -> Any:
    return tx.get(kind, row_id)
