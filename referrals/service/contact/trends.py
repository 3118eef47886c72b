"""The states of a member's last contacts, for their mentors alone: pointed out to them, never to the desk."""

from __future__ import annotations

import json
from collections.abc import Mapping

from referrals import trend
from referrals.members import CheckIn, CheckInKind, Enrolment
from referrals.model import Actor, DataClass
from referrals.ports import Tx
from referrals.service.members.asking import Asked


def saved_of(tx: Tx, enrolment: Enrolment) -> list[CheckIn]:
    """A member's contacts that were made, the newest first; own check-ins are no contacts."""
    return [c for c in all_of(tx, enrolment) if c.kind is CheckInKind.MEMBER]


def all_of(tx: Tx, enrolment: Enrolment) -> list[CheckIn]:
    """Every check-in of a member that was saved, the newest first."""
    found = tx.find(CheckIn, enrolment_id=enrolment.id)
    made = [(c.day, c.saved_at, c.id, c) for c in found if c.saved_at is not None and c.day is not None]
    return [check_in for *_, check_in in sorted(made, reverse=True)]


def harder_now(tx: Tx, found: Asked, state: str) -> bool:
    """Whether the contact that was just saved is the third in a row that went downhill.

    The two before it are opened, in the mentor's own turn, and only where the new one was hard.
    """
    if not trend.may_be_harder(state) or found.enrolment is None:
        return False
    states = [state]
    for check_in in saved_of(tx, found.enrolment):
        if check_in.id != found.check_in.id and len(states) < trend.IN_A_ROW:
            before = opened(tx, found.actor, check_in).get("state", "")
            states += [before] if before else []
    return trend.getting_harder(states[::-1])


def opened(tx: Tx, actor: Actor, check_in: CheckIn) -> dict[str, str]:
    """The answers of one contact; empty where this reader holds no key for them."""
    if not tx.sealed_exists(check_in.record, DataClass.WELLBEING):
        return {}
    return answers_of(tx.open_sealed(actor, check_in.record, DataClass.WELLBEING))


def answers_of(columns: Mapping[str, str]) -> dict[str, str]:
    """The answers as they stand now, from the opened columns of a check-in."""
    found = json.loads(columns.get("answers", "{}"))
    return {str(key): str(value) for key, value in found.items()}
