"""A device as the contract of secure pages knows it: a P-256 key that signs openings and calls, in Python.

Written from docs/secure-pages.md, and shares no code with the product.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Device:
    """One web view of one person."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public_key = base64url(point)

    def sign(self, *lines: str) -> str:
        r, s = decode_dss_signature(self._key.sign("\n".join(lines).encode(), ec.ECDSA(hashes.SHA256())))
        return base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def opening(self, page: str, init_data: str) -> dict[str, str]:
        """The body of `POST /p/session` that exchanges a launch for a session."""
        proof = self.sign("pulang-session-1", page, digest(init_data.encode()))
        return {"init_data": init_data, "page": page, "device": self.public_key, "proof": proof}

    def headers(self, token: str, number: int, method: str, path: str, body: bytes = b"") -> dict[str, str]:
        """The two headers of every other request."""
        hashed = digest(body) if body else ""
        proof = self.sign("pulang-call-1", digest(token.encode()), str(number), method, path, hashed)
        return {"Authorization": f"Pulang {token}", "Pulang-Proof": f"{number}.{proof}"}


def whole(answer: Any) -> Any:
    """A view as its page puts it together: packed parts in their places."""
    if isinstance(answer, dict) and answer.get("sections"):
        parts = answer.get("parts", {})
        answer["sections"] = [one or parts[str(n)] for n, one in enumerate(answer["sections"])]
    return answer


@dataclass
class DeviceSession:
    """A session on one page: each call signed and numbered."""

    http: aiohttp.ClientSession
    origin: str
    device: Device
    page: str
    token: str
    opened: dict[str, Any] = field(default_factory=dict)
    number: int = 0
    answered: bytes = b""  # the body of the last answer, as it came

    @classmethod
    async def open(
        cls, http: aiohttp.ClientSession, origin: str, device: Device, page: str, init_data: str
    ) -> tuple[int, DeviceSession]:
        """The status, and the session (without a token when it was refused)."""
        async with http.post(f"{origin}/p/session", json=device.opening(page, init_data)) as answer:
            opened = await answer.json()
            return answer.status, cls(http, origin, device, page, opened.get("session", ""), opened)

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """`path` from '/p' on; the number rises by itself."""
        self.number += 1
        raw = b"" if body is None else json.dumps(body).encode()
        signed = self.device.headers(self.token, self.number, method, path, raw)
        return await self.send(method, path, raw, {**signed, **headers})

    async def send(self, method: str, path: str, raw: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        """Exactly these bytes and headers, whoever signed them."""
        kind = {"Content-Type": "application/json"} if raw else {}
        url = self.origin + path
        async with self.http.request(method, url, data=raw or None, headers={**kind, **headers}) as answer:
            self.answered = await answer.read()
            return answer.status, whole(json.loads(self.answered))

    async def view(self) -> tuple[int, Any]:
        return await self.call("GET", f"/p/api/{self.page}")

    async def does(self, step: str, **body: Any) -> tuple[int, Any]:
        return await self.call("POST", f"/p/api/{self.page}/{step}", body)

    async def device_does(self, step: str, **body: Any) -> tuple[int, Any]:
        """PIN and devices: prove, enrol, recover, ask …"""
        return await self.call("POST", f"/p/device/{step}", body)

    async def onward(self, page: str) -> tuple[int, DeviceSession]:
        status, opened = await self.call("POST", "/p/session", {"page": page})
        token = opened.get("session", "")
        return status, DeviceSession(self.http, self.origin, self.device, page, token, opened)
