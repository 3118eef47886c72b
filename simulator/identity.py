"""The bot's identity and the key pair that signs launch data. Both outlive a restart."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True)
class Identity:
    """`token` is `BOT_ID:SECRET` as BotFather gives it; `signing_key` is the raw Ed25519 private key."""

    token: str
    signing_key: bytes
    username: str = "pulang_demo_bot"
    first_name: str = "Pulang"

    @classmethod
    def from_row(cls, row: dict[str, Any] | None, token: str | None) -> Identity:
        """The kept identity, or a fresh one; a token given on the command line wins over a kept one."""
        if row is None:
            fresh = f"{7_100_000_000 + secrets.randbelow(99_999_999)}:{secrets.token_urlsafe(26)}"
            return cls(token or fresh, secrets.token_bytes(32))
        return cls(token or row["token"], bytes.fromhex(row["signing_key"]))

    @property
    def bot_id(self) -> int:
        """The number before the token's colon."""
        return int(self.token.partition(":")[0])

    @property
    def key(self) -> Ed25519PrivateKey:
        """The key that signs launch data."""
        return Ed25519PrivateKey.from_private_bytes(self.signing_key)

    @property
    def public_key(self) -> str:
        """Hex of the raw public key, for the product's setting."""
        return self.key.public_key().public_bytes_raw().hex()

    def user(self) -> dict[str, Any]:
        """The bot as a sender."""
        return {"id": self.bot_id, "is_bot": True, "first_name": self.first_name, "username": self.username}

    def row(self) -> dict[str, Any]:
        """As kept in the journal."""
        return {"token": self.token, "signing_key": self.signing_key.hex()}
