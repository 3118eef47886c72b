"""The layers under sealing: root key, key-encryption key (holder, class), record key (record, class), field.

Rules: every layer is AES-256-GCM with a fresh nonce; the associated data of each names exactly where its
bytes belong, each part with its length before it, so that what was moved does not open. No database here.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from threading import Lock
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referrals.errors import NotSealedFor, StoreError
from referrals.model import DataClass, Record
from storage import checkpoints
from storage.notes import Note, Verifier
from storage.secret import KEY_BYTES, LastingSecret, RootKey

NONCE_BYTES = 12
_CACHED_KEKS = 2_000


class SealBroken(StoreError):
    """Bytes that do not open with the key that should open them: moved, damaged or forged."""


class Kek(NamedTuple):
    """A key-encryption key as the database holds it: wrapped by the root key, or destroyed (None)."""

    id: str
    wrapped: bytes | None
    version: int
    data_class: str
    holder: str


class Wrap(NamedTuple):
    """A record key as the database holds it for one holder. The columns of a joined row, in this order."""

    holder: str
    key_id: str
    wrapped: bytes
    kek_id: str
    kek_wrapped: bytes | None
    kek_version: int
    kek_class: str
    kek_holder: str
    kek_state: str = "active"

    @property
    def kek(self) -> Kek:
        return Kek(self.kek_id, self.kek_wrapped, self.kek_version, self.kek_class, self.kek_holder)


class Field(NamedTuple):
    """A sealed field as the database holds it."""

    column: str
    key_id: str
    version: int
    ciphertext: bytes


def bound(*parts: str | int) -> bytes:
    """Associated data: each part with its length before it, so that no two lists give the same bytes."""
    out = bytearray()
    for part in parts:
        data = str(part).encode()
        out += len(data).to_bytes(4, "big") + data
    return bytes(out)


def encrypt(key: AESGCM, plain: bytes, about: bytes) -> bytes:
    """12 random bytes of nonce, then ciphertext and tag."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + key.encrypt(nonce, plain, about)


def decrypt(key: AESGCM, sealed: bytes, about: bytes) -> bytes:
    """The plain bytes. Raises SealBroken."""
    try:
        return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
    except (InvalidTag, ValueError) as error:
        raise SealBroken("a sealed value does not open where it stands") from error


class Keyring:
    """The keys of one process: those derived from its two secrets, and a bounded cache of unwrapped KEKs."""

    def __init__(self, root: RootKey, lasting: LastingSecret) -> None:
        self._network = root.network_id
        self._root = AESGCM(root.derive("kek-wrap"))
        self.root_check = root.check_value
        self._index_key = lasting.derive("account-index")
        self._fingerprint_key = lasting.derive("fingerprint")
        self._signer = checkpoints.signer(lasting)
        self._keks: OrderedDict[Kek, AESGCM] = OrderedDict()
        self._lock = Lock()

    def account_lookup(self, account: int) -> str:
        """The network-wide HMAC-SHA256 (hex) by which an account is found again."""
        return hmac.new(self._index_key, str(account).encode(), hashlib.sha256).hexdigest()

    @property
    def checkpoint_key(self) -> Verifier:
        """The public key of this network's checkpoints."""
        return self._signer.verifier()

    def checkpoint(self, number: int, at: datetime, heads: Sequence[checkpoints.Head]) -> Note:
        """The audit's heads as a signed note."""
        return checkpoints.make(self._signer, self._network, number, at, heads)

    def fingerprint(self, purpose: str, text: str) -> str:
        """HMAC-SHA256 (hex) of a secret, for looking it up; `purpose` keeps two uses apart."""
        return hmac.new(self._fingerprint_key, bound(purpose, text), hashlib.sha256).hexdigest()

    def new_kek(self, holder: str, data_class: str, version: int) -> Kek:
        """A fresh key-encryption key, wrapped by the root key."""
        kek_id = os.urandom(12).hex()
        fresh = Kek(kek_id, None, version, data_class, holder)
        return fresh._replace(wrapped=self.wrap_kek(fresh, os.urandom(KEY_BYTES)))

    def wrap_kek(self, kek: Kek, secret: bytes) -> bytes:
        """A key-encryption key's bytes under the root key, bound to where they stand."""
        return encrypt(self._root, secret, self._kek_about(kek))

    def kek_bytes(self, kek: Kek) -> bytes:
        """The other way. NotSealedFor for a destroyed one, SealBroken for one that was tampered with."""
        if kek.wrapped is None:
            raise NotSealedFor
        return decrypt(self._root, kek.wrapped, self._kek_about(kek))

    def kek(self, kek: Kek) -> AESGCM:
        """Unwrap a KEK, as `kek_bytes`.

        The cache is keyed by the wrapped bytes too, so that a destroyed key is never found in it.
        """
        with self._lock:
            found = self._keks.get(kek)
            if found is not None:
                self._keks.move_to_end(kek)
                return found
        key = AESGCM(self.kek_bytes(kek))
        with self._lock:
            self._keks[kek] = key
            if len(self._keks) > _CACHED_KEKS:
                self._keks.popitem(last=False)
        return key

    def forget(self) -> None:
        """Let go of every unwrapped key: after one was destroyed, its bytes need not stay in memory."""
        with self._lock:
            self._keks.clear()

    def wrap(self, record: Record, data_class: DataClass, key_id: str, key: bytes, kek: Kek) -> bytes:
        """A record key for the holder of `kek`."""
        return encrypt(self.kek(kek), key, self._wrap_about(record, data_class, kek.holder, key_id, kek.id))

    def unwrap(self, record: Record, data_class: DataClass, wrap: Wrap) -> bytes:
        """The record key. SealBroken, NotSealedFor."""
        about = self._wrap_about(record, data_class, wrap.holder, wrap.key_id, wrap.kek_id)
        return decrypt(self.kek(wrap.kek), wrap.wrapped, about)

    def seal_field(self, record: Record, data_class: DataClass, key: bytes, text: str, place: Field) -> Field:
        """Encrypt a text into its place (whose ciphertext is ignored)."""
        # A broken half of an emoji must not lose somebody's note.
        plain = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
        return place._replace(
            ciphertext=encrypt(AESGCM(key), plain, self._field_about(record, data_class, place))
        )

    def open_field(self, record: Record, data_class: DataClass, key: AESGCM, field: Field) -> str:
        """The text of a sealed field. SealBroken."""
        return decrypt(key, field.ciphertext, self._field_about(record, data_class, field)).decode()

    def _kek_about(self, kek: Kek) -> bytes:
        return bound("kek", self._network, kek.id, kek.version, kek.data_class, kek.holder)

    def _wrap_about(
        self, record: Record, data_class: DataClass, holder: str, key_id: str, kek_id: str
    ) -> bytes:
        where = (record.table, record.row, data_class.value)
        return bound("wrap", self._network, *where, holder, key_id, kek_id)

    def _field_about(self, record: Record, data_class: DataClass, field: Field) -> bytes:
        where = (record.table, record.row, field.column, data_class.value)
        return bound("field", self._network, *where, field.key_id, field.version)
