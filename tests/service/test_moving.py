"""A matter moves to another phone: a day later, and never behind its owner's back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from referrals.errors import NotFound, NotSealedFor, TooOften
from referrals.model import DataClass, Move, Record, Role, person_holder
from referrals.persons import Device, DeviceState, Presence, Seat, WritingWindow
from referrals.ports import Away, Slow, Tx
from referrals.service.common import doors
from referrals.service.help import threads
from referrals.service.matter import moving, tracking
from referrals.service.pages import PAGES
from referrals.service.turns import closing, offers
from referrals.views import MatterView, TrackView
from storage import archive
from tests.support.network import Small

pytestmark = pytest.mark.on_both("test_by_code_and_pin_it_moves_after_a_day", "test_withdrawn_meanwhile")

DAY = timedelta(hours=24)
PIN = "271828"


@pytest.fixture
def net(database_url: str) -> Iterator[Small]:
    with Small.opened(database_url) as net:
        yield net


def does(net: Small, step: str, person_id: str, **body: str) -> TrackView:
    """A step of the page 'track', with its turns and what happens between them, as the console runs it."""
    view: Any = net.store.run(PAGES["track"].steps[step], person_id, "", body)
    while isinstance(view, Away):
        done = view.work(Slow(net.store.pins, archive.pack))
        view = net.store.run(view.then, done)
    assert isinstance(view, TrackView)
    return view


def chose_a_pin(net: Small, person_id: str) -> None:
    stored = net.store.pins.conceal(PIN)
    now = net.clock.now
    device = Device(f"dev-{person_id}", person_id, "key", DeviceState.ACTIVE, now, now, stored)
    net.store.run(lambda tx: tx.add(device))


def changes(net: Small, person_id: str, **settings: Any) -> None:
    net.store.run(lambda tx: tx.save(replace(doors.person_by_id(tx, person_id), **settings)))


def sees(net: Small, person_id: str, matter: str) -> MatterView:
    view = net.store.run(PAGES["matter"].view, person_id, matter, {})
    assert isinstance(view, MatterView)
    return view


def offer_of(net: Small, matter: str) -> str:
    """By what the partner knows the matter."""
    return net.referral(matter).offer_id or ""


def at_the_desk(net: Small) -> str:
    (seat,) = net.store.run(lambda tx: tx.find(Seat, id="desk-1"))
    assert seat.person_id is not None
    return seat.person_id


@pytest.fixture
def asked(net: Small) -> tuple[str, str, str, str]:
    """Mali's matter, accepted and written about; she knows its code. (mali, new phone, matter, code)"""
    mali, new = net.person(1), net.person(2)
    worker = net.person(11, "bua-1")
    net.person(21, "desk-1")
    matter = net.filed(mali)
    net.passes(timedelta(seconds=6))
    offer = net.live_offer(matter)
    assert offer is not None
    net.store.run(offers.accept, worker, offer.id)
    net.store.run(threads.write, worker, net.at_partner(matter), "we call on Monday")
    chose_a_pin(net, mali)
    code = net.store.run(tracking.follow, mali, matter)
    net.said()
    return mali, new, matter, code


def test_by_code_and_pin_it_moves_after_a_day(net: Small, asked: tuple[str, ...]) -> None:
    mali, new, matter, code = asked
    view = does(net, "move", new, code=code, pin=PIN)
    assert view.said_key == "page.track.asked"
    assert view.moves[0].due_at == net.clock.now + DAY
    assert (mali, "move.asked") in net.said()
    with pytest.raises(NotFound):
        sees(net, new, matter)
    net.passes(DAY)
    shown = sees(net, new, matter)
    assert shown.story == "a story"
    assert shown.contact == "a contact"
    assert [line.text for line in shown.thread] == ["we call on Monday"]
    with pytest.raises(NotFound):
        sees(net, mali, matter)
    said = net.said()
    assert (mali, "move.gone") in said
    assert (new, "move.here") in said


def test_the_old_phone_keeps_no_key_and_hears_no_more(net: Small, asked: tuple[str, ...]) -> None:
    mali, new, matter, code = asked
    worker = net.workers_of(net.referral(matter).organization_id or "")[0]
    does(net, "move", new, code=code, pin=PIN)
    net.passes(DAY)
    net.said()
    for record, data_class in net.store.run(_sealed, matter):
        holders = net.store.run(_holders, record, data_class)
        assert person_holder(mali) not in holders
        assert person_holder(new) in holders
    record = net.referral(matter).record
    with pytest.raises(NotSealedFor):
        net.store.run(lambda tx: tx.open_sealed(doors.as_author(mali), record, DataClass.STORY))
    net.store.run(threads.write, worker, net.at_partner(matter), "one more thing")
    assert {who for who, _ in net.said()} == {new}
    assert does(net, "look", mali, code=code).said_key == "page.track.unknown"  # the code ended with it


@pytest.mark.parametrize("how", ["page", "chat"])
def test_the_old_phone_says_stop(net: Small, asked: tuple[str, ...], how: str) -> None:
    mali, new, matter, code = asked
    does(net, "move", new, code=code, pin=PIN)
    assert sees(net, mali, matter).move is not None
    if how == "page":
        net.store.run(PAGES["matter"].steps["move_stop"], mali, matter, {})
    else:
        net.store.run(moving.stop, mali, matter)
        net.store.run(moving.stop, mali, matter)
    net.passes(2 * DAY)
    assert sees(net, mali, matter).story == "a story"
    assert does(net, "look", new, code=code).said_key == "page.track.unknown"
    assert (new, "move.not_now") in net.said()
    with pytest.raises(NotFound):
        net.store.run(moving.stop, new, matter)


def test_a_wrong_pin_and_a_wrong_code_sound_alike(net: Small, asked: tuple[str, ...]) -> None:
    _, new, _, code = asked
    wrong_pin = does(net, "move", new, code=code, pin="314159")
    wrong_code = does(net, "move", new, code="lusab-babad-gutih-tugad", pin=PIN)
    assert wrong_pin == wrong_code
    assert wrong_pin.said_key == "page.track.no_fit"


def test_five_wrong_pins_end_the_code_and_not_the_owner(net: Small, asked: tuple[str, ...]) -> None:
    mali, new, matter, code = asked
    eve = net.person(66)
    for n in range(5):
        does(net, "move", (eve, new)[n % 2], code=code, pin=f"31415{n}")
    assert (mali, "matter.code_ended") in net.said()
    assert does(net, "move", new, code=code, pin=PIN).said_key == "page.track.no_fit"
    fresh = net.store.run(tracking.follow, mali, matter)  # the owner is not locked out
    assert does(net, "move", net.person(3), code=fresh, pin=PIN).said_key == "page.track.asked"


def test_a_try_counts_even_when_its_answer_is_never_fetched(net: Small, asked: tuple[str, ...]) -> None:
    _, new, _, code = asked
    for _ in range(5):  # the first half only: the client hung up
        net.store.run(PAGES["track"].steps["move"], new, "", {"code": code, "pin": "314159"})
    with pytest.raises(TooOften):
        net.store.run(PAGES["track"].steps["move"], new, "", {"code": code, "pin": PIN})


def test_through_the_desk_with_a_number_that_both_read(net: Small, asked: tuple[str, ...]) -> None:
    mali, new, matter, code = asked
    dao = at_the_desk(net)
    view = does(net, "ask_desk", new, code=code)
    assert view.said_key == "page.track.asked"
    assert view.moves[0].due_at is None
    assert (dao, "desk.move_asked") in net.said()
    at_desk = sees(net, dao, matter)
    assert at_desk.move is not None
    assert at_desk.move.check == view.moves[0].check
    assert len(view.moves[0].check) == 4
    net.passes(2 * DAY)  # nothing happens by itself
    with pytest.raises(NotFound):
        sees(net, new, matter)
    net.store.run(PAGES["matter"].steps["move_allow"], dao, matter, {})
    assert (mali, "move.asked") in net.said()
    net.passes(DAY)
    assert sees(net, new, matter).story == "a story"


def test_what_the_desk_does_not_allow_ends(net: Small, asked: tuple[str, ...]) -> None:
    _, new, matter, code = asked
    dao = at_the_desk(net)
    does(net, "ask_desk", new, code=code)
    net.store.run(PAGES["matter"].steps["move_refuse"], dao, matter, {})
    assert (new, "move.not_now") in net.said()
    does(net, "ask_desk", new, code=code)
    net.passes(timedelta(days=8))
    assert net.store.run(lambda tx: tx.find(Move)) == []


def test_a_code_alone_does_not_push_aside_what_a_pin_has_proved(net: Small, asked: tuple[str, ...]) -> None:
    _, new, matter, code = asked
    eve = net.person(66)
    does(net, "move", new, code=code, pin=PIN)
    does(net, "ask_desk", eve, code=code)
    net.passes(DAY)
    assert sees(net, new, matter).story == "a story"


def test_withdrawn_meanwhile(net: Small, asked: tuple[str, ...]) -> None:
    mali, new, matter, code = asked
    does(net, "move", new, code=code, pin=PIN)
    net.store.run(closing.withdraw, mali, matter)
    net.passes(DAY)
    assert net.referral(matter).author_id == mali
    assert net.store.run(lambda tx: tx.find(Move)) == []


def test_a_change_of_stage_does_not_forget_the_move(net: Small, asked: tuple[str, ...]) -> None:
    _, new, matter, code = asked
    worker = net.workers_of(net.referral(matter).organization_id or "")[0]
    does(net, "move", new, code=code, pin=PIN)
    net.store.run(PAGES["matter"].steps["contacted"], worker, net.at_partner(matter), {})
    net.passes(DAY)
    assert net.referral(matter).author_id == new


@pytest.mark.parametrize(
    "settings",
    [
        {"presence": Presence.LOST},
        {"presence": Presence.HIDDEN},
        {"presence": Presence.BLOCKED},
        {"window": WritingWindow.ONLY_ANSWERS},
    ],
)
def test_where_the_old_phone_cannot_be_told_the_desk_looks_first(
    net: Small, asked: tuple[str, ...], settings: dict[str, Any]
) -> None:
    mali, new, matter, code = asked
    changes(net, mali, **settings)
    assert does(net, "move", new, code=code, pin=PIN).moves[0].due_at is None
    net.passes(2 * DAY)
    assert net.referral(matter).author_id == mali


@pytest.mark.parametrize(("presence", "moves"), [("hidden", True), ("lost", False), ("blocked", False)])
def test_when_the_new_phone_is_hidden_lost_or_blocked(
    net: Small, asked: tuple[str, ...], presence: str, moves: bool
) -> None:
    mali, new, matter, code = asked
    does(net, "move", new, code=code, pin=PIN)
    net.said()
    changes(net, new, presence=Presence(presence))
    net.passes(DAY)
    assert net.referral(matter).author_id == (new if moves else mali)
    assert new not in {who for who, _ in net.said()}


def test_the_same_person_changes_nothing(net: Small, asked: tuple[str, ...]) -> None:
    mali, _, _, code = asked
    does(net, "move", mali, code=code, pin=PIN)
    does(net, "ask_desk", mali, code=code)
    assert net.store.run(lambda tx: tx.find(Move)) == []


def test_a_worker_where_it_is_does_not_get_it(net: Small, asked: tuple[str, ...]) -> None:
    """It would change sides. They hear what everybody hears, and the desk looks."""
    mali, new, matter, code = asked
    served_by = net.referral(matter).organization_id
    dao = at_the_desk(net)
    seats = net.store.run(lambda tx: tx.find(Seat, organization_id=served_by, role=Role.WORKER))
    net.store.run(_sits, seats[-1].id, new)
    view = does(net, "move", new, code=code, pin=PIN)
    assert view.moves[0].due_at == net.clock.now + DAY  # as for everybody
    net.passes(DAY)
    assert net.referral(matter).author_id == mali
    assert (dao, "desk.move_asked") in net.said()
    with pytest.raises(moving.MoveConflict):
        net.store.run(moving.allow, dao, matter)


def test_a_coordinator_does_not_allow_their_own_move(net: Small, asked: tuple[str, ...]) -> None:
    _, _, matter, code = asked
    dao = at_the_desk(net)
    does(net, "ask_desk", dao, code=code)
    with pytest.raises(NotFound):
        net.store.run(moving.allow, dao, matter)


def test_what_was_read_is_shown_as_organisation_role_and_day(net: Small, asked: tuple[str, ...]) -> None:
    mali, _, matter, _ = asked
    organization = net.referral(matter).organization_id or ""
    worker = net.workers_of(organization)[0]
    sees(net, mali, matter)
    assert not [r for r in sees(net, mali, matter).readers if r.role_key != "role.worker"]
    for _ in range(3):
        sees(net, worker, offer_of(net, matter))
    net.clock.advance(days=1)
    sees(net, worker, offer_of(net, matter))
    lines = sees(net, mali, matter).readers
    assert len(lines) == 2
    assert lines[0].at > lines[1].at
    assert {line.role_key for line in lines} == {"role.worker"}
    assert lines[0].organization
    assert worker not in str(lines)


def _sealed(tx: Tx, matter: str) -> list[tuple[Record, DataClass]]:
    from referrals.service.matter import handing_over

    records = handing_over.records_of(tx, doors.referral_by_id(tx, matter))
    found = [(r, c) for r in records for c in DataClass if tx.sealed_exists(r, c)]
    assert len(found) >= 4  # story, contact, wishes, thread
    return found


def _holders(tx: Tx, record: Record, data_class: DataClass) -> frozenset[str]:
    return tx.holders(record, data_class)


def _sits(tx: Tx, seat_id: str, person_id: str) -> None:
    seat = tx.get(Seat, seat_id)
    assert seat is not None
    tx.save(replace(seat, person_id=person_id))
