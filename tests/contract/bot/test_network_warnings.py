"""A file in which too few people look after the network says what will not be possible."""

from __future__ import annotations

import pytest

from bot.commands.network import few_people
from referrals.model import Role
from referrals.persons import Seat
from storage.catalogue_files import read_catalogue, read_network
from tests.contract.bot.test_commands import NETWORK
from tests.support.network import ROOT


def seats(coordinators: int, stewards: int) -> list[Seat]:
    roles = [Role.COORDINATOR] * coordinators + [Role.STEWARD] * stewards + [Role.WORKER] * 3
    return [Seat(f"seat-{number}", role, None, None) for number, role in enumerate(roles)]


@pytest.mark.parametrize(
    ("coordinators", "stewards", "lines", "says"),
    [
        (2, 2, 0, ""),
        (3, 2, 0, ""),
        (1, 1, 3, "a coordinator's or steward's new phone"),
        (0, 1, 3, "anybody's new phone"),
        (1, 2, 1, "an alarm that they do not see"),
        (3, 1, 1, "before it is applied"),
        (0, 0, 3, "no coordinator"),
    ],
)
def test_what_is_missing_is_said_in_plain_words(
    coordinators: int, stewards: int, lines: int, says: str
) -> None:
    said = list(few_people(seats(coordinators, stewards)))
    assert len(said) == lines
    assert says in "\n".join(said)
    assert all("Add a [[seat]]" in line for line in said)


def test_the_demo_network_lacks_a_second_steward_and_nothing_else() -> None:
    said = list(few_people(read_network(NETWORK, read_catalogue(ROOT / "catalogue")).seats))
    assert [line.partition(":")[0] for line in said] == ["1 steward"]
