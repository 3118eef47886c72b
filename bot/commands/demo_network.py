"""The made-up people of the demo: whose phone is whose, and who fills which seat."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from referrals import schedule
from referrals.members import Enrolment, EnrolmentState
from referrals.model import Actor, Role
from referrals.network_file import NetworkFile
from referrals.persons import Seat
from referrals.ports import Tx

OPERATOR = Actor("operator", Role.STEWARD)


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A row of people.toml. `seat` is '' for a family."""

    name: str
    telegram_id: int
    language: str
    seat: str


def people_of(file: Path) -> tuple[DemoPerson, ...]:
    """The people of a people.toml."""
    with file.open("rb") as opened:
        return tuple(DemoPerson(**row) for row in tomllib.load(opened)["person"])


def phones(people: Sequence[DemoPerson], network: Path) -> list[dict[str, Any]]:
    """What the simulator is told: names, ids, languages, and the role that the network made of each."""
    with network.open("rb") as opened:
        roles = {row["id"]: str(row["role"]) for row in tomllib.load(opened).get("seat", ())}
    return [
        {
            "name": person.name,
            "telegram_id": person.telegram_id,
            "language": person.language,
            "role": roles.get(person.seat, Role.FAMILY.value),
        }
        for person in people
    ]


def settle_in(tx: Tx, file: NetworkFile, people: Sequence[DemoPerson]) -> None:
    """A turn: apply the network, and seat its people as their invitations would have done."""
    from referrals.service.stewards import network

    changes = network.preview(tx, file)
    network.apply(tx, OPERATOR, file, network.digest(changes))
    for person in people:
        _seat(tx, person)
    # One of each mentor's members; the others keep their rhythm.
    first = {e.mentor_seat: e for e in reversed(tx.find(Enrolment, state=EnrolmentState.ACTIVE))}
    for enrolment in first.values():
        _due_within_a_day(tx, enrolment)


def _seat(tx: Tx, person: DemoPerson) -> None:
    from referrals.service.people import people

    if not person.seat:
        # A family comes as a stranger, by a poster's link.
        return
    met = people.meet(tx, person.telegram_id, person.language)
    people.choose_language(tx, met.id, person.language)
    seat = tx.get(Seat, person.seat)
    if seat is not None and seat.person_id is None:
        tx.save(replace(seat, person_id=met.id))


def _due_within_a_day(tx: Tx, enrolment: Enrolment) -> None:
    """The programme has been running, so nobody who looks at the demo waits a week for a first reminder."""
    programme = tx.catalogue.programme(enrolment.programme, enrolment.programme_version)
    phase = programme.phase(enrolment.phase)
    tx.set_timer("check_in", enrolment.id, schedule.next_showing(phase.at, enrolment.timezone, tx.now))
