"""python -m bot: set up, run and look after a network. `python -m bot COMMAND --help` tells more."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from referrals.access import Action
from referrals.errors import ConfigurationError, PulangError


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its words, and the actions for which it asks a named actor; else `why` it asks nobody."""

    words: str
    needs: tuple[Action, ...] = ()
    why: str = ""


HOST = "whoever runs the host runs the product: nobody inside the network could allow or refuse it"

# Each command is a module of bot/commands with `add_arguments(parser)` and `run(args) -> exit status`.
COMMANDS = {
    "init": Command("make a new network: folders, key, database, the first steward's invitation", why=HOST),
    "run": Command("run the product", why=HOST),
    "demo": Command(
        "run the product with a simulator of Telegram and a made-up network, on this machine", why=HOST
    ),
    "network": Command("see what a network file would change, or apply it", (Action.NETWORK_APPLY,)),
    "programmes": Command(
        "who is in which version of a programme, what a newer one changes, and moving them",
        (Action.PROGRAMME_APPLY,),
    ),
    "invite": Command("invite somebody to a seat", (Action.SEAT_INVITE,)),
    "audit": Command(
        "verify and show the audit; checkpoints and who keeps them",
        (Action.AUDIT_READ, Action.AUDIT_CHECKPOINT),
    ),
    "outbox": Command(
        "see what Telegram refused for good; send it again or drop it",
        (Action.OUTBOX_SEE, Action.OUTBOX_RESEND),
    ),
    "why": Command("why a referral goes to whom, and why not to others", (Action.REFERRAL_READ,)),
    "report": Command(
        "what nobody could help with, how help was, and what nobody has confirmed",
        (Action.UNMET_REPORT, Action.CLOSING_REPORT, Action.DIRECTORY_STALE),
    ),
    "keys": Command(
        "see the states of keys, make new ones, lock the root key", (Action.KEYS_STATUS, Action.KEYS_ROTATE)
    ),
    "backup": Command(
        "make an encrypted backup while the product runs, check one, list them", (Action.BACKUP_MAKE,)
    ),
    "restore": Command(
        "make a database of a backup; what was erased since stays erased", (Action.BACKUP_RESTORE,)
    ),
    "migrate": Command("bring the database to this version", why=HOST),
}
USAGE_ERROR = 2
# What the domain refuses, for whoever sits at a terminal; the same codes are said otherwise in a chat.
REFUSED = {
    "error.not_found": "nothing has that name or code here, or it is not open to whoever asks",
    "error.not_allowed": "that is not part of this role",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="python -m bot", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, known in COMMANDS.items():
        sub = commands.add_parser(name, help=known.words, description=known.words)
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
        sys.stderr.write(f"{args.command}: {REFUSED.get(error.code, error.code)}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
