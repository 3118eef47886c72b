"""The two secrets from which everything else is derived, with HKDF-SHA256 under a label of its own.

The **root key** comes from a file, can be replaced, and only wraps other keys. The **lasting secret** stands
in the database, sealed by the root key: what can never be made anew (the index of accounts, fingerprints of
codes, the pepper of PINs) is derived from it, so that it outlives a root key. See decision 0008.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Secret:
    """32 bytes that belong to one network. `network_id` is public; `secret` never appears in a repr."""

    network_id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"a secret has {KEY_BYTES} bytes")

    def derive(self, label: str) -> bytes:
        """32 bytes for one purpose; another label or network gives unrelated ones."""
        info = f"pulang/{label}/1".encode()
        return HKDF(SHA256(), KEY_BYTES, salt=self.network_id.encode(), info=info).derive(self.secret)


@dataclass(frozen=True, slots=True)
class RootKey(Secret):
    """A network's root key. Nothing is derived from it but what a new root key can take over."""

    @property
    def check_value(self) -> str:
        """What the database keeps to know its key again; tells nothing about the key."""
        return hmac.new(self.derive("key-check"), b"check", hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class LastingSecret(Secret):
    """What outlives a root key: derive here whatever must be found, compared or verified years later."""


def new_root_key(network_id: str | None = None) -> RootKey:
    """A fresh root key, of a new network or of one that exists."""
    return RootKey(network_id or os.urandom(8).hex(), os.urandom(KEY_BYTES))
