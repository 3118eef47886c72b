"""A whole check-in in one typed line: 'K7-29 call ok', or 'K7-29 call ok yesterday'. Pure.

The words stand in `locales/` ('line.means.call' = 'call, phone, c'); what a button says counts too. All
languages are understood at once and in any order, because people mix them. A day is today, yesterday, or a
date: '20/11' or '20.11' (the day first, the last such day), '2026-11-20'. What is not understood is refused
as a whole: half a line must never become a contact.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from referrals import case_codes, forms
from referrals.catalogue import Form, QuestionKind
from referrals.code_words import simple
from referrals.errors import BadLine

_BETWEEN = str.maketrans(",.;:!?/·+", "         ")
LONGEST = 4  # words that belong together, as in 'could not reach'
_ASKED = ("means", "state", "danger")  # the questions that a line can answer
DAY, TODAY, YESTERDAY = "day", "today", "yesterday"
_DATE = re.compile(r"(?<!\S)(?:(\d{4}-\d{2}-\d{2})|(\d{1,2})[./](\d{1,2})\.?)(?=[\s,;]|$)")

Words = Mapping[str, tuple[str, str]]  # what is typed -> (question, choice)


@dataclass(frozen=True, slots=True)
class Line:
    """`code` as it was typed, right or wrong; `answers` in the form's order, perhaps not all of them.

    `day` as it was typed: '' | 'today' | 'yesterday' | '2026-11-20' | '20/11' (see `day_of`).
    """

    code: str
    answers: Mapping[str, str]
    day: str = ""


def words_of(texts: Mapping[str, Mapping[str, str]], form: Form) -> Words:
    """Every way of typing a choice of this form, in every language; where two agree, English wins."""
    found: dict[str, tuple[str, str]] = {}
    for language in sorted(texts, key=lambda la: (la != "en", la)):
        for question in form.questions:
            if question.kind is QuestionKind.CHOICE and question.id in _ASKED:
                for choice in question.choices:
                    for spelling in _spellings(texts[language], question.id, choice):
                        found.setdefault(spelling, (question.id, choice))
        for day in (TODAY, YESTERDAY):
            for spelling in _spellings(texts[language], DAY, day):
                found.setdefault(spelling, (DAY, day))
    return found


def parse(line: str, form: Form, words: Words) -> Line:
    """What a line says; BadLine where a word is not known, the code is missing, or an answer does not fit."""
    typed, dates = _dates(simple(line))
    code, rest = _code_and_rest(_simple(typed).split())
    given: dict[str, str] = {}
    for question, choice in (*dates, *_meanings(rest, words)):
        if given.setdefault(question, choice) != choice:
            raise BadLine
    day = given.pop(DAY, "")
    answers: dict[str, str] = {}
    while (following := forms.next_question(form, answers)) is not None and following.id in given:
        answers[following.id] = given[following.id]
    if not answers or set(given) - set(answers):
        raise BadLine
    return Line(code, answers, day)


def day_of(said: str, today: date) -> date:
    """The day that a line names, on the day on which it is typed; BadLine for a date that is none."""
    if said in ("", TODAY):
        return today
    if said == YESTERDAY:
        return today - timedelta(days=1)
    try:
        if "/" not in said:
            return date.fromisoformat(said)
        day, month = (int(part) for part in said.split("/"))
        this_year = date(today.year, month, day)
        return this_year if this_year <= today else date(today.year - 1, month, day)
    except ValueError:
        raise BadLine from None


def _dates(line: str) -> tuple[str, list[tuple[str, str]]]:
    """The line without the dates in it, and these: a dot or slash means something in a date alone."""
    found = [(DAY, f"{each[1] or f'{each[2]}/{each[3]}'}") for each in _DATE.finditer(line)]
    return _DATE.sub(" ", line), found


def _code_and_rest(words: list[str]) -> tuple[str, list[str]]:
    """The one word (or two: 'k7 29') that is meant as a code, and all the others."""
    for size in (1, 2):
        for start in range(len(words) - size + 1):
            code = " ".join(words[start : start + size])
            if case_codes.looks_like_a_code(code):
                return code, words[:start] + words[start + size :]
    raise BadLine


def _meanings(words: list[str], known: Words) -> Iterable[tuple[str, str]]:
    """The longest spelling first, so that 'not reached' is not 'reached'."""
    start = 0
    while start < len(words):
        for size in range(min(LONGEST, len(words) - start), 0, -1):
            meaning = known.get(" ".join(words[start : start + size]))
            if meaning is not None:
                yield meaning
                start += size
                break
        else:
            raise BadLine


def _spellings(texts: Mapping[str, str], question: str, choice: str) -> Iterable[str]:
    label = texts.get(f"{question}.{choice}", "")
    typed = texts.get(f"line.{question}.{choice}", "").split(",")
    return (simple for spelling in (label, *typed) if (simple := _simple(spelling)))


def _simple(text: str) -> str:
    """Small letters, plain digits, single blanks; what stands between words is a blank like any other."""
    return simple(text.translate(_BETWEEN))
