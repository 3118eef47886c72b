"""Which programme somebody is in, as it stood when they came: a version is pinned, and its exact text kept.

Only what is read stands here, so that every verb may ask it. What moves people between phases is in
`phases.py`, what moves them to a newer version in `versions.py`.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from referrals.access import Action
from referrals.catalogue import Phase, Programme
from referrals.errors import ConfigurationError
from referrals.members import Enrolment, KeptProgramme
from referrals.model import SYSTEM, AuditEntry
from referrals.ports import Tx
from referrals.programme_parsing import parse_kept


def of(tx: Tx, enrolment: Enrolment) -> Programme:
    """The programme in the version that is pinned for this enrolment."""
    return in_version(tx, enrolment.programme, enrolment.programme_version)


def in_version(tx: Tx, programme_id: str, version: int) -> Programme:
    """One version of a programme, of the files or as it was kept; ConfigurationError when neither has it."""
    try:
        return tx.catalogue.programme(programme_id, version)
    except KeyError:
        kept = tx.get(KeptProgramme, kept_id(programme_id, version))
    if kept is None:
        raise ConfigurationError(
            f"programmes/{programme_id}.toml",
            f"somebody is in version {version}, and neither the files nor the database have it",
            "put the file of that version back, start once, then put the newer one in its place",
        )
    return _parsed(kept.source, kept.id)


def phase_of(tx: Tx, enrolment: Enrolment) -> Phase:
    """The phase in which somebody is, with its rhythm, form and milestones."""
    return of(tx, enrolment).phase(enrolment.phase)


def holidays(tx: Tx, programme: Programme) -> frozenset[date]:
    """The local days on which nobody is reminded about its members."""
    return tx.catalogue.holidays.get(programme.holidays, frozenset())


def pin(tx: Tx, programme_id: str, version: int) -> None:
    """Keep the exact text of a version that somebody comes into; once."""
    if tx.get(KeptProgramme, kept_id(programme_id, version)) is not None:
        return
    newest = tx.catalogue.programmes.get(programme_id)
    if newest is None or newest.version != version:
        return  # a kept text is in the database already
    source = tx.catalogue.programme_sources.get(programme_id, "")
    if source:
        kept = KeptProgramme(kept_id(programme_id, version), source, tx.now)
        tx.add(kept)
        tx.audit(AuditEntry(SYSTEM, Action.MEMBER_CHANGE, f"programme:{kept.id}", "kept"))


def kept_id(programme_id: str, version: int) -> str:
    """The id of a kept text: 'return-home-club@1'."""
    return f"{programme_id}@{version}"


@lru_cache(maxsize=64)
def _parsed(source: str, where: str) -> Programme:
    return parse_kept(source, where)
