"""What several commands need: settings, an opened store, a line on the screen, a link."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from referrals.errors import ConfigurationError
from referrals.model import Actor, Role
from referrals.persons import Person, Seat
from referrals.ports import Tx

if TYPE_CHECKING:
    from bot.settings import Settings
    from storage.secret import RootKey
    from storage.store import Store


def tell(line: str = "") -> None:
    """A line for whoever typed the command."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def add_settings(parser: argparse.ArgumentParser) -> None:
    """--settings FILE."""
    parser.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="settings as lines PULANG_NAME=value; the environment wins",
    )


def settings_of(args: argparse.Namespace) -> Settings:
    """The checked settings, with logs set up to match."""
    from bot.logs import set_up_logs
    from bot.settings import load_settings

    settings = load_settings(args.settings)
    set_up_logs(settings.log_level, settings.log_format)
    return settings


@contextmanager
def opened(settings: Settings, root_key: RootKey | None = None) -> Iterator[Store]:
    """The network's store for one command; may run beside the product. `root_key`: if it was read before."""
    from bot.app import open_store
    from bot.clock import Clock

    store, _ = open_store(settings, Clock(), worker="command", root_key=root_key)
    try:
        yield store
    finally:
        store.close()


def named_actor(tx: Tx, seat_id: str, role: Role) -> Actor:
    """Whoever fills a seat of that role; ConfigurationError when nobody does."""
    seat = tx.get(Seat, seat_id)
    if seat is None or seat.role is not role:
        raise ConfigurationError(
            f"--by {seat_id}", f"is not the seat of a {role}", "name one of the network file"
        )
    if seat.person_id is None or tx.get(Person, seat.person_id) is None:
        raise ConfigurationError(
            f"--by {seat_id}", "nobody has taken this seat yet", "let them open their invitation first"
        )
    return Actor(seat.person_id, role, seat.organization_id)


def named_one_of(tx: Tx, seat_id: str, roles: Collection[Role]) -> Actor:
    """Whoever fills a seat of one of these roles; ConfigurationError when nobody does."""
    seat = tx.get(Seat, seat_id)
    if seat is None or seat.role not in roles:
        known = " or ".join(sorted(roles))
        raise ConfigurationError(f"--by {seat_id}", f"is not the seat of a {known}", "name such a seat")
    return named_actor(tx, seat_id, seat.role)


def steward(tx: Tx, seat_id: str | None) -> Actor:
    """The steward who acts. As long as no steward has come, whoever holds the key sets the network up."""
    if seat_id is not None:
        return named_actor(tx, seat_id, Role.STEWARD)
    from referrals.service.people.joining import OPERATOR

    if any(seat.person_id for seat in tx.find(Seat, role=Role.STEWARD)):
        raise ConfigurationError(
            "--by", "is missing", "name the seat of the steward who does this, e.g. --by steward-1"
        )
    return Actor(OPERATOR, Role.STEWARD)


def speaks(tx: Tx, language: str) -> None:
    """ConfigurationError for a language that has no texts here: English would come, and nobody say why."""
    known = tx.catalogue.texts
    if language not in known:
        raise ConfigurationError(
            f"--language {language}", "has no texts here", f"use {' or '.join(sorted(known))}"
        )


def new_token() -> str:
    """128 random bits, fit for a deep link."""
    return secrets.token_urlsafe(16)


def invitation_link(settings: Settings, token: str) -> str:
    """The link to open on a phone; only the payload when Telegram cannot be asked for the bot's name."""
    import asyncio

    from telegram.error import TelegramError

    from bot.app import make_bot
    from referrals.service.people.joining import PREFIX

    async def name() -> str:
        bot = make_bot(settings)
        try:
            await bot.initialize()
            return bot.username
        except TelegramError:
            return ""
        finally:
            await bot.shutdown()

    payload = f"{PREFIX}{token}"
    username = asyncio.run(name())
    if not username:
        return f"https://t.me/YOUR_BOT?start={payload}   (Telegram cannot be reached: put your bot's name in)"
    return f"https://t.me/{username}?start={payload}"
