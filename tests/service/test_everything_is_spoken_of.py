"""People press whatever they are offered, write, wait and come back: no turn changes anything in silence.

Nothing here knows the verbs. Buttons come from the outbox, steps from the pages' own views, commands and
pages from the product's tables, timers from the clock; the store watches every turn (support/watched.py). A
verb that is offered to anybody anywhere is met sooner or later, and one that is silent about it fails.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from handlers import router
from handlers.incoming import Did, Incoming
from referrals.errors import PulangError
from referrals.model import Checkpoint, Offer, Referral
from referrals.persons import Device, Invitation, Seat
from referrals.ports import Delivery, Sent, Tx
from referrals.service import pages, timers
from referrals.service.people import joining
from referrals.service.stewards import witnessing
from referrals.views import Step
from tests.support.network import STEWARD, Small

SEATS = (
    "desk-1",
    "desk-2",
    "steward-1",
    "mentor-1",
    "mentor-2",
    "bua-1",
    "bua-2",
    "two-rivers-1",
    "open-door-1",
)
FAMILIES = (1, 2, 3)
WAITS = (
    timedelta(minutes=2),
    timedelta(minutes=20),
    timedelta(hours=5),
    timedelta(days=1),
    timedelta(days=9),
)
LEAST_MET = (
    60  # of the product's presses, commands, views, steps and timers: the others are met by tests of theirs
)


class Crowd:
    """Everybody at once, each with the buttons that stand in their chat."""

    def __init__(self, net: Small, chance: Random) -> None:
        self.net, self.chance, self.met = net, chance, Counter[str]()
        self.accounts = {net.person(account): account for account in FAMILIES}
        for number, seat in enumerate(SEATS, 100):
            self.accounts[net.person(number, seat)] = number
        self.updates = 0
        self.offered: list[tuple[str, str]] = []  # person and button or page, the newest last

    def tries(self, name: str, verb: Any, *args: Any) -> Any:
        """Do it or be refused kindly; anything else is a fault."""
        try:
            result = self.net.store.run(verb, *args)
        except PulangError:
            return None
        self.met[name] += 1
        return result

    def somebody(self) -> str:
        return self.chance.choice(list(self.accounts))

    def chats(self, person: str, did: Did, name: str, **more: Any) -> None:
        self.updates += 1
        incoming = Incoming(self.updates, self.accounts[person], did, message_id=self.updates, **more)
        self.tries(name, router.handle, incoming)

    def presses(self) -> None:
        """Mostly something new, sometimes something old."""
        buttons = [(p, o) for p, o in self.offered if o.startswith("1:")]
        if buttons:
            person, data = self.chance.choice(buttons[-10:] if self.chance.random() < 0.8 else buttons)
            self.chats(person, Did.PRESS, f"press {data.split(':')[1]}", data=data)
            self.reads_the_chat()

    def commands(self) -> None:
        person, command = self.somebody(), self.chance.choice(list(router.COMMANDS))
        self.chats(person, Did.COMMAND, f"command {command}", text=command, argument="welcome")

    def writes(self) -> None:
        person = self.somebody()
        did = self.chance.choice([*[Did.TEXT] * 6, Did.OTHER, Did.BLOCKED, Did.UNBLOCKED])
        self.chats(person, did, f"chat {did}", text="some words")

    def opens_a_page(self) -> None:
        """Mostly one that a button opens, sometimes any page about anything."""
        buttons = [(p, o) for p, o in self.offered if o and not o.startswith("1:")]
        if buttons and self.chance.random() < 0.7:
            person, path = self.chance.choice(buttons[-15:])
            name, _, subject = path.partition("/")
        else:
            person, name = self.somebody(), self.chance.choice(list(pages.PAGES))
            subject = self.chance.choice(self._subjects(name))
        page = pages.PAGES[name]
        view = self.tries(f"view {name}", page.view, person, subject, {})
        offered = [s.id for s in getattr(view, "steps", ()) if isinstance(s, Step)] or list(page.steps)
        if view is None or not offered:
            return
        step = self.chance.choice(offered if self.chance.random() < 0.8 else list(page.steps) or offered)
        if step in page.steps:
            self.tries(f"step {name}/{step}", page.steps[step], person, subject, self._body(view, step))

    def files(self) -> None:
        family = self.chance.choice([p for p, account in self.accounts.items() if account in FAMILIES])
        try:
            self.net.filed(family)
        except PulangError:
            return

    def invites(self) -> None:
        seats = self.net.store.run(lambda tx: tx.find(Seat))
        token = f"{self.chance.random()}"
        seat = self.chance.choice(seats)
        self.tries("invite", joining.invite, STEWARD, seat.id, token)
        self.chats(self.somebody(), Did.COMMAND, "command start", text="start", argument=f"i-{token}")
        self.reads_the_chat()

    def time_passes(self) -> None:
        end = self.net.clock.now + self.chance.choice(WAITS)
        for _ in range(200):
            due = [t for t in self.net.timers() if t.due_at <= end]
            if not due:
                break
            first = min(due, key=lambda t: (t.due_at, t.id))
            self.net.clock.now = max(self.net.clock.now, first.due_at)
            self.tries(f"timer {first.kind}", timers.fire, first.id, first.due_at)
        self.net.clock.now = end
        self.reads_the_chat()

    def reads_the_chat(self) -> None:
        for delivery in asyncio.run(self._deliver()):
            self.accounts[delivery.person_id] = delivery.account  # who was forgotten comes back as another
            for row in delivery.buttons:
                self.offered += [(delivery.person_id, b.action or b.page) for b in row]

    async def _deliver(self) -> list[Delivery]:
        found: list[Delivery] = []
        while claimed := await self.net.store.outbox.claim(self.net.clock.now, 100):
            self.updates += len(claimed)
            ends = [
                Sent(d.id, self.updates * 1000 + n if d.message_id is None else None)
                for n, d in enumerate(claimed)
            ]
            await self.net.store.outbox.settle(ends, self.net.clock.now)
            found += claimed
        return found

    def _subjects(self, page: str) -> list[str]:
        kinds = {
            "offer": Offer,
            "matter": Referral,
            "plan": Referral,
            "witness": Checkpoint,
            "devices": Device,
        }
        return (self.net.store.run(_ids, kinds[page]) if page in kinds else [])[-4:] or [""]

    def _body(self, view: Any, step: str) -> Mapping[str, object]:
        """What a page would send: its own choices where it names some, plausible words elsewhere."""
        choices = [c.id for s in getattr(view, "steps", ()) if s.id == step for c in s.choices]
        ids = self.net.store.run(_ids, self.chance.choice([Seat, Device, Invitation]))
        return {
            "text": "some words",
            "outcome": self.chance.choice(["met", "partly_met", "unmet"]),
            "reason": self.chance.choice(choices or ["full", "other"]),
            "choice": self.chance.choice(choices or [""]),
            "language": "en",
            "window": "any_time",
            "area": "pattani-mueang",
            "urgency": self.chance.choice(["normal", "urgent", "emergency"]),
            "consent_digest": getattr(view, "consent_digest", ""),
            "story": "a story",
            "contact": "a contact",
            **{
                name: self.chance.choice(choices or ids or [""])
                for name in ("id", "seat", "device", "person", "invitation")
            },
        }


def _ids(tx: Tx, kind: type[Any]) -> list[str]:
    return [row.id for row in tx.find(kind)]


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Small]:
    with Small.opened(sqlite_url) as net:
        yield net


def test_whatever_people_do_is_spoken_of(net: Small, long_run: bool) -> None:
    crowd = Crowd(net, Random(20))
    net.store.run(witnessing.begin)
    acts = [
        *[crowd.presses, crowd.opens_a_page] * 15,
        *[crowd.time_passes, crowd.files] * 2,
        crowd.commands,
        crowd.writes,
        crowd.invites,
    ]
    for _ in range(30_000 if long_run else 1_000):
        crowd.chance.choice(acts)()
    assert len(crowd.met) >= LEAST_MET, f"too few verbs were met: {sorted(crowd.met)}"
    assert asyncio.run(net.store.verify_audit()) == []
