"""One typed line is a whole check-in, in every language's own words and in any order, or it is nothing."""

from __future__ import annotations

import itertools
from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.checkin_line import day_of, parse, words_of
from referrals.errors import BadLine
from tests.support.network import CATALOGUE

FORM = CATALOGUE.forms["check-in"]
WORDS = words_of(CATALOGUE.texts, FORM)
TODAY, DAY = date(2027, 1, 2), timedelta(days=1)
CHOICES = {question.id: question.choices for question in FORM.questions}


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        ("K7-29 call ok", {"means": "call", "state": "all_right"}),
        ("k729 OK, phone.", {"means": "call", "state": "all_right"}),
        ("met K7-29 well", {"means": "in_person", "state": "well"}),
        ("k7 29 c s", {"means": "call", "state": "struggling"}),
        ("K7-29 in person: doing well", {"means": "in_person", "state": "well"}),
        ("K7-29 could not reach", {"means": "not_reached"}),
        ("K7-29 โทร พอไหว", {"means": "call", "state": "all_right"}),
        ("K7-29 โทร ok", {"means": "call", "state": "all_right"}),
        ("K7-29 call", {"means": "call"}),
    ],
)
def test_a_line_is_understood(line: str, answers: dict[str, str]) -> None:
    assert parse(line, FORM, WORDS).answers == answers


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("K7-29 call ok", TODAY),
        ("K7-29 call ok today", TODAY),
        ("K7-29 yesterday call ok", TODAY - DAY),
        ("k729 โทร พอไหว เมื่อวาน", TODAY - DAY),
        ("K7-29 call ok 30/12", date(2026, 12, 30)),
        ("K7-29 call ok, 30.12.", date(2026, 12, 30)),
        ("๓๐/๑๒ K7-29 call ok", date(2026, 12, 30)),
        ("k7 29 1.1 call ok", date(2027, 1, 1)),
        ("K7-29 call ok 2026-12-29", date(2026, 12, 29)),
        ("K7-29 call ok 3/1", date(2026, 1, 3)),  # the last such day: too long ago, not tomorrow
        ("K7-29 call ok 29/2", None),
        ("K7-29 call ok 32/1", None),
        ("K7-29 call ok yesterday 1/1", None),  # which of the two?
        ("K7-29 call ok 1/1 31/12", None),
        ("K7-29 yesterday", None),
        ("yesterday call ok", None),
        ("K7-29 call ok 1/1/2027", None),  # no date that we know: nothing of it counts
    ],
)
def test_a_line_may_name_its_day(line: str, day: date | None) -> None:
    if day is None:
        with pytest.raises(BadLine):
            day_of(parse(line, FORM, WORDS).day, TODAY)
        return
    found = parse(line, FORM, WORDS)
    assert (day_of(found.day, TODAY), found.answers) == (day, {"means": "call", "state": "all_right"})


@pytest.mark.parametrize(
    "line",
    [
        "call ok",  # no code
        "K7-29",
        "K7-29 ok",  # how did you meet?
        "K7-29 call ok well",  # which of the two?
        "K7-29 could not reach ok",
        "K7-29 call ok and he told me about his brother",  # not even the half of it becomes a contact
        "K7-29 call ok K7-29",
        "",
    ],
)
def test_half_a_line_is_no_line(line: str) -> None:
    with pytest.raises(BadLine):
        parse(line, FORM, WORDS)


def test_no_spelling_means_two_things() -> None:
    for language in CATALOGUE.texts:
        alone = words_of({language: CATALOGUE.texts[language]}, FORM)
        for typed, meaning in alone.items():
            assert WORDS[typed] == meaning, f"{typed!r} means two things"
        for question, choice in ((q, c) for q in ("means", "state") for c in CHOICES[q]):
            assert CATALOGUE.texts[language].get(f"line.{question}.{choice}"), (language, question, choice)
            spelt = [typed for typed, meaning in alone.items() if meaning == (question, choice)]
            assert min(len(typed) for typed in spelt) <= 4 or choice == "crisis", (language, choice, spelt)


@given(st.sampled_from(sorted(WORDS)), st.sampled_from(sorted(WORDS)))
def test_the_order_is_free(one: str, other: str) -> None:
    understood: list[dict[str, str]] = []
    for words in itertools.permutations(["K7-29", one, other]):
        try:
            understood.append(dict(parse(" ".join(words), FORM, WORDS).answers))
        except BadLine:
            continue
    # 'could not reach' beside 'call' can be read as longer words in one order: never as something else.
    assert all(r == understood[0] for r in understood), understood


@given(st.text(max_size=60))
def test_anything_typed_is_a_line_or_refused(text: str) -> None:
    with suppress(BadLine):
        found = parse(text, FORM, WORDS)
        assert found.answers
        assert day_of(found.day, TODAY) <= TODAY or "-" in found.day
