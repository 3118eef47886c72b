"""How often is too often: stretches of time that begin alike for everybody, and a wait that ends them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals import limits
from referrals.limits import LIMITS, Doing

# Hypothesis takes naive bounds and adds the zone itself.
_FIRST, _LAST = (datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (2021, 2060))
INSTANTS = st.datetimes(_FIRST, _LAST, timezones=st.just(UTC))


@given(INSTANTS, st.sampled_from(Doing))
def test_whoever_waits_as_long_as_told_may_do_it_again(now: datetime, doing: Doing) -> None:
    minutes = limits.minutes_left(doing, now)
    assert 1 <= minutes <= LIMITS[doing].within / timedelta(minutes=1)
    later = now + timedelta(minutes=minutes)
    assert limits.key(doing, "p1", later) != limits.key(doing, "p1", now)


@given(INSTANTS, st.sampled_from(Doing))
def test_until_then_everything_counts_together(now: datetime, doing: Doing) -> None:
    last = limits.ends_at(doing, now) - timedelta(microseconds=1)
    assert limits.key(doing, "p1", last) == limits.key(doing, "p1", now)
    assert limits.ends_at(doing, last) == limits.ends_at(doing, now) > now


def test_two_people_and_two_doings_never_share_a_count() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert len({limits.key(doing, who, now) for doing in Doing for who in ("p1", "p2")}) == 2 * len(Doing)


@pytest.mark.parametrize("doing", Doing)
def test_the_table_says_how_many(doing: Doing) -> None:
    assert not limits.too_many(doing, LIMITS[doing].most)
    assert limits.too_many(doing, LIMITS[doing].most + 1)
