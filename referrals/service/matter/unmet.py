"""What nobody could help with, kept as coded facts that lead to nobody; and the report of them.

A matter that ends without help is noted at once, and written down only days into the next month: all of a
month in one turn, in the order of random ids, with a month for a day and an area wide enough to hold many
people's requests. So neither order nor time of the rows ties one to the matter behind it, and a matter that
was opened again meanwhile is not among them.

The report is of one calendar quarter, once nothing is added to it any more (`quarters.py`).
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from referrals.access import Action
from referrals.casework import UnmetNeed
from referrals.lifecycle import ENDED
from referrals.model import SYSTEM, Actor, AuditEntry, Referral
from referrals.ports import Tx
from referrals.quarters import settles_at
from referrals.said import Timer
from referrals.service.common import complaints, quarterly
from referrals.suppression import LEAST, Table, suppress

TIMER = "unmet"
BETWEEN = " "  # a row of the report is a category and an area; neither id holds a blank


def keep(tx: Tx, referral: Referral, reason: str) -> None:
    """This matter has ended without (enough) help, for that coded reason. Nothing is written down yet.

    Of a complaint nothing ever is: whoever reads the report may be whom it was about.
    """
    if complaints.hidden(tx, referral):
        return
    tx.set_timer(TIMER, f"{reason}:{referral.id}", settles_at(tx.now.date()))


def not_after_all(tx: Tx, referral: Referral) -> None:
    """A matter is opened again: how it ends then is what counts. `referral` as it had been closed."""
    tx.clear_timer(TIMER, f"{referral.outcome_reason or referral.outcome}:{referral.id}")


def month_over(tx: Tx, subject: str) -> None:
    """Timer: what ended last month is written down, all of it at once."""
    due = tx.overdue(Timer, "due_at", tx.now + timedelta(seconds=1), quarterly.MOST)
    waiting = [timer for timer in due if timer.kind == TIMER]
    subjects = sorted({subject, *(timer.subject for timer in tx.take_timers(waiting))})
    # One matter counts once, whatever has been said of it on the way.
    reasons = {referral_id: reason for reason, _, referral_id in (s.partition(":") for s in subjects)}
    found = (tx.get(Referral, referral_id) for referral_id in reasons)
    rows = [_fact(tx, r, reasons[r.id]) for r in found if r is not None and r.stage in ENDED and r.category]
    for row in sorted(rows, key=lambda each: each.id):
        tx.add(row)
        tx.audit(AuditEntry(SYSTEM, Action.WAIT_OVER, f"unmet_need:{row.id}"))


def counted(tx: Tx, actor: Actor, first: date, last: date) -> Table:
    """A quarter (the first days of its first and its last month), as far as it may be said.

    Rows are 'category area', columns reasons. Leaves an audit row: who asked for which months. BadAnswer for
    any other stretch, and while something may still be added to it.
    """
    months = quarterly.asked(tx, actor, Action.UNMET_REPORT, "unmet_need", TIMER, (first, last))
    found = tx.find(UnmetNeed, month=months)
    return suppress(Counter((f"{row.category}{BETWEEN}{row.area}", row.reason) for row in found), LEAST)


def _fact(tx: Tx, referral: Referral, reason: str) -> UnmetNeed:
    return UnmetNeed(
        id=tx.new_id(),
        category=referral.category,
        area=_wide_enough(tx, referral.area),
        reason=reason,
        month=(tx.now.date().replace(day=1) - timedelta(days=1)).replace(day=1),  # never one that is settled
        age_group=referral.age_group,
        gender=referral.gender,
    )


def _wide_enough(tx: Tx, area_id: str) -> str:
    """The nearest area around this one from which many have asked; the widest where none is."""
    ancestors = tx.directory.ancestors
    line = ancestors.get(area_id, ())
    for around in line:
        within = [each for each, above in ancestors.items() if around in above]
        if tx.count(Referral, area=within) >= LEAST:
            return around
    return line[-1] if line else ""
