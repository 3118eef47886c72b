"""Invitations: how a seat is filled. A link is opened, a button is pressed, and it is used up."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

from referrals.access import Action
from referrals.errors import NotFound, StaleLink
from referrals.model import Actor, AuditEntry, Role
from referrals.persons import Invitation, Seat
from referrals.ports import Tx
from referrals.service import doors

LIFE = timedelta(hours=24)
PREFIX = "i-"  # start payloads of invitations; posters never begin so


def digest(token: str) -> str:
    """What is stored of an invitation's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def invite(tx: Tx, by: Actor, seat_id: str, token: str) -> Invitation:
    """Invite somebody to a seat. `token`: at least 128 random bits, made outside the turn and shown once."""
    if by.role not in (Role.STEWARD, Role.SYSTEM):
        raise NotFound
    if tx.get(Seat, seat_id) is None:
        raise NotFound
    for earlier in tx.find(Invitation, seat_id=seat_id):
        tx.remove(earlier)
    invitation = Invitation(digest(token), seat_id, by.person_id, tx.now + LIFE)
    tx.add(invitation)
    tx.audit(AuditEntry(by, Action.SEAT_INVITE, f"seat:{seat_id}"))
    return invitation


def look(tx: Tx, token: str) -> Seat:
    """What an invitation is for, without using it up; StaleLink for used, expired and unknown ones alike."""
    invitation = tx.get(Invitation, digest(token))
    if invitation is None or invitation.used_at is not None or invitation.expires_at <= tx.now:
        raise StaleLink
    seat = tx.get(Seat, invitation.seat_id)
    if seat is None:
        raise StaleLink
    return seat


def take_seat(tx: Tx, person_id: str, token: str) -> Seat:
    """Fill the seat; whoever held it before holds it no longer. Single use; a second press is the first's."""
    used = tx.get(Invitation, digest(token))
    held = tx.get(Seat, used.seat_id) if used is not None and used.used_at is not None else None
    if held is not None and held.person_id == person_id:
        return held
    seat = look(tx, token)
    invitation = tx.get(Invitation, digest(token), lock=True)
    if invitation is None or invitation.used_at is not None:
        raise StaleLink
    tx.save(replace(invitation, used_at=tx.now))
    taken = tx.save(replace(seat, person_id=person_id, on_duty=True))
    actor = Actor(person_id, seat.role, seat.organization_id)
    tx.audit(AuditEntry(actor, Action.SEAT_TAKE, f"seat:{seat.id}"))
    return taken


def set_duty(tx: Tx, person_id: str, on_duty: bool) -> None:
    """Off duty and back, for every seat that the person holds; NotFound for somebody without any."""
    seats = doors.seats_of(tx, person_id)
    if not seats:
        raise NotFound
    for seat in seats:
        if seat.on_duty is not on_duty:
            tx.save(replace(seat, on_duty=on_duty))
            actor = Actor(person_id, seat.role, seat.organization_id)
            tx.audit(AuditEntry(actor, Action.PERSON_SETTINGS, f"seat:{seat.id}", "duty"))
