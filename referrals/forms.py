"""Which question comes next. One engine for the chat, secure pages and later SMS; forms are catalogue data.

An answer is text; an empty one means 'asked and left out', which only an optional question takes. Several
needs stand in one answer, joined by commas. A half-answered form travels in its buttons (`short`, `long`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from referrals.catalogue import Catalogue, Form, Question, QuestionKind
from referrals.errors import BadAnswer, TooLong

YES = "yes"
_NOBODY: Mapping[str, str] = {}
_FREE = (QuestionKind.TEXT,)
_SEVERAL = (QuestionKind.EXCLUSIONS, QuestionKind.NEEDS)
_BASE = 36
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_BETWEEN = "-"


def next_question(
    form: Form, answers: Mapping[str, str], known: Mapping[str, str] = _NOBODY
) -> Question | None:
    """The first question that is neither answered nor known already; None when the form is complete.

    A question whose `when` does not hold is not asked; nor is it when what it hangs on was not asked.
    """
    for question in form.questions:
        if question.id not in answers and not _skipped(question, answers, known):
            return question
    return None


def steps(form: Form, answers: Mapping[str, str], known: Mapping[str, str] = _NOBODY) -> tuple[int, int]:
    """('Step 2', 'of 5'): where the next question stands. The secure page counts as one last step.

    A form that is complete stands at its last step; one with nothing to ask gives (0, 0).
    """
    asked = [q for q in form.questions if not _skipped(q, answers, known)]
    in_chat = [q for q in asked if q.where == "chat"]
    total = len(in_chat) + (len(asked) > len(in_chat))
    done = sum(q.id in answers for q in in_chat)
    return min(done + 1, total), total


def choices_of(question: Question, catalogue: Catalogue, categories: Sequence[str] = ()) -> tuple[str, ...]:
    """What can be answered here; `categories` are the pathway's. Empty where only the caller knows."""
    match question.kind:
        case QuestionKind.LANGUAGE:
            return tuple(catalogue.languages)
        case QuestionKind.CATEGORY:
            return tuple(categories)
        case QuestionKind.CONFIRM:
            return question.choices or (YES,)
        case _:
            return question.choices


def accept(question: Question, value: str, choices: Sequence[str] = ()) -> str:
    """The answer as it is kept, without blanks around it; BadAnswer or TooLong when it does not fit.

    One of `choices`; several of them, with commas, for exclusions and needs (kept sorted); anything for text.
    """
    value = value.strip()
    if len(value) > question.max_length:
        raise TooLong(limit=question.max_length, length=len(value))
    if not value:
        if question.required:
            raise BadAnswer(question=question.id)
        return ""
    if question.kind in _FREE:
        return value
    chosen = sorted({part.strip() for part in value.split(",")}) if question.kind in _SEVERAL else [value]
    if not set(chosen) <= set(choices):
        raise BadAnswer(question=question.id)
    return ",".join(chosen)


def back(form: Form, answers: Mapping[str, str]) -> dict[str, str]:
    """The answers without the last one in the form's order, so that its question is asked again."""
    given = [q.id for q in form.questions if q.id in answers]
    return {key: value for key, value in answers.items() if key not in given[-1:]}


def whole(form: Form, answers: Mapping[str, str]) -> dict[str, str]:
    """All answers of a form that is done, in its order; what was left out is ''. BadAnswer where some lack,
    do not fit, or were never asked for.
    """
    found: dict[str, str] = {}
    while (question := next_question(form, found)) is not None:
        found[question.id] = accept(question, answers.get(question.id, ""), question.choices)
    if set(answers) - set(found):
        raise BadAnswer
    return found


def last_asked(form: Form, answers: Mapping[str, str]) -> Question | None:
    """The question that was answered last, in the form's order."""
    given = [q for q in form.questions if q.id in answers]
    return given[-1] if given else None


def short(form: Form, answers: Mapping[str, str]) -> str:
    """Answers as a few signs for a button: a number (base 36) for each question asked, in the form's order.

    A choice is its place, needs are a sum of powers of two. It means something with this form's version only.
    """
    found = (q for q in form.questions if q.id in answers)
    return _BETWEEN.join(_number(_as_number(q, answers[q.id])) for q in found)


def long(form: Form, signs: str) -> dict[str, str]:
    """What `short` was made of; BadAnswer for what it never makes."""
    answers: dict[str, str] = {}
    for sign in signs.split(_BETWEEN) if signs else ():
        question = next_question(form, answers)
        if question is None or not sign or len(sign) > 4 or set(sign) - set(_DIGITS):
            raise BadAnswer
        answers[question.id] = _as_answer(question, int(sign, _BASE))
    return answers


def longest(form: Form) -> int:
    """How many signs `short` can come to, for what is asked in the chat."""
    asked = [q for q in form.questions if q.where == "chat"]
    most = (len(_number((1 << len(q.choices)) if q.kind in _SEVERAL else len(q.choices))) for q in asked)
    return sum(most) + max(0, len(asked) - 1)


def _as_number(question: Question, answer: str) -> int:
    if question.kind in _SEVERAL:
        chosen = set(answer.split(","))
        return sum(1 << place for place, choice in enumerate(question.choices) if choice in chosen)
    return question.choices.index(answer) + 1 if answer else 0


def _as_answer(question: Question, number: int) -> str:
    if question.kind in _SEVERAL:
        if number >> len(question.choices):
            raise BadAnswer(question=question.id)
        return ",".join(sorted(c for place, c in enumerate(question.choices) if number >> place & 1))
    if number > len(question.choices) or (number == 0 and question.required):
        raise BadAnswer(question=question.id)
    return question.choices[number - 1] if number else ""


def _number(number: int) -> str:
    signs = _DIGITS[number % _BASE]
    while number := number // _BASE:
        signs = _DIGITS[number % _BASE] + signs
    return signs


def _skipped(question: Question, answers: Mapping[str, str], known: Mapping[str, str]) -> bool:
    """Not to be asked; or known already and not asked in this talk: an answer given here keeps its step, so
    counts never jump.
    """
    if any(answers.get(earlier) not in wanted for earlier, wanted in question.when.items()):
        return True
    return question.skip_if_known and bool(known.get(question.id)) and question.id not in answers
