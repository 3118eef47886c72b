"""Page 'posts': who may do what, as posts; for stewards, and to look and for a lost phone for coordinators.

It names no people: a post is filled or open. Steps take `{"seat": id}`; what lets somebody in or puts
somebody out asks for the PIN, what protects (a lost phone, a no) does not, unless it silences somebody who
could undo it: a coordinator or steward.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace

from referrals.access import Action
from referrals.errors import LastSteward, NotFound
from referrals.model import Actor, AuditEntry, Role
from referrals.persons import Invitation, Presence, Seat
from referrals.ports import Tx
from referrals.service.common import doors, names
from referrals.service.desk import rota, undelivered
from referrals.service.pages import stale_part
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.service.people import handover, joining, phones
from referrals.service.request import desk_first
from referrals.views import PostLine, PostsView, RefusedLine, Step, Stretch

TOKEN_BYTES = 16
MOST_REFUSED = 20
_YES = "yes"


def posts_view(tx: Tx, person_id: str, subject: str, body: Body) -> PostsView:
    """Every post of the network, and what this reader may do about it."""
    actor = joining.as_second(tx, person_id, Action.SEAT_LIST)
    language = doors.person_by_id(tx, person_id).language
    roles = {seat.role for seat in doors.seats_of(tx, person_id)}
    invitations = {i.seat_id: i for i in tx.find(Invitation, used_at=None) if i.expires_at > tx.now}
    refused = undelivered.listed(tx, actor, language)
    on = desk_first.is_on(tx)
    switch = Step("desk_first_on", "page.step.desk_first_on")
    if on:
        switch = Step("desk_first_off", "page.step.desk_first_off")
    return PostsView(
        posts=tuple(
            _line(tx, person_id, roles, seat, invitations.get(seat.id), language) for seat in tx.find(Seat)
        ),
        desk_first=on,
        waiting=desk_first.held(tx),
        steps=(switch,) if Role.COORDINATOR in roles else (),
        uncovered=tuple(Stretch(*each) for each in rota.open_hours(tx)) if Role.STEWARD in roles else (),
        refused=tuple(map(_refused, refused[:MOST_REFUSED])),
        refused_count=len(refused),
        sections=stale_part.sections(tx, actor, language),
    )


# What Telegram's refusals are called here; every other code is one of giving up after many tries.
_WHY = {code: f"page.posts.why.{code}" for code in ("bad_request", "chat_migrated", "unexpected")}


def _refused(one: undelivered.Refused) -> RefusedLine:
    steps = (Step("resend", "page.step.resend"), Step("drop", "page.step.drop", needs=_YES))
    why = _WHY.get(one.notice.code, "page.posts.why.tired")
    return RefusedLine(str(one.notice.id), one.words, one.post, why, one.notice.refused_at, steps)


def _about_notice(verb: Callable[[Tx, Actor, int], None]) -> Verb:
    """A step about one message that was refused; a number that is none of these is NotFound."""

    def step(tx: Tx, person_id: str, subject: str, body: Body) -> PostsView:
        actor = joining.as_second(tx, person_id, Action.OUTBOX_RESEND)
        notice = text_of(body, "notice")
        verb(tx, actor, int(notice) if notice.isdecimal() and len(notice) < 16 else 0)
        return posts_view(tx, person_id, subject, {})

    return Verb(Action.OUTBOX_RESEND, step)


def invite(tx: Tx, person_id: str, subject: str, body: Body) -> PostsView:
    """A new invitation; its link is shown this once. The turn's answer leaves only after its commit."""
    phones.prove(tx)
    actor = doors.as_seat(tx, person_id, Role.STEWARD)
    token = base64.urlsafe_b64encode(tx.secret(TOKEN_BYTES)).decode().rstrip("=")
    seat_id = text_of(body, "seat")
    joining.invite(tx, actor, seat_id, token)
    shown = posts_view(tx, person_id, subject, {})
    return replace(shown, invitation=f"{joining.PREFIX}{token}", invited_to=seat_id)


def remove(tx: Tx, person_id: str, seat_id: str) -> None:
    """A post is emptied: pages close, alerts go, matters go to colleagues, the organisation's keys turn over.

    LastSteward for the only filled steward's post; the person keeps other posts and their own requests.
    """
    phones.prove(tx)
    stewards = _stewards(tx)
    actor = doors.as_seat(tx, person_id, Role.STEWARD)
    seat = tx.get(Seat, seat_id, lock=True)
    if seat is None or seat.person_id is None:
        raise NotFound
    if seat.role is Role.STEWARD and len(stewards) < 2:
        raise LastSteward
    joining.end_invitations(tx, seat)
    tx.save(replace(seat, person_id=None, on_duty=True, since=tx.now))
    tx.audit(AuditEntry(actor, Action.SEAT_REMOVE, f"seat:{seat.id}"))
    handover.departed(tx, seat, "join.post_ended")


def _stewards(tx: Tx) -> list[Seat]:
    """The filled ones, all locked: two who remove each other at once come one after the other."""
    rows = [tx.get(Seat, found.id, lock=True) for found in tx.find(Seat, role=Role.STEWARD)]
    return [seat for seat in rows if seat is not None and seat.person_id]


def confirm(tx: Tx, person_id: str, seat_id: str) -> None:
    """'Yes, it is them', on the page."""
    joining.confirm(tx, person_id, _asked_for(tx, seat_id))


def refuse(tx: Tx, person_id: str, seat_id: str) -> None:
    """'No', on the page."""
    joining.refuse(tx, person_id, _asked_for(tx, seat_id))


def _asked_for(tx: Tx, seat_id: str) -> str:
    for invitation in tx.find(Invitation, seat_id=seat_id):
        return joining.short(invitation)
    raise NotFound


def _line(
    tx: Tx, person_id: str, roles: set[Role], seat: Seat, invitation: Invitation | None, language: str
) -> PostLine:
    organization = tx.directory.organizations.get(seat.organization_id or "")
    presence = handover.presence_of(tx, seat.person_id) if seat.person_id else None
    asked = invitation is not None and invitation.taken_by is not None
    return PostLine(
        id=seat.id,
        role_key=f"role.{seat.role}",
        organization=names.named(organization.names, language) if organization else "",
        filled=seat.person_id is not None,
        on_duty=seat.on_duty,
        reachable=presence is Presence.PRESENT,
        lost=presence is Presence.LOST,
        since=seat.since,
        invited=("asked" if asked else "open") if invitation else "",
        invited_until=invitation.expires_at if invitation else None,
        check=joining.check_number(tx, invitation) if invitation else "",
        steps=tuple(_steps(tx, person_id, roles, seat, invitation)),
    )


def _steps(tx: Tx, person_id: str, roles: set[Role], seat: Seat, invitation: Invitation | None) -> list[Step]:
    steps = []
    if invitation is not None and invitation.taken_by is not None:
        if person_id in joining.confirmers(tx, invitation):
            steps.append(Step("confirm", "page.step.it_is_them", needs=_YES))
        if person_id != invitation.taken_by:
            steps.append(Step("refuse", "page.step.not_them"))
    if Role.STEWARD in roles:
        steps.append(Step("invite", "page.step.invite", needs=_YES if seat.person_id else ""))
    if seat.person_id and seat.person_id != person_id:
        steps.append(phones.step(tx, seat.person_id))
    if seat.person_id and Role.STEWARD in roles:
        steps.append(Step("remove", "page.step.remove", needs=_YES, danger=True))
    return steps


def _step(action: Action, verb: Callable[[Tx, str, str], object]) -> Verb:
    """A step about one post: do it, then show all posts (to whoever still may see them)."""

    def step(tx: Tx, person_id: str, subject: str, body: Body) -> PostsView:
        verb(tx, person_id, text_of(body, "seat"))
        try:
            return posts_view(tx, person_id, subject, {})
        except NotFound:  # they have left their own post
            return PostsView((), False, 0, ())

    return Verb(action, step)


POSTS = Page(
    Verb(Action.SEAT_LIST, posts_view),
    {
        "invite": Verb(Action.SEAT_INVITE, invite),
        "remove": _step(Action.SEAT_REMOVE, remove),
        "confirm": _step(Action.SEAT_CONFIRM, confirm),
        "refuse": _step(Action.SEAT_CONFIRM, refuse),
        "resend": _about_notice(undelivered.send_again),
        "drop": _about_notice(undelivered.drop),
        "lost_phone": _step(Action.PHONE_LOST, phones.lost_by_seat),
        "found": _step(Action.PHONE_LOST, phones.found_by_seat),
        "desk_first_on": _step(Action.DESK_SWITCH, lambda tx, who, it: desk_first.throw(tx, who, True)),
        "desk_first_off": _step(Action.DESK_SWITCH, lambda tx, who, it: desk_first.throw(tx, who, False)),
    },
)
