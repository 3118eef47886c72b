"""A worker's queue: what the organisation was asked and what it holds, in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from referrals import schedule, workload
from referrals.access import Action
from referrals.casework import Appointment, AppointmentState
from referrals.lifecycle import LIVE_OFFERS, OPEN
from referrals.model import Offer, OfferStage, Referral, Role, Stage, ThreadEntry
from referrals.ports import Tx
from referrals.said import Timer
from referrals.service.common import complaints, doors, tell
from referrals.service.turns import beginning
from referrals.workload import Heap, Piece

# A matter's timers that are a promise of the partner's, and what is promised: 'part.next.<what>'.
CONTACT, BEGIN = "contact", "begin"  # the second, where a partner is given no way to the person
OF_MATTER = {"first_contact": CONTACT, "heartbeat": "news", "confirm_wait": "their_word"}
OF_OFFER = {"offer_end": "answer", "wait_review": "review"}
OWED = ("first_contact", "offer_end")  # late once its time is over; the others ask by themselves
DATE = "appointment"


@dataclass(frozen=True, slots=True)
class Case:
    """One matter as the partner knows it: by its offer. `whose`: who took it, None for an open offer."""

    offer: Offer
    referral: Referral
    heap: Heap
    piece: Piece
    whose: str | None
    next_key: str = ""
    next_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Gathered:
    timers: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)  # subject -> kind -> due
    dates: Mapping[str, datetime] = field(default_factory=dict)  # offer -> its next appointment
    waits: frozenset[str] = frozenset()  # offers in whose thread the person wrote last


def cases(tx: Tx, person_id: str) -> tuple[Case, ...]:
    """Everything that lies at the organisations where this person works, in the order of the day."""
    doors.may(tx, person_id, Action.SERVICE_HAND)
    works = [seat for seat in doors.seats_of(tx, person_id) if seat.role is Role.WORKER]
    organizations = sorted({seat.organization_id for seat in works if seat.organization_id})
    held = tx.find(Referral, organization_id=organizations, stage=OPEN)
    live = tx.find(Offer, organization_id=organizations, stage=LIVE_OFFERS)
    taken = tx.find(Offer, id=sorted({r.offer_id for r in held if r.offer_id}))
    asked = tx.find(Referral, id=sorted({offer.referral_id for offer in live}))
    matters = {r.id: r for r in (*held, *asked) if complaints.may_know(tx, person_id, r)}
    offers = {o.id: o for o in (*live, *taken) if o.referral_id in matters}
    gathered = _gather(tx, offers, matters)
    found = [_case(tx, offer, matters[offer.referral_id], gathered) for offer in offers.values()]
    here = [c for c in found if c.offer.id in (c.referral.offer_id, c.referral.next_offer_id)]
    return tuple(sorted(here, key=lambda c: (*workload.order(c.piece), c.offer.id)))


def _gather(tx: Tx, offers: Mapping[str, Offer], matters: Mapping[str, Referral]) -> _Gathered:
    timers: dict[str, dict[str, datetime]] = {}
    for timer in tx.find(Timer, subject=sorted({*offers, *matters})):
        timers.setdefault(timer.subject, {})[timer.kind] = timer.due_at
    dates: dict[str, datetime] = {}
    for date in tx.find(Appointment, offer_id=sorted(offers), state=AppointmentState.SET):
        dates[date.offer_id] = min(date.at, dates.get(date.offer_id, date.at))
    last: dict[str, ThreadEntry] = {}
    for entry in tx.find(ThreadEntry, offer_id=sorted(offers)):
        if entry.offer_id not in last or last[entry.offer_id].written_at <= entry.written_at:
            last[entry.offer_id] = entry
    return _Gathered(timers, dates, frozenset(o for o, entry in last.items() if not entry.from_partner))


def _case(tx: Tx, offer: Offer, referral: Referral, gathered: _Gathered) -> Case:
    accepted = offer.stage is OfferStage.ACCEPTED
    what, by = _next(offer, referral, gathered, accepted)
    if what == CONTACT and referral.task and not beginning.reaches(tx, referral):
        what = BEGIN  # only parts of plans go to such a partner, and they are few
    date = gathered.dates.get(offer.id)
    due = gathered.timers.get(referral.id if accepted else offer.id, {})
    piece = Piece(
        urgency=referral.urgency,
        since=offer.decided_at or offer.sent_at,
        offer_stage=None if accepted else offer.stage,
        stage=referral.stage if accepted else None,
        promised=min((at for kind, at in due.items() if kind in OWED), default=None),
        escalated=accepted and referral.escalated and referral.stage is not Stage.DISPUTED,
        person_waits=offer.id in gathered.waits,
        today=date is not None and _same_day(tx, offer, date),
    )
    heap = workload.heap_of(piece, tx.now)
    whose = referral.accepted_by if accepted else None
    return Case(offer, referral, heap, piece, whose, f"part.next.{what}" if by else "", by)


def _next(
    offer: Offer, referral: Referral, gathered: _Gathered, accepted: bool
) -> tuple[str, datetime | None]:
    """What comes next for the partner, and when."""
    subject, names = (referral.id, OF_MATTER) if accepted else (offer.id, OF_OFFER)
    due = gathered.timers.get(subject, {})
    found = [(at, names[kind]) for kind, at in due.items() if kind in names]
    if date := gathered.dates.get(offer.id):
        found.append((date, DATE))
    if not found:
        return "", None
    at, what = min(found)
    return what, at


def _same_day(tx: Tx, offer: Offer, at: datetime) -> bool:
    organization = tx.directory.organizations.get(offer.organization_id)
    zone = organization.timezone if organization else "UTC"
    return schedule.local(at, zone).date() == schedule.local(tx.now, zone).date()


def mine(found: Iterable[Case], person_id: str) -> tuple[Case, ...]:
    """What this very worker took, or was asked about."""
    return tuple(c for c in found if c.whose == person_id or (c.whose is None and person_id in c.offer.told))


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Who hears of somebody's matters while they are off duty."""

    matters: int  # which they hold
    colleagues: int  # on duty, who would hear of all of them


def meanwhile(tx: Tx, person_id: str) -> Meanwhile:
    """Counted over all organisations at which somebody works: the fewest colleagues count."""
    works = [seat for seat in doors.seats_of(tx, person_id) if seat.role is Role.WORKER]
    there = [
        len([s for s in tell.workers(tx, seat.organization_id) if s.person_id != person_id])
        for seat in works
        if seat.organization_id
    ]
    held = tx.count(Referral, accepted_by=person_id, stage=OPEN) if works else 0
    return Meanwhile(held, min(there, default=0))
