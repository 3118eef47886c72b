"""What happens to a matter after the yes: one partner after the other, or what else its pathway says."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from referrals.catalogue import Handling
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.joint import tasks
from referrals.service.matter import matching, offering

# A part of a plan is a matter like any other: its partners are asked one after the other.
OTHERWISE: Mapping[Handling, Callable[[Tx, str], None]] = {Handling.TASKS: tasks.begin}


def begin(tx: Tx, referral_id: str) -> None:
    """Timer 'match': the next step of whatever its pathway says comes after the yes."""
    referral = doors.referral_by_id(tx, referral_id)
    handling = matching.pathway_of(tx, referral).handling
    verb = offering.match if referral.task else OTHERWISE.get(handling, offering.match)
    verb(tx, referral_id)
