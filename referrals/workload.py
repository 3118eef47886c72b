"""How an organisation's queue is laid out for one of its workers: each matter on one heap. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from referrals.model import OfferStage, Stage, Urgency


class Heap(StrEnum):
    """In the order in which a worker's page shows them. Text keys 'part.work.<heap>'."""

    OVERDUE = "overdue"
    NEW = "new"  # an offer to be answered
    WAITING = "waiting"  # the person wrote last
    TODAY = "today"  # an appointment today
    RUNNING = "running"
    WAITLIST = "waitlist"


@dataclass(frozen=True, slots=True)
class Piece:
    """What is known of one matter at a partner. `offer_stage` None: it is held, and `stage` says how far."""

    urgency: Urgency
    since: datetime
    offer_stage: OfferStage | None = None
    stage: Stage | None = None
    promised: datetime | None = None  # what the partner owes, by when
    escalated: bool = False
    person_waits: bool = False  # the last word in the thread is the person's
    today: bool = False


_NEW = (OfferStage.SENT, OfferStage.SEEN, OfferStage.QUESTION)


def heap_of(piece: Piece, now: datetime) -> Heap:
    """The one heap on which a matter lies: what is late first."""
    late = piece.escalated or (piece.promised is not None and piece.promised < now)
    on: dict[Heap, bool] = {
        Heap.OVERDUE: late,
        Heap.NEW: piece.offer_stage in _NEW,
        Heap.WAITLIST: piece.offer_stage is OfferStage.WAITLISTED,
        Heap.WAITING: piece.person_waits,
        Heap.TODAY: piece.today,
    }
    return next((heap for heap in Heap if on.get(heap)), Heap.RUNNING)


def order(piece: Piece) -> tuple[int, bool, datetime]:
    """Least first: the most urgent, then what is promised soonest, then the oldest."""
    rank = [Urgency.EMERGENCY, Urgency.URGENT, Urgency.NORMAL].index(piece.urgency)
    return rank, piece.promised is None, piece.promised or piece.since
