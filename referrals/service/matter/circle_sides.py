"""The sides of a circle as other verbs need to know them: whom an invited side may ask, and when one ends.

Kept apart from `circles.py` so that plans, keys and retention can use it: it knows no plan and no page.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from referrals import circles
from referrals.access import Action
from referrals.casework import Circle, CircleInvitation, CircleSide, CircleState
from referrals.catalogue import Handling
from referrals.lifecycle import ENDED
from referrals.model import SYSTEM, AuditEntry, Referral
from referrals.ports import Tx
from referrals.service.common import tell

WAITS, OVER = "circle", "circle_over"  # timers: of a circle, of a side


def side_of(tx: Tx, referral: Referral) -> CircleSide | None:
    """The side that this matter is, if it is one."""
    return tx.get(CircleSide, referral.id) if is_circle(tx, referral) else None


def is_circle(tx: Tx, referral: Referral) -> bool:
    """Whether a matter's pathway leads to a circle."""
    pathway = tx.catalogue.pathways.get(referral.pathway)
    return pathway is not None and pathway.handling is Handling.CIRCLE


def of_circle(tx: Tx, circle_id: str) -> list[CircleSide]:
    """The sides of a circle; the one that began it first."""
    return sorted(tx.find(CircleSide, circle_id=circle_id), key=lambda side: (side.invited, side.id))


def others(tx: Tx, referral: Referral) -> frozenset[str]:
    """The organisations that an invited side may not ask: all but the one that prepares its circle."""
    side = side_of(tx, referral)
    circle = tx.get(Circle, side.circle_id) if side is not None and side.invited else None
    if circle is None:
        return frozenset()
    return frozenset(tx.directory.organizations) - {circle.organization_id}


def hour(side: CircleSide) -> str:
    """The subject of a side's timer: not its matter's own, which is cleared whenever the matter moves."""
    return f"side:{side.id}"


def follow(tx: Tx, referral: Referral) -> None:
    """A matter has changed hands or ended: whose circle it was part of, stops with it."""
    side = side_of(tx, referral)
    circle = tx.get(Circle, side.circle_id, lock=True) if side is not None else None
    if side is None or circle is None or circles.over(circle):
        return
    ended = referral.stage in ENDED
    if side.invited and side.first_yes_at is None:
        if ended:  # there never was another side: whoever leads it may ask again, or stop
            forget(tx, referral.id)
        return
    held = circle.state is CircleState.HELD  # they have met: the matter may be closed
    if (ended and not held) or referral.organization_id != circle.organization_id:
        stop(tx, circle, side.id)


def in_touch(tx: Tx, referral: Referral) -> None:
    """Whoever leads a circle has spoken with a side: an invited one is asked now, as the first one was."""
    side = side_of(tx, referral)
    if side is None or not side.invited or side.first_yes_at is not None:
        return
    circle = tx.get(Circle, side.circle_id)
    if circle is not None and circles.seen(circle, side, tx.now) is not CircleState.STOPPED:
        tell_side(tx, referral, "matter.circle_asks")  # whoever has not heard of a stop is asked as ever


def tell_side(tx: Tx, referral: Referral, text: str) -> None:
    """A word to a side, with the way to its page; never what it is about."""
    page = ((tell.page_button("button.look", f"circle/{referral.id}"),),)
    slot = f"circle:{referral.id}"
    tell.tell(tx, referral.author_id, text, {"code": referral.code}, buttons=page, slot=slot)


def taken_home(tx: Tx, referral: Referral) -> dict[str, object] | None:
    """What is held of somebody's own side, for their archive; None where their matter is none."""
    side = side_of(tx, referral)
    if side is None:
        return None
    return {"first_yes": side.first_yes_at, "second_yes": side.second_yes_at, "prepared": list(side.steps)}


def stop(tx: Tx, circle: Circle, by: str) -> Circle:
    """Stop it for good (the caller holds its lock). `by`: the side that did it, or ''.

    Whoever sees it stopped at once, did it: when the last one has heard, not even the rows tell (`told`).
    """
    sides = of_circle(tx, circle.id)
    hours = {side.id: tx.now + timedelta(seconds=tx.draw(*circles.OVER_DELAY_S)) for side in sides}
    stopped, told = circles.ends(circle, sides, by, hours, tx.now)
    for side in told:
        saved = tx.save(side)
        if side.id != by:
            tx.set_timer(OVER, hour(side), hours[side.id])
        note(tx, Action.REFERRAL_STEP, saved, "over")
    lapses = tx.now + timedelta(seconds=tx.draw(*circles.OVER_DELAY_S))
    for invitation in tx.find(CircleInvitation, circle_id=circle.id):
        if invitation.expires_at > lapses:  # an invitation that vanished at once would tell
            tx.save(replace(invitation, expires_at=lapses))
    tx.clear_timer(WAITS, circle.id)
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"circle:{circle.id}", "stopped"))
    return tx.save(stopped)


def hears_now(tx: Tx, side: CircleSide) -> None:
    """It has stopped already, and this side stops it, too: it sees so at once, whatever hour was drawn.

    Both rows are written and spoken of alike, else the audit would say who was the second, and so the first.
    """
    for each in of_circle(tx, side.circle_id):
        at = tx.now if each.id == side.id else each.over_at
        note(tx, Action.REFERRAL_STEP, tx.save(replace(each, over_at=at)), "over")
    told(tx, replace(side, over_at=tx.now))


def told(tx: Tx, side: CircleSide) -> None:
    """A side has heard; once all have, nothing is left of who had known first."""
    tx.clear_timer(OVER, hour(side))
    sides = of_circle(tx, side.circle_id)
    if all(each.over_at is None or each.over_at <= tx.now for each in sides):
        for each in sides:
            saved = tx.save(replace(each, over_at=None, shown=""))
            note(tx, Action.REFERRAL_STEP, saved, "told")


def forget(tx: Tx, referral_id: str) -> None:
    """Retention: a side goes with its matter, a circle with its last side."""
    side = tx.get(CircleSide, referral_id)
    if side is None:
        return
    circle = tx.get(Circle, side.circle_id, lock=True)
    tx.clear_timer(OVER, hour(side))
    tx.remove(side)
    if circle is not None and not of_circle(tx, circle.id):
        for invitation in tx.find(CircleInvitation, circle_id=circle.id):
            tx.remove(invitation)
        tx.clear_timers(circle.id)
        tx.destroy(circle.record)
        tx.remove(circle)
    tx.audit(AuditEntry(SYSTEM, Action.RETENTION, f"circle:{side.circle_id}"))


def note(tx: Tx, action: Action, side: CircleSide, detail: str) -> None:
    """The audit's row of a step of the system about one side."""
    tx.audit(AuditEntry(SYSTEM, action, f"circle_side:{side.id}", detail))
