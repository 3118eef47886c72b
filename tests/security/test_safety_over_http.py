"""What is shared for safety, over HTTP: who holds a key reads it, with a PIN, until it ends; nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from referrals.members import Crisis, Danger, Enrolment, SafetyShare
from referrals.model import Actor, DataClass, Role
from referrals.network_file import NetworkFile
from referrals.ports import Tx
from referrals.service.alarm import crisis, safety_plans, safety_sharing
from referrals.service.contact import own_checkins
from referrals.service.stewards import network
from tests.console.place import Place, a_place
from tests.support.network import NETWORK, STEWARD

MENTOR, DESK, OVERSEER, WORKER, FOREIGN = 5001, 6001, 6002, 6003, 6004
WORDS, PLAN = "please look after the children tonight", "call my sister first"


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[Place]:
    async with a_place(database_url) as found:
        for account, seat in ((MENTOR, "mentor-1"), (DESK, "desk-1"), (OVERSEER, "steward-1")):
            found.net.person(account, seat)
        found.net.person(WORKER, "bua-1")
        found.net.person(FOREIGN, "two-rivers-1")
        yield found


def _asked(tx: Tx, mentor: str, desk: str) -> tuple[str, str]:
    """A plan, an alarm that the desk has, and what it asks to be shared."""
    enrolment = next(e for e in tx.find(Enrolment) if e.mentor_seat == "mentor-1")
    safety_plans.write(tx, mentor, enrolment.id, {"helps": PLAN})
    raised = crisis.raise_alarm(tx, Actor(mentor, Role.MENTOR), enrolment, None, Danger.YES)
    crisis.hold(tx, desk, raised.id)
    wish = safety_sharing.Wish("bua-house", "life", WORDS, with_plan=True)
    return safety_sharing.ask(tx, desk, enrolment.id, wish).id, enrolment.id


def _apply(place: Place, changed: NetworkFile) -> None:
    def turn(tx: Tx) -> None:
        network.apply(tx, STEWARD, changed, network.digest(network.preview(tx, changed)))

    place.net.store.run(turn)


async def test_shared_for_safety(place: Place) -> None:
    store = place.net.store
    mentor, desk = place.net.person(MENTOR), place.net.person(DESK)
    share, member = store.run(_asked, mentor, desk)
    path = f"share/{share}"

    overseer = await place.reads(OVERSEER, path)
    status, seen = await overseer.view()
    assert (status, seen["told"], len(seen["lines"])) == (200, None, 1)
    assert WORDS not in str(seen)
    assert PLAN not in str(seen)
    early = await place.reads(WORKER, path)
    assert (await early.view())[0] == 404, "nothing before the steward's yes"
    status, _ = await overseer.call("POST", f"/p/api/{path}/agree", {"share": share})
    assert status == 200

    status, read = await early.view()
    assert (status, read["told"]) == (200, WORDS)
    assert PLAN in str(read["sections"])
    for account in (FOREIGN, MENTOR):
        other = await place.reads(account, path)
        assert (await other.view())[0] in (403, 404), account
        assert (await other.call("POST", f"/p/api/{path}/stop", {"share": share}))[0] in (403, 404)
    assert (await early.view())[0] == 200
    asker = await place.reads(DESK, path)
    assert (await asker.view())[1]["told"] is None, "codes, for whoever asked"
    assert (await asker.call("POST", f"/p/api/{path}/stop", {"share": share}))[0] == 200
    assert (await early.view())[0] == 404, "the very next request"

    holding = await place.reads(DESK, f"safety/{member}")
    assert PLAN in str((await holding.view())[1]["sections"])
    alarm = store.run(lambda tx: tx.find(Crisis, ended_at=None))[0]
    store.run(crisis.handled, desk, alarm.id)
    assert (await holding.view())[0] == 404, "the very next request"


async def test_a_withdrawn_agreement_closes_it_at_once(place: Place) -> None:
    store = place.net.store
    mentor, desk = place.net.person(MENTOR), place.net.person(DESK)
    share, _ = store.run(_asked, mentor, desk)
    store.run(safety_sharing.agree, place.net.person(OVERSEER), share)
    page = await place.reads(WORKER, f"share/{share}")
    assert (await page.view())[1]["told"] == WORDS
    without = [replace(a, classes=(DataClass.ROUTING,)) for a in NETWORK.agreements]
    _apply(place, replace(NETWORK, agreements=tuple(without)))
    assert (await page.view())[0] == 404
    ended = store.run(lambda tx: tx.get(SafetyShare, share))
    assert ended is not None
    assert ended.ended_at is not None
    holders = store.run(lambda tx: tx.holders(ended.record, DataClass.SAFETY))
    assert not [holder for holder in holders if holder.startswith("org:")]


async def test_without_the_pin_nothing_is_said(place: Place) -> None:
    store = place.net.store
    share, member = store.run(_asked, place.net.person(MENTOR), place.net.person(DESK))
    overseer = await place.opens(OVERSEER, f"share/{share}")
    status, answer = await overseer.call("POST", f"/p/api/share/{share}/agree", {"share": share})
    assert (status, answer["error"]) == (409, "error.pin_needed")
    store.run(safety_sharing.agree, place.net.person(OVERSEER), share)
    for account, path in ((WORKER, f"share/{share}"), (MENTOR, f"safety/{member}")):
        page = await place.opens(account, path)
        status, seen = await page.view()
        assert (status, seen["locked"]) == (200, True)
        assert WORDS not in str(seen)
        assert PLAN not in str(seen)


def _own_alarm(tx: Tx, family: str, desk: str) -> tuple[str, str]:
    """A family says that it is in danger, and the desk has it."""
    enrolment = own_checkins.join(tx, family)
    raised = crisis.raise_alarm(tx, Actor(family, Role.FAMILY), enrolment, None, Danger.YES)
    return crisis.hold(tx, desk, raised.id).id, enrolment.id


async def test_a_left_number_reaches_whoever_holds_the_alarm(sqlite_url: str) -> None:
    """Written on a phone that never proved a PIN; read with one, by one coordinator."""
    family_account, second = 7001, 6005
    async with a_place(sqlite_url) as place:
        family, desk = place.net.person(family_account), place.net.person(DESK, "desk-1")
        place.net.person(second, "desk-2")
        alarm, member = place.net.store.run(_own_alarm, family, desk)
        path = f"number/{alarm}"

        phone = await place.opens(family_account, path)
        status, shown = await phone.view()
        assert (status, shown["title_key"]) == (200, "part.number.title")
        missing = [key for key in ("page.ask.leave_number", "part.number.who") if key not in shown["words"]]
        assert not missing, "the words come along"
        status, said = await phone.call("POST", f"/p/api/{path}/leave_number", {"text": WORDS})
        assert status == 200
        assert WORDS not in str(said)

        holder = await place.reads(DESK, f"safety/{member}")
        assert (await holder.view())[1]["number"] == WORDS
        other = await place.reads(second, f"safety/{member}")
        assert (await other.view())[0] in (403, 404)
        nosy = await place.reads(second, path)
        assert (await nosy.view())[0] in (403, 404)
