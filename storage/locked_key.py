"""A root key under a passphrase: Argon2id makes a key of the passphrase, AES-256-GCM locks the 32 bytes.

The associated data bind network, salt and parameters. A checksum over what is public in the file tells a
damaged file from a wrong passphrase; whoever changes a file on purpose can make the one look like the other,
which opens nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import unicodedata
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from storage.keyring import SealBroken, bound, decrypt, encrypt
from storage.secret import KEY_BYTES, RootKey

HEADER = "pulang root key 1 locked"
LEAST_CHARACTERS = 16
_SALT_BYTES = 16
_COST = re.compile(r"memory=([0-9]{1,8}) rounds=([0-9]{1,3}) lanes=([0-9]{1,2})")


class Cost(NamedTuple):
    """What one try costs. `memory` in KiB."""

    memory: int = 256 * 1024  # four times RFC 9106's second choice: this is done once at a start
    rounds: int = 3
    lanes: int = 4

    def __str__(self) -> str:
        return f"memory={self.memory} rounds={self.rounds} lanes={self.lanes}"


# What a file may ask for: less is no protection, more is a trap for the machine that opens it.
LEAST, MOST = Cost(19 * 1024, 1, 1), Cost(4 * 1024 * 1024, 100, 64)


class Damaged(Exception):
    """The file is cut off, incomplete or changed. The message says which, without its content."""


class WrongPassphrase(Exception):
    """The file is as it was written, but this passphrase does not open it."""


def locked(root: RootKey, passphrase: str, cost: Cost | None = None) -> str:
    """The text of a locked key file. Slow on purpose."""
    cost, salt = cost or Cost(), os.urandom(_SALT_BYTES)
    key = AESGCM(_key(passphrase, salt, cost))
    sealed = encrypt(key, root.secret, _about(root.network_id, salt, cost))
    lines = [
        HEADER,
        f"network: {root.network_id}",
        f"argon2id: {cost}",
        f"salt: {base64.b64encode(salt).decode()}",
        f"key: {base64.b64encode(sealed).decode()}",
    ]
    return "\n".join([*lines, f"check: {_checksum(lines)}"]) + "\n"


def unlocked(text: str, passphrase: str) -> RootKey:
    """The root key of a locked file's text. Raises Damaged, WrongPassphrase. Slow on purpose."""
    network_id, cost, salt, sealed = _parts(text)
    try:
        secret = decrypt(AESGCM(_key(passphrase, salt, cost)), sealed, _about(network_id, salt, cost))
    except SealBroken:
        raise WrongPassphrase from None
    except MemoryError:
        raise Damaged(f"the passphrase needs {cost.memory // 1024} MiB of memory to be tried") from None
    return RootKey(network_id, secret)


def check_whole(text: str) -> None:
    """Raises Damaged; asks for no passphrase, so that nobody types one for a file that is beyond help."""
    _parts(text)


def _parts(text: str) -> tuple[str, Cost, bytes, bytes]:
    lines = text.removesuffix("\n").split("\n")  # splitlines() takes other control characters for an end, too
    names = ["network", "argon2id", "salt", "key", "check"]
    if [line.partition(": ")[0] for line in lines[1:]] != names:
        raise Damaged("the key file is cut off or incomplete")
    network_id, cost_text, salt_text, sealed_text, check = (line.partition(": ")[2] for line in lines[1:])
    if not hmac.compare_digest(_checksum(lines[:-1]).encode(), check.encode()):
        raise Damaged("the key file is damaged (its check does not fit)")
    try:
        salt = base64.b64decode(salt_text, validate=True)
        sealed = base64.b64decode(sealed_text, validate=True)
    except (binascii.Error, ValueError):
        raise Damaged("the key file is damaged") from None
    found = _COST.fullmatch(cost_text)
    cost = Cost(*map(int, found.groups())) if found else MOST
    if not found or any(not least <= asked <= most for least, asked, most in zip(LEAST, cost, MOST)):  # noqa: B905
        raise Damaged("the key file asks for a cost that no key of ours has")
    if len(salt) != _SALT_BYTES or cost.memory < 8 * cost.lanes:
        raise Damaged("the key file is damaged")
    return network_id, cost, salt, sealed


def _key(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    # The same letters typed on another keyboard must give the same bytes (RFC 8265, OpaqueString).
    # What a terminal could not read as letters stays the bytes that were typed.
    typed = unicodedata.normalize("NFC", passphrase).encode(errors="surrogateescape")
    slow = Argon2id(
        salt=salt, length=KEY_BYTES, iterations=cost.rounds, lanes=cost.lanes, memory_cost=cost.memory
    )
    return slow.derive(typed)


def _about(network_id: str, salt: bytes, cost: Cost) -> bytes:
    return bound("root key", HEADER, network_id, salt.hex(), str(cost))


def _checksum(lines: list[str]) -> str:
    """Of public bytes alone: it helps nobody who guesses."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]
