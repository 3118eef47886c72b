"""python -m bot network check|apply FILE: what a network file would change, and doing it."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bot.commands.common import add_settings, opened, settings_of, steward, tell
from referrals.model import Role
from referrals.ports import Tx

if TYPE_CHECKING:
    from referrals.network_diff import Change
    from referrals.network_file import NetworkFile
    from referrals.persons import Seat

TWO_OTHERS = (
    2  # must let a new phone of somebody with a post in to read (referrals/service/people/letting_in.py)
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """check|apply FILE, --by, --shown, --settings."""
    parser.add_argument("verb", choices=("check", "apply"))
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument(
        "--by", metavar="STEWARD", help="the seat of the steward who applies it or, with check, proposes it"
    )
    parser.add_argument(
        "--shown", metavar="DIGEST", help="apply only what a check with this digest has shown to somebody"
    )
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """A dry run line by line; `apply` does it afterwards."""
    settings = settings_of(args)
    from referrals.service.stewards import network
    from storage.catalogue_files import read_catalogue, read_network

    new = read_network(args.file, read_catalogue(settings.catalogue))
    with opened(settings) as store:
        changes = store.run(network.preview, new)
        _show(changes)
        for line in store.run(_affected, changes, new):
            tell(line)
        _warn(new)
        shown = network.digest(changes)
        if args.verb == "check" and args.by and changes:
            store.run(_propose, args.by, shown)
            tell(f"Nothing was changed. Proposed by {args.by}; another steward applies it within a day:")
            tell(f"  python -m bot network apply {args.file} --shown {shown} --by THEIR-SEAT")
        elif args.verb == "check" and changes:
            tell(f"Nothing was changed. To apply it: python -m bot network apply {args.file} --shown {shown}")
        elif changes:
            store.run(_apply, args.by, new, args.shown or shown)
            tell("Applied.")
    return 0


def _show(changes: Sequence[Change]) -> None:
    for change in changes:
        for line in change.lines():
            tell(line)
    tell(f"{len(changes)} changes." if changes else "The network is already as the file says.")


def _affected(tx: Tx, changes: Sequence[Change], new: NetworkFile) -> list[str]:
    """Whose open matters are touched."""
    from referrals.service.stewards import network_effects

    return list(network_effects.lines(tx, changes, new))


def _warn(new: NetworkFile) -> None:
    """What is allowed and should not stay so."""
    from referrals.service.stewards import witnessing

    found = len(witnessing.witnesses_of(list(new.organizations)))
    if found < witnessing.LEAST:
        tell(
            f"Warning: {found} organisations keep the audit's checkpoints; at least {witnessing.LEAST} must. "
            "Add witness = true to an [[organization]] (docs/audit.md)."
        )
    for line in few_people(new.seats):
        tell(f"Warning: {line} (docs/deploy.md, 'How many people it takes').")


def few_people(seats: Iterable[Seat]) -> Iterator[str]:
    """What cannot be done because too few look after the network, and what to add; a post is one person."""
    roles = [seat.role for seat in seats]
    coordinators, stewards = roles.count(Role.COORDINATOR), roles.count(Role.STEWARD)
    if coordinators + stewards <= TWO_OTHERS:
        whose = "a coordinator's or steward's" if coordinators + stewards == TWO_OTHERS else "anybody's"
        yield (
            f"with {coordinators} coordinators and {stewards} stewards nobody can let {whose} new phone in "
            'to read: it takes two others. Add a [[seat]] with role = "coordinator" or "steward"'
        )
    if coordinators < TWO_OTHERS:
        yield (
            f"{coordinators or 'no'} coordinator: an alarm that they do not see reaches nobody else, and no "
            'turn on call can be exchanged. Add a [[seat]] with role = "coordinator"'
        )
    if stewards < TWO_OTHERS:
        yield (
            f"{stewards or 'no'} steward: nobody else reads a change of the network before it is applied, "
            "and while they are away nobody invites anybody or agrees to share for safety. "
            'Add a [[seat]] with role = "steward"'
        )


def _propose(tx: Tx, by: str, shown: str) -> None:
    from referrals.service.stewards import network

    network.propose(tx, steward(tx, by), shown)


def _apply(tx: Tx, by: str | None, new: NetworkFile, shown: str) -> None:
    from referrals.service.stewards import network

    network.apply(tx, steward(tx, by), new, shown)
