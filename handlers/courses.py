"""A mentor's answers about a course or grant of a member, and about a rhythm that a date has changed."""

from __future__ import annotations

from handlers.reply import Reply, Turn
from referrals.service.common.tell import press
from referrals.service.members import enrolments
from referrals.service.programme import courses, phases


def show(turn: Turn) -> Reply:
    """Which course, and which step is next: only ever after a tap."""
    _, found = courses.mine(turn.tx, turn.person.id, turn.word(0))
    expected = courses.next_step(turn.tx, found)
    if found.state not in courses.RUNNING or not expected:
        return Reply("mentor.course_over", slot=courses.slot(found.id))
    _, enrolment = enrolments.mine(turn.tx, turn.person.id, found.enrolment_id)
    params = {
        "code": enrolment.code,
        "course": f"@course.{found.item}",
        "step": f"@course_step.{expected}",
    }
    buttons = courses.answers(found, expected)
    return Reply("mentor.course_step", params, buttons, slot=courses.slot(found.id), details=True)


def reached(turn: Turn) -> Reply:
    """The step is reached; the next one is asked about in its time."""
    found = courses.step(turn.tx, turn.person.id, turn.word(0), turn.word(1))
    done = not courses.next_step(turn.tx, found)
    return _noted("mentor.course_done" if done else "mentor.course_noted", found.id)


def later(turn: Turn) -> Reply:
    """Not yet."""
    found = courses.later(turn.tx, turn.person.id, turn.word(0))
    return Reply("mentor.course_later", slot=courses.slot(found.id))


def stop(turn: Turn) -> Reply:
    """It was given up."""
    found = courses.give_up(turn.tx, turn.person.id, turn.word(0))
    return _noted("mentor.course_given_up", found.id)


def undo(turn: Turn) -> Reply:
    """Within a minute: as it was."""
    courses.undo(turn.tx, turn.person.id, turn.word(0))
    return show(turn)


def fine(turn: Turn) -> Reply:
    """The new rhythm fits."""
    found = phases.fine(turn.tx, turn.person.id, turn.word(0))
    return Reply("mentor.done", slot=phases.slot(found.id))


def not_yet(turn: Turn) -> Reply:
    """The old rhythm for two more weeks."""
    found = phases.not_yet(turn.tx, turn.person.id, turn.word(0), turn.word(1))
    return Reply("mentor.phase_kept", slot=phases.slot(found.id))


def _noted(text: str, undertaking_id: str) -> Reply:
    back = ((press("button.undo", "course.undo", undertaking_id),),)
    return Reply(text, {}, back, slot=courses.slot(undertaking_id), toast="toast.saved")
