"""A network file is applied by a second steward, as soon as there are two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from referrals.errors import ConfigurationError
from referrals.model import Actor, Role
from referrals.network_file import NetworkFile
from referrals.persons import Seat
from referrals.service.stewards import network
from tests.support.network import NETWORK, Small


@pytest.fixture
def net(database_url: str) -> Iterator[Small]:
    with Small.opened(database_url) as net:
        yield net


def test_one_proposes_and_another_applies(net: Small) -> None:
    one, other = _stewards(net)
    file, shown = _without_a_poster(net)
    for actor in (one, other):
        with pytest.raises(ConfigurationError):
            net.store.run(network.apply, actor, file, shown)
    net.store.run(network.propose, one, shown)
    with pytest.raises(ConfigurationError):
        net.store.run(network.apply, one, file, shown)  # not the same one
    net.store.run(network.apply, other, file, shown)
    assert net.store.run(network.preview, file) == ()


def test_a_proposal_is_for_exactly_these_changes_and_for_a_day(net: Small) -> None:
    one, other = _stewards(net)
    file, shown = _without_a_poster(net)
    net.store.run(network.propose, one, "another12345")
    with pytest.raises(ConfigurationError):
        net.store.run(network.apply, other, file, shown)
    net.store.run(network.propose, one, shown)
    net.clock.advance(days=1, minutes=1)
    with pytest.raises(ConfigurationError):
        net.store.run(network.apply, other, file, shown)
    net.store.run(network.propose, one, shown)  # once more
    net.store.run(network.apply, other, file, shown)


def test_a_single_steward_applies_alone(net: Small) -> None:
    actor = Actor(net.person(21, "steward-1"), Role.STEWARD)
    file, shown = _without_a_poster(net)
    net.store.run(network.apply, actor, file, shown)


def _stewards(net: Small) -> tuple[Actor, Actor]:
    net.store.run(lambda tx: tx.add(Seat("steward-2", Role.STEWARD, None, None)))
    return (
        Actor(net.person(21, "steward-1"), Role.STEWARD),
        Actor(net.person(22, "steward-2"), Role.STEWARD),
    )


def _without_a_poster(net: Small) -> tuple[NetworkFile, str]:
    """The demo's network with one more seat for a steward and without its last poster."""
    second = Seat("steward-2", Role.STEWARD, None, None)
    file = replace(NETWORK, seats=(*NETWORK.seats, second), posters=NETWORK.posters[:-1])
    return file, network.digest(net.store.run(network.preview, file))
