"""What a network file takes away while somebody has not answered yet: nobody is left with a broken page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.commands import why
from referrals.casework import Transfer
from referrals.directory import Area
from referrals.network_file import NetworkFile
from referrals.service.stewards import network
from tests.service.test_transfers import Handing
from tests.support.network import STEWARD, Small

Change = Callable[[NetworkFile], NetworkFile]
MINUTES = timedelta(minutes=6)


@pytest.fixture
def handing(sqlite_url: str) -> Iterator[Handing]:
    with Small.opened(sqlite_url) as net:
        yield Handing(net)


def gone(service_id: str) -> Change:
    return lambda file: replace(file, services=tuple(s for s in file.services if s.id != service_id))


def suspended(organization_id: str) -> Change:
    def change(file: NetworkFile) -> NetworkFile:
        organizations = tuple(
            replace(o, suspended=True) if o.id == organization_id else o for o in file.organizations
        )
        return replace(file, organizations=organizations)

    return change


def over(organization_id: str) -> Change:
    return lambda file: replace(
        file, agreements=tuple(a for a in file.agreements if a.organization_id != organization_id)
    )


def happens(handing: Handing, change: Change) -> list[tuple[str, str]]:
    """Somebody applies a file; who of the three is told what."""
    net = handing.net
    net.said()
    file = change(net.store.run(network.stored))
    net.store.run(network.apply, STEWARD, file, network.digest(net.store.run(network.preview, file)))
    return [said for said in net.said() if said[0] in (handing.family, handing.worker, handing.other)]


TWO_RIVERS = [gone("two-rivers-visits"), suspended("two-rivers"), over("two-rivers")]
STAYS = ["matter.stays", "worker.stays"]


@pytest.mark.parametrize("change", TWO_RIVERS)
@pytest.mark.parametrize("agreed", [False, True])
def test_who_would_take_over_cannot_any_more(handing: Handing, agreed: bool, change: Change) -> None:
    """Asked, or agreed to a minute ago: both hear that it stays, and nobody gets an offer."""
    handing.asks()
    if agreed:
        part = handing.part(handing.family, handing.matter)
        assert part is not None
        handing.step(handing.family, handing.matter, "transfer_yes", dict(part.body))
    told = happens(handing, change)
    assert sorted(text for _, text in told) == STAYS
    assert handing.part(handing.family, handing.matter) is None
    handing.page(handing.worker, handing.offer)  # and no page is broken
    handing.net.passes(MINUTES)
    assert handing.next_offer() == "nothing"
    assert not [said for said in handing.net.said() if said[0] == handing.other]


def test_the_service_that_helps_until_then_is_no_longer_in_the_file(handing: Handing) -> None:
    """Its partner goes on, and the person can still say yes to another one."""
    handing.asks()
    happens(handing, gone("bua-visits"))
    handing.says_yes()
    assert handing.next_offer() != "nothing"
    handing.page(handing.worker, handing.offer)  # and no page is broken


def split(file: NetworkFile) -> NetworkFile:
    """The area in which the family lives becomes two; services still name it by its old id."""
    parts = [
        Area(f"pattani-{side}", "pattani", {"en": side}, formerly=("pattani-mueang",))
        for side in ("north", "south")
    ]
    kept = [area for area in file.areas if area.id != "pattani-mueang"]
    return replace(file, areas=(*kept, *parts))


def test_after_an_area_was_split_the_desk_still_reads_why_each_partner_is_there(handing: Handing) -> None:
    happens(handing, split)
    sections = handing.page(handing.desk, handing.matter).sections
    assert any(section.title_key.startswith("part.why") for section in sections)
    code = handing.net.referral(handing.matter).code
    said = handing.net.store.run(why.explain, "desk-1", code, "en")
    assert any("bua-visits" in line for line in said)


@pytest.mark.parametrize("change", [suspended("bua-house"), over("bua-house")])
def test_whoever_asked_may_not_work_on(handing: Handing, change: Change) -> None:
    """The desk has it: nobody is told that everything stays as it is, nor asked for a yes to that."""
    handing.asks()
    told = happens(handing, change)
    assert (handing.family, "matter.partner_stopped") in told
    assert not handing.net.store.run(lambda tx: tx.find(Transfer))
    handing.net.passes(timedelta(days=8))
    assert not {text for _, text in handing.net.said()} & set(STAYS)
