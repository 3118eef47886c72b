"""PINs at rest: the right one fits, no other does, and nobody's costs the same work as anybody's."""

from __future__ import annotations

import inspect

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from storage.pins import PinKeeper
from storage.secret import LastingSecret

LASTING = LastingSecret("test-network", bytes(range(32)))


@pytest.fixture
def keeper() -> PinKeeper:
    return PinKeeper(LASTING)


def test_the_right_pin_fits_and_no_other(keeper: PinKeeper) -> None:
    stored = keeper.conceal("482913")
    assert keeper.fits("482913", stored)
    for wrong in ("482914", "48291", "4829130", "", " 482913", "482913\n", "٤٨٢٩١٣"):
        assert not keeper.fits(wrong, stored)


def test_two_people_with_one_pin_have_nothing_in_common(keeper: PinKeeper) -> None:
    one, two = keeper.conceal("482913"), keeper.conceal("482913")
    assert one.split("$")[1:] != two.split("$")[1:]
    assert "482913" not in one
    assert keeper.fits("482913", one)
    assert keeper.fits("482913", two)


def test_it_is_argon2id_with_the_lasting_secrets_pepper(keeper: PinKeeper) -> None:
    """Against the library's own call, so that the parameters cannot become less by accident."""
    scheme, salt, digest = keeper.conceal("482913").split("$")
    assert scheme == "argon2id-1"
    again = Argon2id(
        salt=bytes.fromhex(salt),
        length=32,
        iterations=3,
        lanes=1,
        memory_cost=32 * 1024,
        secret=LASTING.derive("pin-pepper"),
    )
    assert again.derive(b"482913").hex() == digest


def test_without_the_pepper_a_stolen_hash_fits_nothing(keeper: PinKeeper) -> None:
    """A database alone does not help to guess: six digits would else be found in minutes."""
    stored = keeper.conceal("482913")
    for other in (
        LastingSecret("test-network", bytes(32)),
        LastingSecret("another-network", bytes(range(32))),
    ):
        assert not PinKeeper(other).fits("482913", stored)


class Counting(PinKeeper):
    """Notes each time that the slow function is made."""

    def __init__(self) -> None:
        super().__init__(LASTING)
        self.salts: list[int] = []

    def _argon2(self, salt: bytes) -> Argon2id:
        self.salts.append(len(salt))
        return super()._argon2(salt)


def test_nobodys_pin_is_tried_with_the_same_work() -> None:
    """By construction and not by timing: one and the same slow function, whose cost no caller can choose."""
    keeper = Counting()
    stored = keeper.conceal("482913")
    assert not keeper.fits("000000", stored)
    assert not keeper.fits("000000", "")
    assert keeper.salts == [16, 16, 16]
    assert list(inspect.signature(PinKeeper._argon2).parameters) == ["self", "salt"]


def test_nobodys_pin_never_fits(keeper: PinKeeper) -> None:
    """Not even if somebody found a PIN whose hash is the stand-in's."""
    for pin in ("", "000000", "123456"):
        assert not keeper.fits(pin, "")
