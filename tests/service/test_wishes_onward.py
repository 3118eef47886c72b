"""'Not these' holds for a further need that a partner proposes, until the person takes it back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from referrals.model import Referral, Stage
from referrals.ports import Tx
from referrals.service.help import working
from referrals.service.pages import PAGES
from referrals.service.turns import offers
from referrals.views import PlanView
from tests.support.network import Small

UNWANTED = "two-rivers"


class Further:
    """A family that left Two Rivers out is helped by Bua House, which proposes something more."""

    def __init__(self, net: Small) -> None:
        self.net = net
        self.family, worker = net.person(1), net.person(11, "bua-1")
        net.person(13, "two-rivers-1")
        matter = net.filed(self.family, without=frozenset({UNWANTED}))
        net.passes(timedelta(seconds=5))
        offer = net.at_partner(matter)
        net.store.run(offers.accept, worker, offer)
        net.store.run(working.contacted, worker, offer)
        step = PAGES["matter"].steps["onward"]
        net.store.run(step, worker, offer, {"reason": "family.income"})
        net.passes(timedelta(minutes=1))
        waiting = net.store.run(lambda tx: tx.find(Referral, stage=Stage.AWAITING_CONSENT))
        self.further = waiting[0].id

    def plan(self, body: dict[str, object], *, locked: bool) -> PlanView:
        def look(tx: Tx) -> object:
            if locked:
                tx.lock_reading()
            page = PAGES["plan"]
            verb = page.steps["preview"] if body else page.view
            return verb(tx, self.family, self.further, body)

        view = self.net.store.run(look)
        assert isinstance(view, PlanView)
        return view


@pytest.fixture
def further(sqlite_url: str) -> Iterator[Further]:
    with Small.opened(sqlite_url) as net:
        yield Further(net)


def partners(view: PlanView) -> set[str]:
    return {line.organization for line in view.plan}


def test_it_stands_on_the_page_and_leaves_them_out_until_it_is_taken_back(further: Further) -> None:
    first = further.plan({}, locked=False)
    assert [choice.id for choice in first.organizations if choice.chosen] == [UNWANTED]
    assert "Two Rivers Families" not in partners(first)
    body: dict[str, object] = {"area": "pattani-mueang", "urgency": "urgent", "exclude_organizations": []}
    assert "Two Rivers Families" in partners(further.plan(body, locked=False)), (
        "the person's own change of mind"
    )


def test_without_the_pin_it_does_not_show_and_holds_all_the_same(further: Further) -> None:
    body: dict[str, object] = {"area": "pattani-mueang", "urgency": "urgent", "exclude_organizations": []}
    shown = further.plan(body, locked=True)
    assert not [choice for choice in shown.organizations if choice.chosen]
    assert "Two Rivers Families" not in partners(shown)
