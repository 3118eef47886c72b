"""What is told of one quarter to whoever looks after the network: asked for by name, once it is settled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from referrals.access import Action, allow
from referrals.errors import BadAnswer
from referrals.model import Actor, AuditEntry
from referrals.ports import Tx
from referrals.quarters import months, quarters, settles_at
from referrals.said import Timer

MOST = 500  # timers that are looked at in one turn


def asked(
    tx: Tx, actor: Actor, action: Action, table: str, timer: str, stretch: tuple[date, date]
) -> Sequence[date]:
    """The months of a quarter that may be counted. Leaves an audit row: who asked for which months.

    `table`: what is counted; `timer`: the kind of what waits to be written there. BadAnswer for any stretch
    but a whole quarter, and while something may still be added to it.
    """
    allow(actor, action)
    if stretch not in quarters(*stretch) or not _written_down(tx, timer, stretch[1]):
        raise BadAnswer
    tx.audit(AuditEntry(actor, action, f"{table}:{stretch[0]:%Y-%m}.{stretch[1]:%Y-%m}"))
    return months(*stretch)


def _written_down(tx: Tx, timer: str, last: date) -> bool:
    """Whether the month is settled; a product that stood still may have something left to write."""
    settled = settles_at(last)
    late = tx.overdue(Timer, "due_at", settled + timedelta(seconds=1), MOST)
    return tx.now > settled and len(late) < MOST and all(each.kind != timer for each in late)
