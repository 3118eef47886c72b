"""Page 'room': what each service of the reader's organisation has room for, one choice each."""

from __future__ import annotations

from collections.abc import Iterator

from referrals.access import Action, allow
from referrals.consent import day_of
from referrals.directory import Service
from referrals.errors import NotFound
from referrals.freshness import room
from referrals.model import Role
from referrals.ports import Tx
from referrals.service.common import doors, names
from referrals.service.matter import capacity
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.views import Choice, Said, Section, SectionsView, Step


def room_view(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    """Each service of the organisations where this reader works; NotFound for whoever works at none."""
    actor = doors.as_seat(tx, person_id, Role.WORKER)
    allow(actor, Action.CAPACITY_SAY)
    language = doors.person_by_id(tx, person_id).language
    return SectionsView("part.room.title", tuple(_sections(tx, person_id, language)))


def _sections(tx: Tx, person_id: str, language: str) -> Iterator[Section]:
    own = {s.organization_id for s in doors.seats_of(tx, person_id) if s.role is Role.WORKER}
    for organization_id in sorted(filter(None, own)):
        for service in capacity.offered(tx, organization_id):
            yield _section(tx, service, language)


def _section(tx: Tx, service: Service, language: str) -> Section:
    today = day_of(tx.directory.organizations[service.organization_id], tx.now)
    known = room(service, today)
    choices = tuple(Choice(c, label_key=f"room.{c}", chosen=c is known) for c in capacity.MAY_SAY)
    said = service.capacity_confirmed_on
    return Section(
        "part.room.one",
        (
            Said(f"part.room.{known or 'unknown'}", {"day": names.day_in_words(tx.catalogue, said, language)})
            if said
            else Said("part.room.unknown"),
        ),
        (Step("room", "page.step.room", needs="reason", choices=choices),),
        {"service": service.id},
        name=names.named(service.names, language),
    )


def _say(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    service_id = text_of(body, "service")
    if not service_id:
        raise NotFound
    capacity.say_one(tx, person_id, service_id, text_of(body, "reason"))
    return room_view(tx, person_id, subject, {})


ROOM = Page(Verb(Action.CAPACITY_SAY, room_view), {"room": Verb(Action.CAPACITY_SAY, _say)})
