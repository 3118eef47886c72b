"""What an attacker's reading of the secure core found: each of these was true once, and must not be again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest

from referrals.errors import PinNeeded, PulangError, TooOften, WrongCode
from referrals.limits import LIMITS, Doing
from referrals.model import Actor, Role
from referrals.persons import DeviceState, Invitation, Presence, Recovery, Seat, WritingWindow
from referrals.ports import Away, Tx
from referrals.service import leaving
from referrals.service.common import doors
from referrals.service.matter import moving, tracking
from referrals.service.pages import PAGES
from referrals.service.people import handover, joining, letting_in, people
from referrals.service.stewards import network
from referrals.service.turns import closing, offers
from referrals.views import MyDataView, OfferView, TrackView
from tests.service.test_letting_in import NEW_PIN, PIN, SLOW, Phones
from tests.support.network import NETWORK

pytestmark = pytest.mark.on_both("test_two_first_phones_at_once_are_one")

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
def net(database_url: str) -> Iterator[Phones]:
    with Phones.opened(database_url) as net:
        yield net


def locked(net: Phones, page: str, step: str, person_id: str, **body: Any) -> Any:
    """A step of a page on a phone that has not proved itself."""

    def turn(tx: Tx) -> Any:
        tx.lock_reading()
        return PAGES[page].steps[step](tx, person_id, "", body)

    return net.store.run(turn)


# -- recovery ------------------------------------------------------------------------------------------


def test_who_used_a_stolen_code_and_was_stopped_holds_no_next_one(net: Phones) -> None:
    mali = net.person(1)
    old, code = net.enrolled(mali)
    new = net.phone(mali, "thief")
    following = net.does(letting_in.recover, mali, new, code, NEW_PIN)["recovery"]
    net.store.run(letting_in.not_me, mali, new)
    with pytest.raises(WrongCode):
        net.does(letting_in.recover, mali, net.phone(mali, "thief-again"), following, NEW_PIN)
    fresh = net.store.run(letting_in.new_code, mali, old)["recovery"]  # the owner makes another
    net.does(letting_in.recover, mali, net.phone(mali, "owner"), fresh, NEW_PIN)


def test_two_first_phones_at_once_are_one(net: Phones) -> None:
    mali = net.person(1)
    phones = [net.phone(mali, key) for key in ("one", "two")]
    halves = [net.store.run(letting_in.enrol, mali, phone, PIN) for phone in phones]
    stored = SLOW.pins.conceal(PIN)
    first, second = _side_by_side(net, *(lambda tx, half=half: half.then(tx, stored) for half in halves))
    assert [isinstance(end, PulangError) for end in (first, second)].count(True) == 1
    assert [net.device(phone).state for phone in phones].count(DeviceState.ACTIVE) == 1
    assert len(net.store.run(lambda tx: tx.find(Recovery))) == 1


def _side_by_side(net: Phones, first: Callable[[Tx], Any], second: Callable[[Tx], Any]) -> list[Any]:
    """Two turns, the second begun while the first has done its work and not yet committed."""
    done = Event()
    ends: list[Any] = [None, None]

    def waits(tx: Tx) -> Any:
        found = first(tx)
        done.set()
        other.join(0.5)  # on SQLite it cannot even begin; on PostgreSQL it waits for a lock, or ends
        return found

    def runs(turn: Callable[[Tx], Any], place: int) -> None:
        try:
            ends[place] = net.store.run(turn)
        except PulangError as error:
            ends[place] = error

    def follows() -> None:
        done.wait(5)
        runs(second, 1)

    other = Thread(target=follows)
    other.start()
    runs(waits, 0)
    other.join()
    return ends


# -- leaving -------------------------------------------------------------------------------------------


def test_a_deletion_without_a_pin_is_told_to_whoever_wants_only_answers(net: Phones) -> None:
    mali = net.person(1)
    net.filed(mali)
    net.store.run(people.choose_window, mali, WritingWindow.ONLY_ANSWERS.value)
    net.said()
    locked(net, "mydata", "delete", mali)
    assert (mali, "leaving.waits") in net.said()


def test_the_day_of_a_deletion_begins_when_its_owner_may_be_told(net: Phones) -> None:
    mali = net.person(1)
    net.store.run(people.choose_window, mali, WritingWindow.DAYTIME.value)
    net.clock.now = net.clock.now.replace(hour=20, minute=0)  # three at night in Bangkok
    view: MyDataView = locked(net, "mydata", "delete", mali)
    assert view.delete_at == net.clock.now + timedelta(hours=5) + DAY


def test_whoever_has_left_is_given_no_post(net: Phones) -> None:
    mali, steward, dao = net.person(1), net.person(31, "steward-1"), net.person(21, "desk-1")
    net.store.run(joining.invite, Actor(steward, Role.STEWARD), "bua-1", "a token of 128 bits")
    net.store.run(joining.ask, mali, "a token of 128 bits")
    (asked,) = net.store.run(lambda tx: tx.find(Invitation))
    net.store.run(leaving.delete, mali)
    with pytest.raises(PulangError):
        net.store.run(joining.confirm, dao, joining.short(asked))
    (seat,) = net.store.run(lambda tx: tx.find(Seat, id="bua-1"))
    assert seat.person_id is None


def test_archives_are_not_packed_without_end(net: Phones) -> None:
    """Each takes a core for a while; whoever asks for hundreds at once holds up everybody's PIN."""
    mali = net.person(1)
    step = PAGES["mydata"].steps["export"]
    for _ in range(LIMITS[Doing.EXPORT].most):
        net.store.run(step, mali, "", {})
    with pytest.raises(TooOften):
        net.store.run(step, mali, "", {})
    net.clock.advance(hours=1)
    net.store.run(step, mali, "", {})


# -- moving --------------------------------------------------------------------------------------------


@pytest.fixture
def moves(net: Phones) -> tuple[str, str, str]:
    """A matter that somebody asked to move by code and PIN. (owner, new phone, matter)"""
    mali, new = net.person(1), net.person(2)
    net.person(21, "desk-1")
    net.enrolled(mali)
    matter = net.filed(mali)
    code = net.store.run(tracking.follow, mali, matter)
    assert asks_to_move(net, new, code, PIN).said_key == "page.track.asked"
    return mali, new, matter


def asks_to_move(net: Phones, person_id: str, code: str, pin: str) -> TrackView:
    view: Any = net.store.run(PAGES["track"].steps["move"], person_id, "", {"code": code, "pin": pin})
    while isinstance(view, Away):
        view = net.store.run(view.then, view.work(SLOW))
    assert isinstance(view, TrackView)
    return view


@pytest.mark.parametrize("what", [people.hide, people.blocked])
def test_nothing_moves_behind_a_notice_that_was_cleared_away(
    net: Phones, moves: tuple[str, str, str], what: Any
) -> None:
    """Whoever has the old phone for a minute hides it: the word and its 'stop' are gone."""
    mali, new, matter = moves
    net.store.run(what, mali)
    net.store.run(people.come_back, mali)
    net.passes(DAY + MINUTE)
    assert net.referral(matter).author_id == mali
    dao = _holder(net, "desk-1")
    assert (dao, "desk.move_asked") in net.said()
    net.store.run(PAGES["matter"].steps["move_allow"], dao, matter, {})
    net.passes(DAY)
    assert net.referral(matter).author_id == new


def test_what_the_desk_has_allowed_goes_on_behind_a_hidden_phone(
    net: Phones, moves: tuple[str, str, str]
) -> None:
    mali, new, matter = moves
    net.store.run(people.hide, mali)
    net.store.run(PAGES["matter"].steps["move_allow"], _holder(net, "desk-1"), matter, {})
    net.store.run(people.come_back, mali)
    net.store.run(people.hide, mali)
    net.passes(DAY)
    assert net.referral(matter).author_id == new


@pytest.mark.parametrize("by", ["pin", "desk"])
def test_the_day_of_a_move_begins_when_the_old_phone_may_be_told(net: Phones, by: str) -> None:
    mali, new, dao = net.person(1), net.person(2), net.person(21, "desk-1")
    net.enrolled(mali)
    matter = net.filed(mali)
    code = net.store.run(tracking.follow, mali, matter)
    net.store.run(people.choose_window, mali, WritingWindow.DAYTIME.value)
    net.clock.now = net.clock.now.replace(hour=20, minute=0)  # three at night in Bangkok
    due = net.clock.now + timedelta(hours=5) + DAY
    if by == "pin":
        assert asks_to_move(net, new, code, PIN).moves[0].due_at == due
    else:
        net.store.run(PAGES["track"].steps["ask_desk"], new, "", {"code": code})
        assert net.store.run(moving.allow, dao, matter).due_at == due
    net.passes(DAY + timedelta(hours=4))
    assert net.referral(matter).author_id == mali
    net.passes(timedelta(hours=1))
    assert net.referral(matter).author_id == new


@pytest.mark.parametrize("typed", ["๗๓๙๑๕๔", "739 154"])
def test_a_pin_moves_a_matter_however_it_is_written(net: Phones, typed: str) -> None:
    mali = net.person(1)
    net.enrolled(mali)
    code = net.store.run(tracking.follow, mali, net.filed(mali))
    assert asks_to_move(net, net.person(2), code, typed).said_key == "page.track.asked"


# -- posts ---------------------------------------------------------------------------------------------


def test_an_unlocked_desk_phone_shuts_out_nobody_who_could_stop_it(net: Phones) -> None:
    """The phone of a coordinator was stolen; no PIN is known. Its thief silences whoever could help."""
    dao, steward, worker = net.person(21, "desk-1"), net.person(31, "steward-1"), net.person(11, "bua-1")
    with pytest.raises(PinNeeded):
        locked(net, "posts", "lost_phone", dao, seat="steward-1")
    locked(net, "posts", "lost_phone", dao, seat="bua-1")  # all else that protects still needs none
    net.store.run(PAGES["posts"].steps["lost_phone"], dao, "", {"seat": "steward-1"})
    silent = [net.store.run(handover.presence_of, who) for who in (steward, worker)]
    assert silent == [Presence.LOST, Presence.LOST]


def test_two_stewards_who_remove_each_other_at_once_leave_one(net: Phones) -> None:
    net.store.run(lambda tx: tx.add(Seat("steward-2", Role.STEWARD, None, None)))
    first, second = net.person(31, "steward-1"), net.person(32, "steward-2")
    step = PAGES["posts"].steps["remove"]
    ends = _side_by_side(
        net,
        lambda tx: step(tx, first, "", {"seat": "steward-2"}),
        lambda tx: step(tx, second, "", {"seat": "steward-1"}),
    )
    assert isinstance(ends[1], PulangError), ends
    seats = net.store.run(lambda tx: tx.find(Seat, role=Role.STEWARD))
    assert [seat.id for seat in seats if seat.person_id] == ["steward-1"]


# -- what is over --------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["withdrawn", "declined"])
def test_an_offer_that_is_over_says_no_more_of_what_was_needed(net: Phones, how: str) -> None:
    mali, worker = net.person(1), net.person(11, "bua-1")
    matter = net.filed(mali)
    net.passes(timedelta(seconds=10))
    offer = net.live_offer(matter)
    assert offer is not None
    before: OfferView = net.store.run(PAGES["offer"].view, worker, offer.id, {})
    assert before.category_key
    if how == "withdrawn":
        net.store.run(closing.withdraw, mali, matter)
    else:
        net.store.run(offers.decline, worker, offer.id, before.decline_reasons[0].id)
    after: OfferView = net.store.run(PAGES["offer"].view, worker, offer.id, {})
    assert (after.category_key, after.urgency_key, after.age_key, after.language, after.area) == ("",) * 5
    assert after.stage_key


def _holder(net: Phones, seat_id: str) -> str:
    (seat,) = net.store.run(lambda tx: tx.find(Seat, id=seat_id))
    assert seat.person_id is not None
    return str(seat.person_id)


def _applies(net: Phones, by: Actor, seats: tuple[Seat, ...]) -> None:
    file = replace(NETWORK, seats=seats)
    changes = net.store.run(network.preview, file)
    net.store.run(network.apply, by, file, network.digest(changes))


@pytest.mark.parametrize("organization", ["two-rivers", None])
def test_a_network_file_gives_nobody_another_post(net: Phones, organization: str | None) -> None:
    """Else one steward alone, by a line of a file, makes their own post a partner's or the desk's."""
    steward, role = net.person(31, "steward-1"), Role.WORKER if organization else Role.COORDINATOR
    by = Actor(steward, Role.STEWARD)
    net.person(21, "desk-1")
    net.store.run(joining.invite, by, "bua-1", "a token of 128 bits")
    other = [
        replace(s, role=role, organization_id=organization) if s.id in ("steward-1", "bua-1") else s
        for s in NETWORK.seats
    ]
    _applies(net, by, tuple(other))
    assert net.store.run(doors.seats_of, steward) == []
    assert (steward, "join.post_ended") in net.said()
    assert net.store.run(lambda tx: tx.find(Invitation)) == []  # it was for another post


def test_a_post_that_leaves_the_file_is_left_like_any_other(net: Phones) -> None:
    by = Actor(net.person(31, "steward-1"), Role.STEWARD)
    worker, colleague = net.person(11, "bua-1"), net.person(12, "bua-2")
    matter = net.filed(net.person(1))
    net.passes(timedelta(seconds=10))
    net.store.run(offers.accept, worker, net.at_partner(matter))
    net.phone(worker, "open page")
    net.said()
    _applies(net, by, tuple(s for s in NETWORK.seats if s.id != "bua-1"))
    assert net.sessions(worker) == []
    assert (colleague, "worker.handed_over") in net.said()
    assert net.referral(matter).accepted_by is None
