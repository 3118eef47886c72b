"""What is shared for safety, as lists: for stewards, for whom it is about, for their export.

What somebody was not told is never in a list of theirs; the stewards have it each month.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from referrals.access import Action
from referrals.members import Enrolment, SafetyShare
from referrals.model import SYSTEM, Actor, AuditEntry, Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import Timer
from referrals.service.alarm import safety_plans
from referrals.service.common import names, tell

MONTHLY, MONTH = "share_month", "monthly"
EVERY = timedelta(days=30)


def current(tx: Tx) -> list[SafetyShare]:
    """What waits for a steward's yes, or is open now."""
    return tx.find(SafetyShare, ended_at=None)


def withheld(tx: Tx, since: datetime) -> list[SafetyShare]:
    """What was agreed to since then, and the person was not told of."""
    found = tx.find(SafetyShare, tell_person=False)
    return [share for share in found if share.agreed_at is not None and share.agreed_at >= since]


def begin(tx: Tx) -> None:
    """At the product's start: the monthly list is due in a month; one that waits already stays."""
    waiting = tx.get(Timer, f"{MONTHLY}:{MONTH}")
    if waiting is None or waiting.due_at > tx.now + EVERY:
        tx.set_timer(MONTHLY, MONTH, tx.now + EVERY)


def monthly(tx: Tx, subject: str) -> None:
    """Timer: the stewards hear how often in this month somebody was not told."""
    tx.set_timer(MONTHLY, subject, tx.now + EVERY)
    count = len(withheld(tx, tx.now - EVERY))
    if count:
        tx.audit(AuditEntry(SYSTEM, Action.REMIND, f"share:{subject}", str(count)))
        page = ((tell.page_button("button.look", "share"),),)
        params = {"count": str(count)}
        for steward in stewards(tx):
            tell.tell(tx, steward, "steward.safety_month", params, buttons=page, slot="share-month")


def about(tx: Tx, enrolment_id: str) -> list[SafetyShare]:
    """What the person and their mentors may know of: agreed to, and not withheld; the newest first."""
    found = tx.find(SafetyShare, enrolment_id=enrolment_id, tell_person=True)
    known = [(share.agreed_at, share) for share in found if share.agreed_at is not None]
    return [share for _, share in sorted(known, key=lambda each: each[0], reverse=True)]


def taken_home(tx: Tx, person_id: str, enrolment: Enrolment, language: str) -> dict[str, object]:
    """For the export of the person whom it is about: their plan, and what they may know was told."""
    plan = safety_plans.read(tx, safety_plans.Reader(Actor(person_id, Role.MEMBER), enrolment))
    headed = {tx.catalogue.words(f"page.safety.of.{name}", language): text for name, text in plan.items()}
    told = []
    for share in about(tx, enrolment.id):
        organization = tx.directory.organizations.get(share.organization_id)
        name = names.named(organization.names, language) if organization else ""
        told.append({"organization": name, "why": share.reason, "at": share.agreed_at, "until": share.until})
    return {"hard_days": [f"{head}: {text}" for head, text in headed.items() if text], "told": told}


def stewards(tx: Tx) -> list[str]:
    """Whoever fills a steward's post."""
    return [seat.person_id for seat in tx.find(Seat, role=Role.STEWARD) if seat.person_id]
