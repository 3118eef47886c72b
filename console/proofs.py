"""Is this request really from the device it names? Pure; whatever is wrong is refused in the same words.

What is signed stands in docs/secure-pages.md. Keys and signatures have exactly one spelling: base64url
without padding, of the raw point (65 bytes) and of the raw signature r and s (64 bytes, IEEE P1363).
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from referrals.errors import SessionOver

PublicKey = ec.EllipticCurvePublicKey

_ALGORITHM = ec.ECDSA(hashes.SHA256())
_CURVE = ec.SECP256R1()
_HALF = 32  # bytes of r and of s
_KEY = re.compile(r"[A-Za-z0-9_-]{87}")
_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{86}")
_PROOF = re.compile(r"([1-9][0-9]{0,14})[.]([A-Za-z0-9_-]{86})")


@dataclass(frozen=True, slots=True)
class Proof:
    """What the header `Pulang-Proof` holds: `number` rises with each request of a session."""

    number: int
    signature: str


@dataclass(frozen=True, slots=True)
class Call:
    """What a request of a session signs. `path` as it was sent; `body` b'' where there is none."""

    token: str
    number: int
    method: str
    path: str
    body: bytes


def read_proof(header: str) -> Proof:
    """The header `Pulang-Proof`; SessionOver unless it is '<number>.<signature>'."""
    found = _PROOF.fullmatch(header)
    if found is None:
        raise SessionOver
    return Proof(int(found[1]), found[2])


def read_key(text: str) -> PublicKey:
    """The public key of a device; SessionOver unless it is a point of P-256 in its one spelling."""
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, _bytes_of(text, _KEY))
    except ValueError:
        raise SessionOver from None


def check_opening(key: PublicKey, signature: str, page: str, init_data: str) -> None:
    """The device opens this page with this launch; SessionOver otherwise."""
    _check(key, signature, f"pulang-session-1\n{page}\n{_digest(init_data.encode('utf-8', 'replace'))}")


def check_call(key: PublicKey, signature: str, call: Call) -> None:
    """The device makes exactly this request; SessionOver otherwise."""
    body = _digest(call.body) if call.body else ""
    lines = ("pulang-call-1", _digest(call.token.encode()), str(call.number), call.method, call.path, body)
    _check(key, signature, "\n".join(lines))


def _check(key: PublicKey, signature: str, signed: str) -> None:
    try:
        raw = _bytes_of(signature, _SIGNATURE)
        r, s = int.from_bytes(raw[:_HALF], "big"), int.from_bytes(raw[_HALF:], "big")
        key.verify(encode_dss_signature(r, s), signed.encode(), _ALGORITHM)
    except (ValueError, InvalidSignature):
        raise SessionOver from None


def _bytes_of(text: str, shape: re.Pattern[str]) -> bytes:
    """Base64url in its one spelling; ValueError for another, which would decode to the same bytes."""
    if not shape.fullmatch(text):
        raise ValueError("not of this shape")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != text:
        raise ValueError("another spelling")
    return raw


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
