"""A lost phone, in one desk action: by the post whose holder calls, or by the matter a family calls about.

Nobody is looked up by name: a code or a post is what the caller can say, and who they are the desk hears on
the phone. Lifting it asks for the PIN on the desk's own device, because it lets somebody back in.
"""

from __future__ import annotations

from referrals.access import ALLOWED, Action
from referrals.errors import NotFound, PinNeeded
from referrals.persons import Presence, Seat
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.people import handover, joining, people
from referrals.views import Step


def lost_by_matter(tx: Tx, person_id: str, referral_id: str) -> None:
    """The phone of whoever filed this matter."""
    actor, referral = doors.desk_referral(tx, person_id, referral_id, Action.PHONE_LOST)
    people.lost_phone(tx, actor, referral.author_id)


def found_by_matter(tx: Tx, person_id: str, referral_id: str) -> None:
    """It is in the right hands again; PinNeeded while the desk's own device is locked."""
    actor, referral = doors.desk_referral(tx, person_id, referral_id, Action.PHONE_LOST)
    prove(tx)
    people.found_again(tx, actor, referral.author_id)


def lost_by_seat(tx: Tx, person_id: str, seat_id: str) -> None:
    """The phone of whoever fills this post; PinNeeded where they could end such a loss themselves.

    Else a stolen, unlocked desk phone could silence everybody who might stop it.
    """
    actor = joining.as_second(tx, person_id, Action.PHONE_LOST)
    holder = _holder(tx, seat_id)
    if any(seat.role in ALLOWED[Action.PHONE_LOST] for seat in doors.seats_of(tx, holder)):
        prove(tx)
    people.lost_phone(tx, actor, holder)


def found_by_seat(tx: Tx, person_id: str, seat_id: str) -> None:
    """As `found_by_matter`."""
    actor = joining.as_second(tx, person_id, Action.PHONE_LOST)
    prove(tx)
    people.found_again(tx, actor, _holder(tx, seat_id))


def step(tx: Tx, person_id: str) -> Step:
    """What the desk can do about somebody's phone now."""
    if handover.presence_of(tx, person_id) is Presence.LOST:
        return Step("found", "page.step.found", needs="yes")
    return Step("lost_phone", "page.step.lost_phone", needs="yes", danger=True)


def prove(tx: Tx) -> None:
    """What opens a door for somebody is never done by a phone that merely lies there unlocked."""
    if tx.reading_locked:
        raise PinNeeded


def _holder(tx: Tx, seat_id: str) -> str:
    seat = tx.get(Seat, seat_id)
    if seat is None or seat.person_id is None:
        raise NotFound
    return seat.person_id
