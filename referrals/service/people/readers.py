"""Who has read my record: from the audit, as organisation, role and day, never a name."""

from __future__ import annotations

from referrals.access import Action, allow
from referrals.model import Actor, Referral, Role
from referrals.ports import Reading, Tx
from referrals.service.common import names
from referrals.service.matter import handing_over
from referrals.views import ReaderLine

# The person's own readings are no news to them. (Whoever asks is always 'family': doors.as_author.)
_OWN = (Role.FAMILY, Role.MEMBER)
_DESK = (Role.COORDINATOR, Role.STEWARD)
MOST = 50


def of(tx: Tx, actor: Actor, referral: Referral, language: str) -> tuple[ReaderLine, ...]:
    """One line for each reader and day (UTC), with the day's last reading; newest first, at most 50."""
    allow(actor, Action.READERS_SEE)
    last: dict[tuple[object, ...], Reading] = {}
    for reading in tx.readings(*handing_over.records_of(tx, referral)):  # oldest first
        if reading.role not in _OWN:
            last[reading.at.date(), _who(reading), reading.organization_id] = reading
    newest = sorted(last.values(), key=lambda r: r.at, reverse=True)[:MOST]
    return tuple(ReaderLine(_organization(tx, r, language), _who(r), r.at) for r in newest)


def _who(reading: Reading) -> str:
    return "who.desk" if reading.role in _DESK else f"role.{reading.role}"


def _organization(tx: Tx, reading: Reading, language: str) -> str:
    found = tx.directory.organizations.get(reading.organization_id or "")
    return names.named(found.names, language) if found and reading.role not in _DESK else ""
