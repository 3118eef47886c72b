"""On page 'attendance': a member's confirmation by word, as the mentor reads it out; and the desk's question.

`subject` is the member (their enrolment). Nothing here needs a PIN but what was written down before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from referrals import confirmations
from referrals import consent as consents
from referrals.access import Action
from referrals.casework import Confirmation, ConfirmationState
from referrals.errors import TooOften
from referrals.members import EnrolmentState
from referrals.model import Actor, AuditEntry, DataClass
from referrals.ports import Tx
from referrals.service.attendance import attendance
from referrals.service.by_word import attendance_by_word
from referrals.service.common import doors, names
from referrals.service.matter import reading
from referrals.service.pages.page import Body, Verb, text_of
from referrals.service.request import word_checks
from referrals.views import Choice, Said, Section, SectionsView, Step

TITLE = "part.attendance.title"
SHOWN = 5  # the newest ones
PERIODS = tuple(Choice(p, label_key=f"part.attendance.period.{p}") for p in confirmations.PERIODS)
_ANSWERS = tuple(Choice(a, label_key=f"page.check.{a}") for a in word_checks.ANSWERS)
_SAID = tuple(Choice(s, label_key=f"part.attendance.said.{s}") for s in attendance_by_word.SAID)


def member_view(tx: Tx, person_id: str, enrolment_id: str, code: tuple[str, str] = ("", "")) -> SectionsView:
    """What waits to be read out, what was said yes to, and to whom one could be sent.

    `code`: a confirmation's id, and the words that take it back, shown this once.
    """
    actor, enrolment = attendance_by_word.looks_after(tx, person_id, enrolment_id)
    lead = [Said("part.attendance.word_lead", {"code": enrolment.code})]
    refused = attendance_by_word.refusal(tx, person_id)
    if refused:
        return SectionsView(TITLE, (), (*lead, Said(refused)))
    there = enrolment.state is not EnrolmentState.LEFT
    shown = [
        _one(tx, actor, found, code[1] if found.id == code[0] else "")
        for found in attendance_by_word.of_member(tx, person_id, enrolment)[:SHOWN]
        if there or found.state is not ConfirmationState.WAITING
    ]
    receivers = [*_receivers(tx, person_id)] if there else []
    lead += [] if receivers else [Said("part.attendance.nobody_to")]
    return SectionsView(TITLE, (*shown, *receivers), tuple(lead), tx.reading_locked)


def _one(tx: Tx, actor: Actor, found: Confirmation, code: str) -> Section:
    if found.state is ConfirmationState.WAITING:
        return _to_read_out(tx, actor, found)
    body = {"confirmation": found.id}
    lines = [*_lines(found.text or attendance_by_word.words(tx, found))]
    if found.state is not ConfirmationState.SENT:
        return Section("part.attendance.by_word", (Said(f"part.attendance.word_why.{found.why}"),), (), body)
    lines.append(Said("part.attendance.was_sent", at=found.answer_at))
    steps = [Step("word_stop", "page.step.word_stop", needs="yes", danger=True)]
    if found.witness_id == actor.person_id:
        steps.insert(0, Step("word_code", "page.step.another_code", needs="yes"))
    if code:
        lines = [Said("part.attendance.code", {"code": code}), Said("part.attendance.code_once"), *lines]
    return Section("part.attendance.by_word", tuple(lines), tuple(steps), body)


def _to_read_out(tx: Tx, actor: Actor, found: Confirmation) -> Section:
    """The exact words; besides, where reading is open, the number and what it would say."""
    text = attendance_by_word.words(tx, found)
    lines = [Said("part.attendance.read_out"), *_lines(text)]
    if not tx.reading_locked:
        tx.audit(AuditEntry(actor, Action.SEALED_READ, f"confirmation:{found.id}", "came"))
        lines.append(Said("part.attendance.would_say", {"count": str(attendance.came(tx, found))}))
        reference = attendance.reference(tx, actor, found)
        lines += [Said("part.attendance.reference", {"reference": reference})] if reference else []
    spoken = tx.catalogue.languages.values()
    others = tuple(Choice(each.id, label=each.name) for each in spoken if each.id != found.language)
    steps = (
        Step("word_said", "page.step.word_said", needs="reason", choices=_SAID),
        Step("word_language", "page.step.word_language", needs="reason", choices=others),
        Step("word_refer", "page.step.word_refer", needs="code"),
        Step("word_reach", "page.step.word_reach", needs="code"),
    )
    body = {"confirmation": found.id, "consent_digest": consents.digest(text)}
    return Section("part.attendance.by_word", tuple(lines), steps, body)


def _receivers(tx: Tx, person_id: str) -> Iterator[Section]:
    language = doors.person_by_id(tx, person_id).language
    step = Step("word_begin", "page.step.send_begin", needs="reason", choices=PERIODS)
    for organization in attendance.receivers(tx):
        if not attendance_by_word.refusal(tx, person_id, organization.id):
            name = names.named(organization.names, language)
            line = Said("part.attendance.word_to", {"organization": name})
            yield Section("part.attendance.send", (line,), (step,), {"organization": organization.id})


def _lines(text: str) -> Iterator[Said]:
    return (Said("part.words", {"words": line}) for line in text.splitlines() if line)


# -- the desk -----------------------------------------------------------------------------------------


def to_ask(tx: Tx, actor: Actor) -> Iterator[Section]:
    """Each yes by word about which the desk asks: its exact words, and how to reach the person."""
    for found in attendance_by_word.to_ask(tx, actor.person_id):
        step = Step("word_true", "page.step.check", needs="reason", choices=_ANSWERS)
        lines = (*_reached(tx, actor, found), *_lines(found.text))
        yield Section("part.attendance.true", lines, (step,), {"confirmation": found.id})


def _reached(tx: Tx, actor: Actor, found: Confirmation) -> Iterator[Said]:
    record = attendance.contact_record(found.id)
    if tx.reading_locked or not tx.sealed_exists(record, DataClass.CONTACT):
        return
    try:
        opened = reading.open_about(tx, actor, f"confirmation:{found.id}", record, DataClass.CONTACT)
    except TooOften as slowly:
        yield Said("part.attendance.later", {"minutes": str(slowly.params["minutes"])})
        return
    yield Said("part.attendance.reached", {"contact": opened.get(attendance_by_word.CONTACT, "")})


# -- steps --------------------------------------------------------------------------------------------


def _step(verb: Callable[[Tx, str, str, Body], object]) -> Verb:
    """Do it, and show the member's page as it stands."""

    def step(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
        verb(tx, person_id, subject, body)
        return member_view(tx, person_id, subject)

    return Verb(Action.CONSENT_WORD, step)


def _typed(verb: Callable[[Tx, str, str, str, str], object], field: str) -> Verb:
    return _step(
        lambda tx, who, it, body: verb(tx, who, it, text_of(body, "confirmation"), text_of(body, field))
    )


def _said(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    done, code = attendance_by_word.say(
        tx,
        person_id,
        subject,
        text_of(body, "confirmation"),
        text_of(body, "consent_digest"),
        text_of(body, "reason"),
    )
    return member_view(tx, person_id, subject, (done.id, code))


def _code(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    done, code = attendance_by_word.another_code(tx, person_id, subject, text_of(body, "confirmation"))
    return member_view(tx, person_id, subject, (done.id, code))


STEPS: Mapping[str, Verb] = {
    "word_begin": _step(
        lambda tx, who, it, body: attendance_by_word.begin(
            tx, who, it, text_of(body, "organization"), text_of(body, "reason")
        )
    ),
    "word_language": _typed(attendance_by_word.in_language, "reason"),
    "word_refer": _typed(attendance_by_word.refer, "code"),
    "word_reach": _typed(attendance_by_word.reach, "code"),
    "word_said": Verb(Action.CONSENT_WORD, _said),
    "word_code": Verb(Action.CONSENT_WORD, _code),
    "word_stop": _step(
        lambda tx, who, it, body: attendance_by_word.stop(tx, who, it, text_of(body, "confirmation"))
    ),
}
