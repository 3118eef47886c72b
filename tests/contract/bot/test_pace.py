"""Limits: overall, per chat, and the silence that Telegram asks for."""

from __future__ import annotations

from bot.pace import CHAT_BURST, Pace


def test_overall() -> None:
    pace = Pace(overall_per_s=30, per_chat_per_s=1)
    sent = 0
    for tick in range(1000):  # ten seconds
        for _ in range(pace.room(tick / 100)):
            pace.leave(tick / 100)
            sent += 1
    assert 300 <= sent <= 316


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
    pace.flood(3, 8, now=11.6)
    assert pace.room(12.0) > 0
    pace.flood(4, 6, now=11.7)
    assert pace.room(12.0) == 0
    assert 5.5 < pace.until_room(12.0) < 6
    assert pace.room(18.0) > 0
    assert pace.paused(1, 18.0) == 0
