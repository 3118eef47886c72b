"""Signed notes and cosignatures, as C2SP writes them down (signed-note.md, tlog-cosignature.md).

A note is a text, an empty line, and signature lines '— <key name> <base64(key id, signature)>'. Pure: no
file, no clock, no database. What is not exactly as the specification says is refused with BadNote.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SIGNATURE = 0x01  # Ed25519 over the text
COSIGNATURE = 0x04  # Ed25519 over a time and the text: 'I saw this note then'
MAX_BYTES = 1_000_000
MAX_SIGNATURES = 100
_DASH = "— "
_KEY_BYTES, _ID_BYTES, _SIGNATURE_BYTES, _TIME_BYTES = 32, 4, 64, 8
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class BadNote(ValueError):
    """Not a note, or a signature that does not fit. `what` is a word for a program, never of the content."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True, slots=True)
class Line:
    """One signature line: whose key, and its bytes after the key's id."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text (its last newline included) and the signatures under it, none of them checked yet."""

    text: str
    lines: tuple[Line, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(str(line) for line in self.lines)}"


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name and kind, written as '<name>+<id in hex>+<base64(kind, key)>'."""

    name: str
    kind: int
    key: bytes

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256 over name, newline, kind and key."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.key).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_base64(bytes([self.kind]) + self.key)}"


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with its name."""

    name: str
    secret: Ed25519PrivateKey

    @classmethod
    def of(cls, name: str, seed: bytes) -> Signer:
        """From 32 secret bytes. BadNote for a name that no note could carry."""
        if not fit_name(name):
            raise BadNote("name")
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    def verifier(self, kind: int = SIGNATURE) -> Verifier:
        """The public half."""
        return Verifier(self.name, kind, self.secret.public_key().public_bytes_raw())

    def sign(self, text: str) -> Note:
        """A note with this one signature. BadNote for a text that could not be read back."""
        line = Line(self.name, self.verifier().key_id, self.secret.sign(text.encode()))
        note = Note(text, (line,))
        if read_note(str(note).encode()) != note:
            raise BadNote("text")
        return note

    def cosign(self, note: Note, at: int) -> Line:
        """'I saw this note at that time' (seconds since 1970), as one more line for it."""
        signature = self.secret.sign(_cosigned(note.text, at))
        return Line(self.name, self.verifier(COSIGNATURE).key_id, at.to_bytes(_TIME_BYTES, "big") + signature)


def fit_name(name: str) -> bool:
    """Whether a key may be called so: not empty, no space of any kind, no plus."""
    return bool(name) and "+" not in name and not any(c.isspace() or ord(c) < 0x20 for c in name)


def read_note(content: bytes) -> Note:
    """The note in these bytes. BadNote: 'large', 'text', 'unsigned', 'cut off', 'signature'."""
    if len(content) > MAX_BYTES:
        raise BadNote("large")
    try:
        whole = content.decode()
    except UnicodeDecodeError:
        raise BadNote("text") from None
    if _CONTROL.search(whole):
        raise BadNote("text")
    if not whole.endswith("\n"):
        raise BadNote("cut off")
    head, gap, signatures = whole.rpartition("\n\n")
    if not gap or not head:
        raise BadNote("unsigned")
    found = [_line(line) for line in signatures.removesuffix("\n").split("\n")]
    if len(found) > MAX_SIGNATURES:
        raise BadNote("large")
    return Note(head + "\n", tuple(found))


def read_verifier(text: str) -> Verifier:
    """A public key as `str(Verifier)` writes it. BadNote('key')."""
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    data = _bytes(encoded, "key")
    if len(data) != 1 + _KEY_BYTES or data[0] not in (SIGNATURE, COSIGNATURE) or not fit_name(name):
        raise BadNote("key")
    verifier = Verifier(name, data[0], data[1:])
    if verifier.key_id.hex() != key_id:
        raise BadNote("key")
    return verifier


def verify(note: Note, verifier: Verifier) -> int | None:
    """Raise BadNote unless this key has signed the note: 'unknown' if not, 'forged' if it does not fit.

    For a cosignature its time is returned (seconds since 1970).
    """
    mine = [line for line in note.lines if (line.name, line.key_id) == (verifier.name, verifier.key_id)]
    if not mine:
        raise BadNote("unknown")
    times = [_verify_line(note.text, line, verifier) for line in mine]  # one that fails refuses the whole
    return max((at for at in times if at is not None), default=None)


def _verify_line(text: str, line: Line, verifier: Verifier) -> int | None:
    at, signature, message = None, line.signature, text.encode()
    if verifier.kind == COSIGNATURE:
        at, signature = int.from_bytes(signature[:_TIME_BYTES], "big"), signature[_TIME_BYTES:]
        if at >= 2**63:
            raise BadNote("forged")
        message = _cosigned(text, at)
    try:
        Ed25519PublicKey.from_public_bytes(verifier.key).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise BadNote("forged") from None
    return at


def _cosigned(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def _line(line: str) -> Line:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not fit_name(name):
        raise BadNote("signature")
    data = _bytes(encoded, "signature")
    if len(data) <= _ID_BYTES:
        raise BadNote("signature")
    return Line(name, data[:_ID_BYTES], data[_ID_BYTES:])


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(encoded: str, what: str) -> bytes:
    """Strictly: what does not encode back to the same letters is refused."""
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise BadNote(what) from None
    if _base64(data) != encoded:
        raise BadNote(what)
    return data
