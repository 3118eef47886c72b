"""Answers that must not tell: the same bytes, and delays that a thousand tries cannot tell apart.

Four places where somebody could ask 'is somebody there?': a body that asks about attendance, one that
proposes a plan for a case code, codes to follow a matter, and the opening of a page by an account. Each is
tried over HTTP, one kind after the other in an order that a seed shuffles, so that whatever the machine does
meanwhile falls on all kinds alike.

Delays are compared by the two-sample Kolmogorov-Smirnov test: the largest distance between two empirical
distributions is refused from D = c * sqrt((n + m) / (n * m)) on, with c = sqrt(-ln(ALPHA / 2) / 2). With
ALPHA = 1 in 10,000 and 1,000 tries each (PULANG_LONG=1) that is D = 0.10: two normal distributions whose
means lie 0.25 standard deviations apart. How small a difference these very tries would have shown is printed,
and must be far below one answer's time. `make test` compares bytes and counts statements, which is exact, and
leaves delays to the long run: fifteen tries beside other tests tell more of the machine than of us.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from math import log, sqrt
from random import Random
from statistics import median
from typing import Any

import pytest

from console import sessions
from console.init_data import check
from referrals.casework import Confirmation
from referrals.errors import Refused
from referrals.persons import Person, Presence
from referrals.ports import Tx
from referrals.service.attendance import attendance, body_questions
from referrals.service.joint import proposing
from referrals.service.matter import tracking
from referrals.service.people import people
from referrals.service.turns import closing
from tests.console.place import Place, a_place
from tests.security.test_init_data import TRUST
from tests.service.test_attendance_story import came_to, tie
from tests.support.device import Device, DeviceSession

ALPHA = 0.0001
ENOUGH = 1000
BODY, FAMILY, MEMBER, EVE = 7001, 7002, 7003, 7004
NOBODY, HIDDEN, BLOCKED, LOST, NEVER = 7010, 7011, 7012, 7013, 7014
NOBODYS_CODE = "lusab-babad-gutih-tugad"


def distance(one: Sequence[float], other: Sequence[float]) -> float:
    """The largest distance between two empirical distributions."""
    first, second = sorted(one), sorted(other)
    found, i, j = 0.0, 0, 0
    for at in sorted({*first, *second}):
        while i < len(first) and first[i] <= at:
            i += 1
        while j < len(second) and second[j] <= at:
            j += 1
        found = max(found, abs(i / len(first) - j / len(second)))
    return found


def too_far(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether chance alone would hardly ever (ALPHA) make two samples of one distribution so different."""
    n, m = len(one), len(other)
    return distance(one, other) > sqrt(-log(ALPHA / 2) / 2) * sqrt((n + m) / (n * m))


def test_the_measure_sees_a_difference_and_none_where_there_is_none() -> None:
    chance = Random(7)
    plain = [chance.gauss(5.0, 1.0) for _ in range(500)]
    assert not too_far(plain, [chance.gauss(5.0, 1.0) for _ in range(500)])
    assert too_far(plain, [chance.gauss(5.5, 1.0) for _ in range(500)])
    assert too_far([1.0] * 30, [2.0] * 30)
    assert 0.1 < would_show(plain) < 0.6
    assert distance([1.0, 2.0], [1.0, 2.0]) == 0


def would_show(sample: Sequence[float]) -> float:
    """The smallest delay that, had it been added to one kind's tries, would have been refused."""
    low, high = 0.0, max(sample) - min(sample) + 1.0
    for _ in range(20):
        middle = (low + high) / 2
        if too_far(sample, [value + middle for value in sample]):
            high = middle
        else:
            low = middle
    return high


class Heard:
    """What each kind of question was answered with, and after how long (ms)."""

    def __init__(self) -> None:
        self.bytes: dict[str, set[bytes]] = {}
        self.ms: dict[str, list[float]] = {}

    def note(self, kind: str, answer: bytes, ms: float) -> None:
        self.bytes.setdefault(kind, set()).add(answer)
        self.ms.setdefault(kind, []).append(ms)

    def delays_alike(self, what: str) -> None:
        """In the long run, where there are enough to tell."""
        if min(map(len, self.ms.values())) < ENOUGH:
            return
        for one, other in combinations(self.ms, 2):
            far = distance(self.ms[one], self.ms[other])
            line = (
                f"{what}: {one} / {other}: D = {far:.3f} of {len(self.ms[one])}+{len(self.ms[other])} tries"
            )
            print(line)
            assert not too_far(self.ms[one], self.ms[other]), line
        for kind, sample in self.ms.items():
            shown = would_show(sample)
            print(f"{what}: {kind}: median {median(sample):.2f} ms; {shown:.3f} ms more would have shown")
            assert shown < median(sample) / 4, "this measure could hardly fail"


@pytest.fixture
async def place(sqlite_url: str) -> AsyncIterator[Place]:
    async with a_place(sqlite_url) as found:
        yield found


@pytest.fixture
def tries(long_run: bool) -> int:
    """Of each kind."""
    return ENOUGH if long_run else 5


async def timed(session: DeviceSession, step: str, body: dict[str, str]) -> tuple[bytes, float]:
    """One step of a page: its answer's very bytes, and how long it took."""
    session.number += 1
    path, raw = f"/p/api/{session.page}/{step}", json.dumps(body).encode()
    headers = session.device.headers(session.token, session.number, "POST", path, raw)
    headers["Content-Type"] = "application/json"
    began = time.perf_counter()
    async with session.http.post(session.origin + path, data=raw, headers=headers) as answer:
        answered = await answer.read()
    ms = (time.perf_counter() - began) * 1000
    assert answer.status == 200, answered
    return answered, ms


def in_turns(kinds: Sequence[str], rounds: int) -> list[list[str]]:
    """Every kind once in each round, in an order of its own."""
    chance = Random(3)
    return [chance.sample(kinds, len(kinds)) for _ in range(rounds)]


# -- a body that asks about attendance ----------------------------------------------------------------


LONG = pytest.mark.timeout(1800)


@LONG
async def test_a_body_hears_the_same_whomever_it_asks_about(place: Place, tries: int) -> None:
    """Known and with a phone of their own, known to a mentor alone, unknown, and nonsense."""
    net = place.net
    net.person(BODY, "border-probation-1")
    net.person(31, "mentor-1")
    net.store.run(tie, "K7-29", net.person(MEMBER))
    asked = {"own phone": "K7-29", "no phone": "M3-04", "unknown": "K7-AAA", "nonsense": "tell me"}
    heard = Heard()
    for kinds in in_turns(list(asked), tries):
        place.clock.advance(days=1)  # so much may be asked in a day
        session = await place.opens(BODY, "attendance/body")
        answers = []
        for kind in kinds:
            answer, ms = await timed(session, "body_ask", {"code": asked[kind], "reason": "month"})
            heard.note(kind, answer, ms)
            answers.append(answer)
        assert len(set(answers)) == 1, answers
        assert b"part.attendance.have" in answers[0]
    heard.delays_alike("attendance")


@LONG
async def test_a_body_that_proposes_hears_the_same_whomever_it_means(place: Place, tries: int) -> None:
    """Somebody's code, nobody's, and nonsense: whose mentor is asked shows to nobody but that mentor."""
    net = place.net
    net.person(BODY, "border-corrections-1")
    net.person(31, "mentor-1")
    asked = {"somebody's": "K7-29", "unknown": "K7-AAA", "nonsense": "tell me"}
    heard = Heard()
    for kinds in in_turns(list(asked), tries):
        place.clock.advance(hours=1)  # so many may be tried in an hour
        session = await place.opens(BODY, "tasks")
        answers = []
        for kind in kinds:
            body = {"code": asked[kind], "pathway": "custody-programme"}
            answer, ms = await timed(session, "propose", body)
            heard.note(kind, answer, ms)
            answers.append(answer)
        assert len(set(answers)) == 1, answers
        assert b"part.tasks.proposed" in answers[0]
    heard.delays_alike("plans proposed")


# -- codes to follow a matter -------------------------------------------------------------------------


@LONG
async def test_codes_that_show_nothing_sound_alike(place: Place, tries: int) -> None:
    """Never given, replaced by a newer one, of a matter that has ended, and mistyped."""
    net = place.net
    family = net.person(FAMILY)
    matter, ended = net.filed(family), net.filed(family)
    replaced = net.store.run(tracking.follow, family, matter)
    net.store.run(tracking.follow, family, matter)
    of_ended = net.store.run(tracking.follow, family, ended)
    net.store.run(closing.withdraw, family, ended)
    asked = {"unknown": NOBODYS_CODE, "replaced": replaced, "ended": of_ended, "mistyped": "lusab-babad"}
    net.person(EVE)
    heard = Heard()
    for kinds in in_turns(list(asked), tries):
        place.clock.advance(hours=1)  # so often may be guessed in an hour
        session = await place.opens(EVE, "track")
        answers = []
        for kind in kinds:
            answer, ms = await timed(session, "look", {"code": asked[kind]})
            heard.note(kind, answer, ms)
            answers.append(answer)
        assert len(set(answers)) == 1, answers
    heard.delays_alike("tracking codes")


# -- accounts -----------------------------------------------------------------------------------------


@LONG
async def test_an_account_that_nobody_knows_is_like_one_that_is_silent(place: Place, tries: int) -> None:
    """Whoever never wrote, is hidden, has blocked the bot, or lost the phone: no page opens, in one way."""
    net = place.net
    silent = {HIDDEN: Presence.HIDDEN, BLOCKED: Presence.BLOCKED, LOST: Presence.LOST}
    for account, presence in silent.items():
        net.store.run(_falls_silent, net.person(account), presence)
    kinds = {"unknown": NOBODY, "hidden": HIDDEN, "blocked": BLOCKED, "lost": LOST}
    heard, device = Heard(), Device()
    for order in in_turns(list(kinds), tries):
        for kind in order:
            body = device.opening("me", place.proof(kinds[kind]))
            began = time.perf_counter()
            async with place.http.post(f"{place.origin}/p/session", json=body) as answer:
                answered = await answer.read()
            heard.note(kind, answered, (time.perf_counter() - began) * 1000)
            assert 400 <= answer.status < 500
    assert len(set().union(*heard.bytes.values())) == 1
    heard.delays_alike("accounts")


def _falls_silent(tx: Tx, person_id: str, presence: Presence) -> None:
    people.hide(tx, person_id)
    person = tx.get(Person, person_id)
    assert person is not None
    tx.save(replace(person, presence=presence))


# -- the same work ------------------------------------------------------------------------------------


class Counted:
    """A connection that counts every statement, those that write too."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.asked = inner, 0

    def rows(self, *args: Any) -> Any:
        self.asked += 1
        return self.inner.rows(*args)

    def change(self, *args: Any) -> Any:
        self.asked += 1
        return self.inner.change(*args)

    def change_many(self, *args: Any) -> Any:
        self.asked += 1
        return self.inner.change_many(*args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Undone(Exception):
    """Counted, and nothing of it stays."""


def statements(place: Place, do: Callable[[Tx], object]) -> int:
    """How many statements something takes; refused or not."""
    found: list[int] = []

    def turn(tx: Any) -> None:
        tx.connection = counted = Counted(tx.connection)
        with suppress(Refused):
            do(tx)
        found.append(counted.asked)
        raise Undone

    with pytest.raises(Undone):
        place.net.store.run(turn)
    return found[-1]


async def test_what_must_sound_alike_takes_as_many_statements(place: Place) -> None:
    net = place.net
    worker, eve = net.person(BODY, "border-probation-1"), net.person(EVE)
    net.person(31, "mentor-1")
    net.store.run(tie, "K7-29", net.person(MEMBER))
    family = net.person(FAMILY)
    matter = net.filed(family)
    replaced = net.store.run(tracking.follow, family, matter)
    known = net.store.run(tracking.follow, family, matter)
    bodies = [
        statements(place, lambda tx, code=code: body_questions.ask(tx, worker, code, "month"))  # type: ignore[misc]
        for code in ("K7-29", "M3-04", "K7-AAA", "", "x" * 5000)
    ]
    assert len(set(bodies)) == 1, bodies
    assert bodies[0] > 5
    staff = net.person(NOBODY, "border-corrections-1")
    plan = "custody-programme"
    proposed = [
        statements(place, lambda tx, code=code: proposing.propose(tx, staff, plan, code))  # type: ignore[misc]
        for code in ("K7-29", "M3-04", "K7-AAA", "", "x" * 5000)
    ]
    assert len(set(proposed)) == 1, proposed
    assert proposed[0] >= 5
    looks = [
        statements(place, lambda tx, code=code: tracking.look(tx, eve, code))  # type: ignore[misc]
        for code in (known, replaced, NOBODYS_CODE, "mistyped", "")
    ]
    assert len(set(looks)) == 1, looks
    net.store.run(_falls_silent, net.person(HIDDEN), Presence.HIDDEN)
    opens = [
        statements(place, lambda tx, launch=launch: sessions.open_session(tx, launch, "key", "id", "me"))  # type: ignore[misc]
        for launch in (check(place.proof(account), TRUST, place.clock.now) for account in (NEVER, HIDDEN))
    ]
    assert len(set(opens)) == 1, opens


async def test_when_an_answer_leaves_nothing_is_left_to_be_done(place: Place) -> None:
    """Sent, not agreed, absent or unknown: it was ready before, and telling so is the same work."""
    net = place.net
    worker, mentor = net.person(BODY, "border-probation-1"), net.person(31, "mentor-1")
    member = net.person(MEMBER)
    net.store.run(tie, "K7-29", member)
    net.store.run(tie, "T2-86", net.person(EVE))
    net.store.run(came_to, "K7-29", mentor, [net.clock.now.date() - timedelta(days=3)])
    codes = ("K7-29", "T2-86", "M3-04", "K7-AAA")
    at = max(net.store.run(body_questions.ask, worker, code, "month") for code in codes)
    net.passes(timedelta(minutes=2))
    for person in (member, net.person(EVE)):
        (asked,) = net.store.run(attendance.of_member, person)
        net.store.run(attendance.agree, person, asked.id)
    net.passes(at - net.clock.now - timedelta(minutes=1))
    found = net.store.run(lambda tx: tx.find(Confirmation))
    assert sorted(c.state.value + c.why for c in found) == [
        "noneno_yes",
        "nonenot_there",
        "noneunknown",
        "sent",
    ]
    (sent,) = [c for c in found if not c.why]
    net.store.run(attendance.afterwards, member, sent.id, "own_choice", "no")
    place.clock.advance(minutes=1)
    leaving = [
        statements(place, lambda tx, it=it: body_questions.answer(tx, it.id))  # type: ignore[misc]
        for it in found
    ]
    assert len(set(leaving)) == 1, leaving
