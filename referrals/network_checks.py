"""How the blocks of a network file must fit together: ids once, names that exist, a tree that is one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from referrals.model import Role
from referrals.network_blocks import Placed, Reading
from referrals.toml_blocks import Block


class _Named(Protocol):
    @property
    def id(self) -> str: ...


def check(reading: Reading) -> None:
    """Note every mistake between blocks in the blocks' own `faults`."""
    tables: tuple[Sequence[Placed[_Named]], ...] = (
        reading.areas,
        reading.organizations,
        reading.services,
        reading.agreements,
        reading.seats,
        reading.duties,
        reading.posters,
        reading.mentors,
        reading.enrolments,
    )
    for placed in tables:
        _ids_once(placed)
    _check_areas(reading)
    organizations = _ids(reading.organizations)
    areas = _ids(reading.areas)
    known = areas | _formerly(reading)
    for block, service in reading.services:
        _refer(block, "organization", service.organization_id, organizations)
        for area in service.areas:
            _refer(block, "areas", area, known)
    for block, agreement in reading.agreements:
        _refer(block, "organization", agreement.organization_id, organizations)
    for block, seat in reading.seats:
        _refer(block, "organization", seat.organization_id, organizations)
    _check_duties(reading)
    _check_mentors(reading, areas)
    _check_enrolments(reading, known)


def _formerly(reading: Reading) -> set[str]:
    """Ids of areas that were split or joined: what names them goes on being understood."""
    return {old for _, area in reading.areas for old in area.formerly}


def _ids(placed: Sequence[Placed[_Named]]) -> set[str]:
    return {value.id for _, value in placed}


def _ids_once(placed: Sequence[Placed[_Named]]) -> None:
    seen: set[str] = set()
    for block, value in placed:
        if value.id and value.id in seen:
            block.wrong("id", f"{value.id!r} stands here for the second time", "give one of them another id")
        seen.add(value.id)


def _refer(block: Block, key: str, value: str | None, known: Collection[str]) -> None:
    if value and value not in known:
        block.faults.unknown(block.at(key), "the id", value, known)


def _check_areas(reading: Reading) -> None:
    """Parents exist, and nobody is their own ancestor."""
    parents = {area.id: area.parent for _, area in reading.areas}
    for block, area in reading.areas:
        _refer(block, "parent", area.parent, parents)
        for old in area.formerly:
            if old in parents:
                block.wrong("formerly", f"names {old!r}, which still stands here", "take one of the two out")
        line = [area.id]
        while (above := parents.get(line[-1])) is not None and above not in line:
            line.append(above)
        if above == area.id:
            circle = " in ".join([*line, area.id])
            block.wrong("parent", f"goes in a circle: {circle}", "give one of them a parent outside, or none")


def _check_duties(reading: Reading) -> None:
    roles = {seat.id: seat.role for _, seat in reading.seats}
    for block, duty in reading.duties:
        _refer(block, "seat", duty.seat_id, roles)
        if roles.get(duty.seat_id, Role.COORDINATOR) is not Role.COORDINATOR:
            block.wrong("seat", f"{duty.seat_id!r} is no coordinator", "the rota is for coordinators only")


def _check_mentors(reading: Reading, areas: Collection[str]) -> None:
    roles = {seat.id: seat.role for _, seat in reading.seats}
    for block, mentor in reading.mentors:
        _refer(block, "id", mentor.id, roles)
        if roles.get(mentor.id, Role.MENTOR) is not Role.MENTOR:
            block.wrong("id", f"{mentor.id!r} is no mentor", "name the seat of a mentor")
        for area in mentor.areas:
            _refer(block, "areas", area, areas)


def _check_enrolments(reading: Reading, areas: Collection[str]) -> None:
    roles = {seat.id: seat.role for _, seat in reading.seats}
    for block, enrolment in reading.enrolments:
        _refer(block, "area", enrolment.area, areas)
        for key, seat_id in (("mentor", enrolment.mentor_seat), ("backup", enrolment.backup_seat)):
            _refer(block, key, seat_id, roles)
            if seat_id and roles.get(seat_id, Role.MENTOR) is not Role.MENTOR:
                block.wrong(key, f"{seat_id!r} is no mentor", "name the seat of a mentor")
        if enrolment.mentor_seat and enrolment.mentor_seat == enrolment.backup_seat:
            block.wrong("backup", "is the mentor", "name another mentor, or take the line out")
