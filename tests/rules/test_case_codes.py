"""Case codes: said over a bad line, typed by a thumb; a slip is noticed, and what was meant is found."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from referrals import case_codes
from referrals.case_codes import ALPHABET, LONG, SHORT, how_many, is_code, numbered, probably_meant, spoken

CODES = st.integers(1, 3).flatmap(
    lambda middle: st.integers(0, how_many(middle) - 1).map(lambda number: numbered(number, middle))
)


def noticed(slip: str, code: str) -> bool:
    """It is no code, or it was forgiven: an L for the 1 that must stand there is the very same code."""
    return not is_code(slip) or spoken(slip) == code


def test_the_first_four_codes_ever_given_are_right() -> None:
    assert all(map(is_code, ("K7-29", "M3-04", "R5-11", "T2-86")))


@given(CODES)
def test_every_single_wrong_sign_is_noticed(code: str) -> None:
    signs = code.replace("-", "")
    for at in range(len(signs)):
        for other in set(ALPHABET) - {signs[at]}:
            assert noticed(signs[:at] + other + signs[at + 1 :], code)


@given(CODES)
@example("A8-LX")
def test_every_exchange_of_two_signs_is_noticed(code: str) -> None:
    signs = code.replace("-", "")
    for first in range(len(signs)):
        for second in range(first + 1, len(signs)):
            if signs[first] != signs[second]:
                swapped = list(signs)
                swapped[first], swapped[second] = swapped[second], swapped[first]
                assert noticed("".join(swapped), code)


def test_every_short_code_notices_every_slip(long_run: bool) -> None:
    """All of them, not a sample: 5,510 codes, each with 112 wrong signs (in the quick run every tenth)."""
    for number in range(0, how_many(SHORT), 1 if long_run else 10):
        code = numbered(number)
        signs = code.replace("-", "")
        wrong = (signs[:n] + s + signs[n + 1 :] for n in range(4) for s in ALPHABET if s != signs[n])
        assert all(noticed(slip, code) for slip in wrong)


def test_no_two_numbers_have_the_same_code() -> None:
    assert len({numbered(n) for n in range(how_many(SHORT))}) == how_many(SHORT) == 5510
    assert len({numbered(n, LONG) for n in range(5000)}) == 5000


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("k7 29", "K7-29"),
        ("K729", "K7-29"),
        ("  k7—29.", "K7-29"),
        ("K๗-๒๙", "K7-29"),
        ("K٧-٢٩", "K7-29"),
        ("MЗ-04", "M0-4"),  # a Cyrillic letter is no sign at all
        ("M3-O4", "M3-04"),
        ("RS-II", "R5-11"),
        ("T2-B6", "T2-86"),
        ("TZ-BG", "T2-86"),
        ("AL-01", "A1-01"),  # an L where a digit must stand is a 1
        ("K1-L0", "K1-L0"),  # elsewhere it is a sign of its own
        ("AL-8X", "AL-8X"),  # … and here it has changed places with the 8: a slip, not 'A1-8X'
        ("QQ-QQ", "Q0-00"),
        ("", ""),
    ],
)
def test_what_looks_alike_is_read_alike(typed: str, meant: str) -> None:
    assert spoken(typed) == meant


@given(st.text(max_size=30))
def test_whatever_is_typed_is_read_without_a_fault(typed: str) -> None:
    assert is_code(typed) == is_code(spoken(typed))
    case_codes.looks_like_a_code(typed)
    assert probably_meant(typed, ["K7-29", "M3-04"]) in (None, "K7-29", "M3-04")


def test_what_was_meant_is_looked_for_among_the_persons_own_alone() -> None:
    own = ["K7-29", "R5-11"]
    assert probably_meant("K7-28", own) == "K7-29"
    assert probably_meant("7K-29", own) == "K7-29"
    assert probably_meant("AL-8X", ["A8-LX"]) == "A8-LX"
    assert probably_meant("K7-2", own) == "K7-29"
    assert probably_meant("K7-299", own) == "K7-29"
    assert probably_meant("T2-86", own) is None  # a right code of somebody else's: no word of it
    assert probably_meant("K7-28", ["K7-29", "K7-2A"]) is None  # a guess among two is worse than a question


def test_a_fresh_code_is_unused_and_short_while_there_are_enough() -> None:
    draw = random.Random(7).uniform
    taken: set[str] = set()
    for _ in range(how_many(SHORT) // 2):
        taken.add(case_codes.unused(taken, len(taken), draw))
    assert {len(code) for code in taken} == {5}
    longer = case_codes.unused(taken, len(taken), draw)
    assert is_code(longer)
    assert len(longer) == 7
    assert case_codes.looks_like_a_code(longer)
