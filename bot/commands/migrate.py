"""python -m bot migrate [--grant ROLE]: bring the database to this version; make a backup first."""

from __future__ import annotations

import argparse

from bot.commands.common import add_settings, settings_of, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--grant, --settings."""
    parser.add_argument(
        "--grant",
        metavar="ROLE",
        help="PostgreSQL: run as the owner, and give the product's role exactly what it needs",
    )
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Migrate; nothing happens to a database that is up to date."""
    settings = settings_of(args)
    from storage.schema import migrate

    migrate(settings.database)
    tell("The database is of this version.")
    if args.grant:
        from storage.grants import grant

        rewrites = grant(settings.database, args.grant)
        tell(f"{args.grant} may do what the product does, and cannot change or remove an audit row.")
        if not rewrites:
            tell(
                "Before PostgreSQL 17 only the owner can clear destroyed keys from the files: let it run each"
            )
            tell("day VACUUM (FULL) wrap, sealed, key_encryption_key, meta (docs/deploy.md, 'Erasure').")
    return 0
