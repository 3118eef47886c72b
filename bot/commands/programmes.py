"""python -m bot programmes list|check|apply: who is in which version, what a newer one changes, doing it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bot.commands.common import add_settings, named_actor, opened, settings_of, tell
from referrals.errors import ConfigurationError
from referrals.model import Role
from referrals.ports import Tx

if TYPE_CHECKING:
    from referrals.service.programme.versions import Preview
    from storage.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """list|check|apply, ID, --by, --phase, --shown, --settings."""
    parser.add_argument("verb", choices=("list", "check", "apply"))
    parser.add_argument("programme", nargs="?", metavar="ID", help="the programme, for check and apply")
    parser.add_argument(
        "--by",
        metavar="STEWARD",
        help="the seat of the steward who applies it; with check, who may see the case codes",
    )
    parser.add_argument(
        "--phase",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="where the people of a phase go on that the newer version has not (may be given several times)",
    )
    parser.add_argument(
        "--shown", metavar="DIGEST", help="apply only what a check with this digest has shown"
    )
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """`list` counts, `check` is a dry run, `apply` does what it has shown."""
    if args.verb != "list" and not args.programme:
        raise ConfigurationError("programmes", "which programme?", f"write: programmes {args.verb} ID")
    if args.verb == "apply" and not args.by:
        raise ConfigurationError("--by", "is missing", "name the seat of the steward who does this")
    renamed = _renamed(args.phase)
    settings = settings_of(args)
    with opened(settings) as store:
        if args.verb == "list":
            for line in store.run(_list):
                tell(line)
            return 0
        found: Preview = store.run(_preview, args.programme, renamed, args.by)
        _show(found)
        if args.verb == "apply":
            return _apply(store, found, args.by, renamed, args.shown or found.digest)
        if found.groups:
            tell("Nothing was changed. To apply it:")
            tell(f"  python -m bot programmes apply {found.programme} --shown {found.digest} --by YOUR-SEAT")
    return 0


def _apply(store: Store, found: Preview, by: str, renamed: Mapping[str, str], shown: str) -> int:
    store.run(_begin, by, found.programme, renamed, shown)
    moved = 0
    for group in found.groups:
        while group.landing and (some := store.run(_some, by, group, found.programme, renamed)):
            moved += some
    tell(f"{moved} people are in version {found.version} now. Their mentors are told if a rhythm changed.")
    return 1 if found.stuck else 0


def _show(found: Preview) -> None:
    for line in found.differences:
        tell(line)
    for group in found.groups:
        tell(group.line())
        for code in group.codes:
            tell(f"  {code}")
    if not found.groups:
        tell(f"Everybody is in version {found.version} of {found.programme} already.")
    for group in found.stuck:
        tell(f"To move the people of {group.phase}, add: --phase {group.phase}=NEW-PHASE")


def _list(tx: Tx) -> list[str]:
    from referrals.service.programme import versions

    lines: list[str] = []
    known = {*tx.catalogue.programmes, *(programme for programme, _ in tx.catalogue.kept)}
    for programme_id in sorted(known):
        newest = tx.catalogue.programmes.get(programme_id)
        file = f"version {newest.version}" if newest else "no file any more"
        people = versions.people_in(tx, programme_id)
        counts = ", ".join(f"{count} in version {version}" for version, count in people.items())
        lines.append(f"{programme_id}: {file}; people: {counts}")
    for holidays in versions.ending_holidays(tx):
        until = tx.catalogue.holidays_until[holidays]
        lines.append(f"Warning: holidays/{holidays}.toml ends on {until}. Add the days of the next year.")
    return lines


def _preview(tx: Tx, programme_id: str, renamed: Mapping[str, str], by: str | None) -> Preview:
    from referrals.service.programme import versions

    if by is not None:
        versions.look(tx, named_actor(tx, by, Role.STEWARD), programme_id)
    return versions.preview(tx, programme_id, renamed, codes=by is not None)


def _begin(tx: Tx, by: str, programme_id: str, renamed: Mapping[str, str], shown: str) -> Preview:
    from referrals.service.programme import versions

    return versions.begin_apply(tx, named_actor(tx, by, Role.STEWARD), programme_id, renamed, shown)


def _some(tx: Tx, by: str, group: object, programme_id: str, renamed: Mapping[str, str]) -> int:
    from referrals.service.programme import versions

    assert isinstance(group, versions.Group)
    return versions.apply_some(tx, named_actor(tx, by, Role.STEWARD), group, programme_id, renamed)


def _renamed(pairs: list[str]) -> dict[str, str]:
    """'--phase old=new' as a mapping; ConfigurationError for what is none."""
    found: dict[str, str] = {}
    for pair in pairs:
        old, equals, new = pair.partition("=")
        if not (old and equals and new):
            raise ConfigurationError(f"--phase {pair}", "is no pair", "write --phase OLD=NEW")
        found[old] = new
    return found
