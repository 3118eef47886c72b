"""The root key's file: outside the data folder, readable by its owner alone, plain or under a passphrase.

Never a bare environment variable: those are inherited, printed and dumped. Everything that a person can get
wrong here is refused with the mend, and no file is ever written over before its successor was read back.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Callable
from pathlib import Path

from referrals.errors import ConfigurationError
from storage import locked_key
from storage.locked_key import Cost, Damaged, WrongPassphrase
from storage.private_files import put_private, read_apart, refuse_data_folder, replace_private
from storage.secret import KEY_BYTES, LastingSecret, RootKey, Secret, new_root_key

__all__ = [
    "KEY_BYTES",
    "LastingSecret",
    "RootKey",
    "Secret",
    "create_root_key",
    "is_locked",
    "keep_root_key",
    "load_root_key",
    "rewrite_root_key",
]

Ask = Callable[[], str]

_THE_KEY = "the key"
_HEADER = "pulang root key 1"
_NETWORK = re.compile(r"[A-Za-z0-9_-]{4,64}")
_MEND = "restore this file from where you keep its copy; no other can open the data"


def create_root_key(
    path: Path,
    data_folder: Path,
    *,
    network_id: str | None = None,
    passphrase: str | None = None,
    cost: Cost | None = None,
) -> RootKey:
    """Make a root key file (0600), of a new network unless `network_id` names one; locked with a passphrase.

    ConfigurationError where it exists or is not safe.
    """
    root = new_root_key(network_id)
    keep_root_key(path, data_folder, root, passphrase, cost)
    return root


def keep_root_key(
    path: Path, data_folder: Path, root: RootKey, passphrase: str | None = None, cost: Cost | None = None
) -> None:
    """A new file (0600) with this root key. ConfigurationError where it exists or is not safe."""
    refuse_data_folder(path, data_folder, _THE_KEY)
    put_private(path, _written(root, passphrase, cost).encode())


def load_root_key(path: Path, data_folder: Path, ask: Ask | None = None) -> RootKey:
    """Read a root key file; `ask` gives the passphrase of a locked one, and is called only for such.

    ConfigurationError when it is missing, unsafe, truncated or damaged, or the passphrase does not fit.
    """
    return _parsed(_text_of(path, data_folder), path, ask)


def is_locked(path: Path, data_folder: Path) -> bool:
    """Whether a passphrase is needed. ConfigurationError as for `load_root_key`."""
    return _text_of(path, data_folder).startswith(f"{locked_key.HEADER}\n")


def rewrite_root_key(
    path: Path, data_folder: Path, root: RootKey, passphrase: str | None, cost: Cost | None = None
) -> None:
    """Write the same key anew, locked (with a passphrase) or plain; read back before it takes the place.

    A link to it stays a link: what lies beside the key is looked for beside the file itself.
    """
    path = path.resolve()
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    put_private(fresh, _written(root, passphrase, cost).encode())
    try:
        if load_root_key(fresh, data_folder, lambda: passphrase or "") != root:
            raise ConfigurationError(str(path), "the new file does not open", "try again; the old one stands")
        replace_private(path, fresh)
    finally:
        fresh.unlink(missing_ok=True)


def _text_of(path: Path, data_folder: Path) -> str:
    return read_apart(path, data_folder, _THE_KEY).decode("ascii", "replace")


def _written(root: RootKey, passphrase: str | None, cost: Cost | None) -> str:
    if passphrase is not None:
        return locked_key.locked(root, passphrase, cost)
    return (
        f"{_HEADER}\n"
        f"network: {root.network_id}\n"
        f"key: {base64.b64encode(root.secret).decode()}\n"
        f"check: {_checksum(root)}\n"
    )


def _checksum(root: RootKey) -> str:
    """Finds a damaged file before it is blamed on the database; 32 bits of a hash give no key away."""
    return hashlib.sha256(b"pulang key file" + root.network_id.encode() + root.secret).hexdigest()[:8]


def _parsed(text: str, path: Path, ask: Ask | None) -> RootKey:
    lines = text.splitlines()
    if lines and lines[0] == locked_key.HEADER:
        return _unlocked(text, path, ask)
    if not lines or lines[0] != _HEADER:
        raise ConfigurationError(str(path), "this is not a root key file", _MEND)
    values = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    if not {"network", "key", "check"} <= set(values) or not _NETWORK.fullmatch(values["network"]):
        raise ConfigurationError(str(path), "the key file is cut off or incomplete", _MEND)
    try:
        secret = base64.b64decode(values["key"], validate=True)
    except ValueError as error:  # binascii's, and that of a byte which is no letter at all
        raise ConfigurationError(str(path), "the key is damaged", _MEND) from error
    if len(secret) != KEY_BYTES:
        what = f"the key has {len(secret)} bytes and must have {KEY_BYTES}"
        raise ConfigurationError(str(path), what, _MEND)
    root = RootKey(values["network"], secret)
    if not hmac.compare_digest(_checksum(root).encode(), values["check"].encode()):
        raise ConfigurationError(str(path), "the key is damaged (its check does not fit)", _MEND)
    return root


def _unlocked(text: str, path: Path, ask: Ask | None) -> RootKey:
    try:
        locked_key.check_whole(text)
        if ask is None:
            mend = "set PULANG_PASSPHRASE_FILE, or start it where it can be typed"
            raise ConfigurationError(str(path), "the key is locked and nobody can be asked", mend)
        return locked_key.unlocked(text, ask())
    except Damaged as error:
        raise ConfigurationError(str(path), str(error), _MEND) from None
    except WrongPassphrase:
        mend = "try again; mind capitals and the keyboard's language. The file itself is whole"
        raise ConfigurationError(str(path), "this passphrase does not open the key", mend) from None
