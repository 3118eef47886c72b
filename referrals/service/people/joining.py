"""Invitations: how a seat is filled, and by whose yes.

Opening the link and pressing 'Join' only asks. Both sides see the same four digits; a second person, neither
the one who invited nor the one who asks, compares them by voice and says yes. Used, expired, unknown and
foreign links sound alike, and a GET or a link preview uses up none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from referrals import codes
from referrals.access import Action, allow
from referrals.errors import AlreadyHandled, NotFound, StaleButton, StaleLink
from referrals.limits import Doing
from referrals.model import SYSTEM, Actor, AuditEntry, Role
from referrals.persons import Invitation, Presence, Seat, WritingWindow
from referrals.ports import Tx
from referrals.said import Keyboard
from referrals.service.common import doors, limits, tell
from referrals.service.members import mentor_posts
from referrals.service.people import handover

LIFE = timedelta(hours=24)  # to open the link, and once more to get the second person's yes
PREFIX = "i-"  # start payloads of invitations; posters never begin so
OPERATOR = "operator"  # whoever holds the key, as long as no steward has come
KEY_HOLDERS = (SYSTEM.person_id, OPERATOR)
SHORT = 16  # hex digits of an invitation's id in a button: 64 bits

# Whoever may be missing without anybody standing alone: a lost phone's holder comes back, or is removed.
_STILL_THERE = (Presence.PRESENT, Presence.LOST)


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody asks for a seat, or has it already. `check`: what both sides read to each other."""

    seat: Seat
    check: str
    joined: bool
    slot: str  # of the message that says so


def short(invitation: Invitation) -> str:
    """An invitation in a button's data and a message's slot."""
    return invitation.id[:SHORT]


def invite(tx: Tx, by: Actor, seat_id: str, token: str) -> Invitation:
    """Invite somebody to a seat; ends earlier invitations. `token`: at least 128 random bits, shown once."""
    if by.role not in (Role.STEWARD, Role.SYSTEM) or tx.get(Seat, seat_id, lock=True) is None:
        raise NotFound
    for earlier in tx.find(Invitation, seat_id=seat_id):
        _end(tx, earlier)
    invitation = Invitation(codes.digest(token), seat_id, by.person_id, tx.now + LIFE)
    tx.add(invitation)
    tx.audit(AuditEntry(by, Action.SEAT_INVITE, f"seat:{seat_id}"))
    return invitation


def look(tx: Tx, person_id: str, token: str) -> Seat:
    """What an invitation is for, without using it up. Raises StaleLink, or TooOften for whoever guesses."""
    limits.check(tx, Doing.LINK, person_id)
    invitation, seat = _opened(tx, person_id, token)
    if invitation.used_at is not None:
        raise StaleLink
    return seat


def ask(tx: Tx, person_id: str, token: str) -> Asked:
    """'Join': ask for the seat. Pressed again by the same person: what it has become. Raises as `look`."""
    limits.check(tx, Doing.LINK, person_id)
    invitation, seat = _opened(tx, person_id, token, lock=True)
    if invitation.taken_by is not None:
        return _asked(tx, invitation, seat)
    invitation = tx.save(replace(invitation, taken_by=person_id, expires_at=tx.now + LIFE))
    actor = Actor(person_id, seat.role, seat.organization_id)
    if invitation.invited_by in KEY_HOLDERS and not _others(tx, invitation, _STILL_THERE):
        # The first ones: whoever holds the network's key has invited, and nobody else is there yet.
        return _asked(tx, *_fill(tx, invitation, seat, actor, "alone"))
    tx.audit(AuditEntry(actor, Action.SEAT_TAKE, f"seat:{seat.id}", "asked"))
    tx.set_timer("invitation", invitation.id, invitation.expires_at)
    for second in confirmers(tx, invitation):
        _ask_second(tx, second, invitation, seat)
    return _asked(tx, invitation, seat)


def pending_of(tx: Tx, person_id: str) -> Asked | None:
    """The seat that somebody asks for and waits for."""
    for invitation in tx.find(Invitation, taken_by=person_id, used_at=None):
        seat = tx.get(Seat, invitation.seat_id)
        if seat is not None:
            return _asked(tx, invitation, seat)
    return None


def confirmers(tx: Tx, invitation: Invitation) -> Sequence[str]:
    """Whose yes counts: another coordinator or steward; the inviter only where there is nobody else."""
    others = _others(tx, invitation, (Presence.PRESENT,))
    if others or _others(tx, invitation, _STILL_THERE):
        return others
    alone = invitation.invited_by
    in_chat = handover.presence_of(tx, alone) is Presence.PRESENT and alone != invitation.taken_by
    return [alone] if in_chat else []


def confirm(tx: Tx, person_id: str, invitation_short: str) -> Seat:
    """'Yes, it is them': the seat is filled, the person told, the other notices settled.

    Raises NotFound for whoever may not say it, StaleButton when there is nothing to say yes to any more.
    """
    actor = as_second(tx, person_id, Action.SEAT_CONFIRM)
    invitation, seat = _by_short(tx, invitation_short)
    if invitation.used_at is not None:
        if invitation.confirmed_by == person_id:
            return seat
        raise AlreadyHandled
    if invitation.taken_by is None or invitation.expires_at <= tx.now:
        raise StaleButton
    if person_id not in confirmers(tx, invitation):
        raise NotFound
    detail = "self" if person_id == invitation.invited_by else ""
    tx.audit(AuditEntry(actor, Action.SEAT_CONFIRM, f"seat:{seat.id}", detail))
    newcomer = Actor(invitation.taken_by, seat.role, seat.organization_id)
    invitation, taken = _fill(tx, replace(invitation, confirmed_by=person_id), seat, newcomer, "")
    welcome(tx, invitation, taken)
    _settle_notices(tx, invitation, "join.settled", but=person_id)
    return taken


def refuse(tx: Tx, person_id: str, invitation_short: str) -> Seat:
    """'No': it ends here. Whoever invited may say it as well."""
    actor = as_second(tx, person_id, Action.SEAT_CONFIRM)
    invitation, seat = _by_short(tx, invitation_short)
    if invitation.used_at is not None:
        raise AlreadyHandled
    if person_id == invitation.taken_by:
        raise NotFound
    tx.audit(AuditEntry(actor, Action.SEAT_CONFIRM, f"seat:{seat.id}", "refused"))
    _end(tx, invitation, but=person_id)
    return seat


def expire(tx: Tx, invitation_id: str) -> None:
    """Timer: nobody has said yes for a day."""
    invitation = tx.get(Invitation, invitation_id, lock=True)
    if invitation is not None and invitation.used_at is None:
        _end(tx, invitation)


def end_asking(tx: Tx, person_id: str) -> None:
    """End what somebody asks for: their phone is not theirs any more."""
    for invitation in tx.find(Invitation, used_at=None, taken_by=person_id):
        _end(tx, invitation)


def end_invitations(tx: Tx, seat: Seat) -> None:
    """End what is open for a seat that is taken away, and what its holder has invited others to."""
    for invitation in tx.find(Invitation, used_at=None):
        by_holder = seat.role is Role.STEWARD and invitation.invited_by == seat.person_id
        if invitation.seat_id == seat.id or by_holder:
            _end(tx, invitation)


def welcome(tx: Tx, invitation: Invitation, seat: Seat) -> None:
    """Tell the one who asked; it answers their press, so it comes at once, unless they are silent now."""
    person = doors.person_by_id(tx, seat.person_id or "")
    if person.presence is Presence.PRESENT:
        text, buttons = "join.welcome", windows()
        if not person.language:
            text, buttons = "join.welcome_language", languages(tx)
        role = {"role": f"@role.{seat.role}"}
        tell.answer(tx, person.id, text, role, buttons=buttons, slot=_slot(invitation), fresh=True)


def languages(tx: Tx) -> Keyboard:
    """The language, of somebody who joins before they have chosen one."""
    return tell.column(tell.press(f"language.{la}", "lang.join", la) for la in tx.catalogue.languages)


def windows() -> Keyboard:
    """'May we write here, and when?'"""
    return tell.column(tell.press(f"form.window.{w}", "win", w) for w in WritingWindow)


def as_second(tx: Tx, person_id: str, action: Action) -> Actor:
    """The person as somebody who looks after posts; NotFound for everybody else."""
    for role in (Role.STEWARD, Role.COORDINATOR):
        for seat in doors.seats_of(tx, person_id):
            if seat.role is role:
                actor = Actor(person_id, role, seat.organization_id)
                allow(actor, action)
                return actor
    raise NotFound


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


def _opened(tx: Tx, person_id: str, token: str, *, lock: bool = False) -> tuple[Invitation, Seat]:
    """The invitation of a token, if this person may open it (still); StaleLink for every other reason."""
    invitation = tx.get(Invitation, codes.digest(token), lock=lock)
    seat = tx.get(Seat, invitation.seat_id if invitation else "")
    if invitation is None or seat is None or invitation.taken_by not in (None, person_id):
        raise StaleLink
    if invitation.used_at is not None and seat.person_id != person_id:
        raise StaleLink
    if invitation.used_at is None and invitation.expires_at <= tx.now:
        raise StaleLink
    return invitation, seat


def _asked(tx: Tx, invitation: Invitation, seat: Seat) -> Asked:
    return Asked(seat, check_number(tx, invitation), invitation.used_at is not None, _slot(invitation))


def check_number(tx: Tx, invitation: Invitation) -> str:
    """Four digits, of this invitation and of the one who asks: with a stolen link they are others."""
    if invitation.taken_by is None:
        return ""
    return codes.check_number(tx.fingerprint("seat-check", f"{invitation.id}:{invitation.taken_by}"))


def _slot(invitation: Invitation) -> str:
    return f"seat:{short(invitation)}"


def _others(tx: Tx, invitation: Invitation, presences: tuple[Presence, ...]) -> list[str]:
    """Coordinators and stewards who neither invited nor ask, and are there."""
    seats = tx.find(Seat, role=(Role.COORDINATOR, Role.STEWARD))
    found = {s.person_id for s in seats if s.person_id}
    found -= {invitation.invited_by, invitation.taken_by}
    return sorted(p for p in found if handover.presence_of(tx, p) in presences)


def _by_short(tx: Tx, invitation_short: str) -> tuple[Invitation, Seat]:
    """There is at most one invitation for each seat, so they are few."""
    for found in tx.find(Invitation):
        if len(invitation_short) == SHORT and found.id.startswith(invitation_short):
            invitation = tx.get(Invitation, found.id, lock=True)
            seat = tx.get(Seat, found.seat_id, lock=True)
            if invitation is not None and seat is not None:
                return invitation, seat
    raise StaleButton


def _ask_second(tx: Tx, person_id: str, invitation: Invitation, seat: Seat) -> None:
    check, role = check_number(tx, invitation), f"@role.{seat.role}"
    yes = tell.press("button.it_is_them", "seat.yes", short(invitation))
    no = tell.press("button.no", "seat.no", short(invitation))
    buttons = ((yes,), (no,), (tell.page_button("button.look", "posts"),))
    params = {"role": role, "check": check}
    tell.tell(tx, person_id, "join.is_it_them", params, buttons=buttons, slot=_slot(invitation))


def _fill(
    tx: Tx, invitation: Invitation, seat: Seat, newcomer: Actor, detail: str
) -> tuple[Invitation, Seat]:
    """Somebody sits there from now on; whoever did before hears so, and their work goes on with others."""
    tx.clear_timer("invitation", invitation.id)
    used = tx.save(replace(invitation, used_at=tx.now))
    taken = tx.save(replace(seat, person_id=newcomer.person_id, on_duty=True, since=tx.now))
    tx.audit(AuditEntry(newcomer, Action.SEAT_TAKE, f"seat:{seat.id}", detail))
    if seat.person_id is None:
        mentor_posts.arrived(tx, taken)
    elif seat.person_id != newcomer.person_id:
        handover.departed(tx, seat, "join.post_ended")
    return used, taken


def _end(tx: Tx, invitation: Invitation, but: str = "") -> None:
    """It is no more: the one who asked and the one who invited hear so; the others' notices go."""
    tx.clear_timer("invitation", invitation.id)
    tx.remove(invitation)
    tx.audit(AuditEntry(SYSTEM, Action.SEAT_INVITE, f"seat:{invitation.seat_id}", "ended"))
    if invitation.taken_by is None or invitation.used_at is not None:
        return
    slot = _slot(invitation)
    _settle_notices(tx, invitation, "join.settled", but=but)
    tell.tell(tx, invitation.taken_by, "join.ended", slot=slot)
    if invitation.invited_by != but:
        page = ((tell.page_button("button.look", "posts"),),)
        tell.tell(tx, invitation.invited_by, "join.not_confirmed", buttons=page, slot=slot)


def _settle_notices(tx: Tx, invitation: Invitation, text: str, *, but: str) -> None:
    for seat in tx.find(Seat, role=(Role.COORDINATOR, Role.STEWARD)):
        if seat.person_id and seat.person_id not in (but, invitation.taken_by):
            tell.quietly(tx, seat.person_id, _slot(invitation), text)
