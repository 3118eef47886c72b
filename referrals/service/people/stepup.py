"""Step-up: a PIN opens reading on one device for half an hour. Wrong ones are counted for that device alone.

A try is counted in a turn of its own, committed before the PIN is checked, so that a PIN tried from many
pages at once gets no more tries than from one. The check itself (Argon2id) runs outside every turn
(ports.Away). A try that was refused is a value, not an exception: an exception would undo what was counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from referrals import pin_rules
from referrals.access import Action
from referrals.errors import DeviceEnded, PulangError, TooOften, WeakPin, WrongPin
from referrals.persons import Device, DeviceState
from referrals.ports import Away, Tx
from referrals.service.common import doors
from referrals.service.people import devices

Answer = Mapping[str, str]

# After the fifth wrong PIN in a row (and each later one) so many minutes pass before the next is looked at.
FIRST_WAIT, LAST_TRY = 5, 10
_MINUTES = (1, 5, 15, 60)


def minutes_after(tries: int) -> int:
    """How long the next try waits after so many wrong ones in a row, in minutes. Pure."""
    return 0 if tries < FIRST_WAIT else _MINUTES[min(tries - FIRST_WAIT, len(_MINUTES) - 1)]


def prove(tx: Tx, person_id: str, device_id: str, typed: str) -> Away | PulangError:
    """The PIN of this device: reading is open from now on. Where no PIN is set the work is the same."""
    pin = as_pin(typed)
    device = count_try(tx, person_id, device_id, Action.DEVICE_PROVE)
    if isinstance(device, DeviceEnded):
        return device
    stored = _pin_of(device)

    def then(tx: Tx, right: bool) -> Answer | PulangError:
        return _tried(tx, person_id, device_id, stored, stored if right else "")

    return Away(lambda slow: slow.pins.fits(pin, stored), then)


def change(tx: Tx, person_id: str, device_id: str, typed: str, wanted: str) -> Away | PulangError:
    """Another PIN for this device, by whoever knows the one it has."""
    pin, new = as_pin(typed), new_pin(wanted)
    device = count_try(tx, person_id, device_id, Action.DEVICE_PROVE)
    if isinstance(device, DeviceEnded):
        return device
    stored = _pin_of(device)

    def then(tx: Tx, concealed: str) -> Answer | PulangError:
        return _tried(tx, person_id, device_id, stored, concealed)

    return Away(lambda slow: slow.pins.conceal(new) if slow.pins.fits(pin, stored) else "", then)


def count_try(tx: Tx, person_id: str, device_id: str, action: Action) -> Device | DeviceEnded:
    """One more try on this device; it stands wrong until it is known to be right.

    Raises TooOften (`minutes`) while the device has to wait, NotFound for somebody else's.
    """
    device = devices.own_device(tx, person_id, device_id)
    if device.next_try_at is not None and device.next_try_at > tx.now:
        raise TooOften(minutes=_minutes_left(device.next_try_at - tx.now))
    if device.tries >= LAST_TRY:  # its last try was begun and never finished: we were stopped in between
        devices.end(tx, doors.as_author(person_id), device, "tries")
        return DeviceEnded()
    tries = device.tries + 1
    wait = minutes_after(tries)
    devices.note(tx, device, action, "try")
    return tx.save(
        replace(device, tries=tries, next_try_at=tx.now + timedelta(minutes=wait) if wait else None)
    )


def was_wrong(tx: Tx, device: Device, error: type[WrongPin] = WrongPin) -> PulangError:
    """The try that `count_try` counted was wrong: what the page hears; after the last one the device ends."""
    if device.state is DeviceState.ENDED:
        return DeviceEnded()
    if device.tries >= LAST_TRY:
        devices.end(tx, doors.as_author(device.person_id), device, "tries")
        return DeviceEnded()
    wait = device.next_try_at - tx.now if device.next_try_at is not None else timedelta()
    return error(minutes=_minutes_left(wait))


def as_pin(typed: str) -> str:
    """What somebody typed as a PIN, in plain digits; WeakPin when it cannot be one."""
    pin = pin_rules.normal(typed)
    if pin is None:
        raise WeakPin
    return pin


def new_pin(typed: str) -> str:
    """The same for a PIN that is chosen now: WeakPin, too, for one that others would guess."""
    pin = as_pin(typed)
    if pin_rules.easily_guessed(pin):
        raise WeakPin
    return pin


def _tried(tx: Tx, person_id: str, device_id: str, stored: str, concealed: str) -> Answer | PulangError:
    """What came of a try against `stored`. `concealed`: the PIN to keep from now on, '' when it was wrong."""
    device = devices.own_device(tx, person_id, device_id)
    if not concealed or not stored or _pin_of(device) != stored:
        devices.note(tx, device, Action.DEVICE_PROVE, "wrong")
        return was_wrong(tx, device)
    proved = replace(
        device, pin=concealed, tries=0, next_try_at=None, proved_until=tx.now + devices.READS_FOR
    )
    tx.save(proved)
    devices.note(tx, device, Action.DEVICE_PROVE, "right" if concealed == stored else "changed")
    return {}


def _pin_of(device: Device) -> str:
    return device.pin if device.state is DeviceState.ACTIVE else ""


def _minutes_left(wait: timedelta) -> int:
    return -(-max(wait, timedelta()) // timedelta(minutes=1))
