"""The root key on three pages: any two give it back, one tells nothing, and a slip of the hand is named."""

from __future__ import annotations

import itertools
import os
import random

import pytest

from referrals.errors import ConfigurationError
from storage.secret import RootKey, new_root_key
from storage.shamir import NUMBERS, join, split
from storage.shares import ALPHABET, NAMES, PARTS, Share, key_of, printed, read_share, shares_of

KEY = RootKey("test-network", bytes(range(32)))
PAIRS = list(itertools.combinations(range(3), 2))
# The test case of draft-mcgrew-tss-03: 2 of 2, "test" and a zero byte.
SECRET, FIRST, SECOND = map(bytes.fromhex, ("7465737400", "B9FA07E185", "F5409B4511"))


def refused(texts: dict[str, str]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        key_of([(where, read_share(text, where)) for where, text in texts.items()])
    return str(caught.value)


# --- The arithmetic ------------------------------------------------------------------------------

# A second implementation, as textbooks have it: powers of 3 and their logarithms.
_POWERS = [1]
for _ in range(254):
    _doubled = _POWERS[-1] << 1
    _POWERS.append((_doubled ^ (0x11B if _doubled & 0x100 else 0)) ^ _POWERS[-1])
_LOGS = {power: n for n, power in enumerate(_POWERS)}


def times(a: int, b: int) -> int:
    return _POWERS[(_LOGS[a] + _LOGS[b]) % 255] if a and b else 0


def divided(a: int, b: int) -> int:
    return _POWERS[(_LOGS[a] - _LOGS[b]) % 255] if a else 0


def joined(points: dict[int, bytes]) -> bytes:
    """Of exactly two points: where their line meets zero."""
    (x, one), (y, two) = points.items()
    return bytes(divided(times(a, y) ^ times(b, x), x ^ y) for a, b in zip(one, two, strict=True))


def test_the_published_case() -> None:
    assert join({1: FIRST, 2: SECOND}) == SECRET
    slopes = bytes(a ^ b for a, b in zip(SECRET, FIRST, strict=True))
    made = split(SECRET, slopes)
    assert (made[1], made[2]) == (FIRST, SECOND)
    assert join({2: SECOND, 3: made[3]}) == SECRET


def test_against_a_second_implementation(long_run: bool) -> None:
    assert times(0x57, 0x83) == 0xC1  # FIPS 197, 4.2
    chance = random.Random(11)
    for _ in range(5_000 if long_run else 100):
        secret, slopes = chance.randbytes(32), chance.randbytes(32)
        made = split(secret, slopes)
        for x in NUMBERS:
            assert made[x] == bytes(s ^ times(c, x) for s, c in zip(secret, slopes, strict=True))
        for x, y in itertools.permutations(NUMBERS, 2):
            two = {x: made[x], y: made[y]}
            assert join(two) == joined(two) == secret
        assert join(made) == secret


def test_one_share_fits_every_secret_alike() -> None:
    for number in NUMBERS:
        seen = {split(bytes([7]), bytes([slope]))[number] for slope in range(256)}
        assert len(seen) == 256  # of one secret any value is as likely as another


# --- The pages -----------------------------------------------------------------------------------


def pages(root: RootKey = KEY) -> list[str]:
    return [printed(share) for share in shares_of(root)]


@pytest.mark.parametrize("pair", PAIRS)
def test_any_two_give_the_key_back_and_so_do_all_three(pair: tuple[int, int]) -> None:
    for root in (KEY, new_root_key(), RootKey("x" * 64, bytes(32)), RootKey("Aa-_", b"\xff" * 32)):
        made = pages(root)
        assert key_of([(str(n), read_share(made[n], str(n))) for n in pair]) == root
        assert key_of([(str(n), read_share(text, str(n))) for n, text in enumerate(made)]) == root


def test_neither_page_nor_what_is_logged_shows_the_key() -> None:
    root = new_root_key()
    for share in shares_of(root):
        assert share.value != root.secret
        assert root.secret.hex() not in printed(share)
        assert share.value.hex() not in repr(share)
        assert str(share.value) not in repr(share)


def test_typed_off_by_hand_it_is_read_all_the_same() -> None:
    one, two, _ = pages()
    loose = [line for line in one.splitlines() if line and not line.startswith("#")]
    head, network, *rest = loose
    careless = "\r\n".join(
        [
            "\ufeff" + head.upper(),
            "",
            network,
            *(line.lower().replace("0", "o").replace("1", "l") for line in rest),
        ]
    )
    careless = careless.replace("part l:", "part 1:").replace("share: l ", "share: 1 ")
    dashed = "\n".join(
        name + ": " + value.replace(" ", "-") if name.startswith("part") else line
        for line in two.splitlines()
        for name, _, value in [line.partition(": ")]
    )
    assert key_of([("a", read_share(careless, "a")), ("b", read_share(dashed, "b"))]) == KEY


@pytest.mark.parametrize("name", NAMES)
def test_one_wrong_letter_is_found_and_its_line_named(name: str) -> None:
    text = pages()[0]
    lines = text.splitlines()
    number = next(n for n, line in enumerate(lines) if line.startswith(f"{name}: "))
    start = len(name) + 2
    for at, letter in enumerate(lines[number][start:], start):
        if letter == " ":
            continue
        other = random.Random(at).choice([a for a in ALPHABET if a != letter.upper()])
        wrong = [*lines]
        wrong[number] = lines[number][:at] + other + lines[number][at + 1 :]
        with pytest.raises(ConfigurationError) as caught:
            read_share("\n".join(wrong), "paper.txt")
        assert f"paper.txt, line {number + 1} ({name})" in str(caught.value)


def test_lines_that_changed_places_or_are_missing_or_there_twice() -> None:
    text = pages()[0]
    lines = text.splitlines()
    at = {name: next(n for n, line in enumerate(lines) if line.startswith(name + ":")) for name in NAMES}

    def said(changed: list[str]) -> str:
        with pytest.raises(ConfigurationError) as caught:
            read_share("\n".join(changed), "p")
        return str(caught.value)

    one, two = (lines[at[name]].partition(": ")[2] for name in PARTS[:2])
    swapped = [*lines]
    swapped[at[PARTS[0]]], swapped[at[PARTS[1]]] = f"{PARTS[0]}: {two}", f"{PARTS[1]}: {one}"
    assert f"({PARTS[0]})" in said(swapped)
    for name in NAMES:
        assert f"'{name}' is missing" in said([line for line in lines if not line.startswith(name + ":")])
        assert f"'{name}' is there twice" in said([*lines, lines[at[name]]])
    part = PARTS[0]
    short, strange = [*lines], [*lines]
    short[at[part]] = short[at[part]][:-1]
    assert "has 16 letters and must have 17" in said(short)
    strange[at[part]] = strange[at[part]][:-1] + "ü"
    assert "no share has the letter 'Ü'" in said(strange)
    assert "is no line of a share" in said([*lines, "prat 1: 0000"])
    assert "is no share of a root key" in said(["something else"])
    assert "is no share of a root key" in said([])


def test_pages_that_do_not_belong_together() -> None:
    one, two, three = pages()
    other = pages()
    foreign = pages(RootKey("another-network", bytes(range(32))))
    assert "b" in refused({"a": one, "b": foreign[1]})
    assert "is of the network another-network, and a of test-network" in refused({"a": one, "b": foreign[1]})
    assert "b was made at another time than a" in refused({"a": one, "b": other[1]}).replace(":", "")
    assert "is share 1, as a is" in refused({"a": one, "b": one})
    assert "is share 3, as b is" in refused({"a": one, "b": three, "c": three})
    assert "1 is too few" in refused({"a": one})
    assert "is too few" in refused({})
    assert key_of([("a", read_share(one, "a")), ("b", read_share(two, "b"))]) == KEY


def test_a_share_that_was_changed_with_its_checks_gives_no_key() -> None:
    one, two, _ = shares_of(KEY)
    forged = Share(one.network_id, one.number, one.printing, one.mark, os.urandom(32))
    assert "give no key together (a, b)" in refused({"a": printed(forged), "b": printed(two)})
