"""A person's devices: how one comes to be let in, and how it ends.

Everything that changes a device's state stands here and in `letting_in.py`; trying PINs is in `stepup.py`.
A device that is not let in files and writes like any other: only reading waits.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

from referrals import codes
from referrals.access import Action
from referrals.errors import NotFound
from referrals.model import SYSTEM, Actor, AuditEntry
from referrals.persons import Device, DeviceState, Recovery, Session
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.views import ReadingView

READS_FOR = timedelta(minutes=30)
MOST_KNOWN = 10  # a web view without storage is a new device each time: the oldest of these make room
READY = "device_ready"  # the timer of a device that waits its day
UNUSED = "device_unused"  # the timer by which nothing is kept of a device that is of no use
KEPT = {DeviceState.KNOWN: timedelta(days=90), DeviceState.ENDED: timedelta(days=30)}
_ID_DIGITS = 32


def meet(tx: Tx, person_id: str, public_key: str) -> Device:
    """The device of this person with that key; one never seen, or one that was ended, is merely KNOWN.

    Its key was proved by the request, and the person by a fresh launch: that is enough to file and to write.
    """
    device_id = hashlib.sha256((person_id + public_key).encode()).hexdigest()[:_ID_DIGITS]
    found = tx.get(Device, device_id, lock=True)
    if found is None:
        _make_room(tx, person_id)
        device = Device(device_id, person_id, public_key, DeviceState.KNOWN, tx.now, tx.now)
        tx.add(device)
        tx.set_timer(UNUSED, device.id, tx.now + KEPT[device.state])
        note(tx, device, Action.DEVICE_ENROL, "known")
        return device
    if found.state is DeviceState.ENDED:
        found = tx.save(replace(found, state=DeviceState.KNOWN, since=tx.now, last_seen_at=tx.now))
        note(tx, found, Action.DEVICE_ENROL, "known")
    elif tx.now - found.last_seen_at >= timedelta(days=1):
        found = tx.save(replace(found, last_seen_at=tx.now))
    return found


def own_device(tx: Tx, person_id: str, device_id: str) -> Device:
    """A device of this person's, locked; NotFound for anybody else's and for none at all."""
    device = tx.get(Device, device_id, lock=True)
    if device is None or device.person_id != person_id:
        raise NotFound
    return device


def again(tx: Tx, device: Device) -> Device:
    """The device as it is now, after whatever this turn has done to it."""
    return tx.get(Device, device.id) or replace(device, state=DeviceState.ENDED)


def reads(device: Device, now: datetime) -> bool:
    """Whether reading is open on this device: it is let in, and its PIN was right lately."""
    if device.state is not DeviceState.ACTIVE or device.proved_until is None:
        return False
    # Never longer than it was opened for, also where the clock was ahead then and was set right.
    return timedelta() < device.proved_until - now <= READS_FOR


def reading(tx: Tx, device: Device) -> ReadingView:
    """What the page is told of it, beside every view."""
    match device.state:
        case DeviceState.ACTIVE if reads(device, tx.now):
            return ReadingView("open", device.id, until=device.proved_until)
        case DeviceState.ACTIVE:
            return ReadingView("pin", device.id, at=_later(device.next_try_at, tx.now))
        case DeviceState.WAITING:
            return ReadingView("wait", device.id, at=device.active_from)
        case DeviceState.ASKED:
            return ReadingView("ask", device.id, check=check_number(tx, device))
        case _:
            first = never_enrolled(tx, device.person_id)
            at = _later(device.next_try_at, tx.now)
            return ReadingView("enrol" if first else "recover", device.id, at=at)


def never_enrolled(tx: Tx, person_id: str) -> bool:
    """Whether no device of this person was ever let in: its first one is, without anybody's yes."""
    return tx.get(Recovery, person_id) is None


def check_number(tx: Tx, device: Device) -> str:
    """Four digits that the asking page shows and those who let it in see: so both mean the same device."""
    return codes.check_number(tx.fingerprint("device-check", device.id))


def holds_post(tx: Tx, person_id: str) -> bool:
    """Whether the person reads others' matters: every post does."""
    return bool(doors.seats_of(tx, person_id))


def end(tx: Tx, actor: Actor, device: Device, why: str) -> Device:
    """From this commit on the device reads nothing and its open pages are over. `why`: a code."""
    for session in tx.find(Session, person_id=device.person_id):
        if session.device_id == device.id:
            tx.remove(session)
    ended = lay_down(tx, device, DeviceState.ENDED)
    tx.audit(AuditEntry(actor, Action.DEVICE_END, f"device:{device.id}", why))
    return ended


def end_all(tx: Tx, actor: Actor, person_id: str, why: str) -> None:
    """A lost phone: every device and every open page of this person ends at once."""
    for device in tx.find(Device, person_id=person_id):
        if device.state is not DeviceState.ENDED:
            end(tx, actor, device, why)
    end_sessions(tx, person_id)
    void_code(tx, actor, person_id)  # it may be written on the phone's back


def end_sessions(tx: Tx, person_id: str) -> None:
    """Every secure page of this person closes with this turn."""
    for session in tx.find(Session, person_id=person_id):
        tx.remove(session)


def void_code(tx: Tx, actor: Actor, person_id: str) -> None:
    """Somebody else may know the recovery code: it opens nothing from now on.

    The row stays: it says that a next device is not a first one, which nobody would be asked about.
    """
    recovery = tx.get(Recovery, person_id, lock=True)
    if recovery is not None and recovery.fingerprint:
        tx.save(replace(recovery, fingerprint=""))
        tx.audit(AuditEntry(actor, Action.DEVICE_END, f"person:{person_id}", "code"))


def rest(tx: Tx, person_id: str) -> None:
    """After /hide, or when the bot is blocked: PINs are asked anew, and nothing comes in meanwhile.

    A device that waits its day would wait it unseen, because its notice goes too: it starts anew.
    """
    for device in tx.find(Device, person_id=person_id):
        if device.state in (DeviceState.WAITING, DeviceState.ASKED):
            lay_down(tx, device, DeviceState.KNOWN)
            note(tx, device, Action.DEVICE_END, "rested")
        elif device.proved_until is not None:
            tx.save(replace(device, proved_until=None))
            note(tx, device, Action.DEVICE_END, "locked")


def unused(tx: Tx, device_id: str) -> None:
    """Timer: a device that was never let in and is not used, or was ended a while ago, is forgotten."""
    device = tx.get(Device, device_id, lock=True)
    keep = KEPT.get(device.state) if device is not None else None
    if device is None or keep is None:
        return
    until = (device.since if device.state is DeviceState.ENDED else device.last_seen_at) + keep
    if until > tx.now:
        tx.set_timer(UNUSED, device.id, until)
        return
    tx.remove(device)
    tx.audit(AuditEntry(SYSTEM, Action.RETENTION, f"device:{device.id}", device.state))


def forget(tx: Tx, person_id: str) -> None:
    """Somebody is erased: their devices, open pages and recovery code go."""
    for device in tx.find(Device, person_id=person_id):
        tx.clear_timers(device.id)
        tx.remove(device)
        note(tx, device, Action.DEVICE_END, "erased")
    end_sessions(tx, person_id)
    recovery = tx.get(Recovery, person_id)
    if recovery is not None:
        tx.remove(recovery)
        tx.audit(AuditEntry(doors.as_author(person_id), Action.DEVICE_END, f"person:{person_id}", "erased"))


def note(tx: Tx, device: Device, action: Action, what: str) -> None:
    """The audit row of something that a person did with a device of their own."""
    tx.audit(AuditEntry(doors.as_author(device.person_id), action, f"device:{device.id}", what))


def lay_down(tx: Tx, device: Device, state: DeviceState) -> Device:
    """Without PIN, tries and promises: whatever comes next begins anew."""
    tx.clear_timer(READY, device.id)
    tx.set_timer(UNUSED, device.id, tx.now + KEPT[state])
    return tx.save(Device(
        device.id, device.person_id, device.public_key, state, tx.now, device.last_seen_at,
        version=device.version,
    ))  # fmt: skip


def _make_room(tx: Tx, person_id: str) -> None:
    known = tx.find(Device, person_id=person_id, state=DeviceState.KNOWN)
    spare = sorted(known, key=lambda d: (d.last_seen_at, d.id))[: max(0, len(known) - MOST_KNOWN + 1)]
    for device in spare:
        tx.clear_timers(device.id)
        tx.remove(device)
        note(tx, device, Action.DEVICE_END, "unused")


def _later(at: datetime | None, now: datetime) -> datetime | None:
    return at if at is not None and at > now else None
