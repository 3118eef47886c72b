"""What can be pressed about a person's own phones."""

from __future__ import annotations

from handlers.reply import Reply, Turn
from referrals.service.people import letting_in


def not_me(turn: Turn) -> Reply:
    """'That was not me', under the notice that another phone was added."""
    device_id = turn.word(0)
    letting_in.not_me(turn.tx, turn.person.id, device_id)
    return Reply("device.stopped", slot=f"device:{device_id}")
