"""Whom the rota names now, turns that changed hands included; whether they can be reached, others ask."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from referrals import rota
from referrals.directory import DutySwap
from referrals.ports import Tx
from referrals.rota import NOTHING_SWAPPED, Swapped


def named(tx: Tx) -> frozenset[str]:
    """The seats whose turn it is at this moment."""
    return rota.on_call(tx.directory.duties, tx.now, swapped(tx))


def swapped(tx: Tx) -> Swapped:
    """The turns that coordinators have agreed to exchange or to give, and who has them."""
    if not tx.directory.duties:
        return NOTHING_SWAPPED
    agreed = (swap for swap in tx.find(DutySwap) if swap.agreed_at is not None)
    return {key: takes for swap in agreed for key, _, takes in moves(swap)}


def moves(swap: DutySwap) -> Iterator[tuple[tuple[str, date], str, str]]:
    """Each turn that changes hands: its key, whose it is by the network's file, and who takes it."""
    yield (swap.duty_id, swap.day), swap.seat_id, swap.for_seat_id
    if swap.for_duty_id is not None and swap.for_day is not None:
        yield (swap.for_duty_id, swap.for_day), swap.for_seat_id, swap.seat_id
