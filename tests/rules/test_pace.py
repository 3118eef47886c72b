"""Limits: overall, per chat, what is kept for the urgent, and what a 429 teaches."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.pace import CHAT_BURST, CUT, LEAST, OVERALL_BURST_S, RESERVE, Pace

TICK = 0.01


@dataclass
class Provider:
    """Permits `rate` messages a second and a burst of one second, as token buckets do."""

    rate: float
    level: float = 0.0
    at: float = 0.0
    taken: int = 0
    refused: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.level = self.rate

    def takes(self, now: float) -> bool:
        self.level = min(self.rate, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level < 1:
            self.refused.append(now)
            return False
        self.level -= 1
        self.taken += 1
        return True


@dataclass
class Sending:
    """Always something to send, to a new chat each time; an urgent one each `urgent_every` seconds."""

    pace: Pace
    provider: Provider
    urgent_every: float = 0.25
    urgent: list[float] = field(default_factory=list)  # since when each waits
    waits: list[tuple[float, float]] = field(default_factory=list)  # (sent at, waited)
    left: list[float] = field(default_factory=list)
    _next_urgent: float = 0.0
    _chats: count[int] = field(default_factory=count)

    def run(self, begin: float, end: float) -> None:
        for tick in range(int(begin / TICK), int(end / TICK)):
            self._tick(tick * TICK)

    def _tick(self, now: float) -> None:
        if now >= self._next_urgent:
            self.urgent.append(now)
            self._next_urgent = now + self.urgent_every
        while self.urgent and self.pace.room(now):
            if self._send(now):
                since = self.urgent.pop(0)
                self.waits.append((now, now - since))
        while self.pace.room(now, urgent=False):
            self._send(now)

    def _send(self, now: float) -> bool:
        chat = next(self._chats)
        assert self.pace.chat_wait(chat, now) == 0
        self.pace.leave(now)
        self.left.append(now)
        if self.provider.takes(now):
            return True
        self.pace.flood(chat, 1, now)
        return False


def test_what_is_permitted_is_used_and_nothing_is_refused() -> None:
    sending = Sending(Pace(30, 1), Provider(30))
    sending.run(0, 60)
    assert sending.provider.refused == []
    assert sending.provider.taken >= 0.99 * 30 * 60
    assert max(waited for _, waited in sending.waits) <= 2 * TICK


@pytest.mark.parametrize("permitted", [15, 20, 27])
def test_a_provider_that_permits_less_than_we_believe(permitted: float) -> None:
    """After ten seconds less than 1 % is refused, urgent ones wait less than a second, and 90 % is used."""
    sending = Sending(Pace(30, 1), Provider(permitted))
    sending.run(0, 10)
    before, refused = sending.provider.taken, len(sending.provider.refused)
    sending.run(10, 100)
    taken = sending.provider.taken - before
    assert len(sending.provider.refused) - refused < 0.01 * taken
    waits = sorted(waited for at, waited in sending.waits if at > 10)
    assert waits[int(0.99 * len(waits))] <= 1
    assert taken >= 0.9 * permitted * 90


def test_the_estimate_comes_back_when_the_provider_does() -> None:
    sending = Sending(Pace(30, 1), Provider(10))
    sending.run(0, 60)
    assert sending.pace.estimate < 12
    sending.provider.rate = 30
    sending.run(60, 360)
    assert sending.pace.estimate == 30


@given(
    st.floats(0.2, 60),
    st.lists(st.tuples(st.floats(0, 3), st.booleans(), st.integers(0, 5)), max_size=60),
)
def test_never_more_than_the_rate_in_any_window_and_nobody_starves(
    rate: float, steps: list[tuple[float, bool, int]]
) -> None:
    pace, now, left = Pace(rate, 1), 0.0, list[float]()
    for passed, urgent, flooded in steps:
        now += passed
        for _ in range(min(pace.room(now, urgent=urgent), 500)):
            pace.leave(now)
            left.append(now)
        if flooded == 0:
            pace.flood(int(now), 2, now)
            assert rate * LEAST <= pace.estimate <= rate
    excess, before = 0.0, 0.0  # the most by which any window up to here is over the rate
    for at in left:
        excess = max(0.0, excess - rate * (at - before)) + 1
        before = at
        assert excess <= max(1.0, rate * OVERALL_BURST_S) + 0.01
    # However it stands: whoever waits as long as told may send, the urgent one no later than the other.
    assert pace.until_room(now) <= pace.until_room(now, urgent=False)
    for _ in range(5):  # while the estimate grows, so does what is kept for the urgent
        now += pace.until_room(now, urgent=False)
    assert pace.room(now, urgent=False) >= 1


def test_a_part_of_the_burst_is_kept_for_what_is_urgent() -> None:
    pace = Pace(overall_per_s=30, per_chat_per_s=1)
    assert pace.room(0.0) == 15
    assert pace.room(0.0, urgent=False) == round(15 * (1 - RESERVE))
    for _ in range(10):
        pace.leave(0.0)
    assert (pace.room(0.0), pace.room(0.0, urgent=False)) == (5, 0)


def test_a_chat_has_a_burst_and_then_its_rate() -> None:
    pace = Pace(overall_per_s=1000, per_chat_per_s=1)
    waits = [pace.chat_wait(7, 100.0) for _ in range(6)]
    assert waits == [0, 0, 0, 1, 2, 3]
    assert pace.chat_wait(8, 100.0) == 0
    assert pace.chat_wait(7, 200.0) == 0
    assert CHAT_BURST == 3


def test_silence_in_one_chat_and_in_all() -> None:
    pace = Pace(overall_per_s=30, per_chat_per_s=1)
    pace.flood(1, 5, now=10.0)
    assert pace.paused(1, 11.0) == 4
    assert pace.paused(2, 11.0) == 0
    assert pace.room(11.0) > 0
    pace.flood(2, 5, now=11.5)
    assert pace.room(12.0) > 0
    pace.flood(4, 6, now=11.7)
    assert pace.room(12.0) == 0
    assert 5.5 < pace.until_room(12.0) < 6
    assert pace.room(18.0) > 0
    assert pace.paused(1, 18.0) == 0


def test_a_chat_that_was_busy_is_meant_itself_and_one_that_was_calm_is_not() -> None:
    pace = Pace(overall_per_s=30, per_chat_per_s=1)
    for _ in range(3):
        pace.chat_wait(1, 10.0)
    pace.flood(1, 30, now=10.1)
    assert pace.estimate == 30
    pace.chat_wait(2, 60.0)
    pace.flood(2, 30, now=60.1)
    assert pace.estimate == pytest.approx(30 * CUT)
    # What was on its way at the same time teaches nothing more.
    pace.chat_wait(3, 60.0)
    pace.flood(3, 1, now=60.2)
    assert pace.estimate == pytest.approx(30 * CUT, rel=0.01)
