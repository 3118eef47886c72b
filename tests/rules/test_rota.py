"""The rota: who is next, and where nobody is, minute by minute, on days that clocks change too."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from referrals import rota
from referrals.directory import Duty
from referrals.schedule import on_duty
from tests.support.network import NETWORK

TUESDAY = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # ten in Bangkok
MINUTES = timedelta(minutes=1)
ZONES = ["Asia/Bangkok", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "America/St_Johns", "UTC"]


def duty(seat: str, weekday: int, starts: str, ends: str, zone: str = "Asia/Bangkok") -> Duty:
    begins, last = time.fromisoformat(starts), time.fromisoformat(ends)
    return Duty(f"{seat}.{weekday}", seat, weekday, begins, last, zone)


def test_the_demos_rota_leaves_no_hour_open() -> None:
    assert rota.uncovered(NETWORK.duties, TUESDAY) == ()


def test_an_empty_rota_is_one_long_stretch() -> None:
    assert rota.uncovered((), TUESDAY) == ((TUESDAY, TUESDAY + rota.AHEAD),)


def test_what_is_left_open_is_found_and_neighbours_are_one() -> None:
    duties = [d for d in NETWORK.duties if not (d.seat_id == "desk-2" and d.weekday in (5, 6))]
    sunday = datetime(2026, 11, 28, 17, 0, tzinfo=UTC)  # midnight in Bangkok
    assert rota.uncovered(duties, TUESDAY) == ((sunday, sunday + timedelta(days=1)),)


def test_who_is_next() -> None:
    seats = ("desk-1", "desk-2", "desk-3")
    assert rota.on_call(NETWORK.duties, TUESDAY) == {"desk-1"}
    assert rota.next_up(NETWORK.duties, TUESDAY, seats) == "desk-2"
    assert rota.next_up(NETWORK.duties, TUESDAY, ("desk-1",)) is None, "is on already"
    assert rota.next_up(NETWORK.duties, TUESDAY + timedelta(hours=12), seats) == "desk-1"


clocks = st.times(max_value=time(23, 59)).map(lambda t: t.replace(second=0, microsecond=0))


@st.composite
def duties(draw: st.DrawFn) -> Duty:
    starts, ends = sorted([draw(clocks), draw(clocks)])
    zone = draw(st.sampled_from(ZONES))
    weekday = draw(st.integers(0, 6))
    return Duty(f"d{draw(st.integers(0, 99))}", draw(st.sampled_from("ab")), weekday, starts, ends, zone)


# Around the days on which clocks change, in spring and in autumn.
starts_at = st.sampled_from(
    [datetime(2026, m, d, tzinfo=UTC) for m, d in ((3, 7), (3, 28), (4, 4), (10, 3), (10, 24), (10, 31))]
)


@given(st.lists(duties(), max_size=6), starts_at, st.integers(0, 60 * 48), st.lists(st.integers(0, 2879)))
def test_it_is_open_exactly_when_nobody_is_on_duty(
    some: list[Duty], day: datetime, later: int, minutes: list[int]
) -> None:
    start = day + later * MINUTES
    found = rota.uncovered(some, start, timedelta(days=2))
    edges = [edge for stretch in found for edge in stretch]
    assert edges == sorted(set(edges)), "in order, and neighbours are one"
    for at in [start + minute * MINUTES for minute in minutes]:
        covered = any(on_duty(each, at) for each in some)
        assert covered is not any(begins <= at < ends for begins, ends in found), at
