"""Catalogue files: text in, one checked Catalogue out. A mistake is found at start, not in somebody's chat.

Keys of `files` are paths inside the catalogue folder: languages.toml, categories.toml, pathways/ID.toml,
programmes/ID.toml, forms/ID.toml. Every mistake of every file is reported at once.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import PurePosixPath

from referrals.catalogue import (
    Catalogue,
    Deadlines,
    Form,
    Language,
    Pathway,
    Phase,
    Programme,
    Question,
    QuestionKind,
    Span,
)
from referrals.consent import OPENED_BY
from referrals.directory import OrganizationKind
from referrals.model import AgeGroup, DataClass, Role, Stage, Urgency
from referrals.persons import WritingWindow
from referrals.toml_blocks import Block, Faults, read_block

LANGUAGES = "languages.toml"
CATEGORIES = "categories.toml"
FOLDERS = ("pathways", "programmes", "forms")

# 'At most three hops without the desk' (domain.md, 'Offer').
MOST_HOPS = 3

# Questions that verbs understand by their id: the answer must be a value of the domain.
_MEANINGS: Mapping[str, type[StrEnum]] = {
    "age_group": AgeGroup,
    "window": WritingWindow,
    "urgency": Urgency,
}
_PAGE_ONLY = (QuestionKind.AREA, QuestionKind.EXCLUSIONS, QuestionKind.TEXT, QuestionKind.CONSENT)
_BLIND = (Stage.OFFERED, Stage.WAITLISTED)
_SPAN = re.compile(r"(\d+) (min|h|d|working days?)")
_HOURS = {"min": 1 / 60, "h": 1.0, "d": 24.0}


def parse_catalogue(files: Mapping[str, str]) -> Catalogue:
    """All files of a catalogue folder as one value; ConfigurationError names every mistake in all of them."""
    faults = Faults()
    blocks = {name: read_block(text, name, faults) for name, text in sorted(files.items())}
    broken = len(faults.found)
    for needed in (LANGUAGES, CATEGORIES):
        if needed not in blocks:
            faults.add(needed, "the file is missing", "restore it: every catalogue needs one")
    languages = _languages(blocks[LANGUAGES]) if LANGUAGES in blocks else {}
    categories = _categories(blocks[CATEGORIES]) if CATEGORIES in blocks else ()
    if broken:  # a file that could not be read would only bring forth more mistakes in the others
        faults.stop("catalogue")
    found = Catalogue(
        languages=languages,
        categories=categories,
        pathways={p.id: p for p in (_pathway(b, categories) for b in _inside(blocks, "pathways"))},
        programmes={p.id: p for p in map(_programme, _inside(blocks, "programmes"))},
        forms={f.id: f for f in map(_form, _inside(blocks, "forms"))},
    )
    faults.stop("catalogue")
    return found


def text_keys(catalogue: Catalogue) -> frozenset[str]:
    """Every text key that the catalogue's own codes need in each language of `locales/`.

    Questions of a secure page have the page's words; a kind of organisation needs one where it may receive.
    """
    keys = {f"category.{category}" for category in catalogue.categories}
    keys |= {f"language.{language}" for language in catalogue.languages}
    for pathway in catalogue.pathways.values():
        keys |= {f"pathway.{pathway.id}", *_form_keys(pathway.form)}
        keys |= {f"kind.{kind}" for kind in pathway.receivers}
        keys |= {f"decline.{reason}" for reason in pathway.decline_reasons}
        keys |= {f"unmet.{reason}" for reason in pathway.unmet_reasons}
        keys |= {f"class.{each}" for classes in pathway.classes.values() for each in classes}
    for programme in catalogue.programmes.values():
        keys |= {f"means.{means}" for means in programme.means}
        keys |= {f"state.{state}" for state in programme.states}
    return frozenset(keys)


def _form_keys(form: Form) -> set[str]:
    in_chat = [q for q in form.questions if q.where == "chat"]
    keys = {f"form.{q.id}" for q in in_chat}
    keys |= {f"form.{q.id}.{choice}" for q in in_chat for choice in q.choices}
    return keys | {f"form.{q.id}.yes" for q in in_chat if q.kind is QuestionKind.CONFIRM}


def _inside(blocks: Mapping[str, Block], folder: str) -> list[Block]:
    return [block for name, block in blocks.items() if PurePosixPath(name).parts[0] == folder]


# -- languages and categories ------------------------------------------------------------------------


def _languages(block: Block) -> dict[str, Language]:
    found: dict[str, Language] = {}
    for each in block.tables("language"):
        right_to_left = each.flag("right_to_left", default=False)
        era = each.whole("years_added", default=0, low=0, high=10_000)
        language = Language(each.id(), each.text("name"), right_to_left, era)
        once(each, language.id, found)
        found[language.id] = language
        each.done()
    if "en" not in found:
        block.wrong("language", "lacks 'en'", 'add [[language]] id = "en": texts fall back to English')
    block.done()
    return found


def _categories(block: Block) -> tuple[str, ...]:
    found: list[str] = []
    for each in block.tables("category"):
        category = each.id()
        once(each, category, found)
        found.append(category)
        each.done()
    block.done()
    return tuple(found)


# -- pathways ----------------------------------------------------------------------------------------


def _pathway(block: Block, categories: tuple[str, ...]) -> Pathway:
    in_chat = block.flag("in_chat", default=True)
    pathway = Pathway(
        id=_named_like_its_file(block),
        version=block.whole("version"),
        may_file=block.many_of("may_file", Role),
        receivers=block.many_of("receivers", OrganizationKind),
        categories=block.known("categories", categories),
        form=_form_of(block, in_chat),
        classes=_classes(block),
        deadlines=_all_deadlines(block),
        decline_reasons=_codes(block, "decline_reasons"),
        unmet_reasons=_codes(block, "unmet_reasons"),
        max_hops=block.whole("max_hops", high=MOST_HOPS),
        consent_days=block.whole("consent_days", high=366),
        retention_days=block.whole("retention_days", high=3660),
        in_chat=in_chat,
    )
    block.done()
    return pathway


def _form_of(block: Block, in_chat: bool) -> Form:
    inner = block.table("form")
    form = _read_form(inner, block.text("id", ""))
    for question in form.questions:
        if question.kind is QuestionKind.CATEGORY and question.where == "chat" and not in_chat:
            inner.wrong(question.id, "is asked in the chat", 'in_chat is false, so set where = "page"')
    return form


def _classes(block: Block) -> dict[Stage, tuple[DataClass, ...]]:
    """`[classes]`: the stage from which on a class travels. Blind offers carry `routing` and nothing else."""
    inner = block.table("classes")
    found: dict[Stage, tuple[DataClass, ...]] = {}
    for stage in OPENED_BY:
        if inner.has(stage.value):
            found[stage] = inner.many_of(stage.value, DataClass)
    for stage in _BLIND:
        if set(found.get(stage, ())) - {DataClass.ROUTING}:
            inner.wrong(stage.value, "opens more than routing", "an offer is blind: move it to 'accepted'")
    if DataClass.ROUTING not in found.get(Stage.OFFERED, ()):
        inner.wrong("offered", "lacks routing", 'write offered = ["routing"]: else there is nothing to offer')
    inner.done()
    return found


def _all_deadlines(block: Block) -> dict[Urgency, Deadlines]:
    inner = block.table("deadlines")
    found = {urgency: _deadlines(inner.table(urgency.value), urgency) for urgency in Urgency}
    inner.done()
    return found


def _deadlines(block: Block, urgency: Urgency) -> Deadlines:
    """Only what a partner decides may be counted in working days, and never in an emergency."""
    round_the_clock = urgency is Urgency.EMERGENCY
    found = Deadlines(
        acknowledge=_span(block, "acknowledge", elapses=round_the_clock),
        decide=_span(block, "decide", elapses=round_the_clock),
        first_contact=_span(block, "first_contact", elapses=True),
        unmatched=_span(block, "unmatched", elapses=True),
    )
    block.done()
    return found


def _span(block: Block, key: str, elapses: bool) -> Span:
    text = block.text(key)
    match = _SPAN.fullmatch(text)
    if text and (match is None or int(match[1]) == 0):
        block.wrong(key, f"is {text!r}", "write '30 min', '4 h', '14 d' or '2 working days'")
    if match is None:
        return Span(hours=1)
    amount, unit = int(match[1]), match[2]
    if not unit.startswith("working"):
        return Span(hours=amount * _HOURS[unit])
    if elapses:
        block.wrong(key, "counts working days", "this clock runs round the clock: write 'h' or 'd'")
    return Span(working_days=amount)


# -- forms -------------------------------------------------------------------------------------------


def _form(block: Block) -> Form:
    return _read_form(block, _named_like_its_file(block))


def _read_form(block: Block, form_id: str) -> Form:
    """A form's questions: in the chat first, then those of the secure page."""
    questions: list[Question] = []
    for each in block.tables("question"):
        question = _question(each)
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


def _question(block: Block) -> Question:
    question = Question(
        id=block.id(),
        kind=block.one_of("kind", QuestionKind),
        where=block.text("where", "chat"),
        choices=_codes(block, "choices", ()),
        data_class=block.one_of("data_class", DataClass, DataClass.ROUTING),
        required=block.flag("required", default=True),
        max_length=block.whole("max_length", 4000, high=4000),
        skip_if_known=block.flag("skip_if_known", default=False),
    )
    _check_question(block, question)
    block.done()
    return question


def _check_question(block: Block, question: Question) -> None:
    if question.where not in ("chat", "page"):
        block.wrong("where", f"is {question.where!r}", "write 'chat' or 'page'")
    if question.where == "chat" and question.kind in _PAGE_ONLY:
        block.wrong(
            "where", f"is the chat, for {question.kind!r}", 'set where = "page": it may not be in a chat'
        )
    if question.where == "chat" and question.data_class is not DataClass.ROUTING:
        block.wrong("data_class", "may not be answered in a chat", 'set where = "page"')
    if question.kind is QuestionKind.TEXT and question.data_class is DataClass.ROUTING:
        block.wrong(
            "data_class", "is routing, for a free text", 'free text is sealed: use "story" or "contact"'
        )
    if question.kind is QuestionKind.CHOICE and not question.choices:
        block.wrong("choices", "is missing", 'add choices = ["…"]')
    meant = _MEANINGS.get(question.id)
    for choice in question.choices:
        if meant is not None and choice not in [member.value for member in meant]:
            block.faults.unknown(block.at("choices"), "the choice", choice, [m.value for m in meant])


# -- programmes --------------------------------------------------------------------------------------


def _programme(block: Block) -> Programme:
    phases: list[Phase] = []
    for each in block.tables("phase"):
        phase = Phase(each.id(), each.text("every"), each.clock("at"))
        once(each, phase.id, [p.id for p in phases])
        phases.append(phase)
        each.done()
    if not phases:
        block.wrong("phase", "is missing", 'add [[phase]] with id, every and at = "HH:MM"')
    programme = Programme(
        id=_named_like_its_file(block),
        version=block.whole("version"),
        phases=tuple(phases),
        means=_codes(block, "means"),
        states=_codes(block, "states"),
    )
    for key, codes, needed in (
        ("means", programme.means, "not_reached"),
        ("states", programme.states, "crisis"),
    ):
        if codes and needed not in codes:
            block.wrong(key, f"lacks {needed!r}", f"add it: the rules wait for {needed!r}")
    block.done()
    return programme


# -- shared ------------------------------------------------------------------------------------------


def _named_like_its_file(block: Block) -> str:
    stem = PurePosixPath(block.where).stem
    found = block.id()
    if found and found != stem:
        block.wrong("id", f"is {found!r}", f"name the file {found}.toml, or write id = {stem!r}")
    return found


def _codes(block: Block, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """A list of codes: each is the end of a text key."""
    codes = block.texts(key, default)
    for code in codes:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,29}", code):
            block.wrong(key, f"holds {code!r}", "use small letters, digits and _, at most 30 characters")
    return codes


def once(block: Block, found: str, before: Container[str]) -> None:
    if found and found in before:
        block.wrong("id", f"{found!r} stands here for the second time", "take one out or give it another id")
