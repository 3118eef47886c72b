"""A mentor's check-in in three taps: how did you meet, how is it going, save."""

from __future__ import annotations

from handlers.reply import Reply, Turn
from referrals.said import Keyboard
from referrals.service import checkins, crisis
from referrals.service.checkins import Asked
from referrals.service.tell import column, press


def means(turn: Turn) -> Reply:
    """First tap: how they met. The answer travels on in the next buttons."""
    found = checkins.asked(turn.tx, turn.person.id, turn.word(0))
    if found.check_in.saved_at is not None:
        return _done(found)
    states = [
        press(f"state.{s}", "check.state", turn.word(0), turn.word(1), s) for s in found.programme.states
    ]
    again = press("button.back", "check.again", turn.word(0))
    return _reply(found, "mentor.how_is_it", (*column(states), (again,)))


def state(turn: Turn) -> Reply:
    """Second tap: how it is going."""
    found = checkins.asked(turn.tx, turn.person.id, turn.word(0))
    if found.check_in.saved_at is not None:
        return _done(found)
    chosen = {"means": f"@means.{turn.word(1)}", "state": f"@state.{turn.word(2)}"}
    save = press("button.save", "check.save", turn.word(0), turn.word(1), turn.word(2))
    back = press("button.back", "check.means", turn.word(0), turn.word(1))
    text = "mentor.save_crisis" if turn.word(2) == "crisis" else "mentor.save"
    return _reply(found, text, ((save,), (back,)), **chosen, lines=crisis.emergency_lines(turn.tx))


def save(turn: Turn) -> Reply:
    """Third tap: saved. The chat keeps 'Done' and, for a minute, Undo."""
    found = checkins.save(turn.tx, turn.person.id, turn.word(0), turn.word(1), turn.word(2))
    return _done(found, alarm=turn.word(2) == "crisis")


def undo(turn: Turn) -> Reply:
    """Within a minute: the questions stand again."""
    return _first(checkins.undo(turn.tx, turn.person.id, turn.word(0)))


def again(turn: Turn) -> Reply:
    """Back to the first question."""
    found = checkins.asked(turn.tx, turn.person.id, turn.word(0))
    return _done(found) if found.check_in.saved_at is not None else _first(found)


def _first(found: Asked) -> Reply:
    buttons = checkins.means_buttons(found.check_in.id, found.programme)
    return _reply(found, "mentor.check_in_due", buttons)


def _done(found: Asked, alarm: bool = False) -> Reply:
    undo_button = ((press("button.undo", "check.undo", found.check_in.id),),)
    text = "mentor.done_alarm" if alarm else "mentor.done"
    return Reply(text, {}, undo_button, slot=checkins.slot(found.check_in.id), toast="toast.saved")


def _reply(found: Asked, text: str, buttons: Keyboard, **params: str) -> Reply:
    return Reply(
        text,
        {"code": found.enrolment.code, **params},
        buttons,
        slot=checkins.slot(found.check_in.id),
        details=True,
    )
