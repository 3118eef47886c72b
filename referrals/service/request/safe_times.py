"""'Call me at a safe time': what was chosen on page plan, for whoever may read how to reach the person."""

from __future__ import annotations

from collections.abc import Mapping

from referrals import calling
from referrals.errors import NotFound
from referrals.model import Actor, DataClass, Referral, Role
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.matter import reading, sharing

COLUMN, HOME = "safe_times", "home"
# May somebody at home be spoken with? 'never' is all that whoever calls must know of 'it is not safe'.
HOMES: Mapping[str, str] = {"yes": "yes", "no": "no", "not_safe": "never"}


def chosen(tx: Tx, person_id: str, body: Mapping[str, object]) -> calling.SafeTimes | None:
    """What was ticked on a page (`call_days`, `call_parts`, `call_how`), in the zone of whoever ticked it."""
    ticked = [body.get(f"call_{name}") for name in ("days", "parts", "how")]
    if not any(ticked):
        return None
    days, parts, how = ([str(code) for code in each] if isinstance(each, list) else [] for each in ticked)
    return calling.chosen(days, parts, how, doors.person_by_id(tx, person_id).timezone)


def of(tx: Tx, actor: Actor, referral: Referral) -> calling.SafeTimes | None:
    """The chosen times; None where nothing was chosen or this reader may not read how to reach the person.

    It is a read of `contact` like any other: counted, audited. PinNeeded, TooOften.
    """
    if not _may(tx, actor, referral) or not tx.sealed_exists(referral.record, DataClass.CONTACT):
        return None
    try:
        opened = reading.open_for(tx, actor, referral, referral.record, DataClass.CONTACT)
    except NotFound:
        return None
    return calling.read(opened.get(COLUMN, ""))


def now(tx: Tx, actor: Actor, referral: Referral) -> bool:
    """Whether this moment is a safe one to call; True, too, where nothing was chosen."""
    return calling.safe_now(of(tx, actor, referral), tx.now)


def above(tx: Tx, sealed: Mapping[str, str], language: str) -> str | None:
    """How to reach the person as a page shows it: what to mind first, then the number. None: nothing."""
    times = calling.read(sealed.get(COLUMN, ""))
    keys = list(times.keys) if times else []
    keys += [f"call.home_{sealed[HOME]}"] if sealed.get(HOME) else []
    lines = [tx.catalogue.words(key, language) for key in keys]
    if times is not None and times.parts:
        lines.append(tx.catalogue.words("call.clock", language, zone=times.timezone))
    return "\n".join([*lines, *filter(None, [sealed.get("contact", "")])]) or None


def _may(tx: Tx, actor: Actor, referral: Referral) -> bool:
    return actor.role is not Role.WORKER or DataClass.CONTACT in sharing.readable(tx, referral)
