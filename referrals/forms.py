"""Which question comes next. One engine for the chat, secure pages and later SMS; forms are catalogue data.

An answer is text; an empty one means 'asked and left out', which only an optional question takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from referrals.catalogue import Catalogue, Form, Question, QuestionKind
from referrals.errors import BadAnswer, TooLong

YES = "yes"
_NOBODY: Mapping[str, str] = {}
_FREE = (QuestionKind.TEXT,)
_SEVERAL = (QuestionKind.EXCLUSIONS,)


def next_question(
    form: Form, answers: Mapping[str, str], known: Mapping[str, str] = _NOBODY
) -> Question | None:
    """The first question that is neither answered nor known already; None when the form is complete."""
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

    One of `choices`; several of them, with commas, for exclusions (kept sorted); anything for text.
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


def _skipped(question: Question, answers: Mapping[str, str], known: Mapping[str, str]) -> bool:
    """Known already and not asked in this talk: an answer given here keeps its step, so counts never jump."""
    return question.skip_if_known and bool(known.get(question.id)) and question.id not in answers
