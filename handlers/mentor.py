"""Check-ins in the chat: question by question, saved with the last tap, taken back within a minute.

One engine for all who are asked: a mentor about a member, a member or a family about themselves, a worker
about the help that a matter gets. What was answered so far travels in the buttons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from handlers.reply import Reply, Turn
from referrals import forms
from referrals.catalogue import QuestionKind
from referrals.errors import BadAnswer, BadLine, StaleButton, WrongCaseCode
from referrals.members import CheckInKind, Source
from referrals.said import Keyboard
from referrals.service.alarm import crisis
from referrals.service.common import names
from referrals.service.common.tell import press
from referrals.service.contact import checkins, lines
from referrals.service.members import asking
from referrals.service.members.asking import Asked

LINE = "l"  # travels with the buttons of a typed line; behind it the day, where it was an earlier one
SAYS_IT = ("well", "all_right", "not_reached")  # what an echo may show of a line


def check(turn: Turn) -> Reply:
    """Any tap but the last: what was answered travels on in the next buttons."""
    found = _found(turn)
    if found.check_in.saved_at is not None:
        return _done(turn, found)
    if turn.word(1) not in ("", str(found.form.version)):
        return _changed(turn, found)
    return _question(turn, found, _answers(turn, found))


def save(turn: Turn) -> Reply:
    """The last tap. The chat keeps 'Done' and, for a minute, Undo."""
    found, day = _found(turn), _day(turn)
    if found.check_in.saved_at is None and turn.word(1) != str(found.form.version):
        return _changed(turn, found)
    if day and found.check_in.saved_at is not None:
        return _done(turn, found)
    source = Source.LINE if turn.word(3) == LINE else None
    answers = _answers(turn, found) if found.check_in.saved_at is None else {}
    if day and found.enrolment is not None:
        return _done(turn, checkins.late(turn.tx, turn.person.id, found.enrolment.id, day, answers))
    return _done(turn, checkins.save(turn.tx, turn.person.id, turn.word(0), answers, source))


def undo(turn: Turn) -> Reply:
    """Within a minute: the questions stand again."""
    before = asking.asked(turn.tx, turn.person.id, turn.word(0)).check_in
    found = checkins.undo(turn.tx, turn.person.id, turn.word(0))
    if before.source is not Source.LATE or before.day is None or found.enrolment is None:
        return _question(turn, found, {})
    again = checkins.of_day(turn.tx, turn.person.id, found.enrolment.id, before.day)
    return _question(turn, again, {}, _came(again))


def line(turn: Turn) -> Reply:
    """One typed line, echoed to be saved or changed. What is hard is shown after one more tap only."""
    try:
        found = lines.enter_line(turn.tx, turn.person.id, turn.incoming.text)
    except (WrongCaseCode, BadLine) as refusal:
        shown = {name: str(value) for name, value in refusal.params.items()}
        return Reply(refusal.code, shown, slot="line")
    answers = found.answers or {}
    if found.check_in.saved_at is not None:  # a contact of this very minute: a line beside it was not kept
        return replace(_done(turn, found), text="line.just_saved", params={"code": found.code}, toast="")
    came = _came(found)
    if any(answer in SAYS_IT for answer in answers.values()) and asking.waiting(found.form, answers) is None:
        return _question(turn, found, answers, came)
    words = (found.check_in.id, str(found.form.version), forms.short(found.form, answers), came)
    return Reply(
        "line.more", {"code": _code(turn, found)}, ((press("button.go_on", "check", *words),),), _slot(found)
    )


def _found(turn: Turn) -> Asked:
    """The contact that a button is about: of today, or of the day that travels with it."""
    day = _day(turn)
    if day is None:
        return asking.asked(turn.tx, turn.person.id, turn.word(0))
    return checkins.of_day(turn.tx, turn.person.id, turn.word(0), day)


def _day(turn: Turn) -> date | None:
    """The earlier day that a typed line was about."""
    written = turn.word(3).removeprefix(LINE)
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        raise StaleButton from None


def _came(found: Asked) -> str:
    """What travels with a line's buttons: an unsaved contact has a day where it was an earlier one."""
    day = found.check_in.day
    return LINE + (f"{day:%Y%m%d}" if day else "")


def _code(turn: Turn, found: Asked) -> str:
    """The member's code; with the day, where it is not today's contact."""
    day, language = found.check_in.day, turn.person.language or "en"
    if not day or found.check_in.saved_at is not None:
        return found.code
    return f"{found.code} ({names.day_in_words(turn.tx.catalogue, day, language)})"


def _answers(turn: Turn, found: Asked) -> dict[str, str]:
    try:
        return forms.long(found.form, turn.word(2))
    except BadAnswer:
        raise StaleButton from None


def _changed(turn: Turn, found: Asked) -> Reply:
    """A button of an older form: here it is anew, and nothing was kept under a question that is no more."""
    first = _question(turn, found, {})
    return Reply(
        first.text, first.params, first.buttons, first.slot, "toast.form_changed", True, first.details
    )


def _question(turn: Turn, found: Asked, answers: Mapping[str, str], came: str = "") -> Reply:
    came = came or (turn.word(3) if turn.word(3).startswith(LINE) else "")
    waits = asking.waiting(found.form, answers)
    about_them = found.check_in.kind is CheckInKind.MEMBER
    text = "check.save" if about_them else "own.save"  # nobody needs their own code read out to them
    text = asking.text_of(found.form, waits) if waits is not None else text
    params = {"code": _code(turn, found), "chosen": _chosen(turn, found, answers)}
    if waits is not None and waits.id == "danger":
        params["lines"] = _lines(turn, found)
    buttons = asking.keyboard(found.check_in.id, found.form, answers, came)
    if not answers and not found.fresh and found.check_in.enrolment_id and found.check_in.waits:
        buttons = (*buttons, asking.later(found.check_in.id))  # also of one that stood in a list of several
    return Reply(text, params, buttons, _slot(found), details=True)


def _done(turn: Turn, found: Asked) -> Reply:
    """What stands there when it is saved; 'Undo' for whoever saved it, for a minute."""
    check_in = found.check_in
    text = found.said or checkins.AFTER[check_in.kind].rest
    rows: Keyboard = ()
    fresh = check_in.saved_at is not None and turn.tx.now - check_in.saved_at <= asking.UNDO
    if check_in.saved_by == turn.person.id and fresh:
        rows = ((press("button.undo", "check.undo", check_in.id),),)
    rows = (*rows, *checkins.further(turn.tx, check_in, found))
    shown = {"lines": _lines(turn, found)} if check_in.kind is CheckInKind.OWN else {}
    return Reply(text, shown, rows, asking.slot(check_in.id), toast="toast.saved")


def _chosen(turn: Turn, found: Asked, answers: Mapping[str, str]) -> str:
    """What was pressed so far, in words: 'Call · Doing well'."""
    said: list[str] = []
    for question in found.form.questions:
        several = question.kind is QuestionKind.NEEDS
        given = answers.get(question.id, "")
        said += [asking.choice_key(question, c) for c in (given.split(",") if several else [given]) if c]
    language = turn.person.language or "en"
    return " · ".join(turn.tx.catalogue.words(key, language) for key in said)


def _lines(turn: Turn, found: Asked) -> str:
    area = found.enrolment.area if found.enrolment else ""
    return crisis.emergency_lines(turn.tx, area, turn.person.language)


def _slot(found: Asked) -> str:
    return asking.slot(found.check_in.id)
