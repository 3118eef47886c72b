"""What waits for the desk, by queue: gathered in a fixed number of statements, however much waits.

A matter that the desk does not open (`Pathway.desk_sees`) and a coordinator's own one never appear.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from referrals import queues
from referrals.access import Action, allow
from referrals.lifecycle import ENDED
from referrals.model import AgeGroup, Offer, OfferStage, Referral, Role, Stage
from referrals.ports import Tx
from referrals.queues import Queue, Signs
from referrals.said import Timer
from referrals.service.common import doors, tell
from referrals.service.help import working
from referrals.service.matter import task_people, tracking
from referrals.service.request import word_checks

MOST = 200  # of the offers that nobody has looked at; more than that is one matter: nobody answers any more
HELD_BY_DESK = (Stage.UNMATCHED, Stage.DISPUTED)
_TURNS = (Stage.OFFERED, Stage.WAITLISTED)  # what is promised is a partner's word
LOOKED_FOR = (Stage.MATCHING, Stage.OFFERED, Stage.WAITLISTED)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A matter in its queue. `next_by`: until when the next thing is promised.

    `held_by`: who has taken it up and is there; None: it is anybody's (see `tell.desk_holder`).
    """

    referral: Referral
    queue: Queue
    next_by: datetime | None
    held_by: str | None = None


def waiting(tx: Tx, person_id: str) -> tuple[Waiting, ...]:
    """Everything that waits for the desk, the most urgent first, and of these the oldest."""
    allow(doors.as_seat(tx, person_id, Role.COORDINATOR), Action.DESK_LIST)
    unseen = {o.referral_id for o in tx.overdue(Offer, "acknowledge_by", tx.now, MOST, stage=OfferStage.SENT)}
    checks = word_checks.open_ones(tx)
    to_check = {r.id for r in checks}
    parts = task_people.with_desk_part(tx)
    own_part = {r.id for r in parts}
    found = {r.id: r for r in (*_candidates(tx, unseen), *checks, *parts) if _may_see(tx, person_id, r)}
    timers = _timers(tx, found.values())
    promised = _promised(tx, found, timers)
    there = {seat.person_id for seat in tell.coordinators(tx) if seat.on_duty}
    cut_off = {timer.subject for timer in timers if timer.kind == working.CUT_OFF}
    shown: list[Waiting] = []
    for referral in sorted(found.values(), key=queues.order):
        at = referral.id
        signs = Signs(at in cut_off, at in unseen, at in to_check, at in own_part)
        queue = queues.queue_of(referral, signs)
        if queue is not None:
            held_by = referral.desk_id if referral.desk_id in there else None
            shown.append(Waiting(referral, queue, promised.get(referral.id), held_by))
    # A part may have weeks until its day, which is sealed: it never stands above what waits now.
    return tuple(sorted(shown, key=lambda one: one.queue is Queue.PART))


def by_queue(found: Iterable[Waiting]) -> Mapping[Queue, tuple[Waiting, ...]]:
    """The queues in which something waits, in their order."""
    kept = tuple(found)
    sorted_in = {queue: tuple(w for w in kept if w.queue is queue) for queue in Queue}
    return {queue: those for queue, those in sorted_in.items() if those}


def promises(tx: Tx, referrals: Iterable[Referral]) -> dict[str, datetime]:
    """Matter id to the instant until which the next thing is promised: as `tracking.next_by`, for many."""
    wanted = {referral.id: referral for referral in referrals}
    return _promised(tx, wanted, _timers(tx, wanted.values()))


def _timers(tx: Tx, referrals: Iterable[Referral]) -> list[Timer]:
    """The timers of these matters and of their offers."""
    subjects = {subject for r in referrals for subject in (r.id, r.offer_id) if subject}
    return tx.find(Timer, subject=sorted(subjects))


def _promised(tx: Tx, wanted: Mapping[str, Referral], timers: Iterable[Timer]) -> dict[str, datetime]:
    turns = {r.offer_id: r.id for r in wanted.values() if r.stage in _TURNS and r.offer_id}
    found: dict[str, datetime] = {}
    for timer in timers:
        of = turns.get(timer.subject) or (timer.subject if timer.subject not in turns.values() else "")
        if of and timer.kind in (tracking.TURN if timer.subject in turns else tracking.PROMISES):
            found[of] = min(timer.due_at, found.get(of, timer.due_at))
    silent = [offer_id for offer_id, of in turns.items() if of not in found]
    return found | {o.referral_id: o.decide_by for o in tx.find(Offer, id=silent)}


def _candidates(tx: Tx, ids: Iterable[str]) -> Iterator[Referral]:
    yield from tx.find(Referral, stage=HELD_BY_DESK)
    yield from tx.find(Referral, escalated=True)
    yield from tx.find(Referral, age_group=AgeGroup.CHILD, stage=LOOKED_FOR)
    yield from tx.find(Referral, id=sorted(ids))


def _may_see(tx: Tx, person_id: str, referral: Referral) -> bool:
    """As `doors.desk_referral` says, without a lock for each."""
    if referral.stage in ENDED or referral.author_id in ("", person_id):
        return False
    pathway = tx.catalogue.pathways.get(referral.pathway)
    return pathway is not None and pathway.desk_sees
