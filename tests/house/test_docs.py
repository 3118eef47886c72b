"""What the documents say of the code is drawn from it."""

from __future__ import annotations

from pathlib import Path

from bot.texts import read_locales
from referrals import code_words
from referrals.lifecycle import draw
from referrals.service import pages, timers

ROOT = Path(__file__).resolve().parents[2]


def test_the_lifecycle_diagrams_are_those_of_the_tables() -> None:
    assert draw() in (ROOT / "docs/lifecycle.md").read_text(encoding="utf-8")


def test_the_table_of_code_words_is_that_of_the_data() -> None:
    table = code_words.draw(read_locales(ROOT / "locales"))
    assert table in (ROOT / "docs/code-words.md").read_text(encoding="utf-8")


def test_the_tables_of_timers_and_pages_are_those_of_the_code() -> None:
    drawn = (ROOT / "docs/timers-and-pages.md").read_text(encoding="utf-8")
    assert timers.draw() in drawn
    assert pages.draw() in drawn
