"""Is this launch data really Telegram's, for this bot, and fresh? Pure; all refusals are alike.

Source: core.telegram.org/bots/webapps, 'Validating data received via the Mini App' (HMAC-SHA256, which
whoever holds the bot's token can make) and '... for Third-Party Use' (Ed25519, which only Telegram can
make). Both must hold, so neither a stolen token nor another bot's launch opens a page. Single use is the
business of `sessions.open_session`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from referrals.errors import SessionOver

# Telegram's key of the production environment, as core.telegram.org/bots/webapps publishes it.
TELEGRAM_PUBLIC_KEY = "e7bf03a2fa4602af4580703d88dda5bb59f32ed8b02a56c187fe7d34caed242d"

MAX_LENGTH = 8192  # characters; a real one has about 700
MAX_FIELDS = 24
MAX_AGE_S = 300
MAX_AHEAD_S = 60  # clocks differ a little

_REQUIRED = ("auth_date", "hash", "signature", "user")
_NAME = re.compile(r"[a-z_]{1,64}")
# In the signed text each field has a line of its own: a line break in a value could pose as another field.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DATE = re.compile(r"[0-9]{9,11}")
_HASH = re.compile(r"[0-9a-f]{64}")
_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{86}(==)?")
_MAX_ACCOUNT = 2**52  # Telegram: ids have at most 52 significant bits


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose launch data is believed: this bot's, signed with this Ed25519 public key (hex, 32 bytes)."""

    bot_token: str
    bot_id: int
    public_key: str = TELEGRAM_PUBLIC_KEY


@dataclass(frozen=True, slots=True)
class Launch:
    """A proven launch. `key` names it for single use and grows with time; `language` is a first guess."""

    account: int
    key: str
    language: str = ""


def check(init_data: str, trust: Trust, now: datetime) -> Launch:
    """The launch that this string proves; SessionOver for everything else, whatever is wrong with it."""
    try:
        return _check(init_data, trust, now)
    except (ValueError, InvalidSignature, RecursionError):
        raise SessionOver from None


def _check(init_data: str, trust: Trust, now: datetime) -> Launch:
    fields = _fields(init_data)
    _check_hmac(fields, trust.bot_token)
    _check_signature(fields, trust)
    _check_age(fields["auth_date"], now)
    account, language = _user(fields["user"])
    return Launch(account, f"init:{fields['auth_date']}:{fields['hash']}", language)


def _fields(init_data: str) -> dict[str, str]:
    if len(init_data) > MAX_LENGTH:
        raise ValueError("too long")
    pairs = parse_qsl(
        init_data, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=MAX_FIELDS
    )
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field stands twice")
    if not all(_NAME.fullmatch(name) for name in fields) or any(map(_CONTROL.search, fields.values())):
        raise ValueError("not a field of Telegram's")
    if not all(fields.get(name) for name in _REQUIRED):
        raise ValueError("a field is missing")
    if not _DATE.fullmatch(fields["auth_date"]):
        raise ValueError("no date")
    return fields


def _check_hmac(fields: Mapping[str, str], token: str) -> None:
    if not _HASH.fullmatch(fields["hash"]):
        raise ValueError("no hash")
    secret = hmac.new(b"WebAppData", token.encode(), hashlib.sha256).digest()
    expected = hmac.new(secret, _signed_lines(fields, {"hash"}).encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, fields["hash"]):
        raise ValueError("not this bot's")


def _check_signature(fields: Mapping[str, str], trust: Trust) -> None:
    if not _SIGNATURE.fullmatch(fields["signature"]):
        raise ValueError("no signature")
    signature = base64.urlsafe_b64decode(fields["signature"].rstrip("=") + "==")
    signed = f"{trust.bot_id}:WebAppData\n{_signed_lines(fields, {'hash', 'signature'})}"
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(trust.public_key))
    key.verify(signature, signed.encode())


def _signed_lines(fields: Mapping[str, str], without: set[str]) -> str:
    return "\n".join(f"{name}={fields[name]}" for name in sorted(fields) if name not in without)


def _check_age(auth_date: str, now: datetime) -> None:
    age = now.timestamp() - int(auth_date)
    if not -MAX_AHEAD_S <= age <= MAX_AGE_S:
        raise ValueError("not fresh")


def _user(text: str) -> tuple[int, str]:
    user = json.loads(text)
    if not isinstance(user, dict):
        raise ValueError("no user")  # noqa: TRY004 - told apart by nobody: every refusal is the same
    account, language = user.get("id"), user.get("language_code")
    if type(account) is not int or not 0 < account < _MAX_ACCOUNT or user.get("is_bot"):
        raise ValueError("nobody's account")
    return account, language if isinstance(language, str) else ""
