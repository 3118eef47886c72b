"""On the desk's view of a matter: whether a yes heard by word is true, and how to reach the person."""

from __future__ import annotations

from dataclasses import replace

from referrals.model import Actor, DataClass, Referral
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.matter import reading
from referrals.service.request import safe_times, word_checks
from referrals.views import Choice, MatterView, Step

STEP = Step(
    "check",
    "page.step.check",
    needs="reason",
    choices=tuple(Choice(a, label_key=f"page.check.{a}") for a in word_checks.ANSWERS),
)


def view(tx: Tx, shown: MatterView, actor: Actor, referral: Referral) -> MatterView:
    """How to reach them, where the mentor wrote that down: for the desk alone, and with its PIN."""
    record = word_checks.reach_record(tx, referral)
    if record is None:
        return shown
    if tx.reading_locked:
        return replace(shown, locked=True)
    minutes = reading.wait(tx, actor, referral)
    if minutes:
        return replace(shown, wait_minutes=minutes)
    opened = reading.open_for(tx, actor, referral, record, DataClass.CONTACT)
    language = doors.person_by_id(tx, actor.person_id).language
    return replace(shown, contact=safe_times.above(tx, opened, language))
