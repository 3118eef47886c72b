"""The root key: 32 bytes in a file of its own, outside the data folder, readable by its owner alone.

Everything else is derived from it with HKDF-SHA256 under a label of its own; the root key itself encrypts
nothing. Never a bare environment variable: those are inherited, printed and dumped.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from referrals.errors import ConfigurationError

KEY_BYTES = 32
_HEADER = "pulang root key 1"
_NETWORK = re.compile(r"[A-Za-z0-9_-]{4,64}")


@dataclass(frozen=True, slots=True)
class RootKey:
    """A network's root key. `network_id` is public; `secret` never appears in a repr."""

    network_id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"a root key has {KEY_BYTES} bytes")

    def derive(self, label: str) -> bytes:
        """32 bytes for one purpose; another label or network gives unrelated ones."""
        info = f"pulang/{label}/1".encode()
        return HKDF(SHA256(), KEY_BYTES, salt=self.network_id.encode(), info=info).derive(self.secret)

    @property
    def check_value(self) -> str:
        """What the database keeps to know its key again; tells nothing about the key."""
        return hmac.new(self.derive("key-check"), b"check", hashlib.sha256).hexdigest()


def create_root_key(path: Path, data_folder: Path) -> RootKey:
    """Make a new network's root key file (0600). ConfigurationError where it exists or is not safe."""
    _refuse_data_folder(path, data_folder)
    root = RootKey(binascii.hexlify(os.urandom(8)).decode(), os.urandom(KEY_BYTES))
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ConfigurationError(str(path), "there is a file already", "keep it, or name another") from error
    except OSError as error:
        mend = "name a file in a folder that exists and that this user may write"
        raise ConfigurationError(str(path), f"cannot be written ({error.strerror})", mend) from error
    with os.fdopen(handle, "w") as file:
        file.write(_written(root))
        file.flush()
        os.fsync(file.fileno())
    return root


def load_root_key(path: Path, data_folder: Path) -> RootKey:
    """Read a root key file. ConfigurationError when it is missing, unsafe, truncated or damaged."""
    _refuse_data_folder(path, data_folder)
    try:
        # The rights of the opened file are looked at, not of a name that can be changed in between.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        mend = "give the path of this network's key file, readable by this user"
        raise ConfigurationError(str(path), f"the key cannot be read ({error.strerror})", mend) from error
    try:
        _refuse_unsafe(os.fstat(handle), path)
        content = os.read(handle, 4096)
    finally:
        os.close(handle)
    return _parsed(content, path)


def _refuse_unsafe(about: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(about.st_mode):
        raise ConfigurationError(str(path), "this is not a plain file", "name the key file itself")
    if about.st_mode & 0o077:
        what = f"others may read the key (mode {stat.S_IMODE(about.st_mode):04o})"
        raise ConfigurationError(str(path), what, f"chmod 600 {path}")
    if about.st_uid not in (0, os.geteuid()):
        what = f"the key belongs to another user (number {about.st_uid})"
        raise ConfigurationError(str(path), what, "chown it to the user who runs this")


def _refuse_data_folder(path: Path, data_folder: Path) -> None:
    real, folder = path.resolve(), data_folder.resolve()
    if real.is_relative_to(folder):
        what = "the key lies in the data folder, so that one theft would take both"
        raise ConfigurationError(str(path), what, f"move it out of {folder}")


def _written(root: RootKey) -> str:
    return (
        f"{_HEADER}\n"
        f"network: {root.network_id}\n"
        f"key: {base64.b64encode(root.secret).decode()}\n"
        f"check: {_checksum(root)}\n"
    )


def _checksum(root: RootKey) -> str:
    """Finds a damaged file before it is blamed on the database; 32 bits of a hash give no key away."""
    return hashlib.sha256(b"pulang key file" + root.network_id.encode() + root.secret).hexdigest()[:8]


def _parsed(content: bytes, path: Path) -> RootKey:
    mend = "restore this file from where you keep its copy; no other can open the data"
    lines = content.decode("ascii", "replace").splitlines()
    if not lines or lines[0] != _HEADER:
        raise ConfigurationError(str(path), "this is not a root key file", mend)
    values = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    if not {"network", "key", "check"} <= set(values) or not _NETWORK.fullmatch(values["network"]):
        raise ConfigurationError(str(path), "the key file is cut off or incomplete", mend)
    try:
        secret = base64.b64decode(values["key"], validate=True)
    except binascii.Error as error:
        raise ConfigurationError(str(path), "the key is damaged", mend) from error
    if len(secret) != KEY_BYTES:
        what = f"the key has {len(secret)} bytes and must have {KEY_BYTES}"
        raise ConfigurationError(str(path), what, mend)
    root = RootKey(values["network"], secret)
    if not hmac.compare_digest(_checksum(root), values["check"]):
        raise ConfigurationError(str(path), "the key is damaged (its check does not fit)", mend)
    return root
