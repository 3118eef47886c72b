"""How a device is let in: by code and a day, by the desk, by two people; and how that is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from handlers.incoming import Did, Incoming
from handlers.router import handle
from referrals.errors import NotFound, PinNeeded, PulangError, WrongStage
from referrals.model import Actor, Role
from referrals.persons import Device, DeviceState, Presence, Recovery, Seat, Session, WritingWindow
from referrals.ports import Away, Slow, Tx
from referrals.service.pages.devices import DEVICES
from referrals.service.people import devices, letting_in, people, stepup
from storage import archive
from tests.support.network import Small
from tests.support.pins import QuickPins

pytestmark = pytest.mark.on_both(
    "test_that_was_not_me_stops_it_and_ends_the_device",
    "test_two_who_press_at_once_are_two_and_one_who_presses_twice_is_one",
)

PIN, NEW_PIN = "739154", "482617"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SLOW = Slow(QuickPins(), archive.pack)
KNOWN, WAITING, ASKED = DeviceState.KNOWN, DeviceState.WAITING, DeviceState.ASKED
ACTIVE, ENDED = DeviceState.ACTIVE, DeviceState.ENDED


class Phones(Small):
    """The small network, with devices that do things."""

    def does(self, verb: Any, *args: Any) -> Any:
        """A verb of a device, through all its turns; an error that it returns is raised."""
        found = self.store.run(verb, *args)
        while isinstance(found, Away):
            found = self.store.run(found.then, found.work(SLOW))
        if isinstance(found, PulangError):
            raise found
        return found

    def phone(self, person_id: str, key: str) -> str:
        found = self.store.run(devices.meet, person_id, key)
        self.store.run(lambda tx: tx.add(Session(f"{key}-{person_id}", person_id, "me", _soon(tx), found.id)))
        return found.id

    def enrolled(self, person_id: str, key: str = "old") -> tuple[str, str]:
        """A first phone that is let in; its id and the recovery code."""
        device_id = self.phone(person_id, key)
        return device_id, self.does(letting_in.enrol, person_id, device_id, PIN)["recovery"]

    def device(self, device_id: str) -> Device:
        found = self.store.run(lambda tx: tx.get(Device, device_id))
        assert found is not None
        return found

    def state(self, device_id: str) -> str:
        """As the page would be told it."""
        device = self.device(device_id)
        return self.store.run(devices.reading, device).state

    def sessions(self, person_id: str) -> list[Session]:
        return self.store.run(lambda tx: tx.find(Session, person_id=person_id))

    def page(self, person_id: str, step: str = "", device_id: str = "", locked: bool = False) -> Any:
        def turn(tx: Tx) -> Any:
            if locked:
                tx.lock_reading()
            verb = DEVICES.steps[step] if step else DEVICES.view
            return verb(tx, person_id, "", {"device": device_id} if device_id else {})

        return self.store.run(turn)


def _soon(tx: Tx) -> Any:
    return tx.now + DAY


@pytest.fixture
def net(database_url: str) -> Iterator[Phones]:
    with Phones.opened(database_url) as net:
        yield net


def test_that_was_not_me_stops_it_and_ends_the_device(net: Phones) -> None:
    mali = net.person(1)
    old, code = net.enrolled(mali)
    new = net.phone(mali, "new")
    net.does(letting_in.recover, mali, new, code, NEW_PIN)
    assert (net.state(new), net.state(old)) == ("wait", "open")
    assert (mali, "device.waits") in net.said()
    stranger = net.person(2)
    with pytest.raises(NotFound):
        net.store.run(letting_in.not_me, stranger, new)
    net.store.run(letting_in.not_me, mali, new)
    net.store.run(letting_in.not_me, mali, new)  # pressed twice
    net.passes(2 * DAY)
    assert net.device(new).state is ENDED
    assert [s.device_id for s in net.sessions(mali)] == [old]


def test_the_notices_button_stops_it_for_its_person_alone(net: Phones) -> None:
    mali = net.person(1)
    _, code = net.enrolled(mali)
    new = net.phone(mali, "new")
    net.does(letting_in.recover, mali, new, code, NEW_PIN)
    (button,) = letting_in._not_me(net.device(new))[0]
    assert len(button.action) <= 64  # Telegram's limit
    press = Incoming(1, 2, Did.PRESS, data=button.action, message_id=7)
    with pytest.raises(NotFound):
        net.store.run(handle, press)
    net.store.run(handle, replace(press, update=2, account=1))
    assert net.device(new).state is ENDED
    assert (mali, "device.stopped") in net.said()


@pytest.mark.parametrize("what", [people.hide, people.blocked])
def test_a_phone_never_comes_in_unseen(net: Phones, what: Any) -> None:
    """Hiding takes the notice out of the chat: the day does not go on behind it."""
    mali = net.person(1)
    old, code = net.enrolled(mali)
    new = net.phone(mali, "new")
    following = net.does(letting_in.recover, mali, new, code, NEW_PIN)["recovery"]
    net.store.run(what, mali)
    net.store.run(people.come_back, mali)
    net.passes(2 * DAY)
    assert (net.state(new), net.state(old)) == ("recover", "pin")
    net.does(letting_in.recover, mali, new, following, NEW_PIN)  # nothing is lost: the next code works
    net.passes(DAY + MINUTE)
    assert net.state(new) == "pin"


def test_the_day_begins_when_the_person_may_be_told(net: Phones) -> None:
    mali = net.person(1)
    _, code = net.enrolled(mali)
    net.store.run(people.choose_window, mali, WritingWindow.DAYTIME.value)
    net.clock.now = net.clock.now.replace(hour=20, minute=0)  # three at night in Bangkok
    new = net.phone(mali, "new")
    net.does(letting_in.recover, mali, new, code, NEW_PIN)
    assert net.said() == []
    assert net.device(new).active_from == net.clock.now + timedelta(hours=5) + DAY
    net.clock.advance(hours=5)
    assert (mali, "device.waits") in net.said()


def test_whoever_wants_only_answers_is_told_all_the_same(net: Phones) -> None:
    mali = net.person(1)
    _, code = net.enrolled(mali)
    net.store.run(people.choose_window, mali, WritingWindow.ONLY_ANSWERS.value)
    net.does(letting_in.recover, mali, net.phone(mali, "new"), code, NEW_PIN)
    assert (mali, "device.waits") in net.said()


def test_a_family_is_let_in_by_one_coordinator_and_a_day(net: Phones) -> None:
    mali, dao, steward = net.person(1), net.person(2, "desk-1"), net.person(3, "steward-1")
    net.enrolled(mali)
    new = net.phone(mali, "new")
    check = net.does(letting_in.ask, mali, new, NEW_PIN)["check"]
    assert (dao, "device.asked") in net.said()
    (line,) = net.page(dao).asking
    assert (line.id, line.check, line.who_key) == (new, check, "page.devices.a_family")
    assert (len(check), check.isdigit()) == (4, True)
    assert net.page(steward).asking == ()  # a steward lets in posts alone
    for somebody in (steward, mali):
        with pytest.raises(PulangError):
            net.page(somebody, "vouch", new)
    net.page(dao, "vouch", new)
    assert net.state(new) == "wait"
    net.passes(DAY + MINUTE)
    assert net.state(new) == "pin"
    net.does(stepup.prove, mali, new, NEW_PIN)
    code = net.does(letting_in.new_code, mali, new)["recovery"]
    third = net.phone(mali, "third")
    net.does(letting_in.recover, mali, third, code, NEW_PIN)


@pytest.mark.parametrize("seat", ["bua-1", "mentor-1", "desk-2", "steward-2"])
def test_a_post_takes_two_different_people(net: Phones, seat: str) -> None:
    seats = {s.id for s in net.store.run(lambda tx: tx.find(Seat))}
    if seat not in seats:
        role = Role(seat.partition("-")[0])
        net.store.run(
            lambda tx: tx.add(replace(tx.find(Seat, role=role)[0], id=seat, person_id=None, version=1))
        )
    ploy, dao, steward = net.person(1, seat), net.person(2, "desk-1"), net.person(3, "steward-1")
    _, code = net.enrolled(ploy)
    assert code == ""  # no code opens for a post
    new = net.phone(ploy, "new")
    net.does(letting_in.ask, ploy, new, NEW_PIN)
    net.page(dao, "vouch", new)
    assert net.state(new) == "ask"
    for twice in (dao, ploy):
        with pytest.raises(PulangError):
            net.page(twice, "vouch", new)
    assert net.state(new) == "ask"
    net.page(steward, "vouch", new)
    assert net.state(new) == "pin"
    net.does(stepup.prove, ploy, new, NEW_PIN)
    assert net.state(new) == "open"


def test_two_who_press_at_once_are_two_and_one_who_presses_twice_is_one(net: Phones) -> None:
    ploy, dao, steward = net.person(1, "bua-1"), net.person(2, "desk-1"), net.person(3, "steward-1")
    net.enrolled(ploy)
    for who, state in (((dao, dao), "ask"), ((dao, steward), "pin")):
        new = net.phone(ploy, f"new-{state}")
        net.does(letting_in.ask, ploy, new, NEW_PIN)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda person, device=new: _quietly(net, person, device), who))
        assert net.state(new) == state


def _quietly(net: Phones, person_id: str, device_id: str) -> None:
    try:
        net.page(person_id, "vouch", device_id)
    except PulangError:
        return


def test_the_first_yes_of_somebody_who_left_counts_no_more(net: Phones) -> None:
    ploy, dao, steward = net.person(1, "bua-1"), net.person(2, "desk-1"), net.person(3, "steward-1")
    net.enrolled(ploy)
    new = net.phone(ploy, "new")
    net.does(letting_in.ask, ploy, new, NEW_PIN)
    net.page(dao, "vouch", new)
    net.store.run(_leaves, dao)
    net.page(steward, "vouch", new)
    assert net.state(new) == "ask"


def _leaves(tx: Tx, person_id: str) -> None:
    for seat in tx.find(Seat, person_id=person_id):
        tx.save(replace(seat, person_id=None))


def test_a_refusal_ends_the_device_and_it_may_ask_again(net: Phones) -> None:
    mali, dao = net.person(1), net.person(2, "desk-1")
    net.enrolled(mali)
    new = net.phone(mali, "new")
    net.does(letting_in.ask, mali, new, NEW_PIN)
    net.page(dao, "refuse", new)
    assert net.device(new).state is ENDED
    assert (mali, "device.refused") in net.said()
    net.phone(mali, "new-again")
    assert net.phone(mali, "another") != new


def test_a_code_is_no_use_to_somebody_who_was_given_a_post(net: Phones) -> None:
    mali = net.person(1)
    net.person(2, "desk-1")
    _, code = net.enrolled(mali)
    first, second = net.phone(mali, "new"), net.phone(mali, "newer")
    following = net.does(letting_in.recover, mali, first, code, NEW_PIN)["recovery"]
    net.person(1, "bua-1")
    with pytest.raises(PulangError):
        net.does(letting_in.recover, mali, second, following, NEW_PIN)
    net.passes(DAY + MINUTE)
    assert net.state(first) == "ask"  # its day is over, and now two must say yes


def test_a_lost_phone_ends_everything_and_its_next_device_is_no_first_one(net: Phones) -> None:
    mali, dao = net.person(1), net.person(2, "desk-1")
    _, code = net.enrolled(mali)
    waiting = net.phone(mali, "new")
    following = net.does(letting_in.recover, mali, waiting, code, NEW_PIN)["recovery"]
    net.store.run(people.lost_phone, Actor(dao, Role.COORDINATOR), mali)
    assert net.sessions(mali) == []
    assert {d.state for d in net.store.run(lambda tx: tx.find(Device, person_id=mali))} == {ENDED}
    net.passes(2 * DAY)
    net.store.run(_present, mali)
    third = net.phone(mali, "third")
    assert net.state(third) == "recover"
    with pytest.raises(PulangError):  # the paper was lost with the phone
        net.does(letting_in.recover, mali, third, following, NEW_PIN)
    with pytest.raises(WrongStage):
        net.does(letting_in.enrol, mali, third, NEW_PIN)


def _present(tx: Tx, person_id: str) -> None:
    people._settle(tx, person_id, "present", presence=Presence.PRESENT)


def test_an_unlocked_phone_ends_no_other_one_without_its_pin(net: Phones) -> None:
    mali, other = net.person(1), net.person(2)
    old, code = net.enrolled(mali)
    new = net.phone(mali, "new")
    net.does(letting_in.recover, mali, new, code, NEW_PIN)
    with pytest.raises(PinNeeded):
        net.page(mali, "end", old, locked=True)
    net.page(mali, "end", new, locked=True)  # what does not read yet may be stopped by anybody who is there
    with pytest.raises(NotFound):
        net.page(other, "end", old)
    shown = net.page(mali, "end", old)
    assert shown.own == ()
    assert net.sessions(mali) == []


def test_unused_devices_make_room_and_are_swept_away(net: Phones) -> None:
    mali = net.person(1)
    old, _ = net.enrolled(mali)
    for n in range(devices.MOST_KNOWN + 5):
        net.clock.advance(minutes=1)
        net.phone(mali, f"memory-{n}")
    kept = net.store.run(lambda tx: tx.find(Device, person_id=mali))
    assert len(kept) == devices.MOST_KNOWN + 1
    net.store.run(devices.end, Actor(mali, Role.FAMILY), kept[0], "test")

    def left(days: int) -> int:
        net.passes(timedelta(days=days))
        return len(net.store.run(lambda tx: tx.find(Device, person_id=mali)))

    assert left(29) == devices.MOST_KNOWN + 1
    assert left(2) == devices.MOST_KNOWN
    assert left(60) == (1 if kept[0].id != old else 0)


def test_somebody_erased_leaves_no_device(net: Phones) -> None:
    mali = net.person(1)
    net.enrolled(mali)
    net.store.run(devices.forget, mali)
    assert net.store.run(lambda tx: tx.find(Device, person_id=mali)) == []
    assert net.sessions(mali) == []
    assert net.store.run(lambda tx: tx.get(Recovery, mali)) is None


def test_a_stop_between_two_turns_is_a_wrong_try(net: Phones) -> None:
    """The machine stops while the PIN is checked: the try stays counted, and the tenth ends the device."""
    mali = net.person(1)
    old, _ = net.enrolled(mali)
    for _ in range(stepup.LAST_TRY):
        net.store.run(stepup.prove, mali, old, PIN)  # … and never comes to its second turn
        net.clock.advance(hours=2)
    assert net.device(old).tries == stepup.LAST_TRY
    with pytest.raises(PulangError):
        net.does(stepup.prove, mali, old, PIN)
    assert net.device(old).state is ENDED
