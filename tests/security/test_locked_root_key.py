"""A root key under a passphrase: whoever has the file alone has nothing, and every mistake is told apart."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from referrals.errors import ConfigurationError
from storage.keys import create_root_key, is_locked, load_root_key, rewrite_root_key
from storage.locked_key import LEAST, MOST, Cost
from storage.secret import RootKey

WORDS = "correct horse battery staple ทดสอบ"


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """(key file, data folder), side by side."""
    (tmp_path / "data").mkdir()
    (tmp_path / "keys").mkdir()
    return tmp_path / "keys" / "root.key", tmp_path / "data"


@pytest.fixture
def locked(places: tuple[Path, Path]) -> RootKey:
    """A locked file in its place, as cheap to try as one may be."""
    return create_root_key(*places, passphrase=WORDS, cost=LEAST)


def says(places: tuple[Path, Path], passphrase: str = WORDS) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_root_key(*places, lambda: passphrase)
    assert caught.value.where == str(places[0])
    return caught.value.what


def change(path: Path, old: str, new: str, *, with_check: bool = False) -> None:
    """Edit the file; `with_check` makes its public checksum fit again, as an attacker would."""
    text = path.read_text()
    assert old in text
    text = text.replace(old, new)
    if with_check:
        body = text[: text.index("check: ")].rstrip("\n")
        text = f"{body}\ncheck: {hashlib.sha256(body.encode()).hexdigest()[:8]}\n"
    path.write_text(text)


def line(path: Path, name: str) -> str:
    return next(found for found in path.read_text().splitlines() if found.startswith(f"{name}: "))


def test_it_opens_with_its_passphrase_alone(places: tuple[Path, Path], locked: RootKey) -> None:
    assert load_root_key(*places, lambda: WORDS) == locked
    assert places[0].stat().st_mode & 0o777 == 0o600
    assert is_locked(*places)
    for wrong in ("", "correct horse battery staple", f"{WORDS} ", WORDS.upper()):
        assert "passphrase does not open" in says(places, wrong)


def test_the_same_letters_of_another_keyboard_are_the_same_passphrase(places: tuple[Path, Path]) -> None:
    made = create_root_key(*places, passphrase="caf\u00e9 caf\u00e9 caf\u00e9 caf\u00e9", cost=LEAST)
    assert load_root_key(*places, lambda: "cafe\u0301 cafe\u0301 cafe\u0301 cafe\u0301") == made


def test_the_file_holds_nothing_of_key_and_passphrase(places: tuple[Path, Path], locked: RootKey) -> None:
    content = places[0].read_bytes()
    for secret in (locked.secret, base64.b64encode(locked.secret), locked.secret.hex().encode()):
        assert secret not in content
    assert WORDS.encode() not in content


def test_without_anybody_to_ask(places: tuple[Path, Path], locked: RootKey) -> None:
    with pytest.raises(ConfigurationError, match="PULANG_PASSPHRASE_FILE"):
        load_root_key(*places)


def test_nobody_is_asked_for_a_file_beyond_help(places: tuple[Path, Path], locked: RootKey) -> None:
    path, _ = places
    path.write_bytes(path.read_bytes()[:-30])

    def ask() -> str:
        raise AssertionError("asked")

    with pytest.raises(ConfigurationError, match="cut off"):
        load_root_key(*places, ask)


def test_cut_off_anywhere(places: tuple[Path, Path], locked: RootKey) -> None:
    path, _ = places
    whole = path.read_bytes()
    for keep in [*range(len(whole) - 1)][::7]:
        path.write_bytes(whole[:keep])
        what = says(places)
        assert "cut off" in what or "damaged" in what or "not a root key file" in what, (keep, what)
    path.write_bytes(whole)
    assert load_root_key(*places, lambda: WORDS) == locked


def test_damage_is_not_blamed_on_the_passphrase(places: tuple[Path, Path], locked: RootKey) -> None:
    path, _ = places
    whole = path.read_bytes()
    for at in range(len(whole) - 1):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert "passphrase" not in says(places), at


@pytest.mark.parametrize("name", ["network", "salt", "key", "argon2id"])
def test_what_somebody_changed_on_purpose_does_not_open(
    places: tuple[Path, Path], locked: RootKey, name: str
) -> None:
    """Each public part is bound to the ciphertext; with its checksum mended it looks like a wrong word."""
    path, data = places
    other = path.with_name("other.key")
    create_root_key(other, data, passphrase=WORDS, cost=Cost(LEAST.memory + 1024, 1, 1))
    change(path, line(path, name), line(other, name), with_check=True)
    assert "passphrase does not open" in says(places)


@pytest.mark.parametrize(
    "cost",
    [
        f"memory={LEAST.memory - 1} rounds=1 lanes=1",
        f"memory={MOST.memory + 1} rounds=1 lanes=1",
        "memory=19456 rounds=0 lanes=1",
        "memory=19456 rounds=101 lanes=1",
        "memory=19456 rounds=1 lanes=0",
        "memory=19456 rounds=1 lanes=65",
        "memory=-1 rounds=1 lanes=1",
        "memory=19456",
        "",
    ],
)
def test_a_file_cannot_ask_for_any_cost(places: tuple[Path, Path], locked: RootKey, cost: str) -> None:
    path, _ = places
    change(path, line(path, "argon2id"), f"argon2id: {cost}", with_check=True)
    assert "cost" in says(places)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_the_same_refusals_as_a_plain_one(places: tuple[Path, Path], locked: RootKey, mode: int) -> None:
    path, data = places
    path.chmod(mode)
    assert "others may read" in says(places)
    path.chmod(0o600)
    inside = data / "root.key"
    path.rename(inside)
    with pytest.raises(ConfigurationError, match="data folder"):
        load_root_key(inside, data, lambda: WORDS)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_root_key(path, data, lambda: WORDS)


def test_locking_and_unlocking_keep_the_key(places: tuple[Path, Path]) -> None:
    path, data = places
    made = create_root_key(*places)
    rewrite_root_key(path, data, made, WORDS, LEAST)
    assert is_locked(*places)
    assert load_root_key(*places, lambda: WORDS) == made
    assert made.secret not in base64.b64decode(line(path, "key").removeprefix("key: "))
    rewrite_root_key(path, data, made, None)
    assert not is_locked(*places)
    assert load_root_key(*places) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["root.key"]


def test_unless_somebody_says_otherwise_a_guess_costs_what_a_start_can_bear() -> None:
    """So that it cannot become less by accident: four times RFC 9106's second choice."""
    assert str(Cost()) == "memory=262144 rounds=3 lanes=4"
