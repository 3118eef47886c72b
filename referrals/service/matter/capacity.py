"""Is there room? One tap after each answer, and one a week for all that an organisation offers at once.

What a worker says is directory data: it counts from this commit on, for every plan, until it grows old
(`referrals/freshness.py`). Nobody is asked about what a colleague has just said, and a chat names no service.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from referrals import schedule
from referrals.access import Action, allow
from referrals.consent import day_of
from referrals.directory import Capacity, Organization, Service
from referrals.errors import BadAnswer, NotFound
from referrals.freshness import stale
from referrals.model import SYSTEM, Actor, AuditEntry, Offer, Referral, Role, Urgency
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import Keyboard, Priority, Timer
from referrals.service.common import doors, tell

WEEKLY = "room"  # an organisation's own timer
ROUND, DAILY = "room_round", "daily"  # sees to it that every organisation has one
STALE, EVERY_WEEK = "stale", "weekly"
DAY, WEEK = timedelta(days=1), timedelta(days=7)
JUST_SAID = timedelta(days=6)  # what is younger is not asked about by the week
AT = time(10)
MAY_SAY = (Capacity.OPEN, Capacity.LIMITED, Capacity.FULL)  # 'paused' is agreed on with the network
SAME = "same"


def ask_after(tx: Tx, person_id: str, offer: Offer, referral: Referral) -> None:
    """After an answer to an offer: is there room for another one like it?

    Not where today's word stands, and not in an emergency, when there is something else to do.
    """
    service = tx.directory.services.get(offer.service_id)
    organization = tx.directory.organizations.get(offer.organization_id)
    if service is None or organization is None or service.capacity is Capacity.PAUSED:
        return
    if referral.urgency is Urgency.EMERGENCY:
        return
    if service.capacity_confirmed_on == day_of(organization, tx.now):
        return
    buttons = tell.column(tell.press(f"button.room_{c}", "room", offer.id, c) for c in MAY_SAY)
    place, code = slot(organization.id), {"code": offer.code}
    tell.tell(tx, person_id, "worker.room", code, buttons=buttons, slot=place, priority=Priority.BULK)


def say_after(tx: Tx, person_id: str, offer_id: str, said: str) -> str:
    """A worker's tap after an answer: it is about that offer's service. Returns the organisation's id."""
    offer = tx.get(Offer, offer_id)
    if offer is None:
        raise NotFound
    actor = _worker(tx, person_id, offer.organization_id)
    say_of(tx, actor, [offer.service_id], _capacity(said))
    return offer.organization_id


def say_all(tx: Tx, person_id: str, organization_id: str, said: str) -> None:
    """A worker's tap of the week: about all that the organisation offers; 'same': each as it stands."""
    actor = _worker(tx, person_id, organization_id)
    found = offered(tx, organization_id)
    for service in found:
        say_of(tx, actor, [service.id], service.capacity if said == SAME else _capacity(said))


def say_one(tx: Tx, person_id: str, service_id: str, said: str) -> None:
    """The page's choice for one service."""
    service = tx.directory.services.get(service_id)
    if service is None:
        raise NotFound
    say_of(tx, _worker(tx, person_id, service.organization_id), [service_id], _capacity(said))


def say_of(tx: Tx, actor: Actor, service_ids: Iterable[str], capacity: Capacity) -> None:
    """Write it down, with today's date, and take the question from the colleagues' chats.

    A service that is paused stays so, and one that is gone meanwhile is nobody's fault.
    """
    assert actor.organization_id is not None  # `_worker` has found the post
    today = day_of(tx.directory.organizations[actor.organization_id], tx.now)
    for service_id in service_ids:
        service = tx.get(Service, service_id, lock=True)
        if service is None or service.organization_id != actor.organization_id:
            raise NotFound
        if service.capacity is Capacity.PAUSED:
            continue
        if (service.capacity, service.capacity_confirmed_on) != (capacity, today):
            tx.save(replace(service, capacity=capacity, capacity_confirmed_on=today))
            tx.audit(AuditEntry(actor, Action.CAPACITY_SAY, f"service:{service.id}", capacity.value))
    for seat in tx.find(Seat, organization_id=actor.organization_id, role=Role.WORKER):
        if seat.person_id and seat.person_id != actor.person_id:
            tell.quietly(tx, seat.person_id, slot(actor.organization_id), "worker.room_said")


def offered(tx: Tx, organization_id: str) -> Sequence[Service]:
    """What an organisation offers and has not paused, in the order of ids."""
    found = (s for s in tx.directory.services.values() if s.organization_id == organization_id)
    return sorted((s for s in found if s.capacity is not Capacity.PAUSED), key=lambda s: s.id)


# -- by the week -----------------------------------------------------------------------------------


def begin(tx: Tx) -> None:
    """At the product's start; what waits already, and not further than it should, stays."""
    for kind, subject, every in ((ROUND, DAILY, DAY), (STALE, EVERY_WEEK, WEEK)):
        waiting = tx.get(Timer, f"{kind}:{subject}")
        if waiting is None or waiting.due_at > tx.now + every:
            tx.set_timer(kind, subject, tx.now + (every if kind == STALE else timedelta()))


def every_day(tx: Tx, subject: str) -> None:
    """Timer: an organisation that has come since yesterday is asked by the week from now on."""
    organizations = tx.directory.organizations
    known = {t.subject for t in tx.find(Timer, id=[f"{WEEKLY}:{each}" for each in organizations])}
    new = (organizations[each] for each in sorted(organizations.keys() - known))
    tx.set_timers([(WEEKLY, each.id, _next(each, tx.now + DAY)) for each in new])
    tx.set_timer(ROUND, subject, tx.now + DAY)


def weekly(tx: Tx, organization_id: str) -> None:
    """Timer: one question for all that an organisation offers; quiet where it was said within the week."""
    organization = tx.directory.organizations.get(organization_id)
    if organization is None:
        return  # gone with its file
    oldest = _oldest(tx, organization)
    if oldest is None or organization.suspended:
        tx.set_timer(WEEKLY, organization_id, _next(organization, tx.now + WEEK))
    elif (waits := oldest + JUST_SAID - day_of(organization, tx.now)) > timedelta():
        tx.set_timer(WEEKLY, organization_id, _next(organization, tx.now + waits))
    else:
        _ask_workers(tx, organization)
        tx.set_timer(WEEKLY, organization_id, _next(organization, tx.now + WEEK))


def tell_stewards(tx: Tx, subject: str) -> None:
    """Timer: once a week the stewards hear of what nobody has confirmed, if there is any."""
    tx.set_timer(STALE, subject, tx.now + WEEK)
    count = str(len(stale(tx.directory, tx.now.date())))
    if count == "0":
        return
    tx.audit(AuditEntry(SYSTEM, Action.REMIND, f"{STALE}:{subject}", count))
    page = ((tell.page_button("button.look", "posts"),),)
    for seat in tx.find(Seat, role=Role.STEWARD):
        if seat.person_id:
            about, low = {"count": count}, Priority.BULK
            tell.tell(tx, seat.person_id, "steward.stale", about, buttons=page, slot=STALE, priority=low)


def _ask_workers(tx: Tx, organization: Organization) -> None:
    tx.audit(AuditEntry(SYSTEM, Action.REMIND, f"organization:{organization.id}", "room"))
    for seat in tell.workers(tx, organization.id):
        assert seat.person_id is not None  # tell.workers lists filled seats
        tell.tell(
            tx,
            seat.person_id,
            "worker.room_week",
            buttons=_by_the_week(organization.id),
            slot=slot(organization.id),
            priority=Priority.BULK,
        )


def _by_the_week(organization_id: str) -> Keyboard:
    said = [SAME, *MAY_SAY]
    buttons = [tell.press(f"button.room_{each}", "room.all", each, organization_id) for each in said]
    return tell.column([*buttons, tell.page_button("button.room_each", "room")])


def _oldest(tx: Tx, organization: Organization) -> date | None:
    """The day of the oldest word of those that count; None where nothing is offered."""
    return min((s.capacity_confirmed_on or date.min for s in offered(tx, organization.id)), default=None)


def _next(organization: Organization, after: datetime) -> datetime:
    """The organisation's next ten in the morning, by its own clock."""
    return schedule.next_showing(AT, organization.timezone, after - DAY)


def _worker(tx: Tx, person_id: str, organization_id: str) -> Actor:
    actor = doors.as_seat(tx, person_id, Role.WORKER, organization_id)
    allow(actor, Action.CAPACITY_SAY)
    return actor


def _capacity(said: str) -> Capacity:
    if said not in MAY_SAY:
        raise BadAnswer
    return Capacity(said)


def slot(organization_id: str) -> str:
    """The place of the question in every worker's chat: one for an organisation."""
    return f"room:{organization_id}"
