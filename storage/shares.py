"""A share of the root key as a page that is printed, kept by somebody, and one day typed in again.

Each line has a name, a value and a check of its own, so that whoever mistypes is told where. Letters are
Crockford's base32: no I, L, O or U, and 0 and 1 are understood where O, I or L were typed.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from referrals.errors import ConfigurationError
from storage.secret import KEY_BYTES, RootKey
from storage.shamir import NEEDED, NUMBERS, join, split

HEADER = "pulang root key share 1"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans("OIL", "011", " -\t")
_NETWORK = re.compile(r"[A-Za-z0-9_-]{4,64}")
_CHECK = 4  # letters: one mistyped line in a million is not seen here, and then the key's own check sees it
_MARK_BYTES = 5
_PART_BYTES = 8
PARTS = tuple(f"part {n}" for n in range(1, KEY_BYTES // _PART_BYTES + 1))
NAMES = ("network", "share", "printing", "key", *PARTS)
_LINE = re.compile(rf"({'|'.join(NAMES)})\s*:(.*)", re.IGNORECASE)
_LENGTHS = {"printing": _MARK_BYTES, "key": _MARK_BYTES, **dict.fromkeys(PARTS, _PART_BYTES)}


@dataclass(frozen=True, slots=True)
class Share:
    """One of three. `printing` tells shares that were made together; `mark` knows the key again."""

    network_id: str
    number: int
    printing: bytes
    mark: bytes
    value: bytes = field(repr=False)


# --- Made and put together -----------------------------------------------------------------------


def shares_of(root: RootKey) -> list[Share]:
    """Three shares, any two of which give the key; with those of another time they do not go together."""
    printing = os.urandom(_MARK_BYTES)
    parts = split(root.secret, os.urandom(KEY_BYTES))
    mark = _mark(root.network_id, root.secret)
    return [Share(root.network_id, n, printing, mark, parts[n]) for n in NUMBERS]


def key_of(shares: Sequence[tuple[str, Share]]) -> RootKey:
    """The root key of two shares or three, each with where it came from. ConfigurationError."""
    if len(shares) < NEEDED:
        mend = f"{NEEDED} of the {len(NUMBERS)} are needed"
        raise ConfigurationError("shares", f"{len(shares)} is too few", mend)
    (first_where, first), seen = shares[0], dict[int, str]()
    for where, share in shares:
        if share.network_id != first.network_id:
            what = f"is of the network {share.network_id}, and {first_where} of {first.network_id}"
            raise ConfigurationError(where, what, "take shares of one network")
        if (share.printing, share.mark) != (first.printing, first.mark):
            what = f"was made at another time than {first_where} (look at the lines 'printing' and 'key')"
            raise ConfigurationError(where, what, "take shares that were made together")
        if share.number in seen:
            what = f"is share {share.number}, as {seen[share.number]} is"
            raise ConfigurationError(where, what, "one share twice is one share: find another")
        seen[share.number] = where
    secret = join({share.number: share.value for _, share in shares})
    if not hmac.compare_digest(_mark(first.network_id, secret), first.mark):
        what = f"give no key together ({', '.join(where for where, _ in shares)})"
        raise ConfigurationError("shares", what, "one was changed; try another two of the three")
    return RootKey(first.network_id, secret)


def _mark(network_id: str, secret: bytes) -> bytes:
    """40 bits of a hash of 256 random ones: they find the key nobody has, and help nobody to guess it."""
    named = b"pulang root key of shares " + network_id.encode() + b" " + secret
    return hashlib.sha256(named).digest()[:_MARK_BYTES]


# --- As text -------------------------------------------------------------------------------------


def printed(share: Share) -> str:
    """The page. Lines that begin with '#' are for people."""
    values = {
        "network": share.network_id,
        "share": str(share.number),
        "printing": _letters(share.printing),
        "key": _letters(share.mark),
        **{
            name: _letters(share.value[n * _PART_BYTES : (n + 1) * _PART_BYTES])
            for n, name in enumerate(PARTS)
        },
    }
    return "\n".join(
        [
            HEADER,
            f"# Share {share.number} of {len(NUMBERS)}. Any {NEEDED} open all that this network keeps.",
            "# Keep it on paper only, apart from the others, with somebody who tells nobody.",
            *(f"{name}: {_grouped(name, value)}  {_check(name, value)}" for name, value in values.items()),
            "# To type it in: python -m bot keys from-shares --out NEWFILE",
            "",
        ]
    )


def read_share(text: str, where: str) -> Share:
    """A share as it was printed or typed off. ConfigurationError names the line."""
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines()]
    if HEADER not in [" ".join(line.lower().split()) for line in lines]:
        mend = f"a share begins with the line '{HEADER}'"
        raise ConfigurationError(where, "is no share of a root key", mend)
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#") or " ".join(line.lower().split()) == HEADER:
            continue
        at = f"{where}, line {number}"
        named = _LINE.fullmatch(line)
        if named is None:
            raise ConfigurationError(at, "is no line of a share", f"lines begin with {', '.join(NAMES)}")
        name = named[1].lower()
        if name in found:
            raise ConfigurationError(at, f"'{name}' is there twice", "leave the wrong one out")
        found[name] = read_line(name, named[2], f"{at} ({name})")
    return share_of(found, where)


def read_line(name: str, typed: str, where: str) -> str:
    """The value of one line without its check. ConfigurationError where it was mistyped."""
    mend = "compare it with the paper, letter by letter"
    *words, check = typed.split() or [""]
    value = " ".join(words) if name == "network" else "".join(words).upper().translate(_READ_AS)
    if name in _LENGTHS:
        letters = "".join(typed.split()).upper().translate(_READ_AS)
        strange = next((letter for letter in letters if letter not in ALPHABET), None)
        if strange is not None:
            raise ConfigurationError(where, f"no share has the letter {strange!r}", mend)
        wanted = _LENGTHS[name] * 8 // 5 + (_LENGTHS[name] * 8 % 5 > 0) + _CHECK
        if len(letters) != wanted:
            raise ConfigurationError(where, f"has {len(letters)} letters and must have {wanted}", mend)
        value, check = letters[:-_CHECK], letters[-_CHECK:]
    if _check(name, value) != check.upper().translate(_READ_AS):
        raise ConfigurationError(where, "something is mistyped", mend)
    return value


def share_of(found: Mapping[str, str], where: str) -> Share:
    """The share of its lines, each read by `read_line`. ConfigurationError where one is missing or wrong."""
    missing = [name for name in NAMES if name not in found]
    if missing:
        raise ConfigurationError(where, f"the line '{missing[0]}' is missing", "copy the whole page")
    if not _NETWORK.fullmatch(found["network"]):
        raise ConfigurationError(f"{where} (network)", "is no network's id", "copy it from the paper")
    if found["share"] not in map(str, NUMBERS):
        raise ConfigurationError(f"{where} (share)", "is no number of a share", "it is 1, 2 or 3")
    printing, mark, *parts = (_bytes(found[name], _LENGTHS[name]) for name in NAMES[2:])
    return Share(found["network"], int(found["share"]), printing, mark, b"".join(parts))


def _check(name: str, value: str) -> str:
    """20 bits of a hash of the line: of what its holder has already."""
    return _letters(hashlib.sha256(f"pulang share {name} {value}".encode()).digest()[:5])[:_CHECK]


def _grouped(name: str, value: str) -> str:
    if name not in _LENGTHS:
        return value
    return " ".join(value[n : n + 4] for n in range(0, len(value), 4))


def _letters(data: bytes) -> str:
    """Base32 with the last letter filled up by zero bits."""
    count = -(-len(data) * 8 // 5)
    number = int.from_bytes(data, "big") << (count * 5 - len(data) * 8)
    return "".join(ALPHABET[number >> 5 * n & 31] for n in reversed(range(count)))


def _bytes(letters: str, size: int) -> bytes:
    number = 0
    for letter in letters:
        number = number << 5 | ALPHABET.index(letter)
    return (number >> (len(letters) * 5 - size * 8)).to_bytes(size, "big")
