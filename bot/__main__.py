"""python -m bot: set up, run and look after a network. `python -m bot COMMAND --help` tells more."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from referrals.errors import ConfigurationError, PulangError

# Each command is a module of bot/commands with `add_arguments(parser)` and `run(args) -> exit status`.
COMMANDS = {
    "init": "make a new network: folders, key, database, the first steward's invitation",
    "run": "run the product",
    "demo": "run the product with a simulator of Telegram and a made-up network, on this machine",
    "network": "see what a network file would change, or apply it",
    "invite": "invite somebody to a seat",
    "audit": "verify and show the audit; checkpoints and who keeps them",
    "why": "why a referral goes to whom, and why not to others",
    "keys": "see the states of keys, make new ones, lock the root key",
    "backup": "make an encrypted backup while the product runs, check one, list them",
    "restore": "make a database of a backup; what was erased since stays erased",
    "migrate": "bring the database to this version",
}
USAGE_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="python -m bot", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, words in COMMANDS.items():
        sub = commands.add_parser(name, help=words, description=words)
        # Only the command that is asked for is loaded: the others' libraries would slow the start.
        if name in given[:1]:
            importlib.import_module(f"bot.commands.{name}").add_arguments(sub)
    args = parser.parse_args(given)
    command = importlib.import_module(f"bot.commands.{args.command}")
    try:
        return int(command.run(args))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE_ERROR
    except PulangError as error:
        sys.stderr.write(f"{args.command}: {error.code}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
