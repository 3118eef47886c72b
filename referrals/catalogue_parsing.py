"""Catalogue files: text in, one checked Catalogue out. A mistake is found at start, not in somebody's chat.

Keys of `files` are paths inside the catalogue folder: languages.toml, categories.toml, pathways/ID.toml,
programmes/ID.toml, forms/ID.toml, holidays/ID.toml. Every mistake of every file is reported at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from referrals.catalogue import (
    Catalogue,
    Deadlines,
    Form,
    Language,
    Pathway,
    QuestionKind,
    Span,
)
from referrals.consent import OPENED_BY
from referrals.directory import OrganizationKind
from referrals.form_parsing import form_keys, own_form_keys, parse_form, read_form
from referrals.model import DataClass, Role, Stage, Urgency
from referrals.programme_parsing import HOLIDAYS, parse_holidays, parse_programme, programme_keys
from referrals.toml_blocks import Block, Faults, codes, named_like_its_file, once, read_block

LANGUAGES = "languages.toml"
CATEGORIES = "categories.toml"
FOLDERS = ("pathways", "programmes", "forms", HOLIDAYS)

# 'At most three hops without the desk' (domain.md, 'Offer').
MOST_HOPS = 3
# 'The desk asks a sample of them' (domain.md, 'Consent'): at least one in ten.
LEAST_ASKED = 10

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
    categories, private = _categories(blocks[CATEGORIES]) if CATEGORIES in blocks else ((), frozenset())
    if broken:  # a file that could not be read would only bring forth more mistakes in the others
        faults.stop("catalogue")
    holidays = [parse_holidays(block) for block in _inside(blocks, HOLIDAYS)]
    known = [each.id for each in holidays]
    forms = {f.id: f for f in (parse_form(b, categories, private) for b in _inside(blocks, "forms"))}
    programmes = [parse_programme(block, known, forms) for block in _inside(blocks, "programmes")]
    named = {PurePosixPath(block.where).stem for block in _inside(blocks, "programmes")}
    found = Catalogue(
        languages=languages,
        categories=categories,
        private=private,
        pathways={p.id: p for p in (_pathway(b, categories, private) for b in _inside(blocks, "pathways"))},
        programmes={p.id: p for p in programmes},
        programme_sources={p.id: files[f"programmes/{p.id}.toml"] for p in programmes if p.id in named},
        holidays={h.id: h.days for h in holidays},
        holidays_until={h.id: h.until for h in holidays},
        forms=forms,
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
        keys |= {f"pathway.{pathway.id}", *form_keys(pathway.form)}
        keys |= {f"kind.{kind}" for kind in pathway.receivers}
        keys |= {f"decline.{reason}" for reason in pathway.decline_reasons}
        keys |= {f"unmet.{reason}" for reason in pathway.unmet_reasons}
        keys |= {f"class.{each}" for classes in pathway.classes.values() for each in classes}
    for programme in catalogue.programmes.values():
        keys |= programme_keys(programme)
    for form in catalogue.forms.values():
        keys |= own_form_keys(form)
    return frozenset(keys)


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


def _categories(block: Block) -> tuple[tuple[str, ...], frozenset[str]]:
    """All of them, and those that no chat may show."""
    found: list[str] = []
    private: set[str] = set()
    for each in block.tables("category"):
        category = each.id()
        once(each, category, found)
        found.append(category)
        if not each.flag("in_chat", default=True):
            private.add(category)
        each.done()
    block.done()
    return tuple(found), frozenset(private)


# -- pathways ----------------------------------------------------------------------------------------


def _pathway(block: Block, categories: tuple[str, ...], private: frozenset[str]) -> Pathway:
    in_chat = block.flag("in_chat", default=True)
    carried = block.known("categories", categories)
    pathway = Pathway(
        id=named_like_its_file(block),
        version=block.whole("version"),
        may_file=block.many_of("may_file", Role),
        receivers=block.many_of("receivers", OrganizationKind),
        categories=carried,
        form=_form_of(block, in_chat, [c for c in carried if c in private]),
        classes=_classes(block),
        deadlines=_all_deadlines(block),
        decline_reasons=codes(block, "decline_reasons"),
        unmet_reasons=codes(block, "unmet_reasons"),
        max_hops=block.whole("max_hops", high=MOST_HOPS),
        consent_days=block.whole("consent_days", high=366),
        retention_days=block.whole("retention_days", high=3660),
        in_chat=in_chat,
        courses=block.flag("courses", default=False),
        asked_percent=block.whole("asked_percent", LEAST_ASKED, low=LEAST_ASKED, high=100),
    )
    block.done()
    return pathway


def _form_of(block: Block, in_chat: bool, private: Sequence[str]) -> Form:
    inner = block.table("form")
    form = read_form(inner, block.text("id", ""))
    for question in form.questions:
        if question.kind is QuestionKind.CATEGORY and question.where == "chat" and not in_chat:
            inner.wrong(question.id, "is asked in the chat", 'in_chat is false, so set where = "page"')
        elif question.kind is QuestionKind.CATEGORY and question.where == "chat" and private:
            mend = f'set where = "page": {private[0]!r} may not be in a chat (categories.toml)'
            inner.wrong(question.id, "is asked in the chat", mend)
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
