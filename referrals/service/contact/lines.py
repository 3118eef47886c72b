"""One typed line for experts: read, found among one's own members, echoed; nothing is kept before 'Save'."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from referrals import checkin_line, schedule
from referrals.errors import BadDay, BadLine
from referrals.members import Enrolment
from referrals.ports import Tx
from referrals.service.contact import checkins
from referrals.service.members import asking, enrolments
from referrals.service.members.asking import Asked

FORM = "check-in"  # a line knows the words of this one


def enter_line(tx: Tx, person_id: str, line: str) -> Asked:
    """What a line says about one of the person's own members, with `answers`, to be shown and saved.

    `check_in.day` where it was on an earlier day. BadLine for what is no line, BadDay for a day that cannot
    be written down any more, or not yet; WrongCaseCode (with the code that was probably meant) or NoCaseCode.
    """
    form = tx.catalogue.forms[FORM]
    typed = checkin_line.parse(line, form, checkin_line.words_of(tx.catalogue.texts, form))
    enrolment = enrolments.by_code(tx, person_id, typed.code)
    day = _earlier(tx, enrolment, typed.day)
    found = (
        checkins.of_day(tx, person_id, enrolment.id, day) if day else asking.anew(tx, person_id, enrolment.id)
    )
    if found.form.id != FORM:
        raise BadLine
    return replace(found, answers=typed.answers)


def _earlier(tx: Tx, enrolment: Enrolment, said: str) -> date | None:
    """The day before today that a line names, by the member's own clock; None for today."""
    today = schedule.local(tx.now, enrolment.timezone).date()
    day = checkin_line.day_of(said, today)
    if not timedelta() <= today - day <= timedelta(days=checkins.LATE_FOR):
        raise BadDay(days=checkins.LATE_FOR)
    return day if day < today else None
