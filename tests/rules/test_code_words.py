"""Code words as people type them: in any language, with any marks around them, and never by chance."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.texts import read_locales
from handlers.router import COMMANDS, PRESSES
from referrals import case_codes, code_words
from referrals.access import ALLOWED
from referrals.code_words import BY_ID, CODE_WORDS, Typed
from referrals.model import Role
from referrals.service.common.screens import first_free

ROOT = Path(__file__).resolve().parents[2]
WORDS = read_locales(ROOT / "locales")


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        *[
            ("STOP", "stop"),
            ("stop", "stop"),
            (" Stop. ", "stop"),
            ("«stop»!!", "stop"),
            ("ｓｔｏｐ", "stop"),
        ],
        *[("unsubscribe", "stop"), ("หยุด", "stop"), ("เลิกรับ", "stop"), ("เริ่ม", "start"), ("START", "start")],
        *[("list", "list"), ("รายชื่อ", "list"), ("check in", "in"), ("Check  In?", "in"), ("HELP", "help")],
        *[("text off", "text_off"), ("ปุ่ม", "text_off"), ("danger", "danger"), ("ฉุกเฉิน", "danger")],
    ],
)
@pytest.mark.parametrize("own", ["en", "th", ""])
def test_a_word_is_known_in_every_language_whatever_ones_own(typed: str, word: str, own: str) -> None:
    assert code_words.read(typed, WORDS, own) == Typed(word=word)


@pytest.mark.parametrize(
    "typed",
    [
        *["help me", "please stop", "stop him", "he is in danger", "I have nothing", "in the morning"],
        *["ask the desk", "ช่วยด้วย", "หยุดเขา", "start again please", "list of things", "", "   ", "..."],
        *["so 100 baht a day", "to be or not to be", "please come", "my son is in K7", "4 children", "?!"],
        *["0812345678", "meet me at 5", "hide the phone"],
    ],
)
def test_what_is_written_by_chance_is_no_word(typed: str) -> None:
    assert code_words.read(typed, WORDS, "en") == Typed()


@pytest.mark.parametrize(
    ("typed", "number"), [("2", 2), (" 2. ", 2), ("๒", 2), ("１２", 12), ("٣", 3), ("007", 7), ("2)", 2)]
)
def test_numbers_in_the_digits_of_any_script(typed: str, number: int) -> None:
    assert code_words.read(typed, WORDS, "th") == Typed(number=number)


@pytest.mark.parametrize(
    "typed", ["K7-29 call ok", "k7 29 call ok", "K729 call ok", "K7-2X call ok", "k7-29"]
)
def test_a_line_begins_with_what_looks_like_a_code(typed: str) -> None:
    assert code_words.read(typed, WORDS, "en").line


def test_a_code_may_stand_behind_some_words() -> None:
    code = case_codes.numbered(77)
    assert code_words.read(f"in {code}", WORDS, "en") == Typed(word="in", code=code)
    assert code_words.read(f"DANGER {code.lower()}.", WORDS, "en") == Typed(word="danger", code=code)
    assert code_words.read(f"stop {code}", WORDS, "en") == Typed()


def test_no_spelling_means_two_things_in_whichever_languages() -> None:
    assert list(code_words.ambiguous(WORDS)) == []
    clash = {**WORDS, "xx": {"word.stop": "halt, list"}}
    assert list(code_words.ambiguous(clash)) == [("list", "list", "stop")]


@pytest.mark.parametrize("language", sorted(WORDS))
def test_every_word_is_spelled_and_explained(language: str) -> None:
    for word in CODE_WORDS:
        spelled = code_words.spellings(word.id, WORDS[language])
        assert spelled, word.id
        assert len(spelled) == len(set(spelled))
        assert all(code_words.read(s, WORDS, language) == Typed(word=word.id) for s in spelled)
        assert WORDS[language][f"word_does.{word.id}"]
    named = {key.removeprefix("word.") for key in WORDS[language] if key.startswith("word.")}
    assert named == set(BY_ID)


@pytest.mark.parametrize("word", CODE_WORDS, ids=lambda word: word.id)
def test_every_word_leads_where_a_button_could(word: code_words.CodeWord) -> None:
    """Same routes, same rights; and whoever is told of a word may do what it does."""
    name = word.does.removeprefix("1:").removeprefix("/").split(":")[0]
    route = (COMMANDS if word.does.startswith("/") else PRESSES)[name]
    allowed = ALLOWED[route.action]
    assert Role.FAMILY in allowed or word.roles <= allowed


@given(st.text(max_size=40), st.sampled_from(["en", "th", "", "xx"]))
@example("\u200b2", "en")
@example("²", "en")
@example("\ud800", "en")
def test_whatever_is_typed_is_read(typed: str, own: str) -> None:
    found = code_words.read(typed, WORDS, own)
    assert found.word in {"", *BY_ID}
    assert found.number is None or 0 <= found.number <= 999


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 9)), max_size=12), st.integers(1, 9))
def test_numbers_of_standing_messages_never_overlap(spans: list[tuple[int, int]], size: int) -> None:
    taken: list[range] = []
    for _, length in spans:
        first = first_free(taken, length)
        assert not any(set(range(first, first + length)) & set(one) for one in taken)
        taken.append(range(first, first + length))
    del taken[::2]
    first = first_free(taken, size)
    assert first >= 1
    assert not any(set(range(first, first + size)) & set(one) for one in taken)
    lower = (range(n, n + size) for n in range(1, first))
    assert all(any(set(one) & set(other) for other in taken) for one in lower), "a lower place was free"
