"""Versions of programmes that people are in, as their exact texts were kept; read when the store opens."""

from __future__ import annotations

from dataclasses import replace

from referrals.catalogue import Catalogue, Programme
from referrals.errors import ConfigurationError
from referrals.members import KeptProgramme
from referrals.programme_parsing import parse_kept
from storage.mapper import mapper_of
from storage.sql import Connection


def with_kept(conn: Connection, catalogue: Catalogue) -> Catalogue:
    """The catalogue with the older versions that people are in.

    ConfigurationError when a file says something else under a number that stands for what people joined, or
    when a kept text cannot be read.
    """
    kept: dict[tuple[str, int], Programme] = {}
    for row in mapper_of(KeptProgramme).find(conn, None, {}):
        programme = parse_kept(row.source, row.id)
        newest = catalogue.programmes.get(programme.id)
        if newest is None or newest.version != programme.version:
            _check_forms(programme, catalogue)
            kept[programme.id, programme.version] = programme
        elif newest != programme:
            raise ConfigurationError(
                f"programmes/{programme.id}.toml",
                f"version {programme.version} says something else than when people came into it",
                f"write version = {programme.version + 1}, or put back what stood there; "
                f"then see 'python -m bot programmes check {programme.id}'",
            )
    return replace(catalogue, kept=kept) if kept else catalogue


def _check_forms(programme: Programme, catalogue: Catalogue) -> None:
    """Somebody is in this version: what they are asked must still be there, or no reminder could be sent."""
    named = {form for phase in programme.phases for form in (phase.form, phase.own_form) if form}
    for form in sorted(named - set(catalogue.forms)):
        raise ConfigurationError(
            f"forms/{form}.toml",
            f"there is no such file, and version {programme.version} of {programme.id} asks people by it",
            f"put it back; a day after 'python -m bot programmes apply {programme.id}' has moved everybody, "
            "it may go",
        )
