"""A confirmation of attendance: which period, when its answer leaves, and why it says nothing.

Whoever asks on its own gets the same words after the same time, whatever there is to say (domain.md,
'attendance-confirmation'). So the time depends on who asks and when, and on nothing that was asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum

from referrals import consent as consents
from referrals import schedule
from referrals.catalogue import Handling, Pathway
from referrals.directory import Directory, OpeningTimes, Organization
from referrals.errors import BadAnswer
from referrals.model import Stage

ANSWER_AFTER = 5  # working days of whoever asks: so long the person has to say yes
# Choices of a period that ends today, in days. Who came is kept for a year.
PERIODS: Mapping[str, int] = {"month": 30, "quarter": 91, "half": 182, "year": 364}


class Why(StrEnum):
    """Why nothing was sent: for the person and the desk alone."""

    UNKNOWN = "unknown"
    NO_YES = "no_yes"
    NO_AGREEMENT = "no_agreement"
    NOT_THERE = "not_there"
    TAKEN_BACK = "taken_back"  # a yes by word, by its code or by whoever heard it
    OVER = "over"  # it was sent, and its yes or the agreement has ended since


def period(choice: str, today: date) -> tuple[date, date]:
    """First and last day of a chosen period; BadAnswer for one that is no choice."""
    if choice not in PERIODS:
        raise BadAnswer
    return today - timedelta(days=PERIODS[choice]), today


def answer_at(times: OpeningTimes, asked_at: datetime) -> datetime:
    """When the answer to a body's own question leaves: the same for everything that it may have asked."""
    return schedule.working_days_after(times, asked_at, ANSWER_AFTER)


def times_in(days: Iterable[date], first_on: date, last_on: date) -> int:
    """On how many of these days somebody was there, first and last day included."""
    return sum(first_on <= day <= last_on for day in days)


def pathway_of(pathways: Iterable[Pathway]) -> Pathway | None:
    """The pathway along which something is sent instead of somebody being asked."""
    return next((each for each in pathways if each.handling is Handling.CONFIRMATION), None)


def may_receive(directory: Directory, pathway: Pathway, organization: Organization, now: datetime) -> bool:
    """Whether an agreement in force today names this pathway and every class that a confirmation carries."""
    if organization.suspended or organization.kind not in pathway.receivers:
        return False
    day = consents.day_of(organization, now)
    agreement = consents.agreement_for(directory, organization.id, pathway.id, day, pathway.purposes)
    return agreement is not None and set(pathway.classes[Stage.ACCEPTED]) <= set(agreement.classes)


def why_nothing(*, known: bool, agreed: bool, bound: bool, came: int) -> Why | None:
    """The first reason for which nothing is sent; None when something is."""
    if not known:
        return Why.UNKNOWN
    if not agreed:
        return Why.NO_YES
    if not bound:
        return Why.NO_AGREEMENT
    return None if came else Why.NOT_THERE
