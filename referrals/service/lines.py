"""One typed line for experts: read, found among one's own members, echoed; nothing is kept before 'Save'."""

from __future__ import annotations

from dataclasses import replace

from referrals import checkin_line
from referrals.errors import BadLine
from referrals.ports import Tx
from referrals.service import asking, enrolments
from referrals.service.asking import Asked

FORM = "check-in"  # a line knows the words of this one


def enter_line(tx: Tx, person_id: str, line: str) -> Asked:
    """What a line says about one of the person's own members, with `answers`, to be shown and saved.

    BadLine for what is no line; WrongCaseCode (with the code that was probably meant) or NoCaseCode.
    """
    form = tx.catalogue.forms[FORM]
    typed = checkin_line.parse(line, form, checkin_line.words_of(tx.catalogue.texts, form))
    enrolment = enrolments.by_code(tx, person_id, typed.code)
    found = asking.anew(tx, person_id, enrolment.id)
    if found.form.id != FORM:
        raise BadLine
    return replace(found, answers=typed.answers)
