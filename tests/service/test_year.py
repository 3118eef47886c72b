"""A year of reminders: nobody is forgotten, nobody is asked twice, nobody is woken.

The clock is moved, never slept on: from one instant at which something is due to the next, in the product's
own turns and the outbox's own claims. Mentors answer on time, late, never, or were in touch before; members
pause, move on to another phase and change mentors; the process is restarted, and is away for an hour and for
a week. What should have happened is worked out a second time, by zoneinfo and a plain calendar: nothing here
asks rhythm.py. With PULANG_LONG the full size: 1,000 members, 100 mentors, 365 days.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from time import perf_counter
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from referrals import case_codes
from referrals.access import Action
from referrals.catalogue import Catalogue, Phase, Programme
from referrals.errors import PulangError
from referrals.members import CheckIn, CheckInKind, Enrolment, EnrolmentState, Source
from referrals.model import Actor, Role
from referrals.persons import Person, Seat, WritingWindow
from referrals.ports import Delivery, Sent, Tx
from referrals.service import timers
from referrals.service.contact import checkins, wishes
from referrals.service.members import enrolments, reminders
from referrals.service.people import people
from storage.sql import Sql
from storage.store import Store
from storage.tx import StoreTx
from tests.conftest import LONG
from tests.support.network import CATALOGUE
from tests.support.store import SettableClock, open_store

BERLIN, MELBOURNE = "Europe/Berlin", "Australia/Melbourne"
GRID = timedelta(minutes=15)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BACKUP = "mentor.check_in_backup"
FIRST_TEXTS = {"mentor.check_in_due", BACKUP, "form.family-check-in.state"}
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
QUIET = ((None, None), (time(21), time(7)), (time(22, 30), time(8, 15)), (time(17, 30), time(19)))
PROGRAMMES = ("return-home-club", "first-90-days", "family-circle")


@dataclass
class Plan:
    """How large, how long, and when nobody was there."""

    members: int
    mentors: int
    begin: datetime
    days: int
    outages: tuple[tuple[datetime, datetime], ...]
    restarts: int

    @property
    def end(self) -> datetime:
        return self.begin + self.days * DAY

    def outage_at(self, at: datetime) -> tuple[datetime, datetime] | None:
        return next((gap for gap in self.outages if gap[0] <= at < gap[1]), None)


@dataclass
class Told:
    """One first reminder as it left: to whom, about which check-in, when."""

    person_id: str
    check_in_id: str
    at: datetime
    text: str = ""


@dataclass
class Year:
    """The network, the clock, and what happens to it. `moved`: how each enrolment stood from when on."""

    url: str
    plan: Plan
    chance: Random
    clock: SettableClock = field(init=False)
    store: Store = field(init=False)
    told: list[Told] = field(default_factory=list)
    moved: dict[str, list[tuple[datetime, str]]] = field(default_factory=lambda: defaultdict(list))
    skipped: dict[str, list[tuple[datetime, datetime]]] = field(default_factory=lambda: defaultdict(list))
    events: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    heard: set[str] = field(default_factory=set)  # check-ins that somebody was reminded of
    put_off: set[str] = field(default_factory=set)  # check-ins that are asked for once more
    refused: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    opened: int = 0
    steps: int = 0

    def __post_init__(self) -> None:
        self.clock = SettableClock(self.plan.begin)
        self.open()
        self.store.run(_people, self.plan, self.chance)
        for enrolment in self.store.run(_members, self.plan, self.chance):
            self.moved[enrolment.id].append((self.clock.now, enrolment.phase))
        self.seats: dict[str, str] = {
            s.id: s.person_id or "" for s in self.store.run(lambda tx: tx.find(Seat, role=Role.MENTOR))
        }

    def open(self) -> None:
        self.opened += 1  # another seed, or the ids would repeat
        self.store = open_store(self.url, self.clock, steady(CATALOGUE), self.opened)
        self.store.run(timers.begin)

    # -- the world outside ---------------------------------------------------------------------------

    def at(self, when: datetime, what: Callable[[], None]) -> None:
        """Something that somebody does, at the next quarter of an hour."""
        when += (datetime.min.replace(tzinfo=UTC) - when) % GRID
        heapq.heappush(self.events, (when, len(self.events) + self.chance.randrange(10**9), what))

    def tries(self, verb: Callable[..., object], *words: object) -> None:
        """Somebody presses something; a refusal is counted and changes nothing."""
        try:
            self.store.run(verb, *words)
        except PulangError as error:
            self.refused[error.code] += 1

    def reads(self, delivery: Delivery, check_in_id: str) -> None:
        """A reminder has come: what its reader does about it, and when."""
        person, what = delivery.person_id, self.chance.random()
        soon = self.clock.now + self.chance.uniform(0.1, 8) * HOUR
        if what < 0.70:
            self.at(soon, lambda: self.saves(person, check_in_id))
        elif what < 0.85:
            late = self.clock.now + self.chance.uniform(20, 70) * HOUR
            self.at(late, lambda: self.saves(person, check_in_id))
        elif what < 0.89:
            until = self.chance.choice(list(wishes.Until))
            self.put_off.add(check_in_id)
            self.at(soon, lambda: self.tries(wishes.snooze, person, check_in_id, until))
        elif what < 0.92:
            self.at(soon, lambda: self.skips(person, check_in_id))

    def saves(self, person_id: str, subject: str) -> None:
        means = self.chance.choice(("in_person", "call", "not_reached"))
        member = {"means": means} if means == "not_reached" else {"means": means, "state": "well"}
        found = self.store.run(lambda tx: tx.get(CheckIn, subject))
        own = found is not None and found.kind is not CheckInKind.MEMBER
        self.tries(checkins.save, person_id, subject, {"state": "well"} if own else member)

    def skips(self, person_id: str, check_in_id: str) -> None:
        found = self.store.run(lambda tx: tx.get(CheckIn, check_in_id))
        with suppress(PulangError):
            until = self.store.run(wishes.not_this_week, person_id, check_in_id)
            assert found is not None
            self.skipped[found.enrolment_id or ""].append((self.clock.now, until))

    def life(self) -> None:
        """Pauses, returns, phases, other mentors, contacts of one's own accord: spread over the time."""
        for enrolment_id in list(self.moved):
            for _ in range(1 + self.plan.days // 120):
                when = self.plan.begin + self.chance.uniform(2, self.plan.days - 2) * DAY
                what = self.chance.choice(
                    (self.pauses, self.moves_on, self.other_mentor, self.calls, self.calls)
                )
                self.at(when, lambda what=what, who=enrolment_id: what(who))  # type: ignore[misc]
        for _ in range(self.plan.restarts):
            self.at(self.plan.begin + self.chance.uniform(1, self.plan.days - 1) * DAY, self.restarts)

    def pauses(self, enrolment_id: str) -> None:
        self.changes(enrolment_id, lambda tx, actor, e: enrolments.pause(tx, actor, e, None), "")
        back = self.clock.now + self.chance.uniform(5, 40) * DAY
        self.at(back, lambda: self.changes(enrolment_id, enrolments.come_back, None))

    def moves_on(self, enrolment_id: str) -> None:
        phase = self.store.run(lambda tx: _another_phase(tx, enrolment_id))

        def move(tx: Tx, actor: Actor, e: Enrolment) -> Enrolment:
            moved = tx.save(replace(e, phase=phase, phase_since=tx.now))
            reminders.follow(tx, moved.id)
            return moved

        self.changes(enrolment_id, move, None)

    def other_mentor(self, enrolment_id: str) -> None:
        post = self.chance.choice(sorted(self.seats))

        def change(tx: Tx, actor: Actor, e: Enrolment) -> Enrolment:
            if not e.mentor_seat or e.backup_seat == post:
                return e
            after = replace(e, mentor_seat=post)
            self.put_off |= {c.id for c in tx.find(CheckIn, enrolment_id=e.id, saved_at=None)}
            return enrolments.change(tx, actor, after, Action.MEMBER_HAND_OVER, "handed over")

        self.changes(enrolment_id, change, None, phase_same=True)

    def calls(self, enrolment_id: str) -> None:
        """A mentor was in touch without being asked."""
        found = self.store.run(lambda tx: tx.get(Enrolment, enrolment_id))
        if found is not None and found.mentor_seat:
            self.saves(self.seats[found.mentor_seat], enrolment_id)

    def changes(
        self,
        enrolment_id: str,
        how: Callable[[Tx, Actor, Enrolment], Enrolment],
        stands: str | None,
        phase_same: bool = False,
    ) -> None:
        desk = Actor("desk", Role.COORDINATOR)

        def verb(tx: Tx) -> Enrolment:
            locked = tx.get(Enrolment, enrolment_id, lock=True)
            assert locked is not None
            return how(tx, desk, locked)

        after = self.store.run(verb)
        if not phase_same:
            phase = after.phase if after.state is EnrolmentState.ACTIVE else ""
            self.moved[enrolment_id].append((self.clock.now, phase))

    def restarts(self) -> None:
        self.store.close()
        self.open()

    # -- the product ---------------------------------------------------------------------------------

    def run(self) -> None:
        self.life()
        while self.clock.now < self.plan.end:
            following = asyncio.run(self.step())
            gap = self.plan.outage_at(following)
            if gap is not None:
                following = gap[1]
                self.restarts()  # it was away, and comes back with what it had written down
            self.clock.now = max(following, self.clock.now + timedelta(seconds=1))

    async def step(self) -> datetime:
        """All that is due at this instant; the next one at which something will be."""
        self.steps += 1
        await self.fire()
        while self.events and self.events[0][0] <= self.clock.now:
            heapq.heappop(self.events)[2]()
        await self.fire()
        await self.store.outbox.hold(self.clock.now)
        while found := await self.store.outbox.claim(self.clock.now, 200):
            await self.store.outbox.settle([self.sent(d) for d in found], self.clock.now)
        waits = [await self.store.next_timer(), await self.store.outbox.next_due(self.clock.now)]
        waits += [self.events[0][0]] if self.events else []
        coming = min((at for at in waits if at is not None), default=self.plan.end)
        return max(coming, self.clock.now + timedelta(seconds=1))

    async def fire(self) -> None:
        """Every timer that is due, those of one kind together where the product does so."""
        while due := await self.store.due_timers(self.clock.now, 250):
            together = [t for t in due if t.kind in timers.TOGETHER]
            if together:
                await self.store.turn(timers.fire_many, together)
            for timer in due:
                if timer.kind not in timers.TOGETHER:
                    await self.store.turn(timers.fire, timer.id, timer.due_at)

    def sent(self, delivery: Delivery) -> Sent:
        asks: list[str] = []
        if delivery.message_id is None:  # an edit rings nobody
            several = delivery.text == "mentor.several_due"
            asks = self.store.run(_in_the_list, delivery.id) if several else _asks(delivery)
        for check_in_id in asks:
            known = check_in_id in self.heard
            if delivery.text in FIRST_TEXTS or (delivery.text == "mentor.several_due" and not known):
                self.heard.add(check_in_id)
                self.told.append(Told(delivery.person_id, check_in_id, self.clock.now, delivery.text))
                self.reads(delivery, check_in_id)
        self.messages += 1
        return Sent(delivery.id, self.messages if delivery.message_id is None else None)


def steady(catalogue: Catalogue) -> Catalogue:
    """The product's own programmes, whose phases are moved by somebody's word alone."""
    found: dict[str, Programme] = {}
    for name in PROGRAMMES:
        programme = catalogue.programmes[name]
        phases = tuple(replace(phase, onward=None) for phase in programme.phases)
        found[name] = replace(programme, phases=phases)
    return replace(catalogue, programmes=found, programme_sources={})


def _people(tx: Tx, plan: Plan, chance: Random) -> None:
    tx.add(Seat("desk-1", Role.COORDINATOR, None, people.meet(tx, 1).id))
    for number in range(plan.mentors):
        person = people.meet(tx, 1000 + number)
        tx.save(_with_wishes(person, chance))
        tx.add(Seat(f"mentor-{number}", Role.MENTOR, None, person.id))


def _with_wishes(person: Person, chance: Random) -> Person:
    quiet = chance.choice(
        ((None, None), (time(21), time(7)), (time(22, 30), time(8, 15)), (time(17, 30), time(19)))
    )
    return replace(
        person,
        language="en",
        timezone=chance.choice((BERLIN, MELBOURNE)),
        window=chance.choice((WritingWindow.ANY_TIME, WritingWindow.DAYTIME)),
        quiet_from=quiet[0],
        quiet_to=quiet[1],
        days=chance.choice(((), (), (), (0, 1, 2, 3, 4), (1, 3, 5, 6))),
    )


def _members(tx: Tx, plan: Plan, chance: Random) -> list[Enrolment]:
    made = []
    for number in range(plan.members):
        programme = tx.catalogue.programmes[PROGRAMMES[number % 3]]
        family = programme.audience is Role.FAMILY
        mentor, backup = chance.sample(range(plan.mentors), 2)
        own = tx.save(_with_wishes(people.meet(tx, 50_000 + number), chance)).id if family else None
        enrolment = Enrolment(
            tx.new_id(),
            case_codes.numbered(number),
            programme.id,
            programme.version,
            chance.choice(programme.phases).id,
            tx.now,
            None if family else f"mentor-{mentor}",
            None if family else f"mentor-{backup}",
            chance.choice((BERLIN, MELBOURNE)),
            days=chance.choice(((), (), (0, 2, 4, 5))),
            at=chance.choice((None, None, time(9, 30))),
            person_id=own,
        )
        tx.add(enrolment)
        reminders.schedule_next(tx, enrolment)
        made.append(enrolment)
    return made


def _another_phase(tx: Tx, enrolment_id: str) -> str:
    enrolment = tx.get(Enrolment, enrolment_id)
    assert enrolment is not None
    phases = [p.id for p in tx.catalogue.programmes[enrolment.programme].phases]
    return phases[(phases.index(enrolment.phase) + 1) % len(phases)]


def _in_the_list(tx: Tx, delivery_id: int) -> list[str]:
    """The check-ins that one message stands for; it shows some of them, and counts the others."""
    slots = Sql("SELECT slot FROM outbox WHERE merged_into = :list ORDER BY id")
    rows = cast("StoreTx", tx).connection.rows(slots, {"list": delivery_id})
    return [slot.removeprefix("check:") for (slot,) in rows]


def _asks(delivery: Delivery) -> list[str]:
    """The check-ins whose buttons a message carries, each once."""
    words = [b.action.split(":") for row in delivery.buttons for b in row if b.action.startswith("1:check")]
    return list(dict.fromkeys(w[2] for w in words))


# -- what should have happened -------------------------------------------------------------------------


def due_days(phase: Phase, enrolment: Enrolment, first: date, last: date) -> list[date]:
    """The phase's days by a plain calendar: counted from the enrolment's own day in January 2024."""
    anchor = date(2024, 1, 1) + timedelta(days=sum(enrolment.code.encode()) % 28)
    rule = dict(part.split("=") for part in phase.every.split(";"))
    every, by_day = int(rule.get("INTERVAL", "1")), rule.get("BYDAY", "")
    days = [first + n * DAY for n in range((last - first).days + 1)]
    if rule["FREQ"] == "MONTHLY":
        return [day for day in days if day.day == anchor.day]
    weekdays = [WEEKDAYS.index(d) for d in by_day.split(",")] if by_day else [anchor.weekday()]
    monday = anchor - timedelta(days=anchor.weekday())
    return [d for d in days if d.weekday() in weekdays and ((d - monday).days // 7) % every == 0]


def due_instants(
    phase: Phase, enrolment: Enrolment, plan: Plan, holidays: frozenset[date]
) -> Iterator[datetime]:
    """When a contact falls due: its day, or the next one that is wished and no holiday before the next."""
    zone = ZoneInfo(enrolment.timezone)
    clock = enrolment.at or phase.at
    near = due_days(phase, enrolment, plan.begin.date() - 45 * DAY, plan.end.date() + 45 * DAY)
    for day, following in pairwise(near):
        while day < following and (
            day in holidays or (enrolment.days and day.weekday() not in enrolment.days)
        ):
            day += DAY  # noqa: PLW2901 - walking on is the whole idea
        if day < following:
            yield datetime.combine(day, clock, zone).astimezone(UTC)


def first_allowed(person: Person, at: datetime) -> datetime:
    """The reader's first allowed quarter of an hour, by walking."""
    zone = ZoneInfo(person.timezone)
    asked = at.astimezone(zone).date()
    while True:
        shown = at.astimezone(zone)
        clock = shown.time()
        day = person.window is WritingWindow.ANY_TIME or time(8) <= clock < time(20)
        wished = not person.days or shown.weekday() in person.days
        fallen = shown.date() == asked or not person.days or _earlier_wished(person, asked, shown.date())
        if day and wished and not _quiet(person, clock) and (fallen or clock >= time(8)):
            return at
        at += GRID


def _earlier_wished(person: Person, asked: date, shown: date) -> bool:
    """Whether the day before was wished too: then the night between them is only a night."""
    return (shown - DAY).weekday() in person.days and shown - DAY >= asked


def _quiet(person: Person, clock: time) -> bool:
    begins, ends = person.quiet_from, person.quiet_to
    if begins is None or ends is None:
        return False
    return begins <= clock < ends if begins <= ends else clock >= begins or clock < ends


@dataclass
class Found:
    """What the second opinion says."""

    due: int = 0
    asked: int = 0
    contacts: int = 0
    excused: Counter[str] = field(default_factory=Counter)
    late: list[timedelta] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def judge(year: Year) -> Found:
    """Every due instant of every member against what was asked and when it was told."""
    found = Found()
    rows: dict[str, list[CheckIn]] = defaultdict(list)
    for check_in in year.store.run(lambda tx: tx.find(CheckIn)):
        rows[check_in.enrolment_id or ""].append(check_in)
    readers = {p.id: p for p in year.store.run(lambda tx: tx.find(Person))}
    members = year.store.run(lambda tx: tx.find(Enrolment))
    told: dict[str, list[Told]] = defaultdict(list)
    for one in year.told:
        told[one.check_in_id].append(one)
        _judge_hours(year, one, readers[one.person_id], found)
    for enrolment in members:
        _judge_member(year, enrolment, rows[enrolment.id], told, readers, found)
    found.wrong += doubles(year)
    return found


def _judge_hours(year: Year, one: Told, reader: Person, found: Found) -> None:
    shown = one.at.astimezone(ZoneInfo(reader.timezone))
    if _quiet(reader, shown.time()) or (reader.days and shown.weekday() not in reader.days):
        found.wrong.append(
            f"{shown:%a %d.%m. %H:%M} is not {reader.days} {reader.quiet_from} {reader.quiet_to}"
        )


def _judge_member(
    year: Year,
    enrolment: Enrolment,
    rows: list[CheckIn],
    told: dict[str, list[Told]],
    readers: dict[str, Person],
    found: Found,
) -> None:
    catalogue = steady(CATALOGUE)
    programme = catalogue.programmes[enrolment.programme]
    holidays = catalogue.holidays[programme.holidays]
    asked = {c.due_at: c for c in rows if c.source is Source.REMINDER}
    expected: set[datetime] = set()
    stands = [*year.moved[enrolment.id], (year.plan.end, "")]
    for (since, phase_id), (until, _) in pairwise(stands):
        if not phase_id:
            continue
        instants = list(due_instants(programme.phase(phase_id), enrolment, year.plan, holidays))
        # What was moved out of holidays over the change of a phase may be either's.
        expected |= {at for at in instants if since - 15 * DAY <= at <= until}
        for due in (at for at in instants if since < at < until - HOUR):
            found.due += 1
            check_in = asked.get(due)
            excuse = "" if check_in else _excuse(year, enrolment, due, rows, instants)
            if check_in is None and not excuse:
                found.wrong.append(f"{enrolment.code}: {due} was never asked for")
            elif check_in is None:
                found.excused[excuse] += 1
            else:
                _judge_reminder(year, check_in, told[check_in.id], readers, found)
    found.contacts += sum(1 for c in rows if c.saved_at is not None)
    for due in set(asked) - expected:
        found.wrong.append(f"{enrolment.code}: asked for {due}, which is no slot")


def _excuse(
    year: Year, enrolment: Enrolment, due: datetime, rows: list[CheckIn], instants: list[datetime]
) -> str:
    """Why nobody had to be asked for this slot; '' if there is no reason."""
    gap = year.plan.outage_at(due)
    if gap is not None and any(gap[0] <= at <= gap[1] and at > due for at in instants):
        return "a later one of the same outage was asked for"
    now = gap[1] if gap else due
    if any(begins <= due < ends for begins, ends in year.skipped[enrolment.id]):
        return "not this week"
    for row in rows:
        before = row.source is Source.REMINDER and now - 14 * DAY < row.due_at < due
        if before and (row.saved_at is None or row.saved_at >= due):
            return "the one before was still asked for"
    day = due.astimezone(ZoneInfo(enrolment.timezone)).date()
    if any(r.source is not Source.REMINDER and r.day and day - 3 * DAY <= r.day <= day for r in rows):
        return "in touch by themselves"
    return ""


def _judge_reminder(
    year: Year, check_in: CheckIn, told: list[Told], readers: dict[str, Person], found: Found
) -> None:
    found.asked += 1
    if not told:
        if check_in.saved_at is None and not check_in.missed and check_in.waits:
            found.excused["still waits for its reader's hours"] += 1
        elif check_in.missed:
            found.excused["its hours never came before the next"] += 1
        else:
            found.excused["ended before its reader's hours came"] += 1
        return
    first = min(told, key=lambda one: one.at)
    over = [ends for begins, ends in year.plan.outages if check_in.due_at < begins and ends < first.at]
    if first.text == BACKUP and over and first.at - over[-1] < 4 * DAY:
        # The mentor's hours (and 'it is still due') fell into the outage; then the ladder went on.
        found.excused["its mentor's hours fell into an outage: the backup was asked after it"] += 1
        return
    gap = year.plan.outage_at(check_in.due_at)
    asked_at = gap[1] if gap else check_in.due_at
    allowed = first_allowed(readers[first.person_id], asked_at)
    away = year.plan.outage_at(allowed)
    if away is not None:
        allowed = first_allowed(readers[first.person_id], away[1])
    lateness = first.at - allowed
    found.late.append(lateness)
    if not timedelta() <= lateness <= GRID and check_in.id not in year.put_off:
        found.wrong.append(f"due {check_in.due_at}, allowed {allowed}, told {first.at} by {first.text}")


def doubles(year: Year) -> list[str]:
    """First reminders of the same check-in that left twice to the same person, by the outbox's rows."""
    texts = ", ".join(f"'{text}'" for text in sorted(FIRST_TEXTS))
    twice = Sql(
        f"SELECT person_id, slot, text FROM outbox WHERE state IN ('sent', 'merged') AND text IN ({texts})"
        " GROUP BY person_id, slot, text HAVING count(*) > 1"
    )
    rows = year.store.run(lambda tx: cast("StoreTx", tx).connection.rows(twice))
    return [
        f"{slot} twice: {text}" for _, slot, text in rows if slot.removeprefix("check:") not in year.put_off
    ]


@pytest.mark.timeout(1200 if LONG else 120)
def test_a_year_of_reminders(sqlite_url: str, long_run: bool) -> None:
    begin = datetime(2026, 2, 2, 6, 0, tzinfo=UTC) if long_run else datetime(2026, 9, 7, 6, 0, tzinfo=UTC)
    days = 365 if long_run else 63  # the small one has both changes of the clocks, 4 and 25 October
    hour = datetime(2026, 10, 14, 15, 45, tzinfo=UTC)
    week = datetime(2026, 10, 17, 3, 0, tzinfo=UTC)
    plan = Plan(
        members=1000 if long_run else 24,
        mentors=100 if long_run else 6,
        begin=begin,
        days=days,
        outages=((hour, hour + HOUR), (week, week + 7 * DAY)),
        restarts=40 if long_run else 4,
    )
    started = perf_counter()
    year = Year(sqlite_url, plan, Random(2026))
    year.run()
    found = judge(year)
    took = perf_counter() - started
    year.store.close()
    late = sorted(found.late)
    print(
        f"\n{plan.members} members, {plan.mentors} mentors, {plan.days} days in {took:.1f} s,"
        f" {year.steps} steps: {found.due} contacts due, {found.asked} asked for, {len(year.told)} reminders,"
        f" {found.contacts} made (coverage {found.contacts / found.due:.0%});"
        f" lateness median {late[len(late) // 2]}, worst {late[-1]};"
        f" not asked: {dict(found.excused)}; refused: {dict(year.refused)}"
    )
    assert not found.wrong, "\n".join(found.wrong[:20])
    assert found.asked > found.due * 0.6
