"""Whom the rota names now, swapped turns included; whether they can be reached is for others to ask."""

from __future__ import annotations

from datetime import date

from referrals import rota
from referrals.directory import DutySwap
from referrals.ports import Tx
from referrals.rota import NOTHING_SWAPPED, Swapped


def named(tx: Tx) -> frozenset[str]:
    """The seats whose turn it is at this moment."""
    return rota.on_call(tx.directory.duties, tx.now, swapped(tx))


def swapped(tx: Tx) -> Swapped:
    """The turns that two coordinators have agreed to exchange."""
    if not tx.directory.duties:
        return NOTHING_SWAPPED
    found: dict[tuple[str, date], str] = {}
    for swap in tx.find(DutySwap):
        if swap.agreed_at is not None:
            found[(swap.duty_id, swap.day)] = swap.for_seat_id
            found[(swap.for_duty_id, swap.for_day)] = swap.seat_id
    return found
