"""python -m bot migrate: bring the database to this version; make a backup first."""

from __future__ import annotations

import argparse

from bot.commands.common import add_settings, settings_of, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--settings."""
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Migrate; nothing happens to a database that is up to date."""
    settings = settings_of(args)
    from storage.schema import migrate

    migrate(settings.database)
    tell("The database is of this version.")
    return 0
