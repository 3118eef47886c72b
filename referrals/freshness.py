"""How far a word about room is believed as it grows old, and what a promise weighs after a time. Pure.

Nobody's list stays true by itself: what was said within a month is believed, what is older is believed less,
and after three months nobody knows. A dated 'full' fades like a dated 'open'; 'paused' is meant and stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import IntEnum

from referrals.directory import Capacity, Directory, Service
from referrals.model import Offer, OfferStage

FRESH = timedelta(days=30)
KNOWN = timedelta(days=90)

# What a promise weighs by its age: a lapse of last year says little about this one. Halves of halves, so that
# sums are exact and their order tells nothing.
WEIGHTS = (
    (timedelta(days=90), 1.0),
    (timedelta(days=180), 0.5),
    (timedelta(days=365), 0.25),
    (timedelta(days=730), 0.125),
)
REMEMBERED = WEIGHTS[-1][0]

_ANSWERED = (OfferStage.ACCEPTED, OfferStage.DECLINED, OfferStage.WAITLISTED, OfferStage.QUESTION)


class Belief(IntEnum):
    """Less is better."""

    SAID = 0
    OLD = 1
    UNKNOWN = 2


def belief(service: Service, day: date) -> Belief:
    """How far a service's word about room is believed on this day."""
    said = service.capacity_confirmed_on
    if said is None or day - said > KNOWN:
        return Belief.UNKNOWN
    return Belief.SAID if day - said <= FRESH else Belief.OLD


def room(service: Service, day: date) -> Capacity | None:
    """What is known about room; None when nobody knows any more.

    A 'full' that nobody dated stays: whoever wrote it down has not said since when.
    """
    if service.capacity is Capacity.PAUSED or belief(service, day) is not Belief.UNKNOWN:
        return service.capacity
    if service.capacity is Capacity.FULL and service.capacity_confirmed_on is None:
        return service.capacity
    return None


def stale(directory: Directory, day: date) -> tuple[Service, ...]:
    """Services whose word about room is no longer believed, the longest silent first; paused ones left out.

    Nor those of suspended organisations: nobody is sent there.
    """
    found = [
        service
        for service in directory.services.values()
        if belief(service, day) is not Belief.SAID and service.capacity is not Capacity.PAUSED
        if _works(directory, service)
    ]
    return tuple(sorted(found, key=lambda s: (s.capacity_confirmed_on or date.min, s.id)))


def weight(at: datetime, now: datetime) -> float:
    """What a promise of that moment weighs now: 1 for a recent one, 0 for what is forgotten."""
    return next((share for age, share in WEIGHTS if now - at <= age), 0.0)


def promises(offers: Iterable[Offer], now: datetime) -> tuple[float, float]:
    """Kept and missed, each weighted by its age: an answer of any kind is a promise kept, a lapse is not."""
    kept = missed = 0.0
    for offer in offers:
        if offer.stage in _ANSWERED:
            kept += weight(offer.decided_at or offer.asked_at or offer.sent_at, now)
        elif offer.stage is OfferStage.LAPSED:
            missed += weight(offer.decided_at or offer.sent_at, now)
    return kept, missed


def newest_word(stored: Service, said: Service) -> Service:
    """A file's service with the word about room that counts: the file's only where its date is newer.

    What a partner says with a tap must not be undone by a file that somebody wrote before. Where nobody has
    ever said anything with a date, the file counts.
    """
    ours, theirs = stored.capacity_confirmed_on, said.capacity_confirmed_on
    if ours is None or (theirs is not None and theirs > ours):
        return said
    return _with_room(said, stored)


def _with_room(service: Service, other: Service) -> Service:
    return replace(service, capacity=other.capacity, capacity_confirmed_on=other.capacity_confirmed_on)


def _works(directory: Directory, service: Service) -> bool:
    organization = directory.organizations.get(service.organization_id)
    return organization is not None and not organization.suspended
