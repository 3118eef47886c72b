"""The stretches that are counted: whole calendar quarters, once nothing is added to them any more.

Whatever stretch could be chosen could be subtracted from another: two answers that each hide a small number
would say it together. Pure; a month is its first day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

SETTLED = timedelta(days=3)  # into the next month: what is said or opened again usually is so within days
QUARTER = 3  # months


def quarters(first: date, last: date) -> list[tuple[date, date]]:
    """The calendar quarters that lie wholly in these months, each by its first and its last month."""
    asked = months(first, last)
    begins = [at for at in asked if at.month % QUARTER == 1]
    ends = [months(at, date(at.year, at.month + QUARTER - 1, 1))[-1] for at in begins]
    return [(begin, end) for begin, end in zip(begins, ends, strict=True) if end in asked]


def settles_at(day: date) -> datetime:
    """When what ends in this day's month is written down, and nothing more is added to it."""
    return datetime.combine(_month_after(day), time(3), UTC) + SETTLED


def months(first: date, last: date) -> Sequence[date]:
    """The first days of the months from one to another, both included; none where they are turned round."""
    found, at = [], first
    while at <= last:
        found.append(at)
        at = _month_after(at)
    return found


def _month_after(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
