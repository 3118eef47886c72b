"""What a device can do about itself, from any page: verbs whose subject is the device that asks.

Each is `verb(tx, person_id, device_id, body) -> {name: text}`; an error that is returned, not raised, keeps
what the turn has counted (see `stepup.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

from referrals.access import Action
from referrals.service.pages.page import Verb, text_of
from referrals.service.people import letting_in, stepup

DEVICE_STEPS: Mapping[str, Verb] = {
    "prove": Verb(
        Action.DEVICE_PROVE,
        lambda tx, who, device, body: stepup.prove(tx, who, device, text_of(body, "pin")),
    ),
    "change": Verb(
        Action.DEVICE_PROVE,
        lambda tx, who, device, body: stepup.change(
            tx, who, device, text_of(body, "pin"), text_of(body, "new")
        ),
    ),
    "enrol": Verb(
        Action.DEVICE_ENROL,
        lambda tx, who, device, body: letting_in.enrol(tx, who, device, text_of(body, "pin")),
    ),
    "code": Verb(Action.DEVICE_ENROL, lambda tx, who, device, body: letting_in.new_code(tx, who, device)),
    "recover": Verb(
        Action.DEVICE_RECOVER,
        lambda tx, who, device, body: letting_in.recover(
            tx, who, device, text_of(body, "recovery"), text_of(body, "pin")
        ),
    ),
    "ask": Verb(
        Action.DEVICE_RECOVER,
        lambda tx, who, device, body: letting_in.ask(tx, who, device, text_of(body, "pin")),
    ),
}
