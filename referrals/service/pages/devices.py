"""Page 'devices': a person's own phones, and those that ask to be let in, for who may let them in."""

from __future__ import annotations

from collections.abc import Callable

from referrals.access import Action
from referrals.errors import PinNeeded
from referrals.persons import Device, DeviceState
from referrals.ports import Tx
from referrals.service.common import doors, names
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.service.people import devices, letting_in, phones
from referrals.views import AskingLine, DeviceLine, DevicesView, Step

_END = Step("end", "page.step.end_device", needs="yes", danger=True)
_VOUCH = Step("vouch", "page.step.vouch", needs="yes")
_REFUSE = Step("refuse", "page.step.refuse_device", needs="yes", danger=True)


def devices_view(tx: Tx, person_id: str, subject: str, body: Body) -> DevicesView:
    """Page 'devices'. Nothing is known of a phone but since when it is here and on which day it last was."""
    mine = [d for d in tx.find(Device, person_id=person_id) if d.state is not DeviceState.ENDED]
    return DevicesView(
        own=tuple(_own_line(d) for d in sorted(mine, key=lambda d: (d.last_seen_at, d.id), reverse=True)),
        asking=tuple(_asking_line(tx, person_id, d) for d in letting_in.asked(tx, person_id)),
    )


def _own_line(device: Device) -> DeviceLine:
    return DeviceLine(
        id=device.id,
        state_key=f"page.devices.{device.state}",
        since=device.since,
        seen=device.last_seen_at,
        active_from=device.active_from,
        steps=(_END,),
    )


def _asking_line(tx: Tx, person_id: str, device: Device) -> AskingLine:
    """Which post it is about, or 'a family'; never who. The number is compared by voice."""
    seat = next(iter(doors.seats_of(tx, device.person_id)), None)
    language = doors.person_by_id(tx, person_id).language
    organization = tx.directory.organizations.get((seat and seat.organization_id) or "")
    told = device.vouched_by == person_id
    return AskingLine(
        id=device.id,
        who_key=f"role.{seat.role}" if seat else "page.devices.a_family",
        organization=names.named(organization.names, language) if organization else "",
        check=devices.check_number(tx, device),
        since=device.since,
        one_yes=device.vouched_by is not None,
        steps=(_REFUSE,) if told else (_VOUCH, _REFUSE),
    )


def _end(tx: Tx, person_id: str, device_id: str) -> None:
    """A device of one's own. One that reads is ended only from where reading is open.

    Else whoever holds an unlocked phone for a minute could shut its owner out everywhere else.
    """
    device = devices.own_device(tx, person_id, device_id)
    if device.state is DeviceState.ACTIVE and tx.reading_locked:
        raise PinNeeded
    if device.state is not DeviceState.ENDED:
        devices.end(tx, doors.as_author(person_id), device, "own")


def _vouch(tx: Tx, person_id: str, device_id: str) -> None:
    phones.prove(tx)
    letting_in.vouch(tx, person_id, device_id)


def _step(action: Action, do: Callable[[Tx, str, str], object]) -> Verb:
    def step(tx: Tx, person_id: str, subject: str, body: Body) -> DevicesView:
        do(tx, person_id, text_of(body, "device"))
        return devices_view(tx, person_id, subject, {})

    return Verb(action, step)


DEVICES = Page(
    Verb(Action.DEVICE_LIST, devices_view),
    {
        "end": _step(Action.DEVICE_END, _end),
        "vouch": _step(Action.DEVICE_VOUCH, _vouch),
        "refuse": _step(Action.DEVICE_VOUCH, letting_in.refuse),
    },
)
