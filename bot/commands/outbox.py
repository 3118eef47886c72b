"""python -m bot outbox dead|resend ID|drop ID --by SEAT: what Telegram refused for good."""

from __future__ import annotations

import argparse

from bot.commands.common import add_settings, named_actor, opened, settings_of, speaks, tell
from referrals.errors import ConfigurationError, NotFound
from referrals.model import Actor, Role
from referrals.persons import Seat
from referrals.ports import Tx


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """dead, resend ID, drop ID; --by, --language, --settings."""
    verbs = parser.add_subparsers(dest="verb", metavar="dead|resend|drop", required=True)
    words = {
        "dead": "list what was refused for good, oldest first",
        "resend": "send one of these again",
        "drop": "give one of these up",
    }
    for name, told in words.items():
        verb = verbs.add_parser(name, help=told, description=told)
        if name == "dead":
            verb.add_argument("--language", default="en", help="of the messages shown (default en)")
        else:
            verb.add_argument("id", type=number, metavar="ID", help="its number in 'outbox dead'")
        verb.add_argument(
            "--by", required=True, metavar="SEAT", help="the seat of the coordinator or steward who asks"
        )
        add_settings(verb)


def number(typed: str) -> int:
    """A number of the outbox; ValueError for what no database could hold."""
    found = int(typed)
    if not 0 < found < 2**63:
        raise ValueError(typed)
    return found


def run(args: argparse.Namespace) -> int:
    """Do it; what is changed leaves an audit row. A running product sends again within seconds."""
    settings = settings_of(args)
    with opened(settings) as store:
        if args.verb == "dead":
            for line in store.run(show, args.by, args.language):
                tell(line)
        else:
            store.run(change, args.verb, args.by, args.id)
            tell(f"{args.id}: {'waits to be sent again' if args.verb == 'resend' else 'given up'}.")
    return 0


def show(tx: Tx, by: str, language: str) -> list[str]:
    """A turn: the lines to print."""
    from referrals.service.desk import undelivered

    actor = _actor(tx, by)
    speaks(tx, language)
    found = undelivered.listed(tx, actor, language)
    if not found:
        return ["Nothing was refused for good."]
    lines = [f"{code or 'no code'}: {count}" for code, count in undelivered.counted(found).items()]
    for one in found:
        notice, whom = one.notice, one.post or "somebody without a post"
        lines.append(f"{notice.id}  {notice.refused_at:%Y-%m-%d %H:%M} UTC  {notice.code}  to {whom}")
        lines.append(f"    {one.words}" if one.words else "    (a message to be deleted)")
    return [*lines, "Send one again: python -m bot outbox resend ID --by SEAT"]


def change(tx: Tx, verb: str, by: str, notice_id: int) -> None:
    """A turn: resend or drop. ConfigurationError for a number that is none of these."""
    from referrals.service.desk import undelivered

    actor = _actor(tx, by)
    try:
        (undelivered.send_again if verb == "resend" else undelivered.drop)(tx, actor, notice_id)
    except NotFound:
        what = "is not the number of a message that was refused"
        raise ConfigurationError(str(notice_id), what, "see: python -m bot outbox dead --by SEAT") from None


def _actor(tx: Tx, seat_id: str) -> Actor:
    """Whoever fills that seat of a coordinator or steward; ConfigurationError."""
    seat = tx.get(Seat, seat_id)
    steward = seat is not None and seat.role is Role.STEWARD
    return named_actor(tx, seat_id, Role.STEWARD if steward else Role.COORDINATOR)
