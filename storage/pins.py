"""PINs at rest: Argon2id with a pepper from the lasting secret, so that no stolen database helps to guess.

Slow on purpose (some 100 ms and 32 MiB each): callers run it in a thread, outside every turn.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from storage.secret import KEY_BYTES, Secret

# RFC 9106 asks for as much as the machine can spare; OWASP's least is 19 MiB and 2 rounds.
_MEMORY_KIB = 32 * 1024
_ROUNDS = 3
_LANES = 1
_SALT_BYTES = 16
_SCHEME = "argon2id-1"
_NOBODY = f"{_SCHEME}${bytes(_SALT_BYTES).hex()}${bytes(KEY_BYTES).hex()}"


class PinKeeper:
    """Fulfils ports.Pins."""

    def __init__(self, lasting: Secret) -> None:
        self._pepper = lasting.derive("pin-pepper")

    def conceal(self, pin: str) -> str:
        """'<scheme>$<salt>$<hash>', both in hex."""
        salt = os.urandom(_SALT_BYTES)
        return f"{_SCHEME}${salt.hex()}${self._argon2(salt).derive(pin.encode()).hex()}"

    def fits(self, pin: str, stored: str) -> bool:
        """Whether it is the PIN; nobody's ('') takes as long as anybody's."""
        _, salt, digest = (stored or _NOBODY).split("$")
        try:
            self._argon2(bytes.fromhex(salt)).verify(pin.encode(), bytes.fromhex(digest))
        except InvalidKey:
            return False
        return bool(stored)

    def _argon2(self, salt: bytes) -> Argon2id:
        return Argon2id(
            salt=salt,
            length=KEY_BYTES,
            iterations=_ROUNDS,
            lanes=_LANES,
            memory_cost=_MEMORY_KIB,
            secret=self._pepper,
        )
