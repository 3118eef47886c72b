"""Pathway files: TOML blocks in, checked Pathways out. Faults are noted in the block's `faults`."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from referrals.catalogue import (
    Coded,
    Deadlines,
    Form,
    Handling,
    Pathway,
    QuestionKind,
    Span,
    TaskKind,
)
from referrals.consent import OPENED_BY
from referrals.directory import OrganizationKind
from referrals.form_parsing import form_keys, read_form
from referrals.model import DataClass, Role, Stage, Urgency
from referrals.toml_blocks import Block, codes, named_like_its_file, once

# 'At most three hops without the desk' (domain.md, 'Offer').
MOST_HOPS = 3
# 'The desk asks a sample of them' (domain.md, 'Consent'): at least one in ten.
LEAST_ASKED = 10
AUDIENCES = ("family", "member", "harmed")
DOERS = ("partner", "family", "mentor", "desk", "both")  # who does a task

_BLIND = (Stage.OFFERED, Stage.WAITLISTED)
_SPAN = re.compile(r"(\d+) (min|h|d|working days?)")
_HOURS = {"min": 1 / 60, "h": 1.0, "d": 24.0}


def parse_pathway(block: Block, categories: tuple[str, ...], private: frozenset[str]) -> Pathway:
    """One file of `pathways/`."""
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
        handling=block.one_of("handling", Handling, Handling.OFFER),
        desk_sees=block.flag("desk_sees", default=True),
        tells_desk=block.flag("tells_desk", default=False),
        vetted_days=block.whole("vetted_days", 0, low=0, high=3660),
        audience=block.one_known("audience", AUDIENCES) if block.has("audience") else "",
        tasks=_tasks(block, carried),
        questions=_coded(block, "question"),
        closing=_coded(block, "closing"),
        purposes=block.texts("purposes", ()),
        behalf=codes(block, "behalf", ()),
        needs_classes=block.many_of("needs_classes", DataClass, ()),
        urgent=block.known("urgent", carried, ()),
    )
    if (pathway.handling is Handling.TASKS) is not bool(pathway.tasks):
        block.wrong(
            "task", "and 'handling' do not fit", 'write [[task]]s with handling = "tasks", or neither'
        )
    block.done()
    return pathway


def pathway_keys(pathway: Pathway) -> frozenset[str]:
    """Every text key that a pathway's own codes need."""
    keys = {f"pathway.{pathway.id}", *form_keys(pathway.form)}
    keys |= {f"kind.{kind}" for kind in pathway.kinds}
    keys |= {f"decline.{reason}" for reason in pathway.decline_reasons}
    keys |= {f"unmet.{reason}" for reason in pathway.unmet_reasons}
    keys |= {f"class.{each}" for classes in pathway.classes.values() for each in classes}
    keys |= {f"task.{task.id}" for task in pathway.tasks}
    keys |= {f"behalf.{reason}" for reason in pathway.behalf}
    for asked in (*pathway.questions, *pathway.closing):
        keys |= {f"ask.{asked.id}", *(f"ask.{asked.id}.{choice}" for choice in asked.choices)}
    return frozenset(keys)


def _tasks(block: Block, carried: Collection[str]) -> tuple[TaskKind, ...]:
    found: dict[str, TaskKind] = {}
    for each in block.tables("task"):
        task = TaskKind(
            id=each.id(),
            by=each.one_known("by", DOERS),
            category=each.one_known("category", carried) if each.has("category") else "",
            receivers=each.many_of("receivers", OrganizationKind, ()),
            days=each.whole("days", 0, low=-366, high=366),
            after=each.known("after", found, ()),  # only earlier ones: there can be no ring
            not_by=each.known("not_by", found, ()),
            required=each.flag("required", default=True),
            between=each.known("between", [t.id for t in found.values() if t.by == "partner"], ()),
        )
        once(each, task.id, found)
        if (task.by == "both") is not (len(task.between) == 2):
            mend = "by = 'both' names two earlier partners' tasks, nothing else does"
            each.wrong("between", "does not fit", mend)
        if (task.by == "partner") is not bool(task.category):
            each.wrong("category", "does not fit", "a partner's task has a category, any other has none")
        found[task.id] = task
        each.done()
    return tuple(found.values())


def _coded(block: Block, key: str) -> tuple[Coded, ...]:
    found: dict[str, Coded] = {}
    for each in block.tables(key):
        asked = Coded(each.id(), codes(each, "choices"))
        once(each, asked.id, found)
        found[asked.id] = asked
        each.done()
    return tuple(found.values())


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
