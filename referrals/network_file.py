"""A network file: areas, organizations, services, agreements, seats, rota, posters, mentors, enrolments.
Names are HSDS's.

One `[[block]]` for each thing. The whole file is checked before anything is used, and every mistake is
reported at once: `network_blocks.py` reads each block, `network_checks.py` looks at how they fit together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from referrals.catalogue import Catalogue
from referrals.directory import Agreement, Area, Directory, Duty, Organization, Poster, Service
from referrals.members import Enrolment
from referrals.network_blocks import Placed, read_network
from referrals.network_checks import check
from referrals.persons import MentorProfile, Seat
from referrals.toml_blocks import Faults, read_block

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """A checked file. People are not in it: seats are filled by invitation (`Seat.person_id` is None)."""

    areas: tuple[Area, ...] = ()
    organizations: tuple[Organization, ...] = ()
    services: tuple[Service, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    seats: tuple[Seat, ...] = ()
    duties: tuple[Duty, ...] = ()
    posters: tuple[Poster, ...] = ()
    mentors: tuple[MentorProfile, ...] = ()
    enrolments: tuple[Enrolment, ...] = ()

    def directory(self) -> Directory:
        """The directory that this file describes."""
        return Directory(
            areas={area.id: area for area in self.areas},
            organizations={organization.id: organization for organization in self.organizations},
            services={service.id: service for service in self.services},
            agreements=self.agreements,
            duties=self.duties,
            posters={poster.id: poster for poster in self.posters},
        )


def parse_network(text: str, file: str, catalogue: Catalogue) -> NetworkFile:
    """The checked file; ConfigurationError lists every mistake with its place and a way to mend it."""
    faults = Faults()
    block = read_block(text, file, faults)
    faults.stop(file)
    reading = read_network(block, catalogue)
    block.done()
    check(reading)
    faults.stop(file)
    return NetworkFile(
        areas=_values(reading.areas),
        organizations=_values(reading.organizations),
        services=_values(reading.services),
        agreements=_values(reading.agreements),
        seats=_values(reading.seats),
        duties=_values(reading.duties),
        posters=_values(reading.posters),
        mentors=_values(reading.mentors),
        enrolments=_values(reading.enrolments),
    )


def as_network(
    directory: Directory,
    seats: Iterable[Seat] = (),
    enrolments: Iterable[Enrolment] = (),
    mentors: Iterable[MentorProfile] = (),
) -> NetworkFile:
    """What stands in the store, in the shape of a file: the old side of `diff_network`."""
    return NetworkFile(
        tuple(directory.areas.values()),
        tuple(directory.organizations.values()),
        tuple(directory.services.values()),
        directory.agreements,
        tuple(seats),
        directory.duties,
        tuple(directory.posters.values()),
        tuple(mentors),
        tuple(enrolments),
    )


def _values(placed: Iterable[Placed[T]]) -> tuple[T, ...]:
    return tuple(value for _, value in placed)
