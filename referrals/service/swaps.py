"""Two coordinators exchange one turn on call each: one asks, and only the other's yes changes the rota.

Until then nothing has changed. Who is on call is asked of the rota at every alert, so a yes counts at once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from referrals import rota
from referrals.access import Action, allow
from referrals.directory import DutySwap
from referrals.errors import AlreadyHandled, BadAnswer, NotFound, TurnOver
from referrals.model import SYSTEM, Actor, AuditEntry, Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.rota import Turn
from referrals.service import doors, duties, tell

TIMER = "rota_swap"
AHEAD = timedelta(days=14)  # turns further away are not spoken of yet


def coming(tx: Tx) -> tuple[Turn, ...]:
    """The turns of the next two weeks, as they stand now."""
    return rota.coming(tx.directory.duties, tx.now, AHEAD, duties.swapped(tx))


def free(tx: Tx) -> tuple[Turn, ...]:
    """Those that nobody has swapped or asks to swap."""
    taken = {key for swap in tx.find(DutySwap) for key in _keys(swap)}
    return tuple(turn for turn in coming(tx) if turn.key not in taken)


def own_posts(tx: Tx, person_id: str) -> frozenset[str]:
    """The coordinator's posts that this person fills; NotFound for whoever fills none."""
    doors.as_seat(tx, person_id, Role.COORDINATOR)
    return frozenset(s.id for s in doors.seats_of(tx, person_id) if s.role is Role.COORDINATOR)


def others(tx: Tx, person_id: str) -> frozenset[str]:
    """The posts of colleagues who can be asked: filled by somebody else, who can be reached."""
    return frozenset(seat.id for seat in tell.coordinators(tx) if seat.person_id != person_id)


def of_person(tx: Tx, person_id: str) -> list[DutySwap]:
    """What this person's posts are asked, or have asked for, and nobody has answered; the soonest first."""
    mine = own_posts(tx, person_id)
    found = [s for s in tx.find(DutySwap, agreed_at=None) if mine & {s.seat_id, s.for_seat_id}]
    return sorted(found, key=lambda swap: (min(swap.day, swap.for_day), swap.id))


def turns_of(tx: Tx, swap: DutySwap) -> tuple[Turn, Turn] | None:
    """The two turns, the asker's first; None once one has begun, or where the rota is another one by now."""
    standing = {turn.key: turn for turn in coming(tx)}
    theirs, ours = (standing.get(key) for key in _keys(swap))
    if theirs is None or ours is None or (theirs.seat_id, ours.seat_id) != (swap.seat_id, swap.for_seat_id):
        return None
    return theirs, ours


def ask(tx: Tx, person_id: str, turn: str, for_turn: str) -> DutySwap:
    """Ask a colleague to exchange a turn for one of one's own. BadAnswer for what is no turn of these two."""
    actor = _coordinator(tx, person_id)
    for seat_id in sorted({each.seat_id for each in free(tx) if written(each) in (turn, for_turn)}):
        tx.get(Seat, seat_id, lock=True)  # whoever asks for one of them at once: one after the other
    known = {written(each): each for each in free(tx)}
    mine, theirs = known.get(turn), known.get(for_turn)
    if mine is None or theirs is None:
        raise AlreadyHandled
    if mine.seat_id not in own_posts(tx, person_id) or theirs.seat_id not in others(tx, person_id):
        raise BadAnswer
    swap = DutySwap(tx.new_id(), *mine.key, mine.seat_id, *theirs.key, theirs.seat_id, tx.now)
    tx.add(swap)
    tx.audit(AuditEntry(actor, Action.ROTA_SWAP, f"duty_swap:{swap.id}", "asked"))
    tx.set_timer(TIMER, swap.id, min(mine.starts, theirs.starts))
    buttons = [tell.press(f"button.swap_{said}", "swap", swap.id, said) for said in ("yes", "no")]
    words = {"theirs": tell.iso(mine.starts), "yours": tell.iso(theirs.starts)}
    shown = tell.column([*buttons, tell.page_button("button.look", "rota")])
    tell.tell(tx, _holder(tx, theirs.seat_id), "rota.asked", words, buttons=shown, slot=slot(swap))
    return swap


def answer(tx: Tx, person_id: str, swap_id: str, yes: bool) -> None:
    """The colleague's word. NotFound for anybody else's; TurnOver once one of the turns has begun."""
    actor = _coordinator(tx, person_id)
    swap = tx.get(DutySwap, swap_id, lock=True)
    if swap is None or swap.for_seat_id not in own_posts(tx, person_id):
        raise NotFound
    if swap.agreed_at is not None:
        if not yes:
            raise AlreadyHandled
        return
    both = turns_of(tx, swap)
    if yes and both is None:
        raise TurnOver
    tx.audit(AuditEntry(actor, Action.ROTA_SWAP, f"duty_swap:{swap.id}", "yes" if yes else "no"))
    if yes and both is not None:
        tx.save(replace(swap, agreed_at=tx.now))
        tx.set_timer(TIMER, swap.id, max(turn.ends for turn in both))
    else:
        _gone(tx, swap)
    _tell_asker(tx, swap, "rota.swapped" if yes else "rota.not_swapped")


def take_back(tx: Tx, person_id: str, swap_id: str) -> None:
    """Whoever asked does not want to any more. AlreadyHandled after the other's yes."""
    actor = _coordinator(tx, person_id)
    swap = tx.get(DutySwap, swap_id, lock=True)
    if swap is None:
        return
    if swap.seat_id not in own_posts(tx, person_id):
        raise NotFound
    if swap.agreed_at is not None:
        raise AlreadyHandled
    tx.audit(AuditEntry(actor, Action.ROTA_SWAP, f"duty_swap:{swap.id}", "taken back"))
    _gone(tx, swap)
    tell.quietly(tx, _holder(tx, swap.for_seat_id), slot(swap), "rota.over")


def over(tx: Tx, swap_id: str) -> None:
    """Timer: nobody answered before the first turn, or both turns are over."""
    swap = tx.get(DutySwap, swap_id, lock=True)
    if swap is None:
        return
    tx.audit(AuditEntry(SYSTEM, Action.WAIT_OVER, f"duty_swap:{swap.id}"))
    _gone(tx, swap)
    if swap.agreed_at is None:
        tell.quietly(tx, _holder(tx, swap.for_seat_id), slot(swap), "rota.over")
        _tell_asker(tx, swap, "rota.no_answer")


def written(turn: Turn) -> str:
    """How a page names a turn."""
    return f"{turn.duty_id}:{turn.day.isoformat()}"


def slot(swap: DutySwap) -> str:
    """The message in a chat about it."""
    return f"swap:{swap.id}"


def _coordinator(tx: Tx, person_id: str) -> Actor:
    actor = doors.as_seat(tx, person_id, Role.COORDINATOR)
    allow(actor, Action.ROTA_SWAP)
    return actor


def _keys(swap: DutySwap) -> tuple[tuple[str, date], tuple[str, date]]:
    return (swap.duty_id, swap.day), (swap.for_duty_id, swap.for_day)


def _gone(tx: Tx, swap: DutySwap) -> None:
    tx.clear_timer(TIMER, swap.id)
    tx.remove(swap)


def _holder(tx: Tx, seat_id: str) -> str:
    seat = tx.get(Seat, seat_id)
    return (seat.person_id if seat else None) or ""


def _tell_asker(tx: Tx, swap: DutySwap, text: str) -> None:
    look = ((tell.page_button("button.look", "rota"),),)
    tell.tell(tx, _holder(tx, swap.seat_id), text, buttons=look, slot=slot(swap))
