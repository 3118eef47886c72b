"""Page 'attendance': a member's own confirmations, a body's questions ('body'), what the desk sees ('desk').

`subject` may be a member, too: what is sent for them by word (attendance_word.py).

Each is a screen of its own: nobody is asked in one role and answers in another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from referrals import confirmations
from referrals.access import Action, allow
from referrals.casework import Confirmation, ConfirmationState
from referrals.errors import TooOften
from referrals.members import Enrolment
from referrals.model import Actor, AuditEntry, Role
from referrals.ports import Tx
from referrals.schedule import local
from referrals.service.attendance import attendance, body_questions
from referrals.service.by_word import attendance_by_word
from referrals.service.common import doors, names
from referrals.service.matter import reading
from referrals.service.pages import after_part, attendance_word
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.service.turns import after_help
from referrals.views import Choice, Said, Section, SectionsView, Step

BODY, DESK = "body", "desk"
SHOWN = 10  # the newest ones
TITLE = "part.attendance.title"
PERIODS = tuple(Choice(p, label_key=f"part.attendance.period.{p}") for p in confirmations.PERIODS)


def attendance_view(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    """As the member it is about, their mentor, a worker of a body that may ask, or the desk."""
    if subject == BODY:
        return _body_view(tx, person_id)
    if subject == DESK:
        return _desk_view(tx, person_id)
    if subject:
        return attendance_word.member_view(tx, person_id, subject)
    return _own_view(tx, person_id)


# -- the member ---------------------------------------------------------------------------------------


def _own_view(tx: Tx, person_id: str) -> SectionsView:
    actor = attendance.looks(tx, person_id)
    shown: list[Section] = []
    for found in attendance.of_member(tx, person_id)[:SHOWN]:
        shown += (_own_section(tx, actor, found), *_afterwards(tx, actor, found))
    shown += _to_send(tx, person_id) if attendance.is_member(tx, person_id) else ()
    return SectionsView(TITLE, tuple(shown), (Said("part.attendance.lead"),), tx.reading_locked)


def _own_section(tx: Tx, actor: Actor, found: Confirmation) -> Section:
    title = "part.attendance.asked_about_you" if found.by_body else "part.attendance.yours"
    title = "part.attendance.by_word" if found.by_word else title
    steps: tuple[Step, ...] = ()
    if found.state is ConfirmationState.WAITING:
        lines = (*_words(tx, actor, found), *_until(found))
        steps = _own_steps(found)
    elif found.state is ConfirmationState.SENT:
        lines = (*_what(tx, actor, found), Said("part.attendance.was_sent", at=found.answer_at))
        steps = (Step("send_stop", "page.step.send_stop", needs="yes", danger=True),)
    else:
        lines = (*_what(tx, actor, found), Said(f"part.attendance.why.{found.why}"))
    return Section(title, lines, steps, {"confirmation": found.id})


def _own_steps(found: Confirmation) -> tuple[Step, ...]:
    if found.agreed_at is not None:
        return (Step("send_stop", "page.step.send_stop"),)
    agree = Step("send_agree", "page.step.send_agree", needs="yes")
    if found.by_body:
        return (agree,)  # a no is to say nothing, and looks the same
    number = Step("send_refer", "page.step.send_refer", needs="code")
    return (agree, number, Step("send_stop", "page.step.send_drop"))


def _afterwards(tx: Tx, actor: Actor, found: Confirmation) -> Iterator[Section]:
    """How it was, once it was sent. What was answered is never shown: somebody may stand beside them."""
    over = after_help.over(tx, found)
    for question in after_help.asked(tx, found):
        key = "answered" if after_help.said(tx, found, question) else "how_it_was"
        said = Said(f"part.attendance.{key}", at=over.written_down if over else None)
        lines = (*_what(tx, actor, found), said)
        yield after_part.how_it_was(question, lines, {"confirmation": found.id})


def _until(found: Confirmation) -> Iterator[Said]:
    if found.by_body:
        key = "said_yes" if found.agreed_at is not None else "says_nothing"
        yield Said(f"part.attendance.{key}", at=found.answer_at)


def _words(tx: Tx, actor: Actor, found: Confirmation) -> Iterator[Said]:
    """The exact words that a yes sends; how often it was, only where reading is open."""
    yield from _what(tx, actor, found)
    yield Said("part.attendance.only_this")
    until = local(attendance.readable_until(tx, found), doors.person_by_id(tx, actor.person_id).timezone)
    language = doors.person_by_id(tx, actor.person_id).language
    yield Said(
        "part.attendance.read_until", {"day": names.day_in_words(tx.catalogue, until.date(), language)}
    )
    if tx.reading_locked:
        return
    tx.audit(AuditEntry(actor, Action.SEALED_READ, f"confirmation:{found.id}", "came"))
    yield Said("part.attendance.would_say", {"count": str(attendance.came(tx, found))})
    reference = attendance.reference(tx, actor, found)
    if reference:
        yield Said("part.attendance.reference", {"reference": reference})


def _what(tx: Tx, actor: Actor, found: Confirmation) -> Iterator[Said]:
    language = doors.person_by_id(tx, actor.person_id).language
    organization = tx.directory.organizations.get(found.organization_id)
    name = names.named(organization.names, language) if organization else ""
    yield Said("part.attendance.to", {"organization": name, **_days(tx, found, language)})


def _to_send(tx: Tx, person_id: str) -> Iterator[Section]:
    """One section for each organisation that it can be sent to; a yes is asked for afterwards."""
    language = doors.person_by_id(tx, person_id).language
    step = Step("send_begin", "page.step.send_begin", needs="reason", choices=PERIODS)
    for organization in attendance.receivers(tx):
        line = Said("part.attendance.may_send", {"organization": names.named(organization.names, language)})
        yield Section("part.attendance.send", (line,), (step,), {"organization": organization.id})


# -- a body that asks ---------------------------------------------------------------------------------


def _body_view(tx: Tx, person_id: str) -> SectionsView:
    actor, found = body_questions.of_body(tx, person_id)
    step = Step("body_ask", "page.step.body_ask", needs="code_choice", choices=PERIODS)
    asking = Section("part.attendance.ask", (Said("part.attendance.same_for_all"),), (step,))
    shown = (_question(tx, actor, each) for each in found[:SHOWN])
    return SectionsView(TITLE, (asking, *shown), (), tx.reading_locked)


def _question(tx: Tx, actor: Actor, found: Confirmation) -> Section:
    language = doors.person_by_id(tx, actor.person_id).language
    title = "part.attendance.question" if found.by_body else "part.attendance.came_in"
    lines = [Said("part.attendance.for_days", _days(tx, found, language), found.asked_at)]
    if found.state is ConfirmationState.WAITING:
        lines.append(Said("part.attendance.comes", at=found.answer_at))
    if not tx.reading_locked:
        lines += _opened(tx, actor, found, language)
    return Section(title, tuple(lines))


def _opened(tx: Tx, actor: Actor, found: Confirmation, language: str) -> Iterator[Said]:
    """What was asked and what was answered: a question without an answer has one sentence, always."""
    try:
        about = f"confirmation:{found.id}"
        opened = reading.open_about(tx, actor, about, found.record, attendance.SEALED)
    except TooOften as slowly:
        yield Said("part.attendance.later", {"minutes": str(slowly.params["minutes"])})
        return
    named = (opened.get(attendance.TYPED) or opened.get(attendance.REFERENCE) or "").strip()
    if named:
        yield Said("part.attendance.about", {"reference": named})
    if found.state is ConfirmationState.NONE:
        yield Said("part.attendance.nothing")
    elif found.state is ConfirmationState.SENT:
        made = attendance.made_on(opened)
        day = names.day_in_words(tx.catalogue, made, language) if made else ""
        yield Said("part.attendance.says", {"count": opened[attendance.CAME].strip(), "day": day})


# -- the desk -----------------------------------------------------------------------------------------


def _desk_view(tx: Tx, person_id: str) -> SectionsView:
    """Who asked, about whom if anybody is known by it, and why nothing was sent: codes alone.

    Whoever works at the body that asked reads nothing of it here either: the reason is not for that body.
    """
    actor = doors.as_seat(tx, person_id, Role.COORDINATOR)
    allow(actor, Action.DESK_LIST)
    by_word = (*attendance_word.to_ask(tx, actor),)
    shown = tuple(_at_desk(tx, actor, c) for c in body_questions.of_desk(tx, person_id)[: 2 * SHOWN])
    locked = tx.reading_locked and bool(by_word)
    return SectionsView(TITLE, (*by_word, *shown), (Said("part.attendance.desk_lead"),), locked)


def _at_desk(tx: Tx, actor: Actor, found: Confirmation) -> Section:
    member = tx.get(Enrolment, found.enrolment_id or "-")
    who = Said("part.attendance.member", {"code": member.code}) if member else Said("part.attendance.nobody")
    lines = [*_what(tx, actor, found), who]
    if found.state is ConfirmationState.WAITING:
        lines.append(Said("part.attendance.comes", at=found.answer_at))
        if member is not None and not member.person_id:
            lines.append(Said("part.attendance.no_phone"))
    elif found.state is ConfirmationState.SENT:
        lines.append(Said("part.attendance.was_sent", at=found.answer_at))
    else:
        lines.append(Said(f"part.attendance.desk_why.{found.why}"))
    return Section("part.attendance.question", tuple(lines))


# -- steps --------------------------------------------------------------------------------------------


def _days(tx: Tx, found: Confirmation, language: str) -> dict[str, str]:
    first, last = (names.day_in_words(tx.catalogue, d, language) for d in (found.first_on, found.last_on))
    return {"first": first, "last": last}


def _ask(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    """The same page, whatever was typed: not even the list of questions stands on it."""
    at = body_questions.ask(tx, person_id, text_of(body, "code"), text_of(body, "reason"))
    return SectionsView(TITLE, (), (Said("part.attendance.have", at=at),))


def _true(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    attendance_by_word.asked(tx, person_id, text_of(body, "confirmation"), text_of(body, "reason"))
    return _desk_view(tx, person_id)


def _own(verb: Callable[[Tx, str, Body], object], action: Action = Action.ATTENDANCE_SEND) -> Verb:
    def step(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
        verb(tx, person_id, body)
        if not attendance.looks_at_any(tx, person_id):  # the last of what somebody had sent who has left
            return SectionsView(TITLE, (), (Said("part.attendance.why.taken_back"),))
        return _own_view(tx, person_id)

    return Verb(action, step)


ATTENDANCE = Page(
    Verb(Action.HOME, attendance_view),
    {
        "send_begin": _own(
            lambda tx, who, body: attendance.begin(
                tx, who, text_of(body, "organization"), text_of(body, "reason")
            )
        ),
        "send_refer": _own(
            lambda tx, who, body: attendance.refer(
                tx, who, text_of(body, "confirmation"), text_of(body, "code")
            )
        ),
        "send_agree": _own(lambda tx, who, body: attendance.agree(tx, who, text_of(body, "confirmation"))),
        "send_stop": _own(
            lambda tx, who, body: attendance.take_back(tx, who, text_of(body, "confirmation")),
            Action.CONSENT_CUT,
        ),
        "afterwards": _own(
            lambda tx, who, body: attendance.afterwards(
                tx, who, text_of(body, "confirmation"), text_of(body, "question"), text_of(body, "reason")
            )
        ),
        "body_ask": Verb(Action.ATTENDANCE_ASK, _ask),
        "word_true": Verb(Action.CONSENT_CHECK, _true),
        **attendance_word.STEPS,
    },
)
