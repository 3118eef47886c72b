"""Presses faster than a person's: one kind word, then silence, and back to normal with time."""

from __future__ import annotations

import pytest

from benchmarks.load import press
from bot.patience import BURST, PER_S, Patience, Verdict
from tests.contract.bot.product import Product


def test_a_person_who_presses_like_a_person_is_always_heard() -> None:
    patience = Patience()
    assert all(patience.of(1, second * 0.7) is Verdict.HEARD for second in range(1000))


def test_a_storm_is_answered_once_and_then_ignored() -> None:
    patience = Patience()
    found = [patience.of(1, 0.0) for _ in range(int(BURST) + 5)]
    assert found == [Verdict.HEARD] * int(BURST) + [Verdict.TOLD] + [Verdict.IGNORED] * 4
    assert patience.of(2, 0.0) is Verdict.HEARD  # nobody else pays for it
    assert patience.of(1, 1 / PER_S) is Verdict.HEARD
    assert patience.of(1, 1 / PER_S) is Verdict.TOLD


@pytest.mark.parametrize("later", [0.0, 1000.0])
def test_memory_stays_small(later: float) -> None:
    patience = Patience(most=100)
    for account in range(1000):
        patience.of(account, later * account)
    assert len(patience._buckets) <= 100


async def test_the_chat_tells_it_once_and_no_turn_is_spent(product: Product) -> None:
    parts = await product.start()
    parts.receiver.patience = Patience(burst=2, per_s=0.0001)
    answers = [await parts.receiver.take(press(number, 4711, "on")) for number in range(900, 906)]
    too_fast = parts.texts.say("error.too_fast", "th")
    told = [answer.text for answer in answers if answer is not None]
    assert (len(told), told[2], answers[3:]) == (3, too_fast, [None, None, None])
    assert len([number for number in product.echo.tries if number >= 900]) == 2
