"""Somebody under 18: their own yes, who is told, and whether anybody at home may be spoken with.

'It is not safe' is `safety`: a partner reads it only where agreement and consent name that class. Whoever
may call reads no more than 'speak with nobody at home'.
"""

from __future__ import annotations

from referrals.errors import BadAnswer, Refused
from referrals.model import Actor, AgeGroup, DataClass, Referral, Role, Urgency, person_holder
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service.common import tell
from referrals.service.request import safe_times

FOCAL = "children"  # what a seat of the network file is the focal point for
NOT_SAFE = "not_safe"
# Whose yes it is: my own; it was read to the child, who said yes; too small to be asked; the child said no.
ASSENTS = ("own", "heard", "too_small", "no")


class AssentMissing(Refused):
    """Nobody has said whether the child agrees."""

    code = "error.assent_missing"


class ChildSaidNo(Refused):
    """The child does not want it: nothing is sent, whoever else has said yes."""

    code = "error.child_said_no"


def check(referral: Referral, assent: str, home: str, *, read_out: bool) -> str:
    """Whose yes it is, as it is written down; '' for somebody of age. AssentMissing, ChildSaidNo, BadAnswer.

    `read_out`: a mentor has read the words to the young person and heard the yes.
    """
    if home not in ("", *safe_times.HOMES):
        raise BadAnswer
    if referral.age_group is not AgeGroup.CHILD:
        return ""
    said = assent or ("heard" if read_out else "")
    if said == "no":
        raise ChildSaidNo
    if said not in ASSENTS and referral.urgency is Urgency.EMERGENCY:
        return ""  # what cannot wait, does not wait for a tick; the desk hears of both
    if said not in ASSENTS:
        raise AssentMissing
    return said


def seal_home(tx: Tx, actor: Actor, referral: Referral, home: str) -> None:
    """Whether somebody at home may be spoken with; where nobody has said so, nobody is."""
    if referral.age_group is not AgeGroup.CHILD:
        return
    holders = [person_holder(actor.person_id)]
    calls = safe_times.HOMES[home or "no"]
    tx.seal(referral.record, DataClass.CONTACT, safe_times.HOME, calls, holders)
    if home == NOT_SAFE or tx.sealed_exists(referral.record, DataClass.SAFETY):
        tx.seal(referral.record, DataClass.SAFETY, safe_times.HOME, home or "no", holders)


def tell_focal_point(tx: Tx, referral: Referral) -> None:
    """Whoever the network has named for children hears of it; where nobody of them does, the desk.

    A focal point outside the desk learns that there is one, and by which code to ask for it.
    """
    heard = False
    for seat in tx.find(Seat):
        if FOCAL in seat.focal and seat.person_id and seat.person_id != referral.author_id:
            look = tell.page_button("button.look", f"matter/{referral.id}")
            buttons = ((look,),) if seat.role is Role.COORDINATOR else ()
            slot = f"young:{referral.id}"
            said = {"code": referral.code}
            heard |= tell.tell(tx, seat.person_id, "desk.young_person", said, buttons=buttons, slot=slot)
    if not heard:
        # In a place of its own: it must not push an emergency's alert out of the outbox.
        tell.tell_desk(tx, "desk.young_person", referral, slot=f"young:{referral.id}")
