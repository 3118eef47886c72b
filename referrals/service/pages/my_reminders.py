"""Reminders on page 'me': on or off, quiet hours, days, time zone; one step keeps all of them."""

from __future__ import annotations

import re
from datetime import time

from referrals.errors import BadAnswer
from referrals.persons import Person
from referrals.ports import Tx
from referrals.service.contact import wishes
from referrals.service.pages.page import Body, text_of
from referrals.views import RemindersView

_EVERY_DAY = tuple(range(7))
_HOUR = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")


def view(person: Person) -> RemindersView:
    """How somebody's reminders stand."""
    return RemindersView(
        person.reminders, _shown(person.quiet_from), _shown(person.quiet_to), person.days or _EVERY_DAY
    )


def keep(tx: Tx, person_id: str, body: Body) -> None:
    """What was chosen: `on`, `quiet_from`, `quiet_to` ('HH:MM' or ''), `days`, `timezone` ('': as it was)."""
    begins, ends = _clock(text_of(body, "quiet_from")), _clock(text_of(body, "quiet_to"))
    days = body.get("days")
    if not isinstance(days, list) or not all(day in "0123456" and len(day) == 1 for day in days):
        raise BadAnswer
    wishes.set_quiet(tx, person_id, begins, ends)
    wishes.set_days(tx, person_id, tuple(int(day) for day in days))
    if text_of(body, "timezone"):
        wishes.set_zone(tx, person_id, text_of(body, "timezone"))
    (wishes.start if body.get("on") is True else wishes.stop)(tx, person_id)


def _shown(clock: time | None) -> str:
    return f"{clock:%H:%M}" if clock else ""


def _clock(text: str) -> time | None:
    """An hour of the day. ISO would also take a zone, and such a time can be compared with no other."""
    if not text:
        return None
    if not _HOUR.fullmatch(text):
        raise BadAnswer
    return time.fromisoformat(text)
