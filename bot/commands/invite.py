"""python -m bot invite SEAT --by STEWARD: a link for whoever is to fill a seat."""

from __future__ import annotations

import argparse

from bot.commands.common import add_settings, invitation_link, new_token, opened, settings_of, steward, tell
from referrals.ports import Tx


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """SEAT, --by, --settings."""
    parser.add_argument("seat", help="the seat's id in the network file, e.g. desk-1")
    parser.add_argument("--by", metavar="STEWARD", help="the seat of the steward who invites")
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Print the link; it works once, within 24 hours."""
    settings = settings_of(args)
    token = new_token()
    with opened(settings) as store:
        store.run(_invite, args.by, args.seat, token)
    tell(f"The invitation for {args.seat}, to be opened once, within 24 hours, on that person's own phone:")
    tell(f"  {invitation_link(settings, token)}")
    return 0


def _invite(tx: Tx, by: str | None, seat_id: str, token: str) -> None:
    from referrals.service.people import joining

    joining.invite(tx, steward(tx, by), seat_id, token)
