"""What may be a PIN: 6 to 12 digits that are not the first ones everybody tries. Pure."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

LEAST, MOST = 6, 12
_DIGITS = re.compile(f"[0-9]{{{LEAST},{MOST}}}")

# Beyond what the rules below catch, the head of every published list of guessed PINs.
_GUESSED = frozenset({
    "112233", "445566", "123321", "456654", "147258", "159753", "258456", "147852", "102030", "121314",
    "520131", "142536", "192837", "998877", "112211", "110110", "100200",
})  # fmt: skip


def normal(typed: str) -> str | None:
    """The digits that somebody typed, in ASCII whatever their script; None when it cannot be a PIN at all."""
    letters = typed.replace(" ", "")
    if len(letters) > MOST:
        return None
    digits = "".join(str(unicodedata.decimal(letter, "x")) for letter in letters)
    return digits if _DIGITS.fullmatch(digits) else None


def easily_guessed(pin: str) -> bool:
    """Whether a PIN (as `normal` gives it) is among those that are tried first."""
    return pin in _GUESSED or _repeats(pin) or _runs(pin) or _mirrors_a_run(pin)


def _repeats(pin: str) -> bool:
    """111111, 121212, 123123: a beginning of at most half its length, again and again."""
    lengths = range(1, len(pin) // 2 + 1)
    return any(pin == (pin[:n] * len(pin))[: len(pin)] for n in lengths if n < LEAST)


def _runs(pin: str) -> bool:
    """123456, 987654, 890123: each digit one more (or one less) than the one before."""
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    return steps in ({1}, {9})


def _mirrors_a_run(pin: str) -> bool:
    """123321, 12344321: a run, and the same run back."""
    half = pin[: (len(pin) + 1) // 2]
    return pin == pin[::-1] and _runs(half)
