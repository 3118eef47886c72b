"""Secrets as people and rows hold them: words on paper, digits said aloud, digests of tokens.

The words are proquints, five letters for each 16 bits: 'lusab-babad-gutih-tugad'. Consonants and vowels
take turns, so that it can be said in any language, typed on the plainest keyboard, and read back over a bad
line. Source: D. S. Wilkerson, 'A Proposal for Proquints: Identifiers that are Readable, Spellable, and
Pronounceable' (arXiv:0901.4016).
"""

from __future__ import annotations

import hashlib
import re

_CONSONANTS = "bdfghjklmnprstvz"
_VOWELS = "aiou"
_SHAPE = (_CONSONANTS, _VOWELS, _CONSONANTS, _VOWELS, _CONSONANTS)
_BITS = (4, 2, 4, 2, 4)
_QUINT = 5

TRACKING_BYTES = 8  # 64 random bits: four words (domain.md, 'Threads')
RECOVERY_BYTES = 10  # 80 random bits: five words


def spell(secret: bytes) -> str:
    """Bytes as words, joined by hyphens. The number of bytes must be even."""
    numbers = [int.from_bytes(secret[at : at + 2], "big") for at in range(0, len(secret), 2)]
    return "-".join(map(_word, numbers))


def normal(typed: str, length: int) -> str | None:
    """What somebody typed, as `spell` would write it for `length` bytes; None when it cannot be a code.

    Capitals, spaces, dots and missing hyphens are forgiven.
    """
    letters = re.sub(r"[\s.,\-\u2010-\u2015]+", "", typed).casefold()
    words = [letters[at : at + _QUINT] for at in range(0, len(letters), _QUINT)]
    if len(words) * 2 != length or not all(map(_is_word, words)):
        return None
    return "-".join(words)


def digest(token: str) -> str:
    """What is stored of a random token that a link, an address or a page holds: its SHA-256 in hex."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def check_number(fingerprint: str) -> str:
    """Four digits of a keyed fingerprint (hex), for two people to compare by voice: do they mean the same?"""
    return f"{int(fingerprint, 16) % 10_000:04}"


def _word(number: int) -> str:
    letters, left = "", sum(_BITS)
    for alphabet, bits in zip(_SHAPE, _BITS, strict=True):
        left -= bits
        letters += alphabet[(number >> left) & (len(alphabet) - 1)]
    return letters


def _is_word(word: str) -> bool:
    return len(word) == _QUINT and all(a in alphabet for a, alphabet in zip(word, _SHAPE, strict=True))
