"""Notes and keys as files: read with clear words when they do not fit, written whole or not at all."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import tempfile
from pathlib import Path

from referrals.errors import ConfigurationError
from storage.checkpoints import Body, read
from storage.notes import COSIGNATURE, MAX_BYTES, BadNote, Note, Signer, Verifier, read_verifier
from storage.private_files import put_private, read_private

_PRIVATE = "PRIVATE+KEY"
_WRONG = {
    "large": ("is far too large for a note", "give the file as it was handed out"),
    "text": ("is no note: it holds what no note can hold", "give the file as it was handed out"),
    "cut off": ("is cut off at its end", "copy the whole note again, its last line and line end included"),
    "unsigned": ("has no signature below its text", "copy the whole note again, to its last line"),
    "signature": ("has a damaged signature line", "copy the whole note again"),
    "network": ("belongs to another network", "give a note of this network, or the settings of that one"),
    "unknown": (
        "was not signed with this network's key",
        "ask whoever gave it to you where it comes from; a real note of ours always carries our key",
    ),
    "forged": (
        "was changed after it was signed, or was never signed by this network",
        "compare it with the copy of another witness; do not throw it away",
    ),
    "body": ("is signed but is no checkpoint", "give the file as it was handed out"),
    "key": ("is not a key as we write them", "copy the whole line, NAME+ID+KEY"),
}


def wrong(where: str, what: str) -> ConfigurationError:
    """What a BadNote means for whoever gave us the file."""
    found, mend = _WRONG.get(what, _WRONG["text"])
    return ConfigurationError(where, found, mend)


def read_checkpoint(path: Path, key: Verifier) -> tuple[Note, Body]:
    """A checkpoint of this network. ConfigurationError says what does not fit."""
    try:
        return read(_content(path), key)
    except BadNote as error:
        raise wrong(str(path), error.what) from None


def read_key_line(text: str) -> Verifier:
    """A public key as typed. ConfigurationError."""
    try:
        return read_verifier(text)
    except BadNote as error:
        raise wrong("--witness", error.what) from None


def write_witness_key(path: Path, name: str) -> Signer:
    """A new key for a witness, in a file for its owner alone. ConfigurationError where there is one."""
    seed = os.urandom(32)
    try:
        signer = Signer.of(name, seed)
    except BadNote:
        raise ConfigurationError(
            f"{name!r}", "cannot be a key's name", "use no space and no plus, e.g. open-door.example/audit"
        ) from None
    encoded = base64.b64encode(bytes([COSIGNATURE]) + seed).decode()
    line = f"{_PRIVATE}+{name}+{signer.verifier(COSIGNATURE).key_id.hex()}+{encoded}\n"
    put_private(path, line.encode())
    return signer


def read_witness_key(path: Path) -> Signer:
    """The private key in a file. ConfigurationError when it is missing, readable by others, or damaged."""
    mend = "give the file that 'audit witness-key' has made"
    words = read_private(path, "the key", mend).decode("utf-8", "replace").strip().split("+")
    if len(words) < 5 or "+".join(words[:2]) != _PRIVATE:
        raise ConfigurationError(str(path), "is not a witness's key", mend)
    name, key_id, encoded = words[2], words[3], "+".join(words[4:])  # base64 may hold a plus
    try:
        data = base64.b64decode(encoded, validate=True)
        signer = Signer.of(name, data[1:])
    except (binascii.Error, BadNote, ValueError):
        raise ConfigurationError(str(path), "the key is damaged", mend) from None
    if data[0] != COSIGNATURE or signer.verifier(COSIGNATURE).key_id.hex() != key_id:
        raise ConfigurationError(str(path), "the key is damaged", mend)
    return signer


def write_note(folder: Path, number: int, note: str) -> Path | None:
    """Put a note into a folder, whole or not at all; None when it lies there already. OSError.

    Where another one of that number lies (an older backup was restored since), it is laid beside that.
    """
    path = folder / f"checkpoint-{number:08}.txt"
    if path.exists() and not _holds(path, note):
        path = path.with_stem(f"{path.stem}-{hashlib.sha256(note.encode()).hexdigest()[:8]}")
    if path.exists():
        return None
    handle, fresh = tempfile.mkstemp(dir=folder, prefix=".checkpoint-", suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(note.encode())
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o644)  # it is made to be handed out
        Path(fresh).replace(path)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise
    return path


def _holds(path: Path, note: str) -> bool:
    """Whether this is the note; a witness may have added lines to it."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES).startswith(note.encode())


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        mend = "give the path of a file that you may read"
        raise ConfigurationError(str(path), f"cannot be read ({error.strerror})", mend) from None
