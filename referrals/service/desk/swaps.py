"""A turn on call changes hands, once: for one of a colleague's, or given. Only their yes changes the rota.

Until then nothing has changed, so no hour is ever without somebody by it. Who is on call is asked of the rota
at every alert, so a yes counts at once. What the network's file or a post that is left makes untrue is undone
in that turn (`review`, `departed`): each turn is then whose it was.
"""

from __future__ import annotations

from collections.abc import Iterable
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
from referrals.service.common import doors, duties, tell

TIMER = "rota_swap"
AHEAD = timedelta(days=14)  # turns further away are not spoken of yet


def coming(tx: Tx) -> tuple[Turn, ...]:
    """The turns of the next two weeks, as they stand now."""
    return rota.coming(tx.directory.duties, tx.now, AHEAD, duties.swapped(tx))


def free(tx: Tx) -> tuple[Turn, ...]:
    """Those that have not changed hands, and of which nobody is asked."""
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
    return sorted(found, key=lambda swap: (min(day for _, day in _keys(swap)), swap.id))


def turns_of(tx: Tx, swap: DutySwap) -> tuple[Turn, ...] | None:
    """Its turns, the asker's first; None once one has begun, or where the rota is another one by now."""
    standing = {(turn.key, turn.seat_id): turn for turn in coming(tx)}
    found = tuple(standing.get((key, seat_id)) for key, seat_id, _ in duties.moves(swap))
    return None if None in found else tuple(turn for turn in found if turn is not None)


def ask(tx: Tx, person_id: str, turn: str, for_turn: str) -> DutySwap:
    """Ask a colleague to exchange a turn for one of one's own. BadAnswer for what is no turn of these two."""
    actor, known = _coordinator(tx, person_id), _free_alone(tx, turn, for_turn)
    mine, theirs = known.get(turn), known.get(for_turn)
    if mine is None or theirs is None:
        raise AlreadyHandled
    if mine.seat_id not in own_posts(tx, person_id) or theirs.seat_id not in others(tx, person_id):
        raise BadAnswer
    swap = DutySwap(tx.new_id(), *mine.key, mine.seat_id, *theirs.key, theirs.seat_id, tx.now)
    words = {"theirs": tell.iso(mine.starts), "yours": tell.iso(theirs.starts)}
    return _asked(tx, actor, swap, (mine, theirs), "rota.asked", words)


def give(tx: Tx, person_id: str, turn: str, seat_id: str) -> DutySwap:
    """Ask a colleague to take a turn of one's own, for nothing. BadAnswer for whom nobody can ask."""
    actor, known = _coordinator(tx, person_id), _free_alone(tx, turn)
    mine = known.get(turn)
    if mine is None:
        raise AlreadyHandled
    if mine.seat_id not in own_posts(tx, person_id) or seat_id not in others(tx, person_id):
        raise BadAnswer
    swap = DutySwap(tx.new_id(), *mine.key, mine.seat_id, None, None, seat_id, tx.now)
    words = {"theirs": tell.iso(mine.starts), "until": tell.iso(mine.ends)}
    return _asked(tx, actor, swap, (mine,), "rota.asked_to_take", words)


def answer(tx: Tx, person_id: str, swap_id: str, yes: bool) -> DutySwap:
    """The colleague's word. NotFound for anybody else's; TurnOver once one of the turns has begun."""
    actor = _coordinator(tx, person_id)
    swap = tx.get(DutySwap, swap_id, lock=True)
    if swap is None or swap.for_seat_id not in own_posts(tx, person_id):
        raise NotFound
    if swap.agreed_at is not None:
        if not yes:
            raise AlreadyHandled
        return swap
    both = turns_of(tx, swap)
    if yes and both is None:
        raise TurnOver
    tx.audit(AuditEntry(actor, Action.ROTA_SWAP, f"duty_swap:{swap.id}", "yes" if yes else "no"))
    if yes and both is not None:
        tx.save(replace(swap, agreed_at=tx.now))
        tx.set_timer(TIMER, swap.id, max(turn.ends for turn in both))
    else:
        _gone(tx, swap)
    said = ("rota.swapped", "rota.not_swapped") if swap.for_duty_id else ("rota.given", "rota.not_given")
    _look(tx, swap.seat_id, swap, said[0] if yes else said[1])
    return swap


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
    _not_asked_any_more(tx, swap)


def over(tx: Tx, swap_id: str) -> None:
    """Timer: nobody answered before the first turn, or its turns are over."""
    swap = tx.get(DutySwap, swap_id, lock=True)
    if swap is not None:
        _ended(tx, swap, "" if swap.agreed_at else "rota.no_answer")


def departed(tx: Tx, seat_id: str) -> None:
    """A post was left: what it was asked is not asked any more, and what it took is whose it was before."""
    for found in (*tx.find(DutySwap, seat_id=seat_id), *tx.find(DutySwap, for_seat_id=seat_id)):
        swap = tx.get(DutySwap, found.id, lock=True)
        if swap is not None and (swap.agreed_at is None or seat_id in _still_to_do(tx, swap)):
            _ended(tx, swap, "rota.undone")


def review(tx: Tx) -> None:
    """The network's file has changed: what it gives to other posts by now is as the file says."""
    whose = {duty.id: duty.seat_id for duty in tx.directory.duties}
    for found in tx.find(DutySwap):
        swap = tx.get(DutySwap, found.id, lock=True)
        if swap is not None and any(whose.get(key[0]) != seat for key, seat, _ in duties.moves(swap)):
            _ended(tx, swap, "rota.undone")


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


def _free_alone(tx: Tx, *turns: str) -> dict[str, Turn]:
    """The free turns by how a page names them; whoever asks about one of these waits for the one before."""
    for seat_id in sorted({each.seat_id for each in free(tx) if written(each) in turns}):
        tx.get(Seat, seat_id, lock=True)
    return {written(each): each for each in free(tx)}


def _asked(
    tx: Tx, actor: Actor, swap: DutySwap, turns: Iterable[Turn], text: str, words: dict[str, str]
) -> DutySwap:
    tx.add(swap)
    tx.audit(AuditEntry(actor, Action.ROTA_SWAP, f"duty_swap:{swap.id}", "asked"))
    tx.set_timer(TIMER, swap.id, min(turn.starts for turn in turns))
    what = "swap" if swap.for_duty_id else "turn"
    buttons = [tell.press(f"button.{what}_{said}", "swap", swap.id, said) for said in ("yes", "no")]
    shown = tell.column([*buttons, tell.page_button("button.look", "rota")])
    tell.tell(tx, _holder(tx, swap.for_seat_id), text, words, buttons=shown, slot=slot(swap))
    return swap


def _keys(swap: DutySwap) -> list[tuple[str, date]]:
    return [key for key, _, _ in duties.moves(swap)]


def _still_to_do(tx: Tx, swap: DutySwap) -> set[str]:
    """The posts that took a turn by it which is not over yet."""
    known = {duty.id: duty for duty in tx.directory.duties}
    return {
        takes
        for (duty_id, day), _, takes in duties.moves(swap)
        if duty_id in known and rota.turn_on(known[duty_id], day).ends > tx.now
    }


def _ended(tx: Tx, swap: DutySwap, text: str) -> None:
    """By itself. `text`: what whoever asked hears, and whoever had said yes; '' where both know it."""
    tx.audit(AuditEntry(SYSTEM, Action.WAIT_OVER, f"duty_swap:{swap.id}"))
    _gone(tx, swap)
    if swap.agreed_at is None:
        _not_asked_any_more(tx, swap)
    elif text:
        _look(tx, swap.for_seat_id, swap, text)
    if text:
        _look(tx, swap.seat_id, swap, text)


def _gone(tx: Tx, swap: DutySwap) -> None:
    tx.clear_timer(TIMER, swap.id)
    tx.remove(swap)


def _not_asked_any_more(tx: Tx, swap: DutySwap) -> None:
    tell.quietly(tx, _holder(tx, swap.for_seat_id), slot(swap), "rota.over")


def _holder(tx: Tx, seat_id: str) -> str:
    seat = tx.get(Seat, seat_id)
    return (seat.person_id if seat else None) or ""


def _look(tx: Tx, seat_id: str, swap: DutySwap, text: str) -> None:
    look = ((tell.page_button("button.look", "rota"),),)
    tell.tell(tx, _holder(tx, seat_id), text, buttons=look, slot=slot(swap))
