"""When it is safe to call: codes, and a clock that is the person's own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from referrals import calling
from referrals.errors import BadAnswer

# 2026-11-24 is a Tuesday; Bangkok is seven hours ahead of UTC.
CASES = [
    ((), (), "2026-11-24T03:00", True),
    (("weekdays",), (), "2026-11-24T03:00", True),
    (("weekend",), (), "2026-11-24T03:00", False),
    (("weekend",), (), "2026-11-27T17:30", True),  # Saturday has begun in Bangkok, not in London
    ((), ("evening",), "2026-11-24T09:59", False),
    ((), ("evening",), "2026-11-24T10:00", True),
    ((), ("evening",), "2026-11-24T13:59", True),
    ((), ("evening",), "2026-11-24T14:00", False),
    ((), ("morning", "evening"), "2026-11-24T06:00", False),
    (("weekdays",), ("morning",), "2026-11-28T02:00", False),
]


@pytest.mark.parametrize(("days", "parts", "at", "safe"), CASES)
def test_by_the_persons_own_clock(days: tuple[str, ...], parts: tuple[str, ...], at: str, safe: bool) -> None:
    times = calling.chosen(days, parts, (), "Asia/Bangkok")
    assert calling.safe_now(times, datetime.fromisoformat(at).replace(tzinfo=UTC)) is safe


def test_what_is_written_is_read_again() -> None:
    times = calling.chosen(["weekend"], ["evening", "morning"], ["say_shop"], "Asia/Bangkok")
    assert times is not None
    assert calling.read(calling.write(times)) == times
    assert times.keys == ("call.weekend", "call.morning", "call.evening", "call.say_shop")
    assert calling.read("") is None


def test_nothing_ticked_is_no_wish_and_no_other_code_is_one() -> None:
    assert calling.chosen([], [], [], "UTC") is None
    with pytest.raises(BadAnswer):
        calling.chosen(["someday"], [], [], "UTC")
