"""`bot why`: for a named coordinator only, with a trace, and without anybody's private wish."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.commands.why import explain
from referrals.errors import ConfigurationError, NotFound
from referrals.model import Urgency
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Small]:
    clock = SettableClock()
    store = open_store(sqlite_url, clock, CATALOGUE)
    yield Small(store, clock)
    store.close()


def test_a_coordinator_is_told_and_it_is_written_down(net: Small) -> None:
    net.person(14, "desk-1")
    referral = net.referral(net.filed(net.person(1), Urgency.NORMAL))
    lines = net.store.run(explain, "desk-1", referral.code, "en")
    assert lines[0].startswith(referral.code)
    assert any(" next " in line for line in lines)
    assert len(lines) > 1 + len(referral.plan)


def test_nobody_else_is(net: Small) -> None:
    net.person(14, "desk-1")
    referral = net.referral(net.filed(net.person(1), Urgency.NORMAL))
    for seat in ("bua-1", "nobody", "desk-2"):
        with pytest.raises(ConfigurationError, match=f"--by {seat}"):
            net.store.run(explain, seat, referral.code, "en")
    with pytest.raises(NotFound):
        net.store.run(explain, "desk-1", "none", "en")
