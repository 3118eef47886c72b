"""Taking a yes back from the chat: one press, asked once; by the word WITHDRAW too."""

from __future__ import annotations

from dataclasses import replace

from handlers.reply import Reply, Turn
from referrals.model import Referral, Stage
from referrals.service.common.tell import column, page_button, press
from referrals.service.request import receipts

MOST = 6  # matters in one short message


def take_back(turn: Turn) -> Reply:
    """The button of one matter; the word alone asks which one, where there are several."""
    if turn.word(0):
        return _sure(receipts.to_take_back(turn.tx, turn.person.id, turn.word(0)))
    mine = receipts.can_take_back(turn.tx, turn.person.id)[-MOST:]
    if not mine:
        return Reply("home.status_none")
    if len(mine) == 1:
        return _sure(mine[0])
    buttons = [
        replace(press("button.take_back_code", "take_back", r.id), params={"code": r.code}) for r in mine
    ]
    return Reply("matter.take_back_which", {}, column(buttons))


def yes(turn: Turn) -> Reply:
    """Every access is cut in this turn. Pressed twice it says the same."""
    return _over(receipts.take_back(turn.tx, turn.person.id, turn.word(0)))


def no(turn: Turn) -> Reply:
    """Nothing changes."""
    referral = receipts.to_take_back(turn.tx, turn.person.id, turn.word(0))
    open_it = page_button("button.open", f"matter/{referral.id}")
    return Reply("matter.goes_on", {"code": referral.code}, ((open_it,),), f"matter:{referral.id}")


def _over(referral: Referral) -> Reply:
    return Reply("matter.withdrawn", {"code": referral.code}, slot=f"matter:{referral.id}")


def _sure(referral: Referral) -> Reply:
    if referral.stage is Stage.WITHDRAWN:
        return _over(referral)
    buttons = [
        press("button.take_back_yes", "take_back.yes", referral.id),
        press("button.take_back_no", "take_back.no", referral.id),
    ]
    return Reply("matter.take_back_sure", {"code": referral.code}, column(buttons), f"matter:{referral.id}")
