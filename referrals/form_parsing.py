"""Forms in catalogue files: their questions, checked, and the words they need.

A pathway carries its form; a form of its own (`forms/ID.toml`) is a check-in. What is asked in a chat is
pressed on buttons; whatever else there is to say stands on a page.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import timedelta
from enum import StrEnum

from referrals.catalogue import ON_PAGE, Form, Question, QuestionKind
from referrals.forms import longest
from referrals.members import Danger
from referrals.model import AgeGroup, DataClass, Urgency
from referrals.persons import WritingWindow
from referrals.toml_blocks import Block, codes, named_like_its_file, once

# Questions that verbs understand by their id: the answer must be a value of the domain.
_MEANINGS: Mapping[str, type[StrEnum]] = {
    "age_group": AgeGroup,
    "window": WritingWindow,
    "urgency": Urgency,
    "danger": Danger,
}
# Choices without which a question of a check-in could not be asked as it is meant.
_NEEDED = {"means": "not_reached", "danger": "yes"}
_MOST_SIGNS = 30  # of a button's 64 bytes, for all answers together
_PAGE_ONLY = (QuestionKind.AREA, QuestionKind.EXCLUSIONS, QuestionKind.TEXT, QuestionKind.CONSENT)


def parse_form(block: Block, categories: tuple[str, ...], private: Container[str]) -> Form:
    """A form of its own, about somebody's days: its answers are pressed in the chat and sealed."""
    form = read_form(block, named_like_its_file(block), categories, own=True)
    for question in form.questions:
        for choice in question.choices if question.where == "chat" else ():
            if choice in private:
                mend = "take it out (categories.toml): it is chosen on a page"
                block.wrong(question.id, f"shows {choice!r} in the chat", mend)
    if longest(form) > _MOST_SIGNS:
        block.wrong(
            "question", "comes too often, or has too many choices", "its answers must fit in a button"
        )
    return form


def read_form(block: Block, form_id: str, categories: tuple[str, ...] = (), own: bool = False) -> Form:
    """A form's questions: in the chat first, then those of the secure page."""
    questions: list[Question] = []
    for each in block.tables("question"):
        question = _question(each, questions, categories, own)
        once(each, question.id, [q.id for q in questions])
        if question.where == "chat" and questions and questions[-1].where == "page":
            each.wrong("where", "goes back to the chat", "put questions of the chat before those of the page")
        questions.append(question)
    form = Form(
        form_id,
        block.whole("version"),
        tuple(questions),
        timedelta(hours=block.whole("expires_after_hours", 24, high=168)),
    )
    if not questions:
        block.wrong("question", "is missing", 'add [[form.question]] with id = "…" and kind = "…"')
    block.done()
    return form


def _question(block: Block, before: list[Question], categories: tuple[str, ...], own: bool) -> Question:
    kind = block.one_of("kind", QuestionKind)
    needs = kind is QuestionKind.NEEDS
    question = Question(
        id=block.id(),
        kind=kind,
        where=block.text("where", "chat"),
        choices=block.known("choices", (*categories, ON_PAGE)) if needs else codes(block, "choices", ()),
        data_class=block.one_of("data_class", DataClass, DataClass.ROUTING),
        required=block.flag("required", default=True),
        max_length=block.whole("max_length", 4000, high=4000),
        skip_if_known=block.flag("skip_if_known", default=False),
        when=_when(block, before),
        saves=block.flag("saves", default=False),
    )
    _check_question(
        block, question, (DataClass.ROUTING, DataClass.WELLBEING) if own else (DataClass.ROUTING,)
    )
    block.done()
    return question


def _when(block: Block, before: list[Question]) -> dict[str, tuple[str, ...]]:
    """`when = { state = ["struggling"] }`: earlier questions, and which of their answers lead here."""
    if not block.has("when"):
        return {}
    inner, earlier = block.table("when"), {question.id: question.choices for question in before}
    found: dict[str, tuple[str, ...]] = {}
    for name in inner.data:
        if name not in earlier:
            inner.faults.unknown(inner.where, "the earlier question", name, earlier)
        found[name] = inner.known(name, earlier.get(name, ()))
    return found


def _check_question(block: Block, question: Question, in_chat: tuple[DataClass, ...]) -> None:
    if question.where not in ("chat", "page"):
        block.wrong("where", f"is {question.where!r}", "write 'chat' or 'page'")
    if question.where == "chat" and question.kind in _PAGE_ONLY:
        block.wrong(
            "where", f"is the chat, for {question.kind!r}", 'set where = "page": it may not be in a chat'
        )
    if question.where == "chat" and question.data_class not in in_chat:
        block.wrong("data_class", "may not be answered in a chat", 'set where = "page"')
    if question.kind is QuestionKind.TEXT and question.data_class is DataClass.ROUTING:
        block.wrong(
            "data_class", "is routing, for a free text", 'free text is sealed: use "story" or "contact"'
        )
    if question.kind is QuestionKind.CHOICE and not question.choices:
        block.wrong("choices", "is missing", 'add choices = ["…"]')
    _check_needs(block, question)
    meant = _MEANINGS.get(question.id)
    for choice in question.choices:
        if meant is not None and choice not in [member.value for member in meant]:
            block.faults.unknown(block.at("choices"), "the choice", choice, [m.value for m in meant])


def _check_needs(block: Block, question: Question) -> None:
    """Nobody must need anything; and what the rules wait for can be answered."""
    if question.kind is QuestionKind.NEEDS and question.required:
        block.wrong("required", "is true, for needs", "write required = false: nobody must need anything")
    needed = _NEEDED.get(question.id)
    if needed and question.choices and needed not in question.choices:
        block.wrong("choices", f"lacks {needed!r}", f"add it: the rules wait for {needed!r}")


# -- words -------------------------------------------------------------------------------------------


def own_form_keys(form: Form) -> set[str]:
    """What a form of its own asks in the chat: its questions' own words, and those that choices share."""
    in_chat = [q for q in form.questions if q.where == "chat"]
    keys = {f"form.{form.id}.{q.id}" for q in in_chat}
    for question in in_chat:
        shared = "category" if question.kind is QuestionKind.NEEDS else question.id
        keys |= {f"{shared}.{choice}" for choice in question.choices}
    return keys


def form_keys(form: Form) -> set[str]:
    """What a pathway's form asks in the chat; pathways share their questions' words."""
    in_chat = [q for q in form.questions if q.where == "chat"]
    keys = {f"form.{q.id}" for q in in_chat}
    keys |= {f"form.{q.id}.{choice}" for q in in_chat for choice in q.choices}
    return keys | {f"form.{q.id}.yes" for q in in_chat if q.kind is QuestionKind.CONFIRM}
