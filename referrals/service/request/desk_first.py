"""Desk-first: while strangers flood the network, the desk looks at what they ask for before anybody is asked.

It binds only people who never had a confirmed matter; an emergency goes on at once. What is held waits in the
desk's queue under its own timer, whether the switch stands on or off.
"""

from __future__ import annotations

from dataclasses import replace

from referrals import limits, queues, schedule
from referrals.access import Action, allow
from referrals.lifecycle import Step
from referrals.limits import Doing
from referrals.model import AuditEntry, Referral, Role, Stage, Urgency
from referrals.persons import Switch
from referrals.ports import Tx
from referrals.service.common import complaints, doors, tell
from referrals.service.common.limits import everybodys
from referrals.service.matter import matching, offering

NAME = "desk_first"
SLOT = "desk-first"


def is_on(tx: Tx) -> bool:
    """Whether the desk looks first."""
    switch = tx.get(Switch, NAME)
    return switch is not None and switch.on


def throw(tx: Tx, person_id: str, on: bool) -> int:
    """Switch it on or off; how many requests wait for the first look. None of them is let go by this."""
    actor = doors.as_seat(tx, person_id, Role.COORDINATOR)
    allow(actor, Action.DESK_SWITCH)
    switch = tx.get(Switch, NAME, lock=True)
    if switch is None:
        tx.add(Switch(NAME, on, tx.now, person_id))
    elif switch.on is not on:
        tx.save(replace(switch, on=on, since=tx.now, by=person_id))
    tx.audit(AuditEntry(actor, Action.DESK_SWITCH, f"switch:{NAME}", "on" if on else "off"))
    waiting = held(tx)
    for seat in tell.coordinators(tx):
        if seat.person_id and seat.person_id != person_id:
            text = "desk.first_is_on" if on else "desk.first_is_off"
            tell.quietly(tx, seat.person_id, SLOT, text, {"count": str(waiting)})
    return waiting


def is_new(tx: Tx, person_id: str) -> bool:
    """Whether this is a stranger: no post, and no matter that was ever confirmed."""
    return not doors.seats_of(tx, person_id) and not tx.count(Referral, author_id=person_id, confirmed=True)


def looks_first(tx: Tx, before: Referral, filed: Referral) -> bool:
    """Whether what was just filed waits for the desk; choosing anew does not lead around its look."""
    if filed.urgency is Urgency.EMERGENCY or complaints.hidden(tx, filed):
        return False
    if not is_on(tx) or not is_new(tx, filed.author_id):
        return False
    return before.stage is Stage.DRAFT or _nobody_asked(before)


def hold(tx: Tx, filed: Referral) -> Referral:
    """Put it before the desk: nobody is asked until a coordinator lets it go."""
    after = offering.save_step(tx, filed, Step.HOLD, escalated=True)
    wait = matching.pathway_of(tx, after).deadlines[after.urgency].unmatched
    tx.set_timer("unmatched", after.id, tx.now + schedule.elapsed(wait))
    if queues.is_held(after):
        _tell_desk(tx)
    else:
        tell.tell_desk(tx, "desk.unmatched", after)  # there is nobody to look at it for
    return after


def _nobody_asked(referral: Referral) -> bool:
    """Whether it lies at the desk and nobody was asked yet, be it that nobody stands in its plan."""
    return referral.stage is Stage.UNMATCHED and not referral.hops and not referral.position


def held(tx: Tx) -> int:
    """How many wait for the first look: those of the desk's queue of that name."""
    shown = complaints.desk_pathways(tx)
    found = tx.find(Referral, stage=Stage.UNMATCHED, hops=0, position=0, pathway=shown)
    return sum(queues.is_held(referral) for referral in found)


def count_filing(tx: Tx, filed: Referral) -> None:
    """One more from a stranger; the desk is asked once an hour when they are too many."""
    if complaints.hidden(tx, filed) or not is_new(tx, filed.author_id):
        return
    count = everybodys(tx, Doing.FLOOD)
    if count != limits.LIMITS[Doing.FLOOD].most + 1 or is_on(tx):
        return
    on = tell.press("button.desk_first_on", "desk.first", "on")
    buttons = ((on,), (tell.page_button("button.look", "posts"),))
    for seat in tell.on_call(tx):
        if seat.person_id:
            shown = {"count": str(count)}
            tell.tell(tx, seat.person_id, "desk.many_requests", shown, buttons=buttons, slot=SLOT)


def _tell_desk(tx: Tx) -> None:
    """One message for all of them, which rings for the first and then only counts on."""
    waiting = held(tx)
    buttons = ((tell.page_button("button.all", "desk/held"),),)
    for seat in tell.on_call(tx):
        if seat.person_id:
            tell.tell(
                tx,
                seat.person_id,
                "desk.first_look",
                {"count": str(waiting)},
                buttons=buttons,
                slot=f"{SLOT}-queue",
                fresh=waiting == 1,
            )
