"""Whatever somebody forges: every press and every page's step with words of others, odd words and none.

Each case is one turn of somebody real. It may do what that person may do, or be refused with one of our own
errors: nothing else ever comes out of a turn, or Telegram would bring the same update again and again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from handlers import router
from handlers.incoming import Did, Incoming
from referrals.errors import BadAnswer, PulangError
from referrals.members import CheckIn, Danger, Enrolment, HandOver, Linking
from referrals.model import Actor
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service import pages
from referrals.service.alarm import crisis
from referrals.service.common import doors
from referrals.service.members import enrolments, handing_members, linking
from referrals.service.programme import meetings
from tests.service.test_members import Club
from tests.support.chat import Chat
from tests.support.network import CATALOGUE
from tests.support.store import SettableClock, open_store

ODD = (
    "", "²", "٣", "-1", "1_0", "0x1f", "1e9", "None", "\x00", "\ud800", "\u202e\u202d", "x" * 5000, "7", "1",
    "2", "2026-11-24", "2026-W48-2", "12:00+05:00", "25:00", "24:00", "T12", "yes", "no", "1.1", "a.b.c",
    "zzzz", ":", "/", "%", "'; --", "settled", "call", "not_reached", "return-home-club/settled", "th",
    "pattani",
)  # fmt: skip
NAMES = (
    "member", "reason", "share", "code", "category", "text", "note", "day", "check_in", "means", "state",
    "needs", "danger", "milestone", "undertaking", "place", "language", "area", "timezone", "gender_wish",
    "mentor", "backup", "organization", "silence", "plan", "read_out", "said_yes", "quiet_from", "quiet_to",
    "days", "on", "notice", "story", "contact", "consent_digest", "urgency", "person", "seat", "device",
)  # fmt: skip
SILENCING = ("hide",)  # whoever is silent is heard no more, and nothing else of theirs would be tried


class Forger:
    """People of a club, everything that has an id there, and chance."""

    def __init__(self, url: str) -> None:
        self.clock = SettableClock()
        self.store = open_store(url, self.clock, CATALOGUE)
        self.club = Club(self.store, self.clock)
        self.club.people()
        self.chance = Random(20261125)
        club = self.club
        self.theirs = club.member()
        others = club.member("mentor-3", "mentor-2")
        phone, steward, worker = club.person(61), club.person(1, "steward-1"), club.person(11, "bua-1")
        club.store.run(lambda tx: _tie(tx, others.id, phone))
        club.written(self.theirs, club.ann)
        self.store.run(lambda tx: crisis.raise_alarm(tx, *_ann(tx, club, self.theirs), None, Danger.YES))
        row = self.store.run(
            lambda tx: handing_members.hand_over(tx, *_ann(tx, club, self.theirs), "mentor-3")
        )
        club.filed(club.person(71))
        self.store.run(linking.make, club.ann, self.theirs.id, "a-token-of-128-bits-xx")
        self.people = {
            41: club.ann, 42: club.bea, 43: club.cid, 21: club.dao, 61: phone, 1: steward, 11: worker,
            71: "", 99: club.person(99),
        }  # fmt: skip
        self.known = [*ODD, row.id, *self.store.run(_ids), *self.people.values(), self.theirs.code]

    def word(self) -> str:
        return self.chance.choice(self.known)

    def presses(self, number: int) -> str:
        verb = self.chance.choice([v for v in (*router.PRESSES, *router.COMMANDS) if v not in SILENCING])
        words = ":".join(self.word() for _ in range(self.chance.randrange(5)))
        account = self.chance.choice(list(self.people))
        what: dict[str, Any] = {"did": Did.PRESS, "data": f"1:{verb}:{words}", "message_id": 7}
        if verb in router.COMMANDS and self.chance.random() < 0.5:
            what = {"did": Did.COMMAND, "text": verb, "argument": words, "message_id": 8}
        elif self.chance.random() < 0.2:
            what = {"did": Did.TEXT, "text": f"{verb} {words}", "message_id": 9}
        incoming = Incoming(10**6 + number, account, **what)
        try:
            self.store.run(router.handle, incoming)
        except PulangError as error:
            self.store.run(router.refuse, incoming, error)
            return error.code
        return "done"

    def steps(self) -> str:
        page = pages.PAGES[self.chance.choice(list(pages.PAGES))]
        verb = self.chance.choice([page.view, *page.steps.values()])
        plain = [w for w in self.known if w.isascii() and w.replace("-", "").isalnum() and len(w) < 65]
        subject = self.chance.choice(["", *plain])
        body: dict[str, object] = {
            name: self.chance.choice([self.word(), self.word(), True, [self.word(), self.word()]])
            for name in self.chance.sample(NAMES, self.chance.randrange(12))
        }
        person = self.chance.choice([p for p in self.people.values() if p])
        try:
            self.store.run(verb, person, subject, body)
        except PulangError as error:
            return error.code
        return "done"


def _tie(tx: Tx, enrolment_id: str, phone: str) -> Enrolment:
    mentor = tx.find(Seat, id="mentor-3")[0].person_id or ""
    linking.make(tx, mentor, enrolment_id, "another-token")
    linking.take(tx, phone, "another-token")
    short = tx.find(Linking, enrolment_id=enrolment_id)[0].id[: linking.SHORT]
    return linking.confirm(tx, mentor, short)


def _ann(tx: Tx, club: Club, them: Enrolment) -> tuple[Actor, Enrolment]:
    return enrolments.mine(tx, club.ann, them.id)


def _ids(tx: Tx) -> list[str]:
    kinds = (Enrolment, CheckIn, HandOver, Seat)
    found = [str(row.id) for kind in kinds for row in tx.find(kind)]  # type: ignore[attr-defined]
    short = [link.id[: linking.SHORT] for link in tx.find(Linking)]
    key = meetings.key_of("return-home-club", "club", tx.now.date())
    return [*found, *short, key]


@pytest.mark.timeout(1800)
def test_whatever_is_forged_is_done_as_oneself_or_refused(database_url: str, long_run: bool) -> None:
    cases = 100_000 if long_run else 400
    forger = Forger(database_url)
    seen: Counter[str] = Counter()
    try:
        for number in range(cases):
            seen[forger.presses(number)] += 1
            seen[forger.steps()] += 1
    finally:
        forger.store.close()
    print(f"\n{2 * cases} forged turns, 0 unhandled", dict(seen))
    assert seen["done"] > cases / 20  # what is genuine among it passes
    assert seen["error.not_found"] > cases / 20


@pytest.mark.parametrize("weeks", ["²", "٣", "", "99999999999999999999", "-1"])
def test_weeks_that_are_no_number_are_refused_kindly(club: Club, weeks: str) -> None:
    with pytest.raises(BadAnswer):
        club.store.run(pages.PAGES["members"].steps["away"], club.ann, "", {"reason": weeks})
    assert Chat(club, 41).presses(f"1:members.away_for:{weeks}").text == "error.stale_button"


@pytest.mark.parametrize("clock", ["12:00+05:00", "12:00Z", "T12", "12", "12:00:00.000001", "24:00"])
def test_quiet_hours_that_are_no_hours_of_the_day_are_refused(club: Club, clock: str) -> None:
    """With a zone in it, a time could be compared with no other, and each of one's reminders would fail."""
    body = {"quiet_from": clock, "quiet_to": "07:00", "days": ["1"], "on": True}
    with pytest.raises(BadAnswer):
        club.store.run(pages.PAGES["me"].steps["reminders"], club.ann, "", body)
    assert club.store.run(lambda tx: doors.person_by_id(tx, club.ann)).quiet_from is None


@pytest.fixture
def club(sqlite_url: str) -> Iterator[Club]:
    with Club.opened(sqlite_url) as found:
        found.people()
        yield found
