"""How a device is let in to read: as the first, by recovery code, or by the desk and a second person.

KNOWN -> ACTIVE, at once:         the first device of a person who never had one, by choosing a PIN
KNOWN -> WAITING -> ACTIVE:       by recovery code; a day's wait, and a notice with 'that was not me'
KNOWN -> ASKED -> WAITING -> …:   whoever reads only their own matters: one coordinator, then the same day
KNOWN -> ASKED -> ACTIVE:         whoever holds a post: two different people who look after the network

A post reads others' matters, so no code opens for it; and the desk, which sees the number that the asking
page shows, is told which post it is about, never who.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from referrals import codes, schedule
from referrals.access import ALLOWED, Action
from referrals.errors import DeviceEnded, NotFound, PulangError, WrongCode, WrongStage
from referrals.model import Actor, AuditEntry, Role
from referrals.persons import Device, DeviceState, Person, Presence, Recovery, Seat
from referrals.ports import Away, Tx
from referrals.said import Keyboard
from referrals.service.common import doors, tell
from referrals.service.people import devices, stepup
from referrals.service.people.stepup import Answer

WAIT = timedelta(days=1)
_TO_BE_LET_IN = (DeviceState.KNOWN,)


def enrol(tx: Tx, person_id: str, device_id: str, wanted: str) -> Away | PulangError:
    """The very first device of a person, by choosing a PIN. Answers the recovery code, '' for a post."""
    pin = stepup.new_pin(wanted)
    device = stepup.count_try(tx, person_id, device_id, Action.DEVICE_ENROL)
    if isinstance(device, DeviceEnded):
        return device
    _first(tx, device)

    def then(tx: Tx, concealed: str) -> Answer:
        device = devices.own_device(tx, person_id, device_id)
        _first(tx, device)
        code = _new_code(tx, person_id)
        _active(tx, device, concealed, proved=True)
        devices.note(tx, device, Action.DEVICE_ENROL, "first")
        return {"recovery": code}

    return Away(lambda slow: slow.pins.conceal(pin), then)


def recover(tx: Tx, person_id: str, device_id: str, code: str, wanted: str) -> Away | PulangError:
    """The recovery code, and a PIN for this device: it is let in after a day. Answers the next code."""
    pin = stepup.new_pin(wanted)
    typed = codes.normal(code, codes.RECOVERY_BYTES) or ""
    device = stepup.count_try(tx, person_id, device_id, Action.DEVICE_RECOVER)
    if isinstance(device, DeviceEnded):
        return device

    def then(tx: Tx, concealed: str) -> Answer | PulangError:
        device = devices.own_device(tx, person_id, device_id)
        fits = _fits(tx, person_id, typed)
        if not fits or device.state not in _TO_BE_LET_IN or devices.holds_post(tx, person_id):
            devices.note(tx, device, Action.DEVICE_RECOVER, "wrong")
            return stepup.was_wrong(tx, device, WrongCode)
        following = _new_code(tx, person_id)
        _waits(tx, replace(device, pin=concealed))
        devices.note(tx, device, Action.DEVICE_RECOVER, "code")
        return {"recovery": following}

    return Away(lambda slow: slow.pins.conceal(pin), then)


def ask(tx: Tx, person_id: str, device_id: str, wanted: str) -> Away | PulangError:
    """Ask to be let in by others. Answers the number that they are told."""
    pin = stepup.new_pin(wanted)
    device = stepup.count_try(tx, person_id, device_id, Action.DEVICE_RECOVER)
    if isinstance(device, DeviceEnded):
        return device
    _may_ask(tx, device)

    def then(tx: Tx, concealed: str) -> Answer:
        device = devices.own_device(tx, person_id, device_id)
        _may_ask(tx, device)
        for other in tx.find(Device, person_id=person_id, state=DeviceState.ASKED):
            devices.end(tx, doors.as_author(person_id), other, "asked anew")
        asked = replace(device, state=DeviceState.ASKED, since=tx.now, pin=concealed, vouched_by=None)
        asked = tx.save(replace(asked, tries=0, next_try_at=None))
        devices.note(tx, asked, Action.DEVICE_RECOVER, "asked")
        _tell_those_who_may(tx, asked)
        return {"check": devices.check_number(tx, asked)}

    return Away(lambda slow: slow.pins.conceal(pin), then)


def new_code(tx: Tx, person_id: str, device_id: str) -> Answer:
    """Another recovery code, for somebody who reads here now; the one before it is void."""
    device = devices.own_device(tx, person_id, device_id)
    if not devices.reads(device, tx.now) or devices.holds_post(tx, person_id):
        raise WrongStage
    return {"recovery": _new_code(tx, person_id)}


def vouch(tx: Tx, person_id: str, device_id: str) -> Device:
    """'I have spoken with them, and the number is the same.' Never for oneself, never twice by one person."""
    actor, device = _asked_device(tx, person_id, device_id)
    detail = "let in"
    if not devices.holds_post(tx, device.person_id):
        after = _waits(tx, device)
    elif device.vouched_by is None or not _looks_after(tx, device.vouched_by):
        after, detail = tx.save(replace(device, vouched_by=person_id)), "first of two"
    elif device.vouched_by == person_id:
        raise WrongStage
    else:
        after = _active(tx, device, device.pin, proved=False)
        tell.tell(tx, device.person_id, "device.in", buttons=_not_me(device), slot=_slot(device))
    tx.audit(AuditEntry(actor, Action.DEVICE_VOUCH, f"device:{device.id}", detail))
    if after.state is not DeviceState.ASKED:
        _settle_alerts(tx, device)
    return after


def refuse(tx: Tx, person_id: str, device_id: str) -> None:
    """'That is not them.' The device ends; whoever asked may open a page again, and ask again."""
    actor, device = _asked_device(tx, person_id, device_id)
    devices.end(tx, actor, device, "refused")
    _settle_alerts(tx, device)
    tell.tell(tx, device.person_id, "device.refused", slot=_slot(device))


def not_me(tx: Tx, person_id: str, device_id: str) -> None:
    """The notice's button 'That was not me': the device ends, however far it has come.

    Whoever came in by the recovery code was shown the next one: that one is void, too.
    """
    device = devices.own_device(tx, person_id, device_id)
    if device.state is not DeviceState.ENDED:
        devices.end(tx, doors.as_author(person_id), device, "not me")
        devices.void_code(tx, doors.as_author(person_id), person_id)


def ready(tx: Tx, device_id: str) -> None:
    """Timer: the day is over, and nobody has said that it was not them.

    Somebody who was given a post meanwhile needs the others' yes after all; and where the notice cannot have
    been seen nothing comes in.
    """
    device = tx.get(Device, device_id, lock=True)
    if device is None or device.state is not DeviceState.WAITING:
        return
    if device.active_from is not None and device.active_from > tx.now:
        tx.set_timer(devices.READY, device.id, device.active_from)
        return
    person = tx.get(Person, device.person_id)
    if person is None or person.presence is not Presence.PRESENT:
        devices.end(tx, doors.as_author(device.person_id), device, "unseen")
    elif devices.holds_post(tx, device.person_id):
        asked = tx.save(replace(device, state=DeviceState.ASKED, since=tx.now, active_from=None))
        devices.note(tx, asked, Action.DEVICE_RECOVER, "asked")
        _tell_those_who_may(tx, asked)
    else:
        _active(tx, device, device.pin, proved=False)
        devices.note(tx, device, Action.DEVICE_ENROL, "ready")
        tell.tell(tx, person.id, "device.in", buttons=_not_me(device), slot=_slot(device))


def asked(tx: Tx, person_id: str) -> list[Device]:
    """The devices that this person may let in now, the one that waits longest first."""
    found = [d for d in tx.find(Device, state=DeviceState.ASKED) if _may_vouch(tx, person_id, d)]
    return sorted(found, key=lambda d: (d.since, d.id))


def _asked_device(tx: Tx, person_id: str, device_id: str) -> tuple[Actor, Device]:
    """A device that asks, for somebody who may let it in; NotFound for everybody and everything else."""
    device = tx.get(Device, device_id, lock=True)
    if device is None or device.state is not DeviceState.ASKED or not _may_vouch(tx, person_id, device):
        raise NotFound
    for role in (Role.COORDINATOR, Role.STEWARD):
        for seat in doors.seats_of(tx, person_id):
            if seat.role is role:
                return Actor(person_id, role, seat.organization_id), device
    raise NotFound


def _may_vouch(tx: Tx, person_id: str, device: Device) -> bool:
    """Coordinators for everybody but themselves, stewards for those who hold a post."""
    if device.person_id == person_id:
        return False
    roles = {seat.role for seat in doors.seats_of(tx, person_id)}
    return Role.COORDINATOR in roles or (Role.STEWARD in roles and devices.holds_post(tx, device.person_id))


def _looks_after(tx: Tx, person_id: str) -> bool:
    """Whether the first of two still is somebody who may let others in."""
    return any(seat.role in ALLOWED[Action.DEVICE_VOUCH] for seat in doors.seats_of(tx, person_id))


def _first(tx: Tx, device: Device) -> None:
    # Two devices of one person must not both be the first: the person's row makes them wait for each other.
    tx.get(Person, device.person_id, lock=True)
    if device.state not in _TO_BE_LET_IN or not devices.never_enrolled(tx, device.person_id):
        raise WrongStage


def _may_ask(tx: Tx, device: Device) -> None:
    if device.state not in _TO_BE_LET_IN or devices.never_enrolled(tx, device.person_id):
        raise WrongStage


def _active(tx: Tx, device: Device, concealed: str, *, proved: bool) -> Device:
    until = tx.now + devices.READS_FOR if proved else None
    tx.clear_timer(devices.READY, device.id)
    return tx.save(replace(
        device, state=DeviceState.ACTIVE, since=tx.now, pin=concealed, tries=0, next_try_at=None,
        proved_until=until, active_from=None, vouched_by=None,
    ))  # fmt: skip


def _waits(tx: Tx, device: Device) -> Device:
    """A day's wait, counted from the moment at which the person may be told of it."""
    person = doors.person_by_id(tx, device.person_id)
    told_at = schedule.next_allowed(person.window, person.timezone, tx.now) or tx.now
    waiting = tx.save(replace(
        device, state=DeviceState.WAITING, since=tx.now, tries=0, next_try_at=None,
        active_from=told_at + WAIT, vouched_by=None,
    ))  # fmt: skip
    tx.set_timer(devices.READY, device.id, told_at + WAIT)
    params = {"at": tell.iso(told_at + WAIT)}
    buttons, slot = _not_me(device), _slot(device)
    if not tell.tell(tx, person.id, "device.waits", params, buttons=buttons, slot=slot):
        # Somebody who wants answers only has just asked for this, on whichever phone.
        tell.answer(tx, person.id, "device.waits", params, buttons=buttons, slot=slot, fresh=True)
    return waiting


def _new_code(tx: Tx, person_id: str) -> str:
    """A fresh code in place of any before it. For a post there is none: its row only says 'has enrolled'."""
    code = "" if devices.holds_post(tx, person_id) else codes.spell(tx.secret(codes.RECOVERY_BYTES))
    print_ = _fingerprint(tx, person_id, code) if code else ""
    before = tx.get(Recovery, person_id, lock=True)
    if before is None:
        tx.add(Recovery(person_id, print_, tx.now))
    else:
        tx.save(replace(before, fingerprint=print_, made_at=tx.now))
    actor = doors.as_author(person_id)
    tx.audit(AuditEntry(actor, Action.DEVICE_ENROL, f"person:{person_id}", "code"))
    return code


def _fits(tx: Tx, person_id: str, typed: str) -> bool:
    recovery = tx.get(Recovery, person_id, lock=True)
    kept = recovery.fingerprint if recovery is not None else ""
    return hmac.compare_digest(kept, _fingerprint(tx, person_id, typed)) and bool(typed)


def _fingerprint(tx: Tx, person_id: str, code: str) -> str:
    return tx.fingerprint("recovery", f"{person_id}:{code}")


def _tell_those_who_may(tx: Tx, device: Device) -> None:
    params = {"check": devices.check_number(tx, device)}
    buttons = ((tell.page_button("button.look", "devices"),),)
    for person_id in _who_may(tx, device):
        once = f"device-asked:{device.person_id}:{tx.now:%Y-%m-%dT%H}:{person_id}"
        tell.tell(tx, person_id, "device.asked", params, buttons=buttons, slot=_slot(device), dedupe=once)


def _settle_alerts(tx: Tx, device: Device) -> None:
    for person_id in _who_may(tx, device):
        tell.quietly(tx, person_id, _slot(device), "device.handled")


def _who_may(tx: Tx, device: Device) -> Iterable[str]:
    seats = tx.find(Seat, role=(Role.COORDINATOR, Role.STEWARD))
    return sorted({s.person_id for s in seats if s.person_id and _may_vouch(tx, s.person_id, device)})


def _not_me(device: Device) -> Keyboard:
    return ((tell.press("button.not_me", "phone.not_me", device.id),),)


def _slot(device: Device) -> str:
    return f"device:{device.id}"
