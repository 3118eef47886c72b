"""No answer tells whether somebody or something exists: unknown, foreign, hidden and ended sound alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from referrals.errors import NotFound, PulangError
from referrals.model import Actor, Role
from referrals.service import pages
from referrals.service.people import joining, people
from referrals.service.turns import offers
from storage.sql import Sql
from tests.support.chat import Chat
from tests.support.network import Small

NOBODYS = "AAAAAAAAAAAAAAAA"


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Small]:
    with Small.opened(sqlite_url) as net:
        yield net


def test_a_matter_that_is_not_ones_own_is_like_one_that_never_was(net: Small) -> None:
    family, stranger, worker = net.person(1), net.person(2), net.person(11, "bua-1")
    elsewhere, hidden = net.person(13, "two-rivers-1"), net.person(3)
    matter, draft = net.filed(family), net.draft(family)
    hidden_ones = net.filed(hidden)
    net.store.run(people.hide, hidden)
    for page in ("matter", "plan"):
        for reader in (stranger, worker, elsewhere):
            for subject in (matter, draft, hidden_ones):
                assert _said(net, page, reader, subject) == _said(net, page, reader, NOBODYS)


def test_every_step_of_a_matter_answers_a_stranger_the_same(net: Small) -> None:
    family, stranger = net.person(1), net.person(2)
    matter = net.filed(family)
    body = {"text": "x", "outcome": "met", "reason": "full", "pin": "1", "code": "x"}
    for name in ("matter", "plan"):
        for step, verb in pages.PAGES[name].steps.items():
            said = [_refused(net, verb, stranger, subject, body) for subject in (matter, NOBODYS)]
            assert said[0] == said[1], f"{name}.{step}"


def test_an_offer_of_others_is_like_none(net: Small) -> None:
    net.person(11, "bua-1")
    elsewhere = net.person(13, "two-rivers-1")
    matter = net.filed(net.person(1))
    net.passes(timedelta(seconds=6))
    offer = net.live_offer(matter)
    assert offer is not None
    for verb in (offers.see, offers.accept):
        said = []
        for offer_id in (offer.id, NOBODYS):
            with pytest.raises(NotFound) as refused:
                net.store.run(verb, elsewhere, offer_id)
            said.append((type(refused.value), refused.value.params))
        assert said[0] == said[1]


def test_in_the_chat_foreign_and_unknown_buttons_get_the_same_words(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    other = Chat(net, 13)
    net.person(13, "two-rivers-1")
    matter = net.filed(family)
    net.passes(timedelta(seconds=6))
    offer = net.live_offer(matter)
    assert offer is not None
    assert offer.told == (worker,)
    scrap = net.store.run(people.keep_scrap_moment, family, "words")
    for verb, known in (
        ("offer.show", offer.id),
        ("offer.accept", offer.id),
        ("offer.reason", f"{offer.id}:full"),
        ("scrap.keep", scrap.id),
        ("scrap.drop", scrap.id),
        ("matter.helped", f"{matter}:yes"),
        ("seat.take", "nothing"),
    ):
        unknown = known.replace(known.partition(":")[0], NOBODYS)
        assert other.presses(f"1:{verb}:{known}") == other.presses(f"1:{verb}:{unknown}"), verb


def test_the_desk_is_not_told_of_its_own_matter_by_its_code(net: Small) -> None:
    coordinator = Chat(net, 22)
    net.person(22, "desk-1")
    own = net.referral(net.filed(coordinator.person)).code
    coordinator.hears()
    said = []
    for code in (own, "222-222", ""):
        coordinator.says(f"/matter {code}")
        said.append(coordinator.hears_at_last().text)
    assert set(said) == {"error.not_found"}
    other = net.referral(net.filed(net.person(1))).code
    coordinator.says(f"/matter {other.lower()}")
    assert coordinator.hears_at_last().text == "desk.matter"


def test_an_invitation_costs_the_same_work_whether_it_is_there_or_not(net: Small) -> None:
    steward, asks, guesses = net.person(21, "steward-1"), net.person(2), net.person(3)
    net.person(22, "desk-1")
    net.store.run(joining.invite, Actor(steward, Role.STEWARD), "bua-1", "a-token-of-128-bits-xx")
    net.store.run(joining.ask, asks, "a-token-of-128-bits-xx")

    def work(token: str) -> int:
        def look(tx: Any) -> int:
            counted = _Counting(tx.connection)
            tx.connection = counted
            with pytest.raises(PulangError):
                joining.look(tx, guesses, token)
            return counted.count

        return net.store.run(look)

    assert work("a-token-of-128-bits-xx") == work("b-token-of-128-bits-xx")


def _said(net: Small, page: str, reader: str, subject: str) -> tuple[type[BaseException], dict[str, Any]]:
    return _refused(net, pages.PAGES[page].view, reader, subject, {})


def _refused(net: Small, verb: Callable[..., Any], *args: Any) -> tuple[type[BaseException], dict[str, Any]]:
    with pytest.raises(PulangError) as refused:
        net.store.run(verb, *args)
    return type(refused.value), dict(refused.value.params)


class _Counting:
    """A connection that counts what is asked of it."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.count = inner, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def rows(self, sql: Sql, *params: Any) -> Any:
        self.count += 1
        return self.inner.rows(sql, *params)
