"""Agreements in time: stewards are reminded before a review or an end, a partner's workers before the end.

A chat names no organisation; which agreement it is, page 'agreements' says.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from referrals import schedule
from referrals.consent import day_of
from referrals.directory import Agreement
from referrals.model import Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service.common import doors, names, tell

REVIEW = "agreement_review"  # '<agreement>:<review|end>:<days before>', one timer each
BEFORE = (60, 30, 7)  # days
WORKERS_BEFORE = 30
AT = time(9)  # in the organisation's own zone


def watch(tx: Tx, agreement: Agreement) -> None:
    """Set the reminders that are still to come; of a changed agreement the earlier ones go."""
    forget(tx, agreement)
    for subject, at in _reminders(tx, agreement):
        if at > tx.now:
            tx.set_timer(REVIEW, subject, at)


def forget(tx: Tx, agreement: Agreement) -> None:
    """None of its reminders comes any more."""
    for what in ("review", "end"):
        for days in BEFORE:
            tx.clear_timer(REVIEW, f"{agreement.id}:{what}:{days}")


def remind(tx: Tx, subject: str) -> None:
    """Timer: so many days before. Each steward hears it; thirty days before the end workers too."""
    agreement_id, what, days = subject.rsplit(":", 2)
    agreement = next((a for a in tx.directory.agreements if a.id == agreement_id), None)
    if agreement is None:
        return
    day = agreement.review_on if what == "review" else agreement.ends_on
    by = {"by": tell.iso(_morning(tx, agreement, day))}
    look = ((tell.page_button("button.look", "agreements"),),)
    for seat in tx.find(Seat, role=Role.STEWARD):
        if seat.person_id:
            tell.tell(
                tx, seat.person_id, f"steward.agreement_{what}", by, buttons=look, slot=f"agreement:{what}"
            )
    if what == "end" and int(days) == WORKERS_BEFORE:
        for seat in tell.workers(tx, agreement.organization_id):
            if seat.person_id:
                tell.tell(tx, seat.person_id, "worker.agreement_end", by)


def all_of(tx: Tx, person_id: str) -> list[Agreement]:
    """Every agreement, those first that end first; for stewards."""
    doors.as_seat(tx, person_id, Role.STEWARD)
    return sorted(tx.directory.agreements, key=lambda a: (a.ends_on, a.id))


def state(tx: Tx, agreement: Agreement) -> str:
    """A code: in_force | not_yet | over | suspended, by the organisation's own day."""
    organization = tx.directory.organizations[agreement.organization_id]
    today = day_of(organization, tx.now)
    if today > agreement.ends_on:
        return "over"
    if today < agreement.starts_on:
        return "not_yet"
    return "suspended" if organization.suspended else "in_force"


def said(tx: Tx, agreement: Agreement, language: str) -> dict[str, str]:
    """What an agreement allows, in words."""
    words, catalogue = tx.catalogue.words, tx.catalogue
    organization = tx.directory.organizations[agreement.organization_id]
    return {
        "organization": names.named(organization.names, language),
        "purposes": ", ".join(agreement.purposes),
        "pathways": ", ".join(words(f"pathway.{p}", language) for p in agreement.pathways),
        "classes": ", ".join(words(f"class.{c}", language) for c in agreement.classes),
        "from": names.day_in_words(catalogue, agreement.starts_on, language),
        "until": names.day_in_words(catalogue, agreement.ends_on, language),
        "review": names.day_in_words(catalogue, agreement.review_on, language),
    }


def _reminders(tx: Tx, agreement: Agreement) -> Iterator[tuple[str, datetime]]:
    if agreement.organization_id not in tx.directory.organizations:
        return
    for what, day in (("review", agreement.review_on), ("end", agreement.ends_on)):
        for days in BEFORE:
            yield f"{agreement.id}:{what}:{days}", _morning(tx, agreement, day - timedelta(days=days))


def _morning(tx: Tx, agreement: Agreement, day: date) -> datetime:
    zone = tx.directory.organizations[agreement.organization_id].timezone
    return schedule.instant_of(day, AT, zone)
