"""Check-ins that are due: who may answer which, with which form, and the buttons of its questions.

What is half answered lives in the buttons: the check-in, the form's version, and the answers so far. A press
of an older version finds the form anew, so nothing is ever kept under a question that was not asked. Where
nothing is due yet (a mentor begins by themselves) the buttons name the member, and saving begins it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from referrals import forms
from referrals.access import Action, allow
from referrals.catalogue import Form, Question, QuestionKind
from referrals.errors import NotFound, WrongStage
from referrals.members import CheckIn, CheckInKind, Enrolment, Source
from referrals.model import SYSTEM, Actor, AuditEntry, Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import ABOUT, Button, Keyboard
from referrals.service.common import doors, tell
from referrals.service.members import enrolments, programmes

UNDO = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Asked:
    """One check-in as whoever answers it sees it. `others`: who else was or will be asked about it.

    `fresh`: nothing is due; `check_in` is not kept before it is saved, and has the enrolment's id.
    `answers`: what was said already (a typed line).
    """

    check_in: CheckIn
    form: Form
    actor: Actor
    enrolment: Enrolment | None
    others: tuple[str, ...] = ()
    fresh: bool = False
    answers: Mapping[str, str] | None = None
    said: str = ""  # after saving: the text key of what is shown

    @property
    def code(self) -> str:
        """The member's case code; '' where the check-in is about no member."""
        return self.enrolment.code if self.enrolment else ""


def begin(tx: Tx, enrolment: Enrolment, *, asked_of: str | None, source: Source, due_at: datetime) -> CheckIn:
    """A check-in that is due from now on, with the form of the member's phase. Nobody is told yet.

    A family's own programme asks the family; every other one asks a mentor.
    """
    own = programmes.of(tx, enrolment).audience is Role.FAMILY
    kind = CheckInKind.OWN if own else CheckInKind.MEMBER
    form = _form(tx, programmes.phase_of(tx, enrolment).form)
    return _begin(
        tx, CheckIn(tx.new_id(), kind, enrolment.id, due_at, asked_of, form.id, form.version, source)
    )


def begin_other(tx: Tx, check_in: CheckIn) -> CheckIn:
    """A check-in of another kind (about a matter's help, about oneself), with its form as it is now."""
    return _begin(tx, check_in)


def _begin(tx: Tx, check_in: CheckIn) -> CheckIn:
    tx.add(check_in)
    tx.audit(AuditEntry(SYSTEM, ACTIONS[check_in.kind], f"check_in:{check_in.id}", "asked"))
    return check_in


def asked(tx: Tx, person_id: str, subject: str) -> Asked:
    """The check-in (or the member about whom one begins) for somebody who may answer it, locked.

    NotFound for everybody else.
    """
    check_in = tx.get(CheckIn, subject, lock=True)
    if check_in is None:
        return anew(tx, person_id, subject)
    actor, enrolment, others = DOORS[check_in.kind](tx, person_id, check_in)
    allow(actor, ACTIONS[check_in.kind])
    return Asked(check_in, form_of(tx, check_in), actor, enrolment, others)


def anew(tx: Tx, person_id: str, enrolment_id: str, source: Source = Source.CASELOAD) -> Asked:
    """A contact that nobody asked for: the one that is due if there is one, else a new one.

    Whoever has just saved one sees that: a second press of 'Save' must not make a second contact.
    """
    actor, enrolment = enrolments.mine(tx, person_id, enrolment_id)
    allow(actor, Action.CHECK_IN_WRITE)
    others = tuple(m for m in enrolments.mentors_of(tx, enrolment) if m != person_id)
    known = [c for c in tx.find(CheckIn, enrolment_id=enrolment.id) if c.kind is CheckInKind.MEMBER]
    due = [c for c in known if c.waits]
    mine = [c for c in known if c.saved_by == person_id and c.saved_at and tx.now - c.saved_at < UNDO]
    if mine or due:
        found = max(mine or due, key=lambda c: (c.due_at, c.id))
        return Asked(found, form_of(tx, found), actor, enrolment, others)
    if not enrolment.active:
        raise WrongStage
    form = _form(tx, programmes.phase_of(tx, enrolment).form)
    new = CheckIn(
        enrolment.id, CheckInKind.MEMBER, enrolment.id, tx.now, person_id, form.id, form.version, source
    )
    return Asked(new, form, actor, enrolment, others, fresh=True)


def form_of(tx: Tx, check_in: CheckIn) -> Form:
    """The form as it stands now: whatever version a check-in was asked with, it is answered with this one."""
    return _form(tx, check_in.form)


def slot(check_in_id: str) -> str:
    """The message in which a check-in stands."""
    return f"check:{check_in_id}"


# -- questions ---------------------------------------------------------------------------------------


def buttons(tx: Tx, check_in: CheckIn) -> Keyboard:
    """The first question's buttons."""
    return keyboard(check_in.id, form_of(tx, check_in), {})


def reminder(tx: Tx, check_in: CheckIn) -> Keyboard:
    """What stands below a reminder, for whatever check-in has this form: `Notice.about` says which one."""
    return (*keyboard(ABOUT, form_of(tx, check_in), {}), later(ABOUT))


def later(check_in_id: str) -> tuple[Button, ...]:
    """The row below every reminder of a contact: later, not this week, no reminders."""
    return (tell.press("button.later", "remind.later", check_in_id),)


def question(tx: Tx, check_in: CheckIn) -> str:
    """The text key of the first question, as a reminder asks it: neutral, with {code} about a member."""
    form = form_of(tx, check_in)
    return text_of(form, form.questions[0])


def text_of(form: Form, asked_for: Question) -> str:
    """The text key of one question."""
    return f"form.{form.id}.{asked_for.id}"


def choice_key(asked_for: Question, choice: str) -> str:
    """The text key of one choice."""
    return f"category.{choice}" if asked_for.kind is QuestionKind.NEEDS else f"{asked_for.id}.{choice}"


def waiting(form: Form, answers: Mapping[str, str]) -> Question | None:
    """What is to be answered next; needs being ticked stay until 'Save'; None: nothing but 'Save'."""
    following = forms.next_question(form, answers)
    last = forms.last_asked(form, answers)
    if following is None and last is not None and last.kind is QuestionKind.NEEDS:
        return last
    return following


def keyboard(subject: str, form: Form, answers: Mapping[str, str], came: str = "") -> Keyboard:
    """The buttons of whatever comes next: choices, or 'Save'; and 'Back'. `came` travels on with them."""
    asked_for = waiting(form, answers)
    press = partial(_button, subject, form, came)
    rows: list[Button] = []
    if asked_for is not None and asked_for.kind is QuestionKind.NEEDS:
        rows = [_tick(press, answers, asked_for, choice) for choice in asked_for.choices]
    elif asked_for is not None:
        verb = "check.save" if asked_for.saves else "check"
        rows = [
            press(f"{asked_for.id}.{choice}", verb, {**answers, asked_for.id: choice})
            for choice in asked_for.choices
        ]
    if asked_for is None or not asked_for.required:
        rows.append(press("button.save", "check.save", answers))
    if answers:
        rows.append(press("button.back", "check", _before(form, answers)))
    return tell.column(rows)


def _before(form: Form, answers: Mapping[str, str]) -> dict[str, str]:
    """The answers without the last one; ticks on their own screen are left together with it."""
    before = forms.back(form, answers)
    last = forms.last_asked(form, answers)
    return forms.back(form, before) if last is not None and last.kind is QuestionKind.NEEDS else before


Press = Callable[[str, str, Mapping[str, str]], Button]


def _tick(press: Press, answers: Mapping[str, str], needs: Question, choice: str) -> Button:
    ticked = {need for need in answers.get(needs.id, "").split(",") if need}
    after = ",".join(sorted(ticked ^ {choice}))
    text = "button.ticked" if choice in ticked else "button.tick"
    made = press(text, "check", {**answers, needs.id: after})
    return replace(made, params={"need": f"@{choice_key(needs, choice)}"})


def _button(subject: str, form: Form, came: str, text: str, verb: str, answers: Mapping[str, str]) -> Button:
    words = (subject, str(form.version), forms.short(form, answers), came)
    return tell.press(text, verb, *(words if came else words[:-1]))


def _form(tx: Tx, form_id: str) -> Form:
    """A form of the catalogue; a file that was taken away cannot be answered any more."""
    form = tx.catalogue.forms.get(form_id)
    if form is None:
        raise WrongStage
    return form


# -- doors -------------------------------------------------------------------------------------------

Door = Callable[[Tx, str, CheckIn], tuple[Actor, Enrolment | None, tuple[str, ...]]]


def _mentors(tx: Tx, person_id: str, check_in: CheckIn) -> tuple[Actor, Enrolment | None, tuple[str, ...]]:
    """Mentor, backup or stand-in of this member."""
    actor, enrolment = enrolments.mine(tx, person_id, check_in.enrolment_id or "")
    others = (m for m in (*enrolments.mentors_of(tx, enrolment), check_in.asked_of) if m and m != person_id)
    return actor, enrolment, tuple(dict.fromkeys(others))


def _own(tx: Tx, person_id: str, check_in: CheckIn) -> tuple[Actor, Enrolment | None, tuple[str, ...]]:
    """The member or the family whom it is about, on their own phone."""
    enrolment = tx.get(Enrolment, check_in.enrolment_id or "", lock=True)
    if enrolment is None or enrolment.person_id != person_id:
        raise NotFound
    return own_actor(enrolment, person_id), enrolment, ()


def own_actor(enrolment: Enrolment, person_id: str) -> Actor:
    """Whoever answers for themselves: a member has a mentor, a family has not."""
    return Actor(person_id, Role.MEMBER if enrolment.mentor_seat else Role.FAMILY)


def _service(tx: Tx, person_id: str, check_in: CheckIn) -> tuple[Actor, Enrolment | None, tuple[str, ...]]:
    """A worker of the organisation that helps, while it holds the matter."""
    offer_id = check_in.offer_id or ""
    actor, _, referral = doors.served_referral(tx, person_id, offer_id, Action.SERVICE_CHECK_IN)
    return actor, None, tuple(p for p in tell.partners(tx, referral) if p != person_id)


def _themselves(tx: Tx, person_id: str, check_in: CheckIn) -> tuple[Actor, Enrolment | None, tuple[str, ...]]:
    """A mentor about themselves, while they fill the post."""
    seat = tx.get(Seat, check_in.seat_id or "")
    if seat is None or seat.person_id != person_id:
        raise NotFound
    return Actor(person_id, seat.role, seat.organization_id), None, ()


DOORS: Mapping[CheckInKind, Door] = {
    CheckInKind.MEMBER: _mentors,
    CheckInKind.OWN: _own,
    CheckInKind.SERVICE: _service,
    CheckInKind.WELLBEING: _themselves,
}
ACTIONS: Mapping[CheckInKind, Action] = {
    CheckInKind.MEMBER: Action.CHECK_IN_WRITE,
    CheckInKind.OWN: Action.OWN_CHECK_IN,
    CheckInKind.SERVICE: Action.SERVICE_CHECK_IN,
    CheckInKind.WELLBEING: Action.CHECK_IN_WRITE,
}
