"""A code on paper shows how far a matter is, from any phone, and nothing that could hurt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta

import pytest

from referrals.errors import NotFound, TooOften, WrongStage
from referrals.limits import LIMITS, Doing
from referrals.model import Tracking
from referrals.ports import Tx
from referrals.service.matter import tracking
from referrals.service.pages import PAGES
from referrals.service.turns import closing, offers
from referrals.views import TrackView
from tests.support.counted import asked_of
from tests.support.network import Small


@pytest.fixture
def net(database_url: str) -> Iterator[Small]:
    with Small.opened(database_url) as net:
        yield net


def looks(net: Small, person_id: str, code: str) -> TrackView:
    view = net.store.run(PAGES["track"].steps["look"], person_id, "", {"code": code})
    assert isinstance(view, TrackView)
    return view


def test_a_code_shows_how_far_it_is_and_nothing_else(net: Small) -> None:
    mali, anybody = net.person(1), net.person(2)
    worker = net.person(11, "bua-1")
    matter = net.filed(mali)
    shown = net.store.run(PAGES["matter"].steps["follow"], mali, matter, {})
    words = shown.tracking_code
    assert len(words.split("-")) == 4
    assert looks(net, anybody, words).stage_key == "page.track.stage.asking"
    net.passes(timedelta(seconds=6))
    offer = net.live_offer(matter)
    assert offer is not None
    assert looks(net, anybody, words).next_by == offer.decide_by
    net.store.run(offers.accept, worker, offer.id)
    seen = looks(net, anybody, words.upper().replace("-", " "))
    assert seen.stage_key == "page.track.stage.helping"
    told = str(asdict(seen))
    referral = net.referral(matter)
    for secret in (referral.code, referral.category, matter, offer.organization_id, "story"):
        assert secret not in told


def test_a_code_is_shown_once_and_never_stored(net: Small) -> None:
    mali = net.person(1)
    matter = net.filed(mali)
    words = net.store.run(tracking.follow, mali, matter)
    again = net.store.run(PAGES["matter"].view, mali, matter, {})
    assert words not in str(asdict(again))
    (row,) = net.store.run(lambda tx: tx.find(Tracking))
    assert words not in str(asdict(row))


def test_unknown_replaced_withdrawn_and_mistyped_codes_sound_alike(net: Small) -> None:
    mali, anybody = net.person(1), net.person(2)
    matter, other = net.filed(mali), net.filed(mali)
    replaced = net.store.run(tracking.follow, mali, matter)
    newer = net.store.run(tracking.follow, mali, matter)
    withdrawn = net.store.run(tracking.follow, mali, other)
    net.store.run(closing.withdraw, mali, other)
    unknown = looks(net, anybody, "lusab-babad-gutih-tugad")
    assert unknown.said_key == "page.track.unknown"
    for code in (replaced, withdrawn, "not a code", "", "x" * 5000, newer[:-1]):
        assert looks(net, anybody, code) == unknown
    assert looks(net, anybody, newer).stage_key == "page.track.stage.asking"


def test_unknown_codes_take_the_same_work(net: Small) -> None:
    mali, anybody = net.person(1), net.person(2)
    words = net.store.run(tracking.follow, mali, net.filed(mali))
    counts = [
        net.store.run(_statements, anybody, code)
        for code in (words, "lusab-babad-gutih-tugad", "mistyped", "")
    ]
    assert len(set(counts)) == 1, counts


def test_codes_cannot_be_guessed_in_a_row(net: Small) -> None:
    mali, eve = net.person(1), net.person(2)
    words = net.store.run(tracking.follow, mali, net.filed(mali))
    for _ in range(LIMITS[Doing.TRACK].most):
        looks(net, eve, "lusab-babad-gutih-tugad")
    with pytest.raises(TooOften) as refused:
        looks(net, eve, words)
    assert 0 < int(str(refused.value.params["minutes"])) <= 60
    assert looks(net, mali, words).stage_key  # nobody else is held up
    net.clock.advance(hours=1)
    assert looks(net, eve, words).stage_key


def test_a_code_is_only_for_ones_own_open_matter(net: Small) -> None:
    mali, other = net.person(1), net.person(2)
    matter = net.filed(mali)
    with pytest.raises(NotFound):
        net.store.run(tracking.follow, other, matter)
    net.store.run(closing.withdraw, mali, matter)
    with pytest.raises(WrongStage):
        net.store.run(tracking.follow, mali, matter)


def _statements(tx: Tx, person_id: str, code: str) -> int:
    return asked_of(tx, lambda tx: tracking.look(tx, person_id, code))
