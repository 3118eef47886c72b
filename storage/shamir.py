"""Shamir's secret sharing, two of three: each byte is where a line of its own meets zero, in GF(256).

The field is AES's (x^8 + x^4 + x^3 + x + 1), the layout that of draft-mcgrew-tss-03: share x holds, for each
byte s of the secret, s + slope * x. One point of a line whose slope nobody knows tells nothing of the secret.
Nothing here looks a secret byte up in a table or branches on one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

NUMBERS = (1, 2, 3)
NEEDED = 2
_AES = 0x11B


def split(secret: bytes, slopes: bytes) -> dict[int, bytes]:
    """Share number to share; `slopes` are as many random bytes as the secret has, used once."""
    if len(slopes) != len(secret):
        raise ValueError("each byte needs a slope of its own")
    return {x: bytes(s ^ _times(c, x) for s, c in zip(secret, slopes, strict=True)) for x in NUMBERS}


def join(shares: Mapping[int, bytes]) -> bytes:
    """The secret of two or more shares by their numbers. Wrong ones give a wrong secret: check it."""
    if len(shares) < NEEDED or not set(shares) <= set(NUMBERS):
        raise ValueError("two shares or three, by their numbers")
    weighed = [[_times(_weight(x, shares), y) for y in share] for x, share in shares.items()]
    return bytes(reduce(int.__xor__, column) for column in zip(*weighed, strict=True))


def _weight(x: int, numbers: Mapping[int, bytes]) -> int:
    """Lagrange's factor of the share x at zero."""
    weight = 1
    for other in numbers:
        if other != x:
            weight = _times(weight, _times(other, _inverse(other ^ x)))
    return weight


def _times(a: int, b: int) -> int:
    product = 0
    for _ in range(8):
        product ^= a & -(b & 1)
        a = (a << 1) ^ (_AES & -(a >> 7))
        b >>= 1
    return product


def _inverse(a: int) -> int:
    """Of what is not zero: its 254th power, for the 255th of each is one."""
    power = 1
    for _ in range(7):  # 254 = 2 + 4 + … + 128
        a = _times(a, a)
        power = _times(power, a)
    return power
