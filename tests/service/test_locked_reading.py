"""A device that has not proved itself by PIN: it files, writes and takes steps, and reads nothing sealed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from referrals.errors import PinNeeded
from referrals.model import DataClass, Stage
from referrals.ports import Tx
from referrals.service import pages
from referrals.service.common import doors
from referrals.service.help import threads
from referrals.service.request import plans
from referrals.service.turns import offers
from tests.support.network import Small


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Small]:
    with Small.opened(sqlite_url) as net:
        yield net


def test_family_and_worker_see_where_it_stands_and_may_write_but_read_nothing(net: Small) -> None:
    family, worker, referral_id = _served(net)
    net.store.run(threads.write, worker, _paths(net, worker, referral_id), "we come on Monday")
    for reader in (family, worker):
        path = _paths(net, reader, referral_id)
        shut = net.store.run(_locked, pages.PAGES["matter"].view, reader, path, {})
        assert (shut.story, shut.contact, shut.thread, shut.locked) == (None, None, (), True)
        assert shut.stage_key == "stage.accepted"
        assert shut.steps
        step = net.store.run(_locked, pages.PAGES["matter"].steps["write"], reader, path, {"text": "good"})
        assert step.locked
        opened = net.store.run(pages.PAGES["matter"].view, reader, path, {})
        assert (opened.story, opened.contact, opened.locked) == ("a story", "a contact", False)
        assert opened.thread


def test_the_lock_binds_at_the_one_door_whatever_a_page_forgets(net: Small) -> None:
    family, _, referral_id = _served(net)

    def forgets(tx: Tx) -> None:
        tx.lock_reading()
        tx.open_sealed(doors.as_author(family), doors.referral_by_id(tx, referral_id).record, DataClass.STORY)

    with pytest.raises(PinNeeded):
        net.store.run(forgets)


def test_a_new_plan_without_a_pin_shows_no_private_wish_and_keeps_it(net: Small) -> None:
    family = net.person(1)
    referral_id = net.filed(family, without=frozenset({"bua-house"}))
    net.passes(timedelta(minutes=1))  # nobody sits anywhere: unmatched
    assert net.referral(referral_id).stage is Stage.UNMATCHED
    plan = pages.PAGES["plan"]
    shown = net.store.run(_locked, plan.view, family, referral_id, {})
    assert not any(choice.chosen for choice in shown.organizations)
    body = {"area": "pattani-mueang", "urgency": "urgent"}
    preview = net.store.run(_locked, plan.steps["preview"], family, referral_id, body)
    body["consent_digest"] = preview.consent_digest
    assert net.store.run(_locked, plan.steps["file"], family, referral_id, body).filed
    again = net.store.run(plans.plan_view, family, referral_id)
    assert [choice.id for choice in again.organizations if choice.chosen] == ["bua-house"]
    assert not any(service.startswith("bua") for service in net.referral(referral_id).plan)


def _served(net: Small) -> tuple[str, str, str]:
    family, worker = net.person(1), net.person(11, "bua-1")
    referral_id = net.filed(family)
    net.passes(timedelta(minutes=1))
    offer = net.live_offer(referral_id)
    assert offer is not None
    net.store.run(offers.accept, worker, offer.id)
    return family, worker, referral_id


def _paths(net: Small, reader: str, referral_id: str) -> str:
    """The id by which this reader knows the matter."""
    return referral_id if net.referral(referral_id).author_id == reader else net.at_partner(referral_id)


def _locked(tx: Tx, verb: Any, *args: Any) -> Any:
    tx.lock_reading()
    return verb(tx, *args)
