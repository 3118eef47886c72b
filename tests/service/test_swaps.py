"""A turn on call is swapped or given: nothing changes before the other's yes, and then at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from referrals.directory import DutySwap
from referrals.errors import AlreadyHandled, BadAnswer, NotAllowed, NotFound, PulangError, TurnOver
from referrals.persons import Person, Presence, Seat
from referrals.ports import Tx
from referrals.service import pages
from referrals.service.common import tell
from referrals.service.desk import rota, swaps
from referrals.service.people import handover
from referrals.service.stewards import network
from tests.service.test_desk import Desk
from tests.support.network import NETWORK, STEWARD

DAY = timedelta(days=1)


@pytest.fixture
def net(database_url: str) -> Iterator[Desk]:
    yield from _desk(database_url)


@pytest.fixture
def small(sqlite_url: str) -> Iterator[Desk]:
    yield from _desk(sqlite_url)


def _desk(url: str) -> Iterator[Desk]:
    with Desk.opened(url) as net:
        yield net.people()


def test_a_saturday_for_a_sunday(net: Desk) -> None:
    """Dao has Saturdays, Somchai Sundays; Dao asks, Somchai says yes, and each has the other's day."""
    saturday, sunday = _turns(net)
    net.store.run(swaps.ask, net.dao, saturday, sunday)
    (told,) = [text for who, text in net.said() if who == net.chai and text.startswith("rota.")]
    assert told == "rota.asked"
    assert _named(net, saturday) == "desk-1", "only a yes changes the rota"
    asked = _section(_page(net, net.chai), "part.rota.asks_you")
    (theirs, ours) = (line.params["turn"] for line in asked.lines)
    assert (theirs.partition(" ")[0], ours.partition(" ")[0]) == ("Saturday", "Sunday")
    _does(net, net.chai, "swap_yes", **asked.body)
    assert [_named(net, each) for each in (saturday, sunday)] == ["desk-2", "desk-1"]
    assert (net.dao, "rota.swapped") in net.said()
    # Who hears an alert on that day is the one who took it.
    net.clock.advance(seconds=(_turn(net, saturday).starts - net.clock()).total_seconds() + 3600)
    assert [seat.id for seat in net.store.run(tell.on_call)] == ["desk-2"]
    assert [seat.id for seat in net.store.run(rota.next_up)] == ["desk-1"]
    net.passes(2 * DAY)
    assert not net.store.run(lambda tx: tx.find(DutySwap)), "once is once"
    saturday, _ = _turns(net)
    assert _named(net, saturday) == "desk-1"


def test_a_no_a_change_of_mind_and_silence_change_nothing(small: Desk) -> None:
    saturday, sunday = _turns(small)
    for how in ("no", "back", "silence"):
        swap = small.store.run(swaps.ask, small.dao, saturday, sunday)
        with pytest.raises(AlreadyHandled):  # one question about a turn at a time
            small.store.run(swaps.ask, small.dao, saturday, sunday)
        if how == "no":
            small.store.run(swaps.answer, small.chai, swap.id, False)
            assert (small.dao, "rota.not_swapped") in small.said()
        elif how == "back":
            small.store.run(swaps.take_back, small.dao, swap.id)
            small.store.run(swaps.take_back, small.dao, swap.id)  # twice is once
            with pytest.raises(NotFound):
                small.store.run(swaps.answer, small.chai, swap.id, True)
        else:
            small.passes(7 * DAY)
            assert (small.dao, "rota.no_answer") in small.said()
        assert not small.store.run(lambda tx: tx.find(DutySwap))
        assert not small.store.run(_timers, swap.id)
    assert {_named(small, each) for each in _turns(small)} == {"desk-1", "desk-2"}


def test_only_the_two_and_only_while_both_turns_are_to_come(small: Desk) -> None:
    saturday, sunday = _turns(small)
    for who, turn, other, error in (
        (small.dao, sunday, saturday, BadAnswer),  # not one's own to give
        (small.dao, saturday, saturday, BadAnswer),
        (small.dao, "nonsense", sunday, AlreadyHandled),
        (small.bua, saturday, sunday, NotAllowed),
        (small.person(1), saturday, sunday, NotAllowed),
    ):
        with pytest.raises((error, NotFound)):
            small.store.run(swaps.ask, who, turn, other)
    swap = small.store.run(swaps.ask, small.dao, saturday, sunday)
    for who in (small.dao, small.bua):
        with pytest.raises((NotFound, NotAllowed)):
            small.store.run(swaps.answer, who, swap.id, True)
    with pytest.raises(NotFound):
        small.store.run(swaps.take_back, small.chai, swap.id)
    begun = _turn(small, saturday).starts - small.clock() + timedelta(minutes=1)
    small.clock.advance(seconds=begun.total_seconds())
    with pytest.raises(TurnOver):  # before the timer has looked
        small.store.run(swaps.answer, small.chai, swap.id, True)


def test_a_yes_stands_and_a_colleague_who_is_away_is_not_asked(small: Desk) -> None:
    saturday, sunday = _turns(small)
    swap = small.store.run(swaps.ask, small.dao, saturday, sunday)
    small.store.run(swaps.answer, small.chai, swap.id, True)
    small.store.run(swaps.answer, small.chai, swap.id, True)  # pressed twice
    for verb, who, more in ((swaps.take_back, small.dao, ()), (swaps.answer, small.chai, (False,))):
        with pytest.raises(AlreadyHandled):
            small.store.run(verb, who, swap.id, *more)
    small.store.run(_hides, small.chai)
    shown = _page(small, small.dao)
    assert not [step for section in shown.sections for step in section.steps]
    # A post that is emptied covers nothing, whoever it took a turn from.
    small.store.run(_emptied, "desk-2")
    open_hours, begins = small.store.run(rota.open_hours), _turn(small, saturday).starts
    assert any(start <= begins < end for start, end in open_hours)


def test_a_turn_is_given_away(net: Desk) -> None:
    """Dao asks Somchai to take her Saturday, for nothing: hers until his yes, his from then on, and once."""
    saturday, _ = _turns(net)
    _does(net, net.dao, "turn_give", turn=saturday, reason="desk-2")
    with pytest.raises(AlreadyHandled):  # one question about a turn at a time
        net.store.run(swaps.give, net.dao, saturday, "desk-2")
    (told,) = [d for d in net.deliveries() if d.text == "rota.asked_to_take"]
    assert told.person_id == net.chai
    assert told.params["theirs"] < told.params["until"], "how long it is stands beside the button"
    assert _named(net, saturday) == "desk-1"
    asked = _section(_page(net, net.chai), "part.rota.asks_you_take")
    assert [line.key for line in asked.lines] == ["part.rota.you_take"]
    waits = _section(_page(net, net.dao), "part.rota.you_asked_give")
    assert [line.key for line in waits.lines] == ["part.rota.you_give", "part.rota.of_whom"]
    _does(net, net.chai, "swap_yes", **asked.body)
    assert (net.dao, "rota.given") in net.said()
    assert _named(net, saturday) == "desk-2"
    net.clock.advance(seconds=(_turn(net, saturday).starts - net.clock()).total_seconds() + 3600)
    assert [seat.id for seat in net.store.run(tell.on_call)] == ["desk-2"]
    net.passes(2 * DAY)
    assert not net.store.run(lambda tx: tx.find(DutySwap))
    assert _named(net, _turns(net)[0]) == "desk-1"


def test_whoever_is_asked_to_take_a_turn_can_say_no_and_only_a_colleague_is_asked(small: Desk) -> None:
    saturday, sunday = _turns(small)
    for who, turn, seat, error in (
        (small.dao, sunday, "desk-2", BadAnswer),  # not one's own to give
        (small.dao, saturday, "desk-1", BadAnswer),
        (small.dao, saturday, "bua-1", BadAnswer),
        (small.dao, "nonsense", "desk-2", AlreadyHandled),
        (small.bua, saturday, "desk-2", NotAllowed),
    ):
        with pytest.raises((error, NotFound)):
            small.store.run(swaps.give, who, turn, seat)
    swap = small.store.run(swaps.give, small.dao, saturday, "desk-2")
    small.store.run(swaps.answer, small.chai, swap.id, False)
    assert (small.dao, "rota.not_given") in small.said()
    assert _named(small, saturday) == "desk-1"


@pytest.mark.parametrize("leaves", ["desk-1", "desk-2"])
@pytest.mark.parametrize("how", ["given", "swapped"])
def test_a_post_that_is_left_leaves_no_hour_to_nobody(small: Desk, leaves: str, how: str) -> None:
    """What it had taken is whose it was before, who hears so; the steward hears of what nobody covers."""
    steward = small.person(41, "steward-1")
    saturday, sunday = _turns(small)
    if how == "given":
        swap = small.store.run(swaps.give, small.dao, saturday, "desk-2")
    else:
        swap = small.store.run(swaps.ask, small.dao, saturday, sunday)
    small.store.run(swaps.answer, small.chai, swap.id, True)
    small.said()
    small.store.run(_leaves, leaves)
    kept = (leaves, how) == ("desk-1", "given")  # it took nothing: what it gave stays given
    assert [_named(small, each) for each in (saturday, sunday)] == ["desk-2" if kept else "desk-1", "desk-2"]
    said = small.said()
    other = small.chai if leaves == "desk-1" else small.dao
    assert ((other, "rota.undone") in said) is not kept
    assert (steward, "steward.rota") in said


def test_a_question_to_a_post_that_is_left_is_asked_no_more(small: Desk) -> None:
    saturday, _ = _turns(small)
    small.store.run(swaps.give, small.dao, saturday, "desk-2")
    small.said()
    small.store.run(_leaves, "desk-2")
    assert (small.dao, "rota.undone") in small.said()
    assert not small.store.run(lambda tx: tx.find(DutySwap))
    assert not [who for who, _ in small.said() if not who], "nobody is told nothing"


def test_a_duty_that_the_file_moves_to_another_post_ends_what_was_asked(small: Desk) -> None:
    saturday, sunday = _turns(small)
    swap = small.store.run(swaps.ask, small.dao, saturday, sunday)
    small.store.run(swaps.answer, small.chai, swap.id, True)
    small.said()
    duties = tuple(replace(d, seat_id="desk-2") if d.id == saturday[:-11] else d for d in NETWORK.duties)
    file = replace(NETWORK, duties=duties)
    small.store.run(lambda tx: network.apply(tx, STEWARD, file, network.digest(network.preview(tx, file))))
    assert {small.dao, small.chai} <= {who for who, text in small.said() if text == "rota.undone"}
    assert [_named(small, each) for each in (saturday, sunday)] == ["desk-2", "desk-2"]


def test_a_page_that_shows_every_turn_once(small: Desk) -> None:
    shown = _page(small, small.dao)
    titles = [section.title_key for section in shown.sections]
    assert titles[0] == "part.desk.rota"
    assert titles[-1] == "part.rota.theirs"
    own = [s for s in shown.sections if s.title_key == "part.rota.turn"]
    assert own[0].name.startswith("Wednesday 25 November 2026, 08:00 to 20:00")
    assert len(own) == len([t for t in small.store.run(swaps.coming) if t.seat_id == "desk-1"])
    assert all(section.steps[0].choices for section in own)
    for who in (small.bua, small.person(1)):
        with pytest.raises(PulangError):
            _page(small, who)


def _turns(net: Desk) -> tuple[str, str]:
    """The next Saturday of desk-1 and the Sunday of desk-2, as a page names them."""
    there = net.store.run(swaps.coming)
    return tuple(  # type: ignore[return-value]
        next(swaps.written(turn) for turn in there if turn.duty_id.startswith(f"{day}."))
        for day in ("saturday", "sunday")
    )


def _turn(net: Desk, written: str) -> Any:
    return next(turn for turn in net.store.run(swaps.coming) if swaps.written(turn) == written)


def _named(net: Desk, written: str) -> str:
    return str(_turn(net, written).seat_id)


def _page(net: Desk, who: str) -> Any:
    return net.page(who, "rota", "")


def _does(net: Desk, who: str, step: str, **body: object) -> Any:
    return net.store.run(pages.PAGES["rota"].steps[step], who, "", body)


def _section(shown: Any, title: str) -> Any:
    return next(section for section in shown.sections if section.title_key == title)


def _timers(tx: Tx, swap_id: str) -> int:
    return len(tx.timers_of(swap_id))


def _hides(tx: Tx, person_id: str) -> None:
    person = tx.get(Person, person_id)
    assert person is not None
    tx.save(replace(person, presence=Presence.HIDDEN))


def _leaves(tx: Tx, seat_id: str) -> None:
    seat = tx.get(Seat, seat_id)
    assert seat is not None
    tx.save(replace(seat, person_id=None))
    handover.departed(tx, seat, "join.post_ended")


def _emptied(tx: Tx, seat_id: str) -> None:
    seat = tx.get(Seat, seat_id)
    assert seat is not None
    tx.save(replace(seat, person_id=None))
