"""Several needs in one conversation: ticked in the chat or added on the page, each agreed to on its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from handlers import router
from handlers.incoming import Did, Incoming
from referrals.errors import BadAnswer, StaleButton
from referrals.model import Referral, Stage
from referrals.ports import Delivery
from referrals.service.pages import PAGES
from referrals.service.request import plans
from referrals.views import FiledView, MeView, PlanView
from tests.support.network import Small

AREA = "pattani-mueang"


class Family:
    """Somebody at the door, with a chat and a page."""

    def __init__(self, net: Small) -> None:
        self.net, self.id, self.taps = net, net.person(1), 0

    def presses(self, data: str) -> Delivery:
        self.taps += 1
        did = Incoming(700 + self.taps, 1, Did.PRESS, data=f"1:{data}", message_id=5)
        self.net.store.run(router.handle, did)
        return [d for d in self.net.deliveries() if d.person_id == self.id and d.text][-1]

    def comes_to_the_needs(self) -> None:
        self.presses("ask:family-support")
        self.presses("form:privacy:yes")
        self.presses("form:age_group:adult")
        self.presses("form:window:any_time")

    def mine(self) -> dict[str, Referral]:
        found = self.net.store.run(lambda tx: tx.find(Referral, author_id=self.id))
        return {r.category: r for r in found}

    def yes(self, page: str, view: PlanView, **more: object) -> PlanView | FiledView:
        """Read the plan of whatever stands there, and agree to it."""
        body: dict[str, object] = {"area": AREA, "urgency": "normal", **more}
        preview = self.net.store.run(PAGES["plan"].steps["preview"], self.id, page, body)
        assert isinstance(preview, PlanView)
        assert preview.draft == view.draft
        body |= {"draft": view.draft, "consent_digest": preview.consent_digest}
        shown = self.net.store.run(PAGES["plan"].steps["file"], self.id, page, body)
        again = self.net.store.run(PAGES["plan"].steps["file"], self.id, page, body)
        assert again == shown, "pressed twice it files no other one unread"
        assert isinstance(shown, PlanView | FiledView)
        return shown


@pytest.fixture
def family(sqlite_url: str) -> Iterator[Family]:
    yield from _family(sqlite_url)


@pytest.fixture
def on_either(database_url: str) -> Iterator[Family]:
    yield from _family(database_url)


def _family(url: str) -> Iterator[Family]:
    with Small.opened(url) as net:
        yield Family(net)


def test_three_needs_are_ticked_and_each_gets_its_own_yes_on_one_visit(on_either: Family) -> None:
    family = on_either
    family.comes_to_the_needs()
    family.presses("form.tick")
    for category in ("family.talk", "family.visits", "family.letters", "family.talk", "family.income"):
        family.presses(f"form.tick:{category}")  # 'talk' is ticked and unticked again
    opened = family.presses("form.ticked")
    (page,) = [b.page.partition("/")[2] for row in opened.buttons for b in row if b.page]
    assert {c: r.stage for c, r in family.mine().items()} == dict.fromkeys(
        ("family.visits", "family.letters", "family.income"), Stage.DRAFT
    )
    shown: object = family.net.store.run(PAGES["plan"].view, family.id, page, {})
    asked = []
    while isinstance(shown, PlanView):
        asked.append(shown.category_key)
        if len(asked) > 1:
            assert next(area.id for area in shown.areas if area.chosen) == AREA, "where stands there already"
            assert shown.before
        excluded = ["two-rivers"] if len(asked) == 1 else []
        shown = family.yes(page, shown, exclude_organizations=excluded)
    assert asked == ["category.family.visits", "category.family.letters", "category.family.income"]
    filed = family.mine()
    assert {r.stage for r in filed.values()} == {Stage.MATCHING}
    assert len({r.code for r in filed.values()}) == 3
    me = family.net.store.run(PAGES["me"].view, family.id, "", {})
    assert isinstance(me, MeView)
    assert {line.id for line in me.mine} == {r.id for r in filed.values()}, "together in 'my things'"


def test_a_private_wish_holds_for_what_is_asked_in_the_same_breath(family: Family) -> None:
    family.comes_to_the_needs()
    for press in ("form.tick", "form.tick:family.visits", "form.tick:family.letters", "form.ticked"):
        family.presses(press)
    page = family.mine()["family.visits"].id
    first = family.net.store.run(PAGES["plan"].view, family.id, page, {})
    assert isinstance(first, PlanView)
    family.yes(page, first, exclude_organizations=["bua-house"])
    following = family.mine()["family.letters"]
    wishes = family.net.store.run(plans.standing_wishes, following)
    assert wishes.exclusions.organizations == {"bua-house"}


def test_one_need_takes_no_tap_more(family: Family) -> None:
    family.comes_to_the_needs()
    opened = family.presses("form:category:family.visits")
    assert [b.page for row in opened.buttons for b in row if b.page] == [
        f"plan/{family.mine()['family.visits'].id}"
    ]
    assert family.taps == 5


def test_what_else_is_needed_can_be_said_below_the_receipt(family: Family) -> None:
    page = family.net.draft(family.id)
    first = family.net.store.run(PAGES["plan"].view, family.id, page, {})
    assert isinstance(first, PlanView)
    receipt = family.yes(page, first)
    assert isinstance(receipt, FiledView)
    (step,) = receipt.sections[0].steps
    assert "family.visits" not in {choice.id for choice in step.choices}
    for chosen in ([], ["family.visits"], ["member.housing"], "family.talk"):
        with pytest.raises(BadAnswer):
            family.net.store.run(PAGES["plan"].steps["also"], family.id, page, {"chosen": chosen})
    shown = family.net.store.run(PAGES["plan"].steps["also"], family.id, page, {"chosen": ["family.talk"]})
    assert isinstance(shown, PlanView)
    assert shown.category_key == "category.family.talk"
    family.yes(page, shown)
    assert family.mine()["family.talk"].stage is Stage.MATCHING


def test_what_is_left_unanswered_is_gone_after_a_week(family: Family) -> None:
    family.comes_to_the_needs()
    for press in ("form.tick", "form.tick:family.visits", "form.tick:family.letters", "form.ticked"):
        family.presses(press)
    page = family.mine()["family.visits"].id
    first = family.net.store.run(PAGES["plan"].view, family.id, page, {})
    assert isinstance(first, PlanView)
    family.yes(page, first)
    left = [d for d in family.net.deliveries() if d.text == "family.filed"][-1]
    buttons = [b.page for row in left.buttons for b in row if b.text == "button.next_need"]
    assert buttons == [f"plan/{family.mine()['family.letters'].id}"]
    family.net.passes(timedelta(days=8))
    assert set(family.mine()) == {"family.visits"}


def test_ticks_belong_to_the_question_of_needs_alone(family: Family) -> None:
    family.presses("ask:family-support")
    for press in ("form.tick", "form.tick:family.visits", "form.ticked"):
        with pytest.raises(StaleButton):
            family.presses(press)
