"""Which mentor for which member: hard filters with their reasons, then an order by fit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.directory import Area, Directory
from referrals.mentor_matching import PRIVATE, Candidate, Wish, propose, unfit, why_not
from referrals.persons import MentorProfile

PLACES = Directory(
    areas={
        "land": Area("land", None, {"en": "Land"}),
        "south": Area("south", "land", {"en": "South"}),
        "town": Area("town", "south", {"en": "Town"}),
        "north": Area("north", "land", {"en": "North"}),
    }
)
WISH = Wish(language="th", area="town", gender="woman", code="K7-29")
ABLE = MentorProfile("m1", ("th", "en"), ("south",), gender="woman", most=5, not_with=("M3-04",))
FREE = Candidate("m1", ABLE, load=2)
MET = datetime(2026, 11, 20, tzinfo=UTC)

FILTERS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"posted": False}, {}, "mentor_not.empty"),
    ({"reachable": False}, {}, "mentor_not.silent"),
    ({"part": True}, {}, "mentor_not.already"),
    ({"on_duty": False}, {}, "mentor_not.off_duty"),
    ({}, {"languages": ("en",)}, "mentor_not.language"),
    ({}, {"areas": ("north",)}, "mentor_not.area"),
    ({"load": 5}, {}, "mentor_not.full"),
    ({}, {"gender": "man"}, PRIVATE),
    ({}, {"gender": ""}, PRIVATE),
    ({}, {"not_with": ("K7-29",)}, PRIVATE),
    ({"related": True}, {}, PRIVATE),
]


@pytest.mark.parametrize(("stands", "can", "reason"), FILTERS)
def test_each_filter_names_its_reason(stands: dict[str, Any], can: dict[str, Any], reason: str) -> None:
    it = replace(FREE, profile=replace(ABLE, **can), **stands)
    assert unfit(WISH, it, PLACES) == reason
    assert propose(WISH, [it], PLACES) == ()
    assert [(u.seat_id, u.reason_key) for u in why_not(WISH, [it], PLACES)] == [("m1", reason)]


def test_whoever_can_is_proposed_with_the_reasons() -> None:
    (fit,) = propose(WISH, [replace(FREE, met_at=MET)], PLACES)
    assert [reason.key for reason in fit.reasons] == [
        "mentor_why.language", "mentor_why.area", "mentor_why.load", "mentor_why.met",
    ]  # fmt: skip
    assert fit.reasons[1].params == (("area", "south"),)
    assert why_not(WISH, [FREE], PLACES) == ()


def test_a_mentor_of_whom_nothing_is_written_down_can_be_asked_after_the_others() -> None:
    unknown = Candidate("a0", None)
    assert unfit(replace(WISH, gender=""), unknown, PLACES) is None
    order = propose(replace(WISH, gender=""), [unknown, FREE], PLACES)
    assert [fit.seat_id for fit in order] == ["m1", "a0"]
    assert unfit(WISH, unknown, PLACES) == PRIVATE


def test_the_order_is_nearness_then_load_then_the_latest_contact() -> None:
    def mentor(seat: str, area: str, load: int, met: datetime | None = None) -> Candidate:
        return Candidate(seat, replace(ABLE, id=seat, areas=(area,)), load=load, met_at=met)

    far, near = mentor("a", "land", 0), mentor("b", "town", 4)
    busy, met, fresh = mentor("c", "south", 3), mentor("e", "south", 1, MET), mentor("d", "south", 1)
    order = propose(WISH, [far, busy, fresh, met, near], PLACES)
    assert [fit.seat_id for fit in order] == ["b", "e", "d", "c", "a"]


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        st.integers(0, 20).map(lambda n: f"m{n}"),
        st.none()
        | st.builds(
            MentorProfile,
            st.just("x"),
            st.sampled_from([(), ("th",), ("en",)]),
            st.sampled_from([(), ("town",), ("south",), ("north",), ("nowhere",)]),
            st.sampled_from(["", "woman", "man"]),
            st.integers(1, 5),
            st.sampled_from([(), ("K7-29",)]),
        ),
        st.booleans(), st.booleans(), st.booleans(), st.integers(0, 6), st.none() | st.just(MET),
        st.booleans(), st.booleans(),
    ),
    max_size=6, unique_by=lambda c: c.seat_id,
)  # fmt: skip
WISHES = st.builds(
    Wish, st.sampled_from(["", "th"]), st.sampled_from(["", "town", "gone"]), st.sampled_from(["", "woman"]),
    st.sampled_from(["", "K7-29"]),
)  # fmt: skip


@given(WISHES, CANDIDATES, st.randoms())
def test_everybody_is_either_proposed_or_left_out_whatever_the_order_of_asking(
    wish: Wish, candidates: list[Candidate], chance: Any
) -> None:
    fits, others = propose(wish, candidates, PLACES), why_not(wish, candidates, PLACES)
    assert sorted([f.seat_id for f in fits] + [o.seat_id for o in others]) == sorted(
        c.seat_id for c in candidates
    )
    chance.shuffle(candidates)
    assert (propose(wish, candidates, PLACES), why_not(wish, candidates, PLACES)) == (fits, others)
