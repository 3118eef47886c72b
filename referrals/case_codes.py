"""Case codes: 'K7-29'. Easy to say over a bad line, hard to mistype, and nothing about anybody in them.

A letter, a digit, a hyphen, one to three more characters, and a check character at the end. The alphabet
has 29 signs, a prime, and leaves out whatever is mistaken for another (B G I O Q S Z). Each place has a
weight of its own, a power of 2 modulo 29; a code is right when the weighted sum is TOTAL. So every single
wrong character and every exchange of two is noticed: a difference times a weight is never 0 modulo a prime,
and the weights of the places differ pairwise. (ISO 7064 works in the same way, with other signs.)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container, Iterable

# The order gives each sign its value. It is the order in which the first four codes ever given are right.
ALPHABET = "0123456789AMCKDEFHJLNPUTVWXRY"
TOTAL = 20
_BASE, _MODULUS = 2, len(ALPHABET)
_LETTERS = "".join(sign for sign in ALPHABET if sign.isalpha())
_DIGITS = "0123456789"
_SHAPE = re.compile(rf"[{_LETTERS}]\d-?[{ALPHABET}]{{2,4}}")
SHORT, LONG = 1, 3  # characters between the hyphen and the check character

# Letters that are no signs, each read as the digit that it is mistaken for. L is a sign, and a 1 only where
# a digit must stand.
_READ_AS = str.maketrans("OQIZSGB", "0012568")
_READ_AS_DIGIT = str.maketrans("OQILZSGB", "00112568")


def spoken(typed: str) -> str:
    """What somebody typed as a code is written, right or wrong: 'k7 29', 'K729' and 'K๗-๒๙' are 'K7-29'.

    A letter that no code has becomes the digit that it looks like ('KI-2S' is 'K1-25').
    """
    digits = "".join(str(unicodedata.decimal(sign, sign)) for sign in typed)
    signs = re.sub(r"[^0-9A-Za-z]", "", digits).upper()
    first, digit, rest = signs[:1], signs[1:2], signs[2:].translate(_READ_AS)
    if not (digit == "L" and _exchanged(first, rest)):
        digit = digit.translate(_READ_AS_DIGIT)
    signs = first + digit + rest
    return f"{signs[:2]}-{signs[2:]}" if len(signs) > 2 else signs


def _exchanged(first: str, rest: str) -> bool:
    """Whether an L where a digit must stand has changed places with one: then it is no 1 but a slip."""
    ways = (f"{first}{sign}{rest[:n]}L{rest[n + 1 :]}" for n, sign in enumerate(rest) if sign in _DIGITS)
    return any(_SHAPE.fullmatch(way) and _sum(way) == TOTAL for way in ways)


def is_code(typed: str) -> bool:
    """Whether this is a code whose check character fits; capitals, blanks and hyphens are forgiven."""
    code = spoken(typed)
    return bool(_SHAPE.fullmatch(code)) and _sum(code) == TOTAL


def looks_like_a_code(typed: str) -> bool:
    """Whether somebody meant a code: a letter, a digit, and two to four more signs; right or wrong."""
    plain = re.fullmatch(r"\s*[A-Za-z][ \-]?\w[ \-]?\w{2,4}\s*", typed)
    return bool(plain and re.fullmatch(r"[A-Z][\dL]-[0-9A-Z]{2,4}", spoken(typed)))


def unused(taken: Container[str], how_many_taken: int, draw: Callable[[float, float], float]) -> str:
    """A code that nobody has, at random: short while fewer than half of the short ones are taken, then long.

    `draw(low, high)` gives a random number between the two.
    """
    length = SHORT if how_many_taken < how_many(SHORT) // 2 else LONG
    while True:
        code = numbered(int(draw(0, how_many(length))) % how_many(length), length)
        if code not in taken:
            return code


def make(letter: str, digit: str, middle: str) -> str:
    """The whole code of these signs (one to three in the middle) with its check character."""
    stem = f"{letter}{digit}{middle}"
    weight = pow(_BASE, len(stem), _MODULUS)
    missing = (TOTAL - _weighted(stem)) * pow(weight, -1, _MODULUS) % _MODULUS
    return f"{letter}{digit}-{middle}{ALPHABET[missing]}"


def numbered(number: int, middle: int = SHORT) -> str:
    """The code of a number from 0 to `how_many(middle)` - 1: each has one, and no two have the same."""
    number, letter = divmod(number, len(_LETTERS))
    number, digit = divmod(number, len(_DIGITS))
    signs = ""
    for _ in range(middle):
        number, sign = divmod(number, _MODULUS)
        signs += ALPHABET[sign]
    return make(_LETTERS[letter], _DIGITS[digit], signs)


def how_many(middle: int = SHORT) -> int:
    """How many codes there are of this length: 5,510 short ones."""
    return len(_LETTERS) * len(_DIGITS) * int(_MODULUS**middle)


def probably_meant(typed: str, known: Iterable[str]) -> str | None:
    """The one code of `known` from which this differs by a single sign, an exchange, or one too many or few.

    None when there is none, or more than one: a guess among several would be worse than a question.
    """
    signs = spoken(typed).replace("-", "")
    near = [code for code in known if _one_slip(signs, code.replace("-", ""))]
    return near[0] if len(near) == 1 else None


def _one_slip(typed: str, code: str) -> bool:
    if len(typed) == len(code):
        wrong = [n for n, (a, b) in enumerate(zip(typed, code, strict=True)) if a != b]
        if len(wrong) == 2:
            return typed[wrong[0]] == code[wrong[1]] and typed[wrong[1]] == code[wrong[0]]
        return len(wrong) == 1
    longer, shorter = sorted((typed, code), key=len, reverse=True)
    drops = (longer[:n] + longer[n + 1 :] for n in range(len(longer)))
    return len(longer) - len(shorter) == 1 and shorter in drops


def _sum(code: str) -> int:
    return _weighted(code.replace("-", "")) % _MODULUS


def _weighted(signs: str) -> int:
    return sum(pow(_BASE, n, _MODULUS) * ALPHABET.index(sign) for n, sign in enumerate(signs))
