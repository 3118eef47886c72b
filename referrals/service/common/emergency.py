"""Whom to call when it cannot wait: the lines of the nearest area that has any, by name, as a reader says it.

They are shown wherever somebody may be in danger. The names stand in the network file and are said in the
chat, so they are as neutral as everything there: 'Ambulance', 'Somebody to talk to'.
"""

from __future__ import annotations

from referrals.members import Enrolment, EnrolmentState
from referrals.persons import Person
from referrals.ports import Tx
from referrals.service.common import names


def lines(tx: Tx, area: str, language: str) -> tuple[str, ...]:
    """'Ambulance 1669' for each line near that area ('': the widest one)."""
    found = tx.directory.emergency_lines(area)
    return tuple(f"{names.named(line.names, language)} {line.number}".strip() for line in found)


def said(tx: Tx, area: str = "", language: str = "") -> str:
    """The same in one line of a message."""
    return " / ".join(lines(tx, area, language)) or "—"


def for_person(tx: Tx, person_id: str, enrolment: Enrolment | None = None) -> str:
    """In a reader's language, near whom it is about, else near themselves."""
    person = tx.get(Person, person_id)  # whoever raised an alarm may have left since
    area = enrolment.area if enrolment is not None and enrolment.area else area_of(tx, person_id)
    return said(tx, area, person.language if person else "")


def area_of(tx: Tx, person_id: str) -> str:
    """Where somebody's own programme says that they are; '' where nothing says so."""
    own = [e for e in tx.find(Enrolment, person_id=person_id) if e.state is not EnrolmentState.LEFT]
    return next((enrolment.area for enrolment in own if enrolment.area), "")
