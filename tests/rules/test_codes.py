"""Codes on paper: said, typed badly, and still themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals import codes


@pytest.mark.parametrize(
    ("address", "words"),
    [  # the examples of the proposal, arXiv:0901.4016, section 5
        ("127.0.0.1", "lusab-babad"),
        ("63.84.220.193", "gutih-tugad"),
        ("63.118.7.35", "gutuk-bisog"),
        ("140.98.193.141", "mudof-sakat"),
        ("64.255.6.200", "haguz-biram"),
        ("147.67.119.2", "natag-lisaf"),
        ("212.58.253.68", "tibup-zujah"),
        ("216.35.68.215", "tobog-higil"),
        ("198.81.129.136", "sinid-makam"),
        ("12.110.110.204", "budov-kuras"),
    ],
)
def test_the_published_examples(address: str, words: str) -> None:
    assert codes.spell(bytes(map(int, address.split(".")))) == words


@given(st.binary(min_size=8, max_size=8), st.sampled_from(["", " ", "-", "  -  ", ".", "\n", "–"]))
def test_however_it_is_typed_it_is_the_same_code(secret: bytes, between: str) -> None:
    words = codes.spell(secret)
    assert codes.normal(words.replace("-", between).upper(), 8) == words


@given(st.text(max_size=60))
def test_whatever_else_is_typed_is_no_code_or_a_whole_one(typed: str) -> None:
    found = codes.normal(typed, codes.TRACKING_BYTES)
    assert found is None or codes.normal(found, codes.TRACKING_BYTES) == found


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8))
def test_two_secrets_never_share_their_words(one: bytes, other: bytes) -> None:
    assert (codes.spell(one) == codes.spell(other)) is (one == other)


def test_too_short_too_long_and_foreign_letters_are_no_code() -> None:
    for typed in ("", "lusab", "lusab-babad-gutih-tugad-bisog", "lusab-babad-gutih-tugae", "ลูซับ"):
        assert codes.normal(typed, codes.TRACKING_BYTES) is None


@given(st.binary(min_size=32, max_size=32))
def test_a_check_number_is_always_four_digits(fingerprint: bytes) -> None:
    shown = codes.check_number(fingerprint.hex())
    assert len(shown) == 4
    assert shown.isdecimal()
    assert int(shown) == int.from_bytes(fingerprint, "big") % 10_000


def test_a_digest_of_anything_is_a_digest() -> None:
    assert codes.digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert len(codes.digest("\ud800")) == 64  # half of an emoji, as a forged link may hold
