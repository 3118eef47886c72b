"""Every step of every page and every press, forged with the real ids of others' matters, offers and circles.

Whoever sends it is somebody real: both sides of a circle, partners, a supervising body, the desk, a mentor, a
stranger. It is done as oneself or refused with one of our own errors; nobody changes or reads anything of a
matter that they have nothing to do with (`tests/support/related.py`); and whatever was done, afterwards no
organisation and no person holds a key that consent and agreement do not give them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from handlers import router
from handlers.incoming import Did, Incoming
from handlers.reply import Turn
from referrals.casework import CircleInvitation, Confirmation, Task, Transfer
from referrals.errors import PulangError
from referrals.members import Enrolment
from referrals.model import DESK, Consent, Offer, Referral, organization_holder, person_holder
from referrals.persons import Person, Seat
from referrals.ports import Tx
from referrals.service import pages
from referrals.service.joint import plan_days
from referrals.service.matter import sharing
from referrals.service.turns import offers
from tests.security.test_forged_by_members import NAMES, ODD, SILENCING
from tests.service.test_attendance_story import tie
from tests.service.test_circle_story import Round
from tests.support.network import CATALOGUE
from tests.support.parts import Parts
from tests.support.related import undone
from tests.support.store import SettableClock, open_store

MORE = (
    "confirmation", "service", "task", "moment", "question", "outcome", "turn", "assent", "home", "chosen",
    "about", "about_organizations", "behalf", "agreed", "span", "draft", "pathway", "yes", "age", "audience",
)  # fmt: skip
CODES = (
    "month", "met", "adult", "child", "family.talk", "complaint.abuse", "dialogue.circle", "days_30",
    "mentor", "desk", "doctor", "2026-12-24T10:00", "coming", "no_place", "first_talk", "limited",
)  # fmt: skip
FIXED = ("reason", "text", "code", "yes", "chosen", "day")


class Network(Round):
    """A circle's two sides, a matter at a partner, a release's parts, a confirmation, a body's question."""

    def begin(self) -> None:
        self.settle_in()
        self.both()
        self.probation, self.bua, phone = self.person(91, "border-probation-1"), self.person(92, "bua-1"), 93
        self.store.run(tie, "K7-29", self.person(phone))
        matter = self.filed(self.person(94))
        self.passes(timedelta(minutes=10))
        live = self.live_offer(matter)
        assert live is not None
        self.store.run(offers.accept, self.bua, live.id)
        attendance = pages.PAGES["attendance"].steps
        begun = {"organization": "border-probation", "reason": "month"}
        self.store.run(attendance["send_begin"], self.person(phone), "", begun)
        self.store.run(attendance["body_ask"], self.probation, "body", {"code": "K7-29", "reason": "month"})
        self.release()
        self.accounts = (31, 51, 71, 72, 81, 82, 91, 92, phone, 94, 95, 96, 99)
        self.people = [self.person(account) for account in self.accounts]
        self.chance = Random(20261121)
        ids = self.store.run(_ids)
        self.known = [*ODD, *CODES, *ids, *ids]  # half of what is tried is somebody's

    def release(self) -> None:
        """A plan with a day; both sides of the handover have taken their part."""
        plans = Parts.around(self.store, self.clock)
        plans.family = self.person(95)
        self.person(96, "border-corrections-1")
        plan = plans.plan("release-plan")
        self.store.run(plan_days.move_day, plans.family, plan, date(2027, 3, 15))
        self.passes(timedelta(minutes=1))
        plans.taken(plan, "letting_go", "taking_over")

    def word(self) -> str:
        return self.chance.choice(self.known)

    def a_step(self) -> tuple[str, Callable[[Tx], Any], str]:
        """A step of a page with whatever ids: who, what, and all that they have typed themselves."""
        page = pages.PAGES[self.chance.choice(list(pages.PAGES))]
        verb = self.chance.choice([page.view, *page.steps.values(), *page.steps.values()])
        plain = [w for w in self.known if w.isascii() and w.replace("-", "").isalnum() and len(w) < 65]
        names = {*FIXED, *self.chance.sample((*NAMES, *MORE), 8)}
        body: dict[str, object] = {
            name: self.chance.choice([self.word(), self.word(), True, [self.word(), self.word()]])
            for name in sorted(names)
        }
        person, subject = self.chance.choice(self.people), self.chance.choice(plain)
        return person, lambda tx: verb(tx, person, subject, body), str(body)

    def a_press(self) -> tuple[str, Callable[[Tx], Any], str]:
        verb = self.chance.choice([v for v in router.PRESSES if v not in (*SILENCING, "page")])
        person, words = self.chance.choice(self.people), [self.word() for _ in range(3)]
        data = f"1:{verb}:" + ":".join(words)

        def press(tx: Tx) -> Any:
            who = tx.get(Person, person)
            assert who is not None
            return router.PRESSES[verb](Turn(tx, who, Incoming(1, 1, did=Did.PRESS, data=data, message_id=7)))

        return person, press, ""

    def step(self) -> str:
        try:
            self.store.run(self.a_step()[1])
        except PulangError as error:
            return error.code
        return "done"

    def press(self, number: int) -> str:
        verb = self.chance.choice([v for v in router.PRESSES if v not in SILENCING])
        data = f"1:{verb}:" + ":".join(self.word() for _ in range(self.chance.randrange(1, 4)))
        account = self.chance.choice(self.accounts)
        incoming = Incoming(10**6 + number, account, did=Did.PRESS, data=data, message_id=7)
        try:
            self.store.run(router.handle, incoming)
        except PulangError as error:
            self.store.run(router.refuse, incoming, error)
            return error.code
        return "done"


def _ids(tx: Tx) -> list[str]:
    kinds = (Referral, Offer, Consent, Enrolment, Seat, Confirmation, CircleInvitation, Task, Transfer)
    found = [str(row.id) for kind in kinds for row in tx.find(kind)]  # type: ignore[attr-defined]
    return [
        *found,
        *(r.code for r in tx.find(Referral)),
        *tx.directory.organizations,
        *sorted(tx.directory.services)[:20],
    ]


def _keys_in_wrong_hands(tx: Tx) -> list[str]:
    """Holders that the one rule of sharing would not give a key now."""
    wrong = []
    ours = (organization_holder(""), person_holder(""), DESK)
    for referral in tx.find(Referral):
        for record, data_class, rightful in sharing._rightful(tx, referral) if referral.author_id else ():
            held = {h for h in tx.holders(record, data_class) if h.startswith(ours[:2])}
            wrong += [f"{record.table} {data_class} {h}" for h in sorted(held - rightful)]
    return wrong


@pytest.mark.timeout(1800)
def test_whatever_is_forged_in_the_network_leaves_no_key_in_wrong_hands(
    sqlite_url: str, long_run: bool
) -> None:
    cases = 50_000 if long_run else 400
    store = open_store(sqlite_url, clock := SettableClock(), CATALOGUE)
    net, seen = Network(store, clock), Counter[str]()
    net.begin()
    for _ in range(cases):  # before anything has changed
        for person, do, typed in (net.a_step(), net.a_press()):
            assert undone(store, person, do, typed) == []
    for number in range(cases):
        seen[net.step()] += 1
        seen[net.press(number)] += 1
    print(f"\n{2 * cases} forged turns in the network, 0 unhandled", dict(seen))
    assert seen["done"] > cases / 20
    assert seen["error.not_found"] > cases / 10
    assert store.run(_keys_in_wrong_hands) == []
    store.close()


def test_what_is_nobody_else_s_is_seen(sqlite_url: str) -> None:
    """The one who looks can be wrong: somebody who changes and reads what is another's is found out."""
    store = open_store(sqlite_url, clock := SettableClock(), CATALOGUE)
    net = Round(store, clock)
    owner, stranger, worker = net.person(94), net.person(99), net.person(92, "bua-1")
    matter, code = net.filed(owner), ""
    net.passes(timedelta(minutes=10))
    offer, code = net.at_partner(matter), net.referral(matter).code

    def changes(tx: Tx) -> None:
        found = tx.get(Referral, matter)
        assert found is not None
        tx.save(found)

    assert undone(store, stranger, changes) == ["changes a Referral of somebody else's"]
    assert undone(store, worker, lambda _: [code, offer]) == [f"reads {code}"]
    assert undone(store, owner, lambda _: [code, offer]) == [f"reads {offer}"]
    assert undone(store, owner, changes) == undone(store, worker, lambda _: code, typed=code) == []
    store.close()


@pytest.mark.parametrize("typed", ["\ud800", "\x00", "\ud800-babad"])
def test_halves_of_letters_are_refused_wherever_a_code_is_typed(sqlite_url: str, typed: str) -> None:
    store = open_store(sqlite_url, clock := SettableClock(), CATALOGUE)
    person = Round(store, clock).person(99)
    for page, body in (("word", {"code": typed}), ("track", {"code": typed})):
        for step in pages.PAGES[page].steps.values():
            with pytest.raises(PulangError):
                store.run(step, person, "", body)
    store.close()
