"""A coordinator's chat: how much waits in each queue, and a matter by its code."""

from __future__ import annotations

from dataclasses import replace

from handlers.reply import Reply, Turn
from referrals.service.common.tell import column, page_button, press
from referrals.service.desk import desk, desk_queues, swaps
from referrals.service.request import desk_first


def queue(turn: Turn) -> Reply:
    """How much waits for the desk: the one to look at first, and a button for each queue."""
    found = desk_queues.waiting(turn.tx, turn.person.id)
    if not found:
        return Reply("desk.queue_empty", {}, ((page_button("button.rota", "rota"),),))
    first = next((one for one in found if one.held_by is None), found[0])
    rows = [page_button("button.look_at", f"matter/{first.referral.id}")]
    for name, those in desk_queues.by_queue(found).items():
        button = page_button(f"button.desk_{name}", f"desk/{name}")
        rows.append(replace(button, params={"count": str(len(those))}))
    all_of_them = page_button("button.all", "desk")
    return Reply("desk.queue", {"count": str(len(found))}, column([*rows, all_of_them]))


def by_code(turn: Turn) -> Reply:
    """/matter CODE: somebody calls the desk, and says the code that their chat shows (or a partner's own)."""
    referral = desk.by_code(turn.tx, turn.person.id, turn.incoming.argument)
    page = ((page_button("button.look", f"matter/{referral.id}"),),)
    return Reply("desk.matter", {"code": referral.code}, page, slot=f"desk:{referral.id}")


def swap(turn: Turn) -> Reply:
    """A colleague asks to exchange a turn, or to take it: yes or no."""
    yes = turn.word(1) == "yes"
    swap = swaps.answer(turn.tx, turn.person.id, turn.word(0), yes)
    done = "rota.you_swapped" if swap.for_duty_id else "rota.you_took"
    text = done if yes else "rota.you_did_not"
    return Reply(text, {}, ((page_button("button.look", "rota"),),), slot=f"swap:{turn.word(0)}")


def first(turn: Turn) -> Reply:
    """Whether the desk looks first at what strangers ask for."""
    on = turn.word(0) == "on"
    waiting = desk_first.throw(turn.tx, turn.person.id, on)
    other = press("button.desk_first_off", "desk.first", "off") if on else None
    text = "desk.first_is_on" if on else "desk.first_is_off"
    buttons = ((other,),) if other else ()
    return Reply(text, {"count": str(waiting)}, buttons, slot=desk_first.SLOT)
