"""What the documents say of the code is drawn from it."""

from __future__ import annotations

from pathlib import Path

from referrals.lifecycle import draw

ROOT = Path(__file__).resolve().parents[2]


def test_the_lifecycle_diagrams_are_those_of_the_tables() -> None:
    assert draw() in (ROOT / "docs/lifecycle.md").read_text(encoding="utf-8")
