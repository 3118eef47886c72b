"""Which of the desk's queues a matter stands in, and which matter is looked at first. Pure.

Each matter stands in one queue, the first of QUEUES that fits, so that their counts add up to what waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from referrals.lifecycle import ENDED
from referrals.model import AgeGroup, Referral, Stage, Urgency


class Queue(StrEnum):
    """In the order in which a page shows them. Text keys 'part.desk.<queue>' and 'button.desk_<queue>'."""

    CUT_OFF = "cut_off"  # its partner may not work on: the yes or the agreement has ended
    DISPUTED = "disputed"
    UNMATCHED = "unmatched"
    UNANSWERED = "unanswered"  # nobody has looked at the live offer in the time promised for that
    OVERDUE = "overdue"  # marked for the desk while somebody else owes the next step
    HELD = "held"  # the desk looks first
    CHECK = "check"  # a yes by word of which the desk asks whether it is true
    PART = "part"  # a part of a plan under way is the desk's own to do
    YOUNG = "young"  # somebody under 18, and nobody helps yet


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of a matter besides its own row."""

    cut_off: bool = False
    unseen: bool = False
    to_check: bool = False
    own_part: bool = False


_RANK = {Urgency.EMERGENCY: 0, Urgency.URGENT: 1, Urgency.NORMAL: 2}
_NOT_YET = (Stage.DRAFT, Stage.AWAITING_CONSENT)
_LOOKED_FOR = (Stage.MATCHING, Stage.OFFERED, Stage.WAITLISTED)


def queue_of(referral: Referral, signs: Signs = Signs()) -> Queue | None:
    """The queue in which a matter waits for the desk; None while it waits for somebody else."""
    if referral.stage in ENDED or referral.stage in _NOT_YET:
        return None
    fits = {
        Queue.CUT_OFF: signs.cut_off and referral.organization_id is not None,
        Queue.DISPUTED: referral.stage is Stage.DISPUTED,
        Queue.HELD: is_held(referral),
        Queue.UNMATCHED: referral.stage is Stage.UNMATCHED and not is_held(referral),
        Queue.UNANSWERED: signs.unseen and referral.stage is Stage.OFFERED,
        Queue.OVERDUE: referral.escalated,
        Queue.CHECK: signs.to_check,
        Queue.PART: signs.own_part,
        Queue.YOUNG: referral.age_group is AgeGroup.CHILD and referral.stage in _LOOKED_FOR,
    }
    return next((queue for queue in Queue if fits[queue]), None)


def is_held(referral: Referral) -> bool:
    """Nobody of its plan was asked yet, because the desk looks first."""
    nobody_asked = not referral.hops and not referral.position
    return referral.stage is Stage.UNMATCHED and nobody_asked and bool(referral.plan)


def order(referral: Referral) -> tuple[int, datetime, str]:
    """Least first: the most urgent, and of these whoever has waited longest."""
    return _RANK[referral.urgency], referral.stage_since, referral.id
