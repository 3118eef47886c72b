"""Contacts and questions as page 'member' shows them, once they are opened."""

from __future__ import annotations

from collections.abc import Mapping

from referrals.catalogue import Form, QuestionKind
from referrals.errors import NotFound
from referrals.member_views import ContactLine, NoteLine, QuestionLine
from referrals.members import CheckIn, CheckInKind
from referrals.model import Actor, DataClass
from referrals.ports import Tx
from referrals.service.contact import checkins, trends
from referrals.service.matter import reading
from referrals.service.members import asking

Opened = Mapping[str, Mapping[str, str]]  # of each contact by id: the opened columns


def columns(tx: Tx, actor: Actor, check_in: CheckIn) -> dict[str, str]:
    """Answers, those before, and notes, as far as this reader holds keys for them."""
    found: dict[str, str] = {}
    about = f"member:{check_in.enrolment_id}"
    for data_class in (DataClass.WELLBEING, DataClass.STORY):
        if tx.sealed_exists(check_in.record, data_class):
            try:
                found.update(reading.open_about(tx, actor, about, check_in.record, data_class))
            except NotFound:  # a family's own words, or from before this reader's time
                continue
    return found


def counts(check_in: CheckIn, opened: Opened) -> bool:
    """An opened contact with the member that says how it was going, or that nobody was reached.

    At a club evening somebody was met and nobody asked: no mark, for a gap would say 'not reached'.
    """
    answers = trends.answers_of(opened.get(check_in.id, {}))
    said = answers.get("state") or answers.get("means") == "not_reached"
    return check_in.kind is CheckInKind.MEMBER and bool(said)


def state(opened: Opened, check_in: CheckIn) -> str:
    return trends.answers_of(opened.get(check_in.id, {})).get("state", "")


def line(tx: Tx, person_id: str, form: Form, check_in: CheckIn, opened: Mapping[str, str]) -> ContactLine:
    own = check_in.kind is CheckInKind.OWN
    mine = check_in.saved_by == person_id
    answers = trends.answers_of(opened)
    young = check_in.saved_at is not None and tx.now - check_in.saved_at <= checkins.CORRECTED_FOR
    before = (opened[name] for name in sorted(opened) if name.startswith(f"{checkins.FIELD}."))
    notes = (name for name in sorted(opened) if name.startswith(f"{checkins.NOTE}."))
    return ContactLine(
        id=check_in.id,
        day=check_in.day.isoformat() if check_in.day else "",
        who_key=f"page.member.{'own' if own else 'you' if mine else 'colleague'}",
        said=_said(form, answers),
        before=tuple(_said(form, trends.answers_of({"answers": text})) for text in before),
        notes=tuple(NoteLine(opened[name], checkins.noted_at(name)) for name in notes),
        answers=answers,
        may_correct=young and not own and bool(answers),
        may_note=not own,
    )


def _said(form: Form, answers: Mapping[str, str]) -> tuple[str, ...]:
    found: list[str] = []
    for question in form.questions:
        several = question.kind is QuestionKind.NEEDS
        given = answers.get(question.id, "")
        found += [asking.choice_key(question, c) for c in (given.split(",") if several else [given]) if c]
    return tuple(found)


def questions(form: Form) -> tuple[QuestionLine, ...]:
    return tuple(
        QuestionLine(
            id=q.id,
            key=f"page.member.ask_{q.id}",
            choices=tuple((c, asking.choice_key(q, c)) for c in q.choices),
            several=q.kind is QuestionKind.NEEDS,
            required=q.required,
            when=q.when,
        )
        for q in form.questions
    )
