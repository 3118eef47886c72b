"""What may be a PIN: a table, and what holds for all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.pin_rules import easily_guessed, normal
from referrals.service.people.stepup import minutes_after

# What is typed, what it means (None: not a PIN at all), whether everybody would guess it.
TABLE = [
    ("739154", "739154", False),
    (" 739 154 ", "739154", False),
    ("๗๓๙๑๕๔", "739154", False),
    ("٧٣٩١٥٤", "739154", False),
    ("190283746501", "190283746501", False),
    ("000000", "000000", True),
    ("111111111111", "111111111111", True),
    ("123456", "123456", True),
    ("654321", "654321", True),
    ("567890", "567890", True),
    ("890123", "890123", True),
    ("321098", "321098", True),
    ("121212", "121212", True),
    ("123123", "123123", True),
    ("1234123412", "1234123412", True),
    ("123321", "123321", True),
    ("112233", "112233", True),
    ("159753", "159753", True),
    ("12345", None, False),
    ("1234567890123", None, False),
    ("73915a", None, False),
    ("7391５4x", None, False),
    ("½39154", None, False),
    ("-39154", None, False),
    ("7391.54", None, False),
    ("", None, False),
    ("9" * 100_000, None, False),
]


@pytest.mark.parametrize(("typed", "pin", "guessed"), TABLE)
def test_the_table_of_pins(typed: str, pin: str | None, guessed: bool) -> None:
    assert normal(typed) == pin
    if pin is not None:
        assert easily_guessed(pin) is guessed


@given(st.text(max_size=20))
def test_whatever_is_typed_is_a_pin_or_none(typed: str) -> None:
    pin = normal(typed)
    if pin is not None:
        assert pin.isascii()
        assert pin.isdigit()
        assert 6 <= len(pin) <= 12
        assert normal(pin) == pin


def test_few_pins_are_refused() -> None:
    """Else whoever guesses would know more than they should: less than one in a hundred."""
    refused = sum(easily_guessed(f"{number:06}") for number in range(0, 1_000_000, 7))
    assert 0 < refused < 1_000_000 / 7 / 100


def test_each_wrong_pin_costs_more_patience_than_the_one_before() -> None:
    assert [minutes_after(tries) for tries in range(11)] == [0, 0, 0, 0, 0, 1, 5, 15, 60, 60, 60]
