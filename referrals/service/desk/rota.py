"""Who is on call, who comes next, and the steward's warning of hours in which nobody is.

What the rota says is `referrals/rota.py`'s to find; here it meets posts and whoever can be reached.
"""

from __future__ import annotations

from datetime import timedelta

from referrals import rota
from referrals.access import Action
from referrals.model import SYSTEM, AuditEntry, Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.rota import Stretch
from referrals.said import Priority, Timer
from referrals.service.common import duties, tell

TIMER, DAILY = "rota", "daily"
EVERY = timedelta(days=1)
SLOT = "rota"


def on_call(tx: Tx) -> list[Seat]:
    """The coordinators whom the rota names now and who can be reached; perhaps nobody."""
    named = duties.named(tx)
    return [seat for seat in tell.coordinators(tx) if seat.id in named and seat.on_duty]


def next_up(tx: Tx) -> list[Seat]:
    """The coordinator whose turn comes next, among those who can be reached; one or none."""
    there = {seat.id: seat for seat in tell.coordinators(tx) if seat.on_duty}
    found = rota.next_up(tx.directory.duties, tx.now, there, duties.swapped(tx))
    return [there[found]] if found else []


def open_hours(tx: Tx) -> tuple[Stretch, ...]:
    """The stretches of the next seven days that nobody covers: no turn, or the turn of an empty post."""
    filled = {seat.id for seat in tx.find(Seat, role=Role.COORDINATOR) if seat.person_id}
    return rota.uncovered(tx.directory.duties, tx.now, swapped=duties.swapped(tx), filled=filled)


def begin(tx: Tx) -> None:
    """At the product's start: the first look is due in a day; one that waits already stays."""
    waiting = tx.get(Timer, f"{TIMER}:{DAILY}")
    if waiting is None or waiting.due_at > tx.now + EVERY:
        tx.set_timer(TIMER, DAILY, tx.now + EVERY)


def daily(tx: Tx, subject: str) -> None:
    """Timer: once a day the stewards hear of hours that nobody covers, seven days ahead."""
    tx.set_timer(TIMER, subject, tx.now + EVERY)
    warn(tx)


def warn(tx: Tx) -> None:
    """The stewards hear how many of the next seven days' hours nobody covers, if there are any."""
    found = open_hours(tx)
    if not found:
        return
    hours = sum((end - start for start, end in found), timedelta())
    params = {"hours": str(max(1, round(hours / timedelta(hours=1))))}
    page = ((tell.page_button("button.look", "posts"),),)
    tx.audit(AuditEntry(SYSTEM, Action.REMIND, f"rota:{DAILY}", params["hours"]))
    for seat in tx.find(Seat, role=Role.STEWARD):
        if seat.person_id:
            tell.tell(
                tx, seat.person_id, "steward.rota", params, buttons=page, slot=SLOT, priority=Priority.BULK
            )
