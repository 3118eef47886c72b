"""How far a word about room is believed, and what a promise weighs after a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from referrals.directory import Capacity
from referrals.freshness import Belief, belief, newest_word, promises, room, stale, weight
from referrals.model import Offer, OfferStage
from referrals.routing import Standing
from tests.support.networks import DAY, NOW, directory, organization, service


def said(days_ago: int | None) -> date | None:
    return None if days_ago is None else DAY - timedelta(days=days_ago)


@pytest.mark.parametrize(
    ("days_ago", "believed"),
    [
        (0, Belief.SAID),
        (30, Belief.SAID),
        (31, Belief.OLD),
        (90, Belief.OLD),
        (91, Belief.UNKNOWN),
        (None, Belief.UNKNOWN),
    ],
)
def test_a_word_grows_old(days_ago: int | None, believed: Belief) -> None:
    assert belief(service(capacity_confirmed_on=said(days_ago)), DAY) is believed


@pytest.mark.parametrize(
    ("capacity", "days_ago", "known"),
    [
        (Capacity.OPEN, 90, Capacity.OPEN),
        (Capacity.OPEN, 91, None),
        (Capacity.FULL, 90, Capacity.FULL),
        (Capacity.FULL, 91, None),  # a dated 'full' fades like a dated 'open'
        (Capacity.FULL, None, Capacity.FULL),
        (Capacity.PAUSED, 400, Capacity.PAUSED),  # agreed on, so it stays
    ],
)
def test_what_is_known_about_room(capacity: Capacity, days_ago: int | None, known: Capacity | None) -> None:
    assert room(service(capacity=capacity, capacity_confirmed_on=said(days_ago)), DAY) is known


def test_stale_ones_are_listed_the_longest_silent_first() -> None:
    silent = [
        service("a", capacity_confirmed_on=said(31)),
        service("b", capacity_confirmed_on=said(200)),
        service("c", capacity_confirmed_on=None),
        service("d", capacity_confirmed_on=said(30)),
        service("e", capacity_confirmed_on=said(200), capacity=Capacity.PAUSED),
        service("f", "away", capacity_confirmed_on=said(200)),
    ]
    known = directory([organization(), organization("away", suspended=True)], silent)
    assert [each.id for each in stale(known, DAY)] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("stored", "file", "counts"),
    [
        (said(5), said(4), "file"),
        (said(5), said(5), "stored"),
        (said(5), said(6), "stored"),
        (said(5), None, "stored"),
        (None, None, "file"),
        (None, said(400), "file"),
    ],
)
def test_the_newest_word_counts(stored: date | None, file: date | None, counts: str) -> None:
    ours = service(capacity=Capacity.FULL, capacity_confirmed_on=stored, languages=("th",))
    theirs = service(capacity=Capacity.OPEN, capacity_confirmed_on=file, languages=("en",))
    merged = newest_word(ours, theirs)
    assert merged.languages == ("en",), "all else is the file's"
    newest = theirs if counts == "file" else ours
    assert (merged.capacity, merged.capacity_confirmed_on) == (newest.capacity, newest.capacity_confirmed_on)


def ended(stage: OfferStage, days_ago: float) -> Offer:
    at = NOW - timedelta(days=days_ago)
    return Offer("o", "r", "s", "bua", stage, at, at, at, decided_at=at)


def test_a_lapse_of_last_year_weighs_less_than_one_of_this_month() -> None:
    this = Standing(*(0, *promises([ended(OfferStage.LAPSED, 10)], NOW)))
    last = Standing(*(0, *promises([ended(OfferStage.LAPSED, 300)], NOW)))
    older = Standing(*(0, *promises([ended(OfferStage.LAPSED, 800)], NOW)))
    assert this.reliability < last.reliability < older.reliability == Standing().reliability


def test_every_answer_is_a_promise_kept_and_what_waits_is_neither() -> None:
    kinds = [OfferStage.ACCEPTED, OfferStage.DECLINED, OfferStage.WAITLISTED, OfferStage.QUESTION]
    assert promises([ended(kind, 1) for kind in kinds], NOW) == (4.0, 0.0)
    assert promises([ended(OfferStage.LAPSED, 1)], NOW) == (0.0, 1.0)
    waiting = [ended(kind, 1) for kind in (OfferStage.SENT, OfferStage.SEEN, OfferStage.RECALLED)]
    assert promises(waiting, NOW) == (0.0, 0.0)


def test_sums_do_not_depend_on_their_order() -> None:
    offers = [ended(OfferStage.ACCEPTED, days) for days in range(0, 800, 7)]
    assert promises(offers, NOW) == promises(list(reversed(offers)), NOW)


@pytest.mark.parametrize(("days", "weighs"), [(0, 1.0), (90, 1.0), (91, 0.5), (365, 0.25), (731, 0.0)])
def test_what_a_promise_weighs(days: int, weighs: float) -> None:
    assert weight(NOW - timedelta(days=days), NOW) == weighs


def test_an_answer_counts_from_when_it_was_given() -> None:
    """Asked two hundred days ago, answered last week from a waiting list."""
    late = replace(ended(OfferStage.ACCEPTED, 200), decided_at=_days_ago(7))
    assert promises([late], NOW) == (1.0, 0.0)


def _days_ago(days: int) -> datetime:
    return NOW - timedelta(days=days)
