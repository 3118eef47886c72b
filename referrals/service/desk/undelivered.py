"""What Telegram refused for good: seen, sent again or given up by whoever looks after the network.

Nothing is told of whom it was for but a post's name; what it says, a chat may carry.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from referrals.access import Action, allow
from referrals.errors import NotFound
from referrals.model import Actor, AuditEntry, Offer, Referral, Role
from referrals.persons import Seat
from referrals.ports import Tx, Undelivered
from referrals.said import Priority
from referrals.service.common import complaints, doors, tell
from referrals.service.help import focal

TIMER, SUBJECT, SLOT = "undelivered", "outbox", "undelivered"
_MORNING = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Refused:
    """One of them, as it may be shown. `post` is a seat's name, '' for somebody without one."""

    notice: Undelivered
    post: str
    words: str


def tell_desk(tx: Tx, subject: str) -> None:
    """Timer, set by each refusal: whoever is on call hears of it, once a day at most."""
    waiting = tx.undelivered()
    if not waiting:
        return
    if not tx.first_time(f"undelivered:{tx.now:%Y-%m-%d}"):
        today = tx.now.replace(hour=0, minute=0, second=0, microsecond=0)
        tx.set_timer(TIMER, subject, today + timedelta(days=1) + _MORNING)
        return
    button = tell.page_button("button.look", "posts")
    for_desk = [notice for notice in waiting if not of_a_complaint(tx, notice)]
    for seat in tell.on_call(tx) if for_desk else tx.find(Seat, role=Role.STEWARD):
        if seat.person_id:
            params = {"count": str(len(for_desk or waiting))}
            buttons, bulk = ((button,),), Priority.BULK
            tell.tell(
                tx, seat.person_id, "desk.undelivered", params, buttons=buttons, slot=SLOT, priority=bulk
            )


def listed(tx: Tx, actor: Actor, language: str) -> tuple[Refused, ...]:
    """All of them, the oldest first; a coordinator finds none about a complaint. NotAllowed."""
    allow(actor, Action.OUTBOX_SEE)
    found = tx.undelivered()
    if actor.role is Role.COORDINATOR:
        found = [notice for notice in found if not of_a_complaint(tx, notice)]
    return tuple(_shown(tx, notice, language) for notice in found)


def counted(refused: tuple[Refused, ...]) -> dict[str, int]:
    """How many of each code, the most frequent first."""
    return dict(Counter(one.notice.code for one in refused).most_common())


def send_again(tx: Tx, actor: Actor, notice_id: int) -> None:
    """One of them is sent as if it were new. NotFound when it is none of them any more."""
    _theirs(tx, actor, notice_id)
    if not tx.send_again(notice_id):
        raise NotFound
    tx.audit(AuditEntry(actor, Action.OUTBOX_RESEND, f"notice:{notice_id}", "again"))


def drop(tx: Tx, actor: Actor, notice_id: int) -> None:
    """One of them is given up. NotFound as above."""
    _theirs(tx, actor, notice_id)
    if not tx.drop_undelivered(notice_id):
        raise NotFound
    tx.audit(AuditEntry(actor, Action.OUTBOX_RESEND, f"notice:{notice_id}", "dropped"))


def _theirs(tx: Tx, actor: Actor, notice_id: int) -> None:
    """What a coordinator does not see, they neither send nor give up by guessing its number."""
    allow(actor, Action.OUTBOX_RESEND)
    known = (notice for notice in tx.undelivered() if notice.id == notice_id)
    if actor.role is Role.COORDINATOR and any(of_a_complaint(tx, notice) for notice in known):
        raise NotFound


def of_a_complaint(tx: Tx, notice: Undelivered) -> bool:
    """Whether it names, by either code, a matter that the desk knows nothing of, or says that one waits."""
    code = notice.params.get("code", "")
    if notice.text in focal.SAID:
        return True
    found = tx.find(Referral, code=code) if code else []
    found += tx.find(Referral, id=[offer.referral_id for offer in tx.find(Offer, code=code)]) if code else []
    return any(complaints.hidden(tx, referral) for referral in found)


def _shown(tx: Tx, notice: Undelivered, language: str) -> Refused:
    seats = doors.seats_of(tx, notice.person_id)
    say = tx.catalogue.words
    params = {
        name: say(value[1:], language) if value.startswith("@") else value
        for name, value in notice.params.items()
    }
    return Refused(notice, seats[0].id if seats else "", say(notice.text, language, **params))
