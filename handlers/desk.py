"""A coordinator's chat: the queue, and a matter by its code."""

from __future__ import annotations

from handlers.reply import Reply, Turn
from referrals.service import desk, desk_first
from referrals.service.tell import page_button, press


def queue(turn: Turn) -> Reply:
    """How much waits for the desk, with a button for each of the first ones."""
    found = desk.queue(turn.tx, turn.person.id)
    if not found:
        return Reply("desk.queue_empty")
    rows = tuple((page_button("button.look_at", f"matter/{r.id}"),) for r in found[:1])
    me = ((page_button("button.all", "me"),),)
    return Reply("desk.queue", {"count": str(len(found))}, (*rows, *me))


def by_code(turn: Turn) -> Reply:
    """/matter CODE: somebody calls the desk, and says the code that their chat shows (or a partner's own)."""
    referral = desk.by_code(turn.tx, turn.person.id, turn.incoming.argument)
    page = ((page_button("button.look", f"matter/{referral.id}"),),)
    return Reply("desk.matter", {"code": referral.code}, page, slot=f"desk:{referral.id}")


def first(turn: Turn) -> Reply:
    """Whether the desk looks first at what strangers ask for."""
    on = turn.word(0) == "on"
    waiting = desk_first.throw(turn.tx, turn.person.id, on)
    other = press("button.desk_first_off", "desk.first", "off") if on else None
    text = "desk.first_is_on" if on else "desk.first_is_off"
    buttons = ((other,),) if other else ()
    return Reply(text, {"count": str(waiting)}, buttons, slot=desk_first.SLOT)
