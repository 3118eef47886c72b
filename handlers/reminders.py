"""Reminders as their reader wishes them: later, not this week, not at night, none at all."""

from __future__ import annotations

from datetime import time

from handlers.reply import Reply, Turn
from referrals.errors import BadAnswer
from referrals.persons import Person
from referrals.said import Button, Keyboard
from referrals.service.common import doors
from referrals.service.common.tell import column, iso, page_button, press
from referrals.service.contact import wellbeing, wishes
from referrals.service.members import asking

# What can be chosen with one press; the page 'me' has every hour and day.
QUIET: dict[str, tuple[time, time] | None] = {
    "none": None,
    "21-07": (time(21), time(7)),
    "22-08": (time(22), time(8)),
}
DAYS: dict[str, tuple[int, ...]] = {"all": tuple(range(7)), "week": tuple(range(5)), "weekend": (5, 6)}


def settings(turn: Turn) -> Reply:
    """/reminders: how they stand, and what can be changed with one press."""
    person = doors.person_by_id(turn.tx, turn.person.id)
    if not person.reminders:
        return Reply("reminders.stopped", {}, (_on(), _page()))
    said = {"quiet": _quiet_words(person), "days": _days_words(person)}
    return Reply("reminders.settings", said, _buttons())


def stop(turn: Turn) -> Reply:
    """STOP"""
    wishes.stop(turn.tx, turn.person.id)
    return Reply("reminders.stopped", {}, (_on(),))


def start(turn: Turn) -> Reply:
    """START"""
    wishes.start(turn.tx, turn.person.id)
    return Reply("reminders.started", {}, _buttons())


def quiet(turn: Turn) -> Reply:
    """Quiet hours by one press."""
    if turn.word(0) not in QUIET:
        raise BadAnswer
    begins, ends = QUIET[turn.word(0)] or (None, None)
    wishes.set_quiet(turn.tx, turn.person.id, begins, ends)
    return settings(turn)


def days(turn: Turn) -> Reply:
    """Days by one press."""
    wishes.set_days(turn.tx, turn.person.id, DAYS.get(turn.word(0), ()))
    return settings(turn)


def later(turn: Turn) -> Reply:
    """Below a reminder: when to be asked again."""
    check_in = turn.word(0)
    found = asking.asked(turn.tx, turn.person.id, check_in)
    whens = [
        press(f"remind.{until}", "remind.snooze", check_in, until)
        for until in wishes.choices(turn.person, turn.tx.now)
    ]
    rest = [press("button.no_reminders", "reminders.stop")]
    if wishes.may_skip(found):
        rest = [press("remind.skip", "remind.skip", check_in), *rest]
    slot = asking.slot(check_in)
    return Reply("remind.when", {"code": found.code}, column([*whens, *rest]), slot, details=True)


def snooze(turn: Turn) -> Reply:
    """In an hour, this evening, tomorrow."""
    at = wishes.snooze(turn.tx, turn.person.id, turn.word(0), turn.word(1))
    return Reply("remind.put_off", {"at": iso(at)}, slot=asking.slot(turn.word(0)), details=True)


def skip(turn: Turn) -> Reply:
    """Not this week."""
    at = wishes.not_this_week(turn.tx, turn.person.id, turn.word(0))
    return Reply("remind.skipped", {"at": iso(at)}, slot=asking.slot(turn.word(0)), details=True)


def talk(turn: Turn) -> Reply:
    """A mentor for whom it is much would like to talk with the desk."""
    wellbeing.talk_with_desk(turn.tx, turn.person.id, turn.word(0))
    return Reply("wellbeing.desk_told", slot=asking.slot(turn.word(0)), details=True)


def _buttons() -> Keyboard:
    return (
        *column(press(f"reminders.quiet.{name}", "reminders.quiet", name) for name in QUIET),
        tuple(press(f"reminders.days.{name}", "reminders.days", name) for name in DAYS),
        (press("button.no_reminders", "reminders.stop"),),
        _page(),
    )


def _on() -> tuple[Button, ...]:
    return (press("button.reminders_on", "reminders.start"),)


def _page() -> tuple[Button, ...]:
    return (page_button("button.settings", "me"),)


def _quiet_words(person: Person) -> str:
    if person.quiet_from is None or person.quiet_to is None:
        return "@reminders.no_quiet"
    return f"{person.quiet_from:%H:%M}–{person.quiet_to:%H:%M}"


def _days_words(person: Person) -> str:
    """A set of days that has a name of its own; else how many a week."""
    for name, chosen in DAYS.items():
        if (person.days or DAYS["all"]) == chosen:
            return f"@reminders.days.{name}"
    return f"{len(person.days)}/7"
