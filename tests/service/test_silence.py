"""Sixty days of a network in which people answer, decline, ask, forget and sleep: no request ends in silence.

Nothing here knows what a message asks. Whoever gets one presses some button of it, opens the page that it
leads to and takes a step there, or does nothing at all; the clock moves from one due instant to the next.
With PULANG_LONG a thousand requests.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from random import Random
from typing import cast

import pytest

from handlers import router
from handlers.incoming import Did, Incoming
from referrals.directory import Agreement, Organization, Service
from referrals.errors import PulangError
from referrals.lifecycle import ENDED, LIVE_OFFERS
from referrals.model import Offer, Referral, Role, Stage, Urgency
from referrals.network_file import NetworkFile
from referrals.persons import Seat
from referrals.ports import Delivery, Tx
from referrals.said import Button, Timer
from referrals.service import pages, timers
from referrals.service.desk import desk_queues
from referrals.service.matter import tracking
from referrals.service.stewards import network
from storage import chat
from storage.tx import StoreTx
from tests.support.network import NETWORK, STEWARD, Small
from tests.support.pressed import filled, offered_by

FILED_WITHIN = timedelta(days=20)
DAYS = timedelta(days=60)
DAY = timedelta(days=1)
SLACK = timedelta(minutes=1)
AREAS = (
    *["pattani-mueang"] * 4,
    "pattani-yaring",
    "yala-mueang",
    "narathiwat-rueso",
    "songkhla-chana",
    "bangkok",
)
# What somebody would not press because a message about their matter came.
ASIDE = ("take_back", "hide", "circle", "home", "win", "lang", "form", "reminders", "remind", "text", "ask")
RARE = ("withdraw", "return", "not_helped", "desk_assign", "reopen")
LIKELY = {
    "accept": 5,
    "ask_person": 3,
    "rematch": 3,
}  # so many times as often as another step of the same page
HOUSES = 12  # partners like the first one, beside the demo's own


@dataclass(frozen=True)
class Habit:
    """How somebody is: how often they do nothing, and how long they take (hours, at most)."""

    sleeps: float
    hours: float


HABITS = {
    Role.FAMILY: (Habit(0.1, 10), Habit(0.5, 60), Habit(1.0, 1)),
    Role.WORKER: (Habit(0.05, 6), Habit(0.2, 20), Habit(0.4, 50), Habit(0.9, 90)),
    Role.COORDINATOR: (Habit(0.1, 8), Habit(0.6, 40)),
}


class Days:
    """The network, its people, and what they will do."""

    def __init__(self, net: Small, requests: int, seed: int) -> None:
        self.net, self.chance, self.number = net, Random(seed), count(1)
        self.will: list[tuple[datetime, int, Callable[[], None]]] = []
        self.accounts: dict[str, int] = {}
        self.roles: dict[str, Role] = {}
        self.habits: dict[str, Habit] = {}
        self.requests: list[str] = []
        self.times: dict[str, list[timedelta]] = defaultdict(list)
        self.came: set[tuple[str, Stage]] = set()
        for n, seat in enumerate(net.store.run(lambda tx: tx.find(Seat)), 100):
            if seat.role in HABITS:
                self._somebody(n, seat.role, seat.id)
        for n in range(requests):
            person = self._somebody(10_000 + n, Role.FAMILY)
            at = net.clock.now + FILED_WITHIN * self.chance.random()
            self._later(at, partial(self._files, person))

    def _somebody(self, account: int, role: Role, seat: str = "") -> str:
        person = self.net.person(account, seat)
        self.accounts[person], self.roles[person] = account, role
        self.habits[person] = self.chance.choice(HABITS[role])
        return person

    def _later(self, at: datetime, act: Callable[[], None]) -> None:
        heapq.heappush(self.will, (at, next(self.number), act))

    def _files(self, person: str) -> None:
        urgency = self.chance.choices(list(Urgency), (1, 3, 6))[0]
        with suppress(PulangError):
            self.requests.append(self.net.filed(person, urgency, self.chance.choice(AREAS)))

    # -- the clock ---------------------------------------------------------------------------------

    def live_until(self, end: datetime) -> None:
        """Every timer at its own instant, every act at its own, a look at everything once a day."""
        look = self.net.clock.now + DAY
        while True:
            due, act = self.net.store.run(_next_timer), self.will[0][0] if self.will else None
            at = min(x for x in (due, act, look, end) if x is not None)
            self.net.clock.now = max(self.net.clock.now, at)
            if at == end:
                return
            if due is not None and due <= at:
                for timer in self.net.store.run(_due, self.net.clock.now):
                    self.net.store.run(timers.fire, timer.id, timer.due_at)
            elif act is not None and act <= at:
                heapq.heappop(self.will)[2]()
            else:
                self.nobody_is_forgotten()
                look += DAY
            for delivery in self.net.deliveries():
                self._heard(delivery)
            self._note_times()

    def _note_times(self) -> None:
        """How long after the filing each request came to each stage for the first time."""
        for referral in self.net.store.run(lambda tx: tx.find(Referral, stage_since=self.net.clock.now)):
            if (referral.id, referral.stage) not in self.came and referral.author_id in self.accounts:
                self.came.add((referral.id, referral.stage))
                self.times[referral.stage].append(self.net.clock.now - referral.created_at)

    # -- what people do ----------------------------------------------------------------------------

    def _heard(self, delivery: Delivery) -> None:
        person = delivery.person_id
        habit = self.habits.get(person)
        about = [b for row in delivery.buttons for b in row if _about_a_matter(b)]
        if habit is None or not about or self.chance.random() < habit.sleeps:
            return
        room = [b for b in about if b.text == "button.room_open"]
        button = room[0] if room and self.chance.random() < 0.8 else self.chance.choice(about)
        at = self.net.clock.now + timedelta(hours=habit.hours * self.chance.random() ** 2)
        self._later(at, lambda: self._does(person, button))

    def _does(self, person: str, button: Button) -> None:
        if button.page:
            self._on_the_page(person, button.page)
            return
        update = next(self.number)
        pressed = Incoming(update, self.accounts[person], Did.PRESS, data=button.action, message_id=update)
        with suppress(PulangError):
            self.net.store.run(router.handle, pressed)

    def _on_the_page(self, person: str, path: str) -> None:
        name, _, subject = path.partition("/")
        page = pages.PAGES[name]
        with suppress(PulangError):
            view = self.net.store.run(page.view, person, subject, {})
            offered = offered_by(view)
            usual = [o for o in offered if o[0].id not in RARE] if self.chance.random() < 0.99 else offered
            if usual:
                step, body = self.chance.choices(usual, [LIKELY.get(o[0].id, 1) for o in usual])[0]
                more = {**body, **filled(step, self.net.clock.now, self.chance.randrange(12))}
                self.net.store.run(page.steps[step.id], person, subject, more)

    # -- what must hold ----------------------------------------------------------------------------

    def nobody_is_forgotten(self) -> None:
        """Each open request waits for a timer; what is overdue, the desk knows."""
        waiting: dict[str, datetime] = {}
        for timer in self.net.timers():
            waiting[timer.subject] = min(timer.due_at, waiting.get(timer.subject, timer.due_at))
        for referral in self._referrals():
            if referral.stage in ENDED:
                continue
            due = [waiting[s] for s in (referral.id, referral.offer_id or "") if s in waiting]
            assert due, f"{referral.stage} waits for nothing"
            assert min(due) < self.net.clock.now + 32 * DAY, f"{referral.stage} waits too long"
            promised = self.net.store.run(tracking.next_by, referral)
            late = promised is not None and promised < self.net.clock.now - SLACK
            known = referral.escalated or referral.stage in desk_queues.HELD_BY_DESK
            assert known or not late, f"{referral.stage} is overdue since {promised}, and nobody was told"

    def held_by_nobody(self) -> list[Referral]:
        """Requests that ended without an outcome, or go on without a human who has them."""
        return [r for r in self._referrals() if not self._in_hands(r)]

    def _in_hands(self, referral: Referral) -> bool:
        if referral.stage is Stage.CLOSED:
            return referral.outcome is not None
        if referral.stage in ENDED:
            return referral.stage is Stage.WITHDRAWN
        if referral.stage in (Stage.ACCEPTED, Stage.UNREACHABLE, Stage.IN_SERVICE):
            return referral.accepted_by in self.accounts
        if referral.stage in (Stage.OFFERED, Stage.WAITLISTED):
            offer = self.net.store.run(lambda tx: tx.get(Offer, referral.offer_id or ""))
            return offer is not None and offer.stage in LIVE_OFFERS and bool(offer.told)
        return referral.stage in (*desk_queues.HELD_BY_DESK, Stage.REPORTED, Stage.MATCHING)

    def _referrals(self) -> Sequence[Referral]:
        return self.net.store.run(lambda tx: tx.find(Referral, id=self.requests))

    def told(self) -> str:
        """How it ended, and how long each stage took to come."""
        counts = Counter(f"{r.stage} {r.outcome or ''}".strip() for r in self._referrals())
        lines = [f"{n:5} {name}" for name, n in sorted(counts.items())]
        for stage, took in self.times.items():
            ordered = sorted(took)
            marks = (ordered[len(ordered) // 2], ordered[len(ordered) * 9 // 10], ordered[-1])
            shown = ", ".join(map(_hours, marks))
            lines.append(f"{len(took):5} x {stage}: median, nine of ten, last after {shown} hours")
        return "\n".join(lines)


def _hours(span: timedelta) -> str:
    return f"{span / timedelta(hours=1):.1f}"


def _about_a_matter(button: Button) -> bool:
    if button.page:
        return button.page.partition("/")[0] in ("matter", "offer")
    verb = button.action.split(":")[1] if ":" in button.action else ""
    return bool(verb) and verb.split(".")[0] not in ASIDE


def _next_timer(tx: Tx) -> datetime | None:
    return chat.next_timer(cast("StoreTx", tx).connection)


def _due(tx: Tx, now: datetime) -> list[Timer]:
    return chat.due_timers(cast("StoreTx", tx).connection, now, 100)


def _with_houses(n_of_them: int) -> NetworkFile:
    """The demo's network and so many more partners like its first one, each with three workers."""
    house, service, agreement = NETWORK.organizations[1], NETWORK.services[0], NETWORK.agreements[0]
    organizations: list[Organization] = []
    services: list[Service] = []
    agreements: list[Agreement] = []
    seats: list[Seat] = []
    for n in range(n_of_them):
        own = f"house-{n}"
        organizations.append(replace(house, id=own))
        areas = tuple(dict.fromkeys((AREAS[n % len(AREAS)], AREAS[(n + 4) % len(AREAS)])))
        services.append(replace(service, id=f"{own}-visits", organization_id=own, areas=areas))
        agreements.append(replace(agreement, id=f"{own}-agreement", organization_id=own))
        seats += [Seat(f"{own}-{k}", Role.WORKER, own, None) for k in range(3)]
    return replace(
        NETWORK,
        organizations=(*NETWORK.organizations, *organizations),
        services=(*NETWORK.services, *services),
        agreements=(*NETWORK.agreements, *agreements),
        seats=(*NETWORK.seats, *seats),
    )


def _apply(tx: Tx, file: NetworkFile) -> None:
    network.apply(tx, STEWARD, file, network.digest(network.preview(tx, file)))


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Small]:
    with Small.opened(sqlite_url) as net:
        net.store.run(_apply, _with_houses(HOUSES))
        yield net


@pytest.mark.timeout(4 * 3600)  # a thousand requests take about an hour
def test_no_request_ends_in_silence(net: Small, long_run: bool, capsys: pytest.CaptureFixture[str]) -> None:
    days = Days(net, 1_000 if long_run else 12, seed=7)
    days.live_until(net.clock.now + FILED_WITHIN + DAYS)
    with capsys.disabled():
        print(f"\n{days.told()}")
    assert len(days.requests) > 10
    assert days.held_by_nobody() == []
    assert Stage.ACCEPTED in days.times
