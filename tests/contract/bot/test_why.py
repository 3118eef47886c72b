"""`bot why`: for a named coordinator only, with a trace, and without anybody's private wish."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.commands.why import explain
from referrals.errors import ConfigurationError, NotFound
from referrals.model import Urgency
from referrals.service.pages.matter import MATTER
from tests.support.network import Small


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Small]:
    with Small.opened(sqlite_url) as net:
        yield net


def test_a_coordinator_is_told_and_it_is_written_down(net: Small) -> None:
    net.person(14, "desk-1")
    referral = net.referral(net.filed(net.person(1), Urgency.NORMAL))
    lines = net.store.run(explain, "desk-1", referral.code, "en")
    assert lines[0].startswith(referral.code)
    assert any(" next " in line for line in lines)
    assert len(lines) > 1 + len(referral.plan)
    shown = "\n".join(lines)
    assert "Speaks English" in shown, "each partner with its reasons"
    assert "promises kept" in shown
    assert "No agreement with them is in force" in shown, "and why others are not asked"


def test_of_a_private_wish_only_that_there_is_one(net: Small) -> None:
    net.person(14, "desk-1")
    code = net.referral(net.filed(net.person(1), without=frozenset({"two-rivers"}))).code
    shown = net.store.run(explain, "desk-1", code, "en")
    assert [line for line in shown if "two-rivers-visits" in line] == [
        "  not    two-rivers-visits: Private wish"
    ]


def test_it_goes_through_the_desks_own_door(net: Small) -> None:
    """A draft is nobody's yet, and a partner's code of the matter is not the desk's."""
    desk = net.person(14, "desk-1")
    worker = net.person(11, "bua-1")
    draft = net.referral(net.draft(net.person(1)))
    own = net.referral(net.filed(desk))
    asked = net.filed(net.person(2), Urgency.URGENT)
    net.passes(timedelta(seconds=6))
    offer = net.live_offer(asked)
    assert offer is not None
    assert worker in offer.told
    for code in (draft.code, own.code, offer.code):
        with pytest.raises(NotFound):
            net.store.run(explain, "desk-1", code, "en")
    assert any(" now " in line for line in net.store.run(explain, "desk-1", net.referral(asked).code, "en"))


def test_the_desks_page_says_the_same_behind_a_heading(net: Small) -> None:
    desk = net.person(14, "desk-1")
    net.person(11, "bua-1")
    family = net.person(1)
    asked = net.filed(family, Urgency.URGENT, without=frozenset({"two-rivers"}))
    net.passes(timedelta(seconds=6))

    def why(person: str) -> list[str]:
        view = net.store.run(MATTER.view.do, person, asked, {})
        folded = [part for part in view.sections if part.folded]
        return [" ".join([line.key, *line.params.values()]) for part in folded for line in part.lines]

    lines = why(desk)
    assert any(line.startswith("part.why.now") for line in lines)
    assert any(line.startswith("part.why.reasons") and "Speaks English" in line for line in lines)
    assert [line for line in lines if "Two Rivers" in line] == [
        "part.why.not Private wish Two Rivers Families"
    ]
    assert not [line for line in why(family) if line.startswith("part.why")], "nobody else reads it"


def test_nobody_else_is(net: Small) -> None:
    net.person(14, "desk-1")
    referral = net.referral(net.filed(net.person(1), Urgency.NORMAL))
    for seat in ("bua-1", "nobody", "desk-2"):
        with pytest.raises(ConfigurationError, match=f"--by {seat}"):
            net.store.run(explain, seat, referral.code, "en")
    with pytest.raises(NotFound):
        net.store.run(explain, "desk-1", "none", "en")
