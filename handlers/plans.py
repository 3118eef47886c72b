"""Plans of several parts, in the chat: the one question that is answered there, with one tap."""

from __future__ import annotations

from handlers.reply import Reply, Turn
from referrals.service.joint import plan_days


def went(turn: Turn) -> Reply:
    """'Did it go as planned?': the verb itself edits the message."""
    plan_days.went(turn.tx, turn.person.id, turn.word(0), turn.word(1) == "yes")
    return Reply(toast="toast.thank_you")
