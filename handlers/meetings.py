"""After a club meeting or a class: a tick for each who was there, and how it was. Ticks live in buttons."""

from __future__ import annotations

from handlers.reply import Reply, Turn
from referrals.errors import StaleButton
from referrals.said import Button, Keyboard
from referrals.service.common.tell import column, press
from referrals.service.programme import evenings, meetings
from referrals.service.programme.meetings import Group

_IN_A_ROW = 3


def latest(turn: Turn) -> Reply:
    """Unasked: the newest meeting that this mentor could write down."""
    keys = evenings.latest(turn.tx, turn.person.id)
    if not keys:
        return Reply("group.nobody")
    write = press("button.write_down", "group.open", keys[0])
    return Reply("group.ask", {}, ((write,),), slot=meetings.slot(keys[0]))


def begin(turn: Turn) -> Reply:
    """The list with nothing ticked."""
    return _who(meetings.group(turn.tx, turn.person.id, turn.word(0)), 0)


def tick(turn: Turn) -> Reply:
    """One more, or one less; where the list has changed meanwhile it is shown anew."""
    found = meetings.group(turn.tx, turn.person.id, turn.word(0))
    try:
        return _who(found, meetings.ticked(found, turn.word(1), turn.word(2)))
    except StaleButton:
        return _changed(found)


def ask_how(turn: Turn) -> Reply:
    """All are ticked: how was it? Each answer saves."""
    found = meetings.group(turn.tx, turn.person.id, turn.word(0))
    if found.kept is not None:
        return _done(found)
    try:
        came = meetings.ticked(found, turn.word(1), turn.word(2))
    except StaleButton:
        return _changed(found)
    words = (found.key, found.digest, f"{came:x}")
    answers = [press(f"group.how.{how}", "group.save", *words, how) for how in meetings.HOW]
    buttons = column([*answers, press("button.back", "group.tick", *words)])
    count = {"count": str(came.bit_count())}
    return Reply("group.how", count, buttons, slot=meetings.slot(found.key), details=True)


def save(turn: Turn) -> Reply:
    """Written down; for a minute it can be taken back."""
    key, digest, mask, how = (turn.word(position) for position in range(4))
    try:
        return _done(meetings.save(turn.tx, turn.person.id, key, digest, mask, how))
    except StaleButton:
        return _changed(meetings.group(turn.tx, turn.person.id, key))


def undo(turn: Turn) -> Reply:
    """Within a minute: the list stands again."""
    return _who(meetings.undo(turn.tx, turn.person.id, turn.word(0)), 0)


def none(turn: Turn) -> Reply:
    """It did not take place: nothing is written down, and nobody asks again."""
    found = meetings.group(turn.tx, turn.person.id, turn.word(0))
    return _done(found) if found.kept else Reply("group.none", slot=meetings.slot(found.key))


def _who(found: Group, came: int) -> Reply:
    if found.kept is not None:
        return _done(found)
    if not found.members:
        return Reply("group.nobody", slot=meetings.slot(found.key))
    following = press("button.next", "group.how", found.key, found.digest, f"{came:x}")
    buttons = (*_ticks(found, came), (following,))
    return Reply(*_asked(found), buttons, slot=meetings.slot(found.key), details=True)


def _asked(found: Group) -> tuple[str, dict[str, str]]:
    """Of a class, which one: only ever after a tap."""
    course = found.meeting.course
    return ("group.who_class", {"course": f"@course.{course}"}) if course else ("group.who", {})


def _changed(found: Group) -> Reply:
    """Not refused: the list as it is now, with nothing ticked, and a word about why."""
    shown = _who(found, 0)
    return Reply(shown.text, shown.params, shown.buttons, shown.slot, "toast.list_changed", details=True)


def _ticks(found: Group, came: int) -> Keyboard:
    ticks: list[Button] = []
    for position, member in enumerate(found.members):
        text = "group.came" if came >> position & 1 else "group.not_came"
        made = press(text, "group.tick", found.key, found.digest, f"{came ^ 1 << position:x}")
        ticks.append(Button(made.text, action=made.action, params={"code": member.code}))
    return tuple(tuple(row) for row in _rows(ticks))


def _rows(ticks: list[Button]) -> list[list[Button]]:
    return [ticks[start : start + _IN_A_ROW] for start in range(0, len(ticks), _IN_A_ROW)]


def _done(found: Group) -> Reply:
    back = ((press("button.undo", "group.undo", found.key),),)
    return Reply("group.done", {}, back, slot=meetings.slot(found.key), toast="toast.saved")
