"""Check-ins are saved, taken back within a minute, corrected later, and written down late.

What was answered is sealed as one small field, `answers`; what stood there before a correction is kept beside
it as `answers.1`, `answers.2` … The message that stays in the chat says 'Done' and nothing else. Who may
answer, and the questions, are in `asking.py`; what each kind leads to is the table AFTER.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from referrals import forms
from referrals.errors import AlreadyHandled, BadAnswer, WrongStage
from referrals.members import CheckIn, CheckInKind, Danger, Source
from referrals.model import DESK, AuditEntry, DataClass, organization_holder, person_holder
from referrals.ports import Tx
from referrals.said import Keyboard
from referrals.schedule import local
from referrals.service.alarm import alarm_numbers, crisis
from referrals.service.common import doors, tell
from referrals.service.contact import own_checkins, trends, wellbeing
from referrals.service.help import working
from referrals.service.members import asking, enrolments, reminders
from referrals.service.members.asking import ACTIONS, UNDO, Asked, anew, asked, slot
from referrals.service.request import needs

CORRECTED_FOR = timedelta(days=30)
LATE_FOR = 7  # days
FIELD = "answers"
NOTE = "note"
NOTE_LIMIT = 4000
# Begun by whoever answers: taken back, nothing is left of it, since nobody had asked.
_OF_THEIR_OWN = (Source.CASELOAD, Source.LINE, Source.LATE)

Answers = Mapping[str, str]


def save(tx: Tx, person_id: str, subject: str, answers: Answers, source: Source | None = None) -> Asked:
    """The last tap. Saved twice it stays one; whoever comes second is told so; a crisis is told at once.

    BadAnswer for answers that do not make a whole form, AlreadyHandled when somebody else was faster.
    """
    found = asked(tx, person_id, subject)
    if found.check_in.saved_at is not None:
        if found.check_in.saved_by == person_id:
            return found
        raise AlreadyHandled
    given = forms.whole(found.form, answers)
    today = local(tx.now, _zone(tx, found)).date()
    return _keep(tx, found, given, today, source)


def late(tx: Tx, person_id: str, enrolment_id: str, day: date, answers: Answers, note: str = "") -> Asked:
    """A contact of yesterday, or up to a week ago. It also answers the reminder that was about it.

    The same answers for the same day once more within a minute are a second press, and nothing new.
    """
    found = of_day(tx, person_id, enrolment_id, day)
    given = forms.whole(found.form, answers)
    if found.check_in.saved_at is not None:
        if _written(given) == _written(trends.opened(tx, found.actor, found.check_in)):
            return found
        found = _another(tx, found, enrolment_id, day)
    kept = _keep(tx, found, given, day, Source.LATE)
    if note.strip():
        add_note(tx, person_id, kept.check_in.id, note)
    return kept


def of_day(tx: Tx, person_id: str, subject: str, day: date) -> Asked:
    """A contact of an earlier day, for whoever may write it down: what was asked about it, else a new one.

    Whoever has just saved one of that day sees that. BadAnswer for a day that is not of the last week.
    `subject`: the member's enrolment, or the check-in that is due.
    """
    due = tx.get(CheckIn, subject)
    enrolment_id = (due.enrolment_id if due else None) or subject
    found = anew(tx, person_id, enrolment_id, Source.LATE)
    today = local(tx.now, _zone(tx, found)).date()
    if not timedelta(days=1) <= today - day <= timedelta(days=LATE_FOR):
        raise BadAnswer
    saved = [
        c for c in tx.find(CheckIn, enrolment_id=enrolment_id, saved_by=person_id, day=day) if _just(tx, c)
    ]
    if saved:
        last = max(saved, key=lambda c: (c.saved_at or c.due_at, c.id))
        return replace(found, check_in=last, form=asking.form_of(tx, last), fresh=False)
    asked_for = replace(found.check_in, day=day)
    waits = not found.fresh and asked_for.saved_at is None
    if waits and found.enrolment is not None and reminders.is_about(asked_for, asked_for, found.enrolment):
        return replace(found, check_in=asked_for)
    return _another(tx, found, enrolment_id, day)


def _just(tx: Tx, check_in: CheckIn) -> bool:
    return check_in.saved_at is not None and tx.now - check_in.saved_at < UNDO


def _another(tx: Tx, found: Asked, enrolment_id: str, day: date) -> Asked:
    """A contact beside the one that is due or was just saved; not kept before it is saved."""
    new = replace(
        found.check_in,
        id=enrolment_id, due_at=tx.now, asked_of=found.actor.person_id, source=Source.LATE,
        saved_at=None, saved_by=None, day=day, corrected=0, missed=False, step=0, version=1,
    )  # fmt: skip
    return replace(found, check_in=new, fresh=True)


def _keep(tx: Tx, found: Asked, given: dict[str, str], day: date, source: Source | None) -> Asked:
    row = found.check_in
    if found.fresh:
        row = asking.begin_other(tx, replace(row, id=tx.new_id()))
    saved = tx.save(
        replace(
            row,
            saved_at=tx.now, saved_by=found.actor.person_id, day=day, form_version=found.form.version,
            source=source or row.source,
        )
    )  # fmt: skip
    found = replace(found, check_in=saved, fresh=False)
    _seal(tx, found, given)
    tx.audit(AuditEntry(found.actor, ACTIONS[saved.kind], f"check_in:{saved.id}", "saved"))
    tx.set_timer("undo_over", saved.id, tx.now + UNDO)
    _file_needs(tx, found, given.get("needs", ""))
    return replace(found, answers=given, said=AFTER[saved.kind].saved(tx, found, given))


def undo(tx: Tx, person_id: str, check_in_id: str) -> Asked:
    """Within 60 seconds: what was saved is destroyed; a crisis becomes a false alarm.

    Requests that were made of ticked needs and are not filed yet go too.
    """
    found = asked(tx, person_id, check_in_id)
    saved = found.check_in
    if saved.saved_at is None:
        return found
    if saved.saved_by != person_id or tx.now - saved.saved_at > UNDO or saved.corrected:
        raise WrongStage
    given = trends.opened(tx, found.actor, saved)
    tx.destroy(saved.record)
    tx.clear_timer("undo_over", saved.id)
    tx.audit(AuditEntry(found.actor, ACTIONS[saved.kind], f"check_in:{saved.id}", "undone"))
    reminders.taken_back(tx, saved)
    if given.get("needs") and found.enrolment is not None:
        needs.undone(tx, found.actor, found.enrolment, saved.saved_at)
    if given.get("danger") and found.enrolment is not None:
        crisis.false_alarm(tx, saved.id)
    if saved.source in _OF_THEIR_OWN and found.enrolment is not None and not _was_asked(saved):
        tx.remove(saved)
        return anew(tx, person_id, found.enrolment.id)
    again = tx.save(replace(saved, saved_at=None, saved_by=None, day=None))
    AFTER[saved.kind].undone(tx, replace(found, check_in=again))
    return replace(found, check_in=again)


def correct(tx: Tx, person_id: str, check_in_id: str, answers: Answers) -> Asked:
    """Other answers, for thirty days; what stood before stays beside them, and the audit says who and when.

    It begins with what stood there, so it asks for the PIN like all reading.
    """
    found = asked(tx, person_id, check_in_id)
    before = found.check_in
    if before.saved_at is None or tx.now - before.saved_at > CORRECTED_FOR:
        raise WrongStage
    given, stood = forms.whole(found.form, answers), trends.opened(tx, found.actor, before)
    if _written(given) == _written(stood):
        return found
    number = before.corrected + 1
    saved = tx.save(replace(before, corrected=number, form_version=found.form.version))
    found = replace(found, check_in=saved)
    tx.seal(saved.record, DataClass.WELLBEING, f"{FIELD}.{number}", _written(stood), ())
    _seal(tx, found, given)
    tx.audit(AuditEntry(found.actor, ACTIONS[saved.kind], f"check_in:{saved.id}", "corrected"))
    ticked = set(given.get("needs", "").split(",")) - set(stood.get("needs", "").split(","))
    _file_needs(tx, found, ",".join(sorted(ticked)))
    if (given.get("means") == "not_reached") is not (stood.get("means") == "not_reached"):
        reminders.corrected(tx, saved, reached=given.get("means") != "not_reached")
    if given.get("danger") and (not stood.get("danger") or given["danger"] == Danger.YES != stood["danger"]):
        _alarm(tx, found, given)
    return replace(found, answers=given)


def add_note(tx: Tx, person_id: str, check_in_id: str, text: str) -> Asked:
    """A note to a contact that was saved, on a secure page only; each one stands beside the others."""
    found = asked(tx, person_id, check_in_id)
    saved = found.check_in
    if saved.saved_at is None or not text.strip() or len(text) > NOTE_LIMIT:
        raise BadAnswer
    column = f"{NOTE}.{tx.now.isoformat(timespec='microseconds')}"
    tx.seal(saved.record, DataClass.STORY, column, text.strip(), _readers(tx, found))
    tx.audit(AuditEntry(found.actor, ACTIONS[saved.kind], f"check_in:{saved.id}", "note"))
    return found


def noted_at(column: str) -> datetime:
    """When the note in this column was written."""
    return datetime.fromisoformat(column.partition(".")[2])


def undo_over(tx: Tx, check_in_id: str) -> None:
    """Timer: the minute is over; the message loses its Undo button and keeps neither answer nor code."""
    check_in = tx.get(CheckIn, check_in_id)
    if check_in is not None and check_in.saved_by is not None:
        rest = AFTER[check_in.kind].rest
        tell.quietly(tx, check_in.saved_by, slot(check_in.id), rest, buttons=further(tx, check_in))


def further(tx: Tx, check_in: CheckIn, found: Asked | None = None) -> Keyboard:
    """What is offered below 'Done': a note to a contact with a member; ways on for whoever has a hard time.

    `found`: what was just saved; without it a minute has passed, and only what tells nothing is left.
    """
    if found is not None and check_in.kind is CheckInKind.WELLBEING:
        return wellbeing.further(check_in, (found.answers or {}).get("state", ""))
    if found is not None and found.said in own_checkins.OFFERS_HELP:
        return (*alarm_numbers.offered(tx, check_in), *own_checkins.ways_to_ask(tx, found))
    if check_in.kind is not CheckInKind.MEMBER:
        return alarm_numbers.offered(tx, check_in)
    row = [tell.page_button("button.add_note", f"member/{check_in.enrolment_id}")]
    if found is None or not (found.answers or {}).get("danger"):  # there the alarm comes first
        # However they are: what is needed is ticked on a page, and no chat names it.
        row.append(tell.page_button("button.need", f"words/{check_in.enrolment_id}"))
    return (tuple(row),)


# -- what is sealed ----------------------------------------------------------------------------------


def _written(answers: Answers) -> str:
    kept = {key: value for key, value in answers.items() if value}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def _seal(tx: Tx, found: Asked, given: Answers) -> None:
    holders = _readers(tx, found)
    if given.get("danger") or given.get("progress") == "stopped":
        holders.append(DESK)
    # One field for all answers: they are read together, and a press should write as little as it can.
    tx.seal(found.check_in.record, DataClass.WELLBEING, FIELD, _written(given), holders)


def _readers(tx: Tx, found: Asked) -> list[str]:
    """Whoever wrote it; a member's mentors, now; a worker's own organisation."""
    people = [found.actor.person_id]
    if found.enrolment is not None:
        people += enrolments.mentors_of(tx, found.enrolment)
    holders = [person_holder(person) for person in dict.fromkeys(people)]
    if found.check_in.kind is CheckInKind.SERVICE and found.actor.organization_id:
        holders.append(organization_holder(found.actor.organization_id))
    return holders


def _file_needs(tx: Tx, found: Asked, ticked: str) -> None:
    """Ticked needs become requests in the same breath."""
    categories = tuple(category for category in ticked.split(",") if category)
    if categories and found.enrolment is not None:
        needs.from_check_in(tx, found.actor, found.enrolment, categories)


def _zone(tx: Tx, found: Asked) -> str:
    if found.enrolment is not None:
        return found.enrolment.timezone
    return doors.person_by_id(tx, found.actor.person_id).timezone


def _was_asked(check_in: CheckIn) -> bool:
    """Whether somebody was reminded of it before it was answered."""
    return check_in.due_at != check_in.saved_at


# -- what follows ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class After:
    """What a kind of check-in leads to once it is saved (returns the text key to show), and taken back.

    `rest`: what stands in the chat when the minute for Undo is over.
    """

    saved: Callable[[Tx, Asked, Answers], str]
    undone: Callable[[Tx, Asked], None]
    rest: str


def _alarm(tx: Tx, found: Asked, given: Answers) -> None:
    """'In crisis' never waits."""
    if found.enrolment is not None:
        crisis.raise_alarm(tx, found.actor, found.enrolment, found.check_in.id, Danger(given["danger"]))


def _member_saved(tx: Tx, found: Asked, given: Answers) -> str:
    reminders.answered(tx, found.check_in, reached=given["means"] != "not_reached")
    if given.get("danger"):
        _alarm(tx, found, given)
        return "mentor.done_alarm"
    harder = found.enrolment is not None and trends.harder_now(tx, found, given.get("state", ""))
    return "mentor.done_harder" if harder else "mentor.done"


def _own_saved(tx: Tx, found: Asked, given: Answers) -> str:
    reminders.answered(tx, found.check_in)
    if given.get("danger"):
        _alarm(tx, found, given)
    return own_checkins.answered(tx, found, given)


def _service_saved(tx: Tx, found: Asked, given: Answers) -> str:
    for colleague in found.others:  # nobody is nagged about what somebody else has handled
        tell.quietly(tx, colleague, slot(found.check_in.id), "worker.done_by_other")
    working.heard(tx, found.check_in, given["progress"])
    return "worker.done"


def _wellbeing_saved(tx: Tx, found: Asked, given: Answers) -> str:
    return wellbeing.answered(tx, found.check_in, given["state"])


def _asked_again(tx: Tx, found: Asked) -> None:
    reminders.undone(tx, found.check_in)


AFTER: Mapping[CheckInKind, After] = {
    CheckInKind.MEMBER: After(_member_saved, _asked_again, "mentor.done"),
    CheckInKind.OWN: After(_own_saved, _asked_again, "own.done"),
    CheckInKind.SERVICE: After(_service_saved, _asked_again, "worker.done"),
    CheckInKind.WELLBEING: After(_wellbeing_saved, _asked_again, "wellbeing.done"),
}
