"""Whoever reads much is slowed down, never shut out; the stewards hear numbers; one's own never counts."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from referrals.errors import TooOften
from referrals.model import Actor, DataClass, Referral, Role, Urgency
from referrals.service import pages
from referrals.service.help import working
from referrals.service.matter import reading
from referrals.service.turns import offers
from tests.support.network import ROOT, Small

MOST = reading.MOST[Role.WORKER]


@pytest.fixture
def net(database_url: str) -> Iterator[Small]:
    with Small.opened(database_url) as net:
        yield net


def reads(net: Small, actor: Actor, like: Referral, numbers: range) -> list[int]:
    """Looks at so many other matters; the minutes to wait for each."""
    return [net.store.run(reading.wait, actor, replace(like, id=f"other-{n}")) for n in numbers]


def accepted(net: Small, family: str, worker: str, urgency: Urgency = Urgency.URGENT) -> Referral:
    referral_id = net.filed(family, urgency)
    net.passes(timedelta(minutes=6))
    offer = net.live_offer(referral_id)
    assert offer is not None
    net.store.run(offers.accept, worker, offer.id)
    return net.referral(referral_id)


def test_a_day_has_its_number_and_the_stewards_hear_of_it_twice(net: Small) -> None:
    steward, worker = net.person(1, "steward-1"), net.person(11, "bua-1")
    like = net.referral(net.filed(net.person(2)))
    actor = Actor(worker, Role.WORKER, "bua-house")
    assert reads(net, actor, like, range(MOST)) == [0] * MOST
    heard = [text for person, text in net.said() if person == steward]
    assert heard.count("steward.reading") == 2
    assert reads(net, actor, like, range(MOST)) == [0] * MOST, "what was opened today opens again"
    assert reads(net, actor, like, range(100, 103)) == [0, 15, 15], "one more in each quarter of an hour"
    net.clock.advance(minutes=15)
    assert reads(net, actor, like, range(101, 103)) == [0, 15]
    assert "steward.reading" not in [text for _, text in net.said()]
    net.clock.advance(days=1)
    assert reads(net, actor, like, range(200, 202)) == [0, 0]


def test_an_accepted_emergency_and_ones_own_always_open(net: Small) -> None:
    worker = net.person(11, "bua-1")
    mine = accepted(net, net.person(2), worker, Urgency.EMERGENCY)
    actor = Actor(worker, Role.WORKER, "bua-house")
    like = replace(mine, urgency=Urgency.URGENT)
    reads(net, actor, like, range(MOST + 1))
    assert reads(net, actor, like, range(100, 101)) != [0]
    assert net.store.run(reading.wait, actor, mine) == 0
    assert net.store.run(reading.wait, Actor(mine.author_id, Role.FAMILY), mine) == 0
    assert net.store.run(pages.PAGES["matter"].view, worker, net.at_partner(mine.id), {}).story == "a story"


def test_beyond_it_the_page_stands_and_withholds(net: Small) -> None:
    worker = net.person(11, "bua-1")
    mine = accepted(net, net.person(2), worker)
    actor = Actor(worker, Role.WORKER, "bua-house")
    reads(net, actor, mine, range(MOST + 1))
    seen = net.store.run(pages.PAGES["matter"].view, worker, net.at_partner(mine.id), {})
    assert (seen.story, seen.contact, seen.thread) == (None, None, ())
    assert 0 < seen.wait_minutes <= 15
    assert seen.steps, "what is to be done can be done"
    with pytest.raises(TooOften):
        net.store.run(reading.open_for, actor, mine, mine.record, DataClass.STORY)
    net.clock.advance(minutes=15)
    assert net.store.run(pages.PAGES["matter"].view, worker, net.at_partner(mine.id), {}).story == "a story"


def test_to_take_to_read_and_to_give_back_again_and_again_is_told(net: Small) -> None:
    steward, worker, family = net.person(1, "steward-1"), net.person(11, "bua-1"), net.person(2)
    for number in range(1, reading.RETURNS + 1):
        mine = accepted(net, family, worker)
        net.store.run(pages.PAGES["matter"].view, worker, net.at_partner(mine.id), {})
        net.store.run(working.give_back, worker, net.at_partner(mine.id))
        told = (steward, "steward.returns") in net.said()
        assert told == (number == reading.RETURNS)


def test_to_give_back_unread_is_no_matter(net: Small) -> None:
    steward, worker, family = net.person(1, "steward-1"), net.person(11, "bua-1"), net.person(2)
    for _ in range(reading.RETURNS):
        net.store.run(working.give_back, worker, net.at_partner(accepted(net, family, worker).id))
    assert (steward, "steward.returns") not in net.said()


# Where else something sealed is opened, and why that is nobody's reading of somebody's matter.
OPENED_ELSEWHERE = {
    "referrals/service/matter/reading.py": "the door itself",
    "referrals/service/joint/plan_days.py": "the day of a plan and what was said of it, by the process alone",
    "referrals/service/matter/matching.py": "private wishes, by the matching or by the person themselves",
    "referrals/service/contact/trends.py": "what one takes back or corrects; two contacts before a hard one",
    "referrals/service/people/conversations.py": "answers on their way, by the process alone",
    "referrals/service/people/people.py": "one's own words of the last fifteen minutes",
    "referrals/service/taken_home.py": "one's own data",
    "referrals/service/common/complaints.py": "whom a complaint is about, by the process alone",
    "referrals/service/members/tries.py": "how often in a row nobody was reached, by the process alone",
    "referrals/service/attendance/body_questions.py": "whom a body's question meant, by the process alone",
    "referrals/service/programme/meetings.py": "the days on which somebody came, for themselves",
}


def test_nothing_is_opened_past_the_door() -> None:
    files = [
        f for folder in ("referrals", "handlers", "console", "bot") for f in (ROOT / folder).rglob("*.py")
    ]
    opening = {str(file.relative_to(ROOT)) for file in files if _opens(file)}
    past = opening - OPENED_ELSEWHERE.keys()
    assert not past, "use reading.open_for, which counts what is read"
    assert not OPENED_ELSEWHERE.keys() - opening, "a reason for a door that is not there any more"


def _opens(file: Path) -> bool:
    calls = (n for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Call))
    return any(isinstance(c.func, ast.Attribute) and c.func.attr == "open_sealed" for c in calls)
