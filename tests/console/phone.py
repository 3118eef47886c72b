"""Calls as the page's own script makes them: each signed by a key of this phone's (docs/secure-pages.md)."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import aiohttp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.console.stand import Stand
from tests.security.test_init_data import query


class DeviceKey:
    """What WebCrypto makes in a web view."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public = base64url(point)

    def sign(self, *lines: object) -> str:
        r, s = decode_dss_signature(
            self._key.sign("\n".join(map(str, lines)).encode(), ec.ECDSA(hashes.SHA256()))
        )
        return base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def opening(self, page: str, init_data: str) -> dict[str, str]:
        """The body that opens a session."""
        proof = self.sign("pulang-session-1", page, digest(init_data.encode()))
        return {"init_data": init_data, "page": page, "device": self.public, "proof": proof}

    def call(self, token: str, number: int, method: str, path: str, body: bytes) -> dict[str, str]:
        """The headers of a request in a session."""
        lines = (digest(token.encode()), number, method, path, digest(body) if body else "")
        return {
            "Authorization": f"Pulang {token}",
            "Pulang-Proof": f"{number}.{self.sign('pulang-call-1', *lines)}",
        }


class Phone:
    """One page, opened or not."""

    def __init__(self, stand: Stand, http: aiohttp.ClientSession) -> None:
        self.stand, self.http, self.token = stand, http, ""
        self.key, self.number = DeviceKey(), 0

    async def opens(self, page: str, init_data: str | None = None) -> tuple[int, Any]:
        launch = query(self.stand.fields()) if init_data is None else init_data
        self.token, self.number = "", 0
        status, answer = await self.call("POST", "/p/session", self.key.opening(page, launch))
        self.token = answer.get("session", "")
        return status, answer

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        raw = b"" if body is None else json.dumps(body).encode()
        if body is not None:
            headers = {"Content-Type": "application/json", **headers}
        if self.token:
            self.number += 1
            headers = {**self.key.call(self.token, self.number, method, path, raw), **headers}
        url = self.stand.origin + path
        async with self.http.request(method, url, data=raw or None, headers=headers) as answer:
            return answer.status, await answer.json()


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
