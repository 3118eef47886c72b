"""A complaint about whoever is on call: their world is, at every moment, the one in which nobody complained.

Two networks live the same hours. In one of them somebody complains about the desk, and the complaint goes
through everything that can happen to one; in the other nobody does. Whatever the coordinator on call can
look at, type, hear, be told by a command or take home is compared, word for word.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from bot.commands.report import stale
from bot.commands.why import explain
from bot.health import Health
from referrals.errors import PulangError
from referrals.model import Actor, Offer, Referral, Role, Stage
from referrals.ports import Dead, Tx
from referrals.queues import Queue
from referrals.service.common import tell
from referrals.service.desk import undelivered
from referrals.service.help import threads, working
from referrals.service.lasting import ending
from referrals.service.matter import moving, tracking, unmet
from referrals.service.pages import PAGES
from referrals.service.people import people
from referrals.service.turns import after_help, closing, offers
from tests.service import test_own_data as own_data
from tests.support.chats import Chats, Phone
from tests.support.network import NETWORK
from tests.support.private import Private

SECONDS, HOUR, DAY = timedelta(seconds=10), timedelta(hours=1), timedelta(days=1)
LEAP = timedelta(hours=12)
ABUSE: dict[str, Any] = {"category": "complaint.abuse", "urgency": "emergency", "about": ["desk"]}
SUBJECTS = {"desk": ("", "mine", *Queue), "attendance": ("", "desk", "body"), "work": ("", "mine")}
NOBODYS = "QQQQ-QQ"
OTHERS = ["harbour-house", "open-door"]  # who speaks with the press, too
QUARTER = date(2026, 10, 1), date(2026, 12, 1)
ID = re.compile(r"\b[0-9a-f]{32}\b|\b[0-9a-f-]{36}\b")


class Desk(Private):
    """The network as its coordinator on call sees it."""

    def settle_in(self) -> None:
        super().settle_in()
        (now_on,) = self.store.run(tell.on_call)
        self.seat, self.coordinator = now_on.id, now_on.person_id or ""
        self.chats = Chats(self)
        self.phone: Phone = self.chats.phone(900 + [seat.id for seat in NETWORK.seats].index(now_on.id))
        assert self.phone.person_id == self.coordinator

    def goes_on(self, duration: timedelta) -> None:
        """In leaps: what is due every hour need not come each time."""
        while duration:
            leap = min(duration, LEAP)
            self.clock.now += leap
            self.passes(timedelta())
            duration -= leap
        self.chats.deliver()

    def everything(self) -> dict[str, str]:
        """Whatever the coordinator can reach without knowing of anything, each under its name."""
        pages = [(name, subject) for name in PAGES for subject in SUBJECTS.get(name, ("",))]
        found = {
            f"page {name}/{subject}": _tried(partial(self.looks, self.coordinator, name, subject))
            for name, subject in pages
        }
        for typed in ("/desk", "/start", "/help", "/me"):
            self.phone.says(typed)
        # In no order: what is due at one moment is told in the order of ids, which are drawn.
        found["chat"] = repr(sorted((shown.text, sorted(shown.buttons)) for shown in self.phone.heard))
        found["report stale"] = _tried(lambda: self.store.run(stale, self.seat, "en"))
        found["outbox"] = _tried(lambda: self.store.run(undelivered.listed, self.actor, "en"))
        return {name: ID.sub("ID", shown) for name, shown in found.items()}

    def by_code(self, code: str) -> list[str]:
        """What codes lead to, in the chat and by command, without the code itself."""
        shown = [self.phone.says(f"/matter {code}"), self.phone.says(code)]
        shown.append(_tried(lambda: self.store.run(explain, self.seat, code, "en")))
        return [text.replace(code, "CODE") for text in shown]

    @property
    def actor(self) -> Actor:
        return Actor(self.coordinator, Role.COORDINATOR)


def _tried(look: Callable[[], object]) -> str:
    try:
        return repr(look())
    except (PulangError, KeyError, ValueError) as refused:
        return type(refused).__name__


class Twins:
    """`with_it` is where somebody complains, `without` where nobody does."""

    def __init__(self, with_it: Desk, without: Desk) -> None:
        self.with_it, self.without = with_it, without

    def passes(self, duration: timedelta) -> None:
        for net in (self.with_it, self.without):
            net.goes_on(duration)

    def alike(self, when: str, *codes: str) -> None:
        there, here = self.with_it.everything(), self.without.everything()
        assert {name for name in here if there[name] != here[name]} == set(), when
        for code in codes:
            assert self.with_it.by_code(code) == self.without.by_code(NOBODYS), when


@pytest.fixture
def twins(tmp_path: Any) -> Iterator[Twins]:
    with (
        Desk.opened(f"sqlite:///{tmp_path / 'a.db'}") as one,
        Desk.opened(f"sqlite:///{tmp_path / 'b.db'}") as two,
    ):
        for net in (one, two):
            net.settle_in()
            net.chats.deliver()
        yield Twins(one, two)


def codes_of(net: Desk, matter: str) -> list[str]:
    offered = net.does(lambda tx: [offer.code for offer in tx.find(Offer, referral_id=matter)])
    return [net.referral(matter).code, *offered]


def test_whoever_is_on_call_lives_as_if_nobody_had_complained(twins: Twins) -> None:
    net = twins.with_it
    twins.alike("before")
    matter = net.asks(net.mali, "complaint", **ABUSE)
    tracked = net.does(tracking.follow, net.mali, matter)
    twins.alike("filed", *codes_of(net, matter))
    twins.passes(SECONDS)
    first = net.asked(matter)
    twins.alike("asked", *codes_of(net, matter))
    twins.passes(3 * HOUR)  # the first focal point sleeps through an emergency
    second = net.asked(matter)
    assert second not in (first, "")
    net.does(offers.accept, net.works[second], net.at_partner(matter))
    twins.alike("accepted", *codes_of(net, matter))
    net.does(moving.ask_the_desk, net.aree, tracked)
    net.does(people.blocked, net.mali)
    twins.passes(SECONDS)
    twins.alike("asked to move, and not reachable")
    twins.passes(3 * DAY)  # late, and late again: nobody is left
    assert net.referral(matter).stage is Stage.UNMATCHED
    twins.alike("nobody is left", *codes_of(net, matter))
    twins.passes(5 * DAY)
    twins.alike("and still nobody", *codes_of(net, matter))
    net.does(closing.withdraw, net.mali, matter)
    twins.alike("taken back", *codes_of(net, matter))


def test_nor_is_anything_of_its_answer_theirs(twins: Twins) -> None:
    net = twins.with_it
    matter = net.asks(net.mali, "complaint", **{**ABUSE, "urgency": "urgent"})
    twins.passes(SECONDS)
    first, offer = net.asked(matter), net.at_partner(matter)
    for step in (offers.accept, working.contacted):
        net.does(step, net.works[first], offer)
    net.does(threads.write, net.mali, matter, "They do not listen at your desk.")
    net.does(working.report, net.works[first], offer, "met")
    twins.alike("reported", *codes_of(net, matter))
    net.does(closing.helped, net.mali, matter, False)
    twins.alike("disputed")
    twins.passes(HOUR)
    second = net.asked(matter)
    net.does(offers.accept, net.works[second], net.at_partner(matter))
    net.does(_suspended, second)
    twins.alike("suspended", *codes_of(net, matter))
    net.does(_suspended, second, False)
    net.does(lambda tx: tx.save(replace(tx.get(Referral, matter), stage=Stage.ACCEPTED)))
    _every_message_is_refused(net)
    twins.alike("what Telegram refused", *codes_of(net, matter))


def test_nothing_of_it_is_counted_or_taken_home(twins: Twins) -> None:
    net = twins.with_it
    matter = net.asks(net.mali, "complaint", **{**ABUSE, "urgency": "urgent"})
    twins.passes(SECONDS)
    first, offer = net.asked(matter), net.at_partner(matter)
    for step in (offers.accept, working.contacted):
        net.does(step, net.works[first], offer)
    net.does(working.report, net.works[first], offer, "unmet", "no_proof")
    net.does(closing.helped, net.mali, matter, True)
    questions = net.does(lambda tx: after_help.asked(tx, tx.get(Referral, matter)))
    for question in questions:
        net.does(after_help.answer, net.mali, matter, question.id, "no")
    for each in (twins.with_it, twins.without):
        each.clock.advance(days=60)
    twins.passes(SECONDS)
    assert net.does(lambda tx: tx.get(Referral, matter)).stage is Stage.CLOSED
    for counted in (unmet.counted, after_help.counted):
        tables = [repr(each.does(counted, each.actor, *QUARTER)) for each in (twins.with_it, twins.without)]
        assert tables[0] == tables[1]
    twins.alike("counted", *codes_of(net, matter))
    home = [_taken_home(each) for each in (twins.with_it, twins.without)]
    assert home[0] == home[1]
    assert [asyncio.run(Health(each.store).ready(None)).text for each in (net, twins.without)] == [  # type: ignore[arg-type]
        '{"store": true, "telegram": false, "stopping": false}'
    ] * 2


def test_why_another_matter_goes_to_its_focal_point_counts_no_complaint(twins: Twins) -> None:
    """A focal point should do nothing else in the network; where it does, its load tells nothing either."""
    explained = []
    for net in (twins.with_it, twins.without):
        net.does(_does_something_else, "plain-ear")
    net = twins.with_it
    matter = net.asks(net.mali, "complaint", **ABUSE, exclude_organizations=["open-ledger"])
    twins.passes(SECONDS)
    net.does(offers.accept, net.works["plain-ear"], net.at_partner(matter))
    for net in (twins.with_it, twins.without):
        asked = {"category": "stigma.press", "urgency": "urgent", "exclude_organizations": OTHERS}
        other = net.asks(net.aree, "stigma-and-media", **asked)
        net.goes_on(SECONDS)
        assert net.asked(other) == "plain-ear"
        code = net.referral(other).code
        explained.append(
            [ID.sub("ID", line.replace(code, "CODE")) for line in net.does(explain, net.seat, code, "en")]
        )
    assert explained[0] == explained[1]
    assert any("holds 0, asked 1 times" in line for line in explained[0])


def _does_something_else(tx: Tx, organization_id: str) -> None:
    """Its focal point's service and agreement, once more for the press."""
    (service,) = [s for s in tx.directory.services.values() if s.organization_id == organization_id]
    (agreement,) = [a for a in tx.directory.agreements if a.organization_id == organization_id]
    purposes = tx.catalogue.pathways["stigma-and-media"].purposes
    press = replace(service, id="the-press", categories=("stigma.press",), version=1)
    bound = replace(
        agreement, id="for-the-press", purposes=purposes, pathways=("stigma-and-media",), version=1
    )
    tx.add(press, bound)


def test_any_other_matter_would_have_shown(twins: Twins) -> None:
    """The measure: the same for what is no complaint changes the coordinator's pages, chat and commands."""
    net = twins.with_it
    matter = net.asks(net.mali, "stigma-and-media", category="stigma.press", urgency="emergency")
    for each in (twins.with_it, twins.without):
        each.goes_on(SECONDS)
    there, here = net.everything(), twins.without.everything()
    assert "chat" in {name for name in here if there[name] != here[name]}
    (code, *_) = codes_of(net, matter)
    assert net.by_code(code) != twins.without.by_code(NOBODYS)


def _suspended(tx: Tx, organization_id: str, yes: bool = True) -> None:
    tx.save(replace(tx.directory.organizations[organization_id], suspended=yes))
    ending.review(tx, organization_id)


def _taken_home(net: Desk) -> str:
    files = own_data.opened(net, own_data.does(net, "export", net.coordinator))
    return ID.sub("ID", files["my-data.json"])


def _every_message_is_refused(net: Desk) -> None:
    async def refuse() -> None:
        found = await net.store.outbox.claim(net.clock.now, 100)
        await net.store.outbox.settle([Dead(d.id, "bad_request") for d in found], net.clock.now)

    asyncio.run(refuse())
