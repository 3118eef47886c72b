"""Everybody tries everything with a member, in each situation: against a table written by hand."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from referrals.errors import Refused
from referrals.members import CheckIn, Enrolment
from referrals.model import Actor, DataClass, Record, Role
from referrals.persons import MentorProfile, Seat
from referrals.ports import Tx
from referrals.service.contact import caseload
from referrals.service.members import enrolments, handing_members, linking, standing_in
from referrals.service.pages import PAGES
from tests.service.test_members import Club
from tests.support.network import CATALOGUE
from tests.support.store import SettableClock, open_store

TABLE = tomllib.loads((Path(__file__).parent / "member_matrix.toml").read_text())
DAYS = timedelta(days=1)
SEATS = {"mentor": "m", "backup": "b", "stand_in": "s", "former": "f", "other": "o", "free": "z"}
OTHERS = {
    "helper": "bua-1",
    "coordinator": "desk-1",
    "steward": "steward-1",
    "phone": "",
    "family": "",
    "stranger": "",
}


class Situations:
    """Each situation has a member of its own; the cast is the same in all but `post_left`."""

    def __init__(self, net: Club) -> None:
        self.net = net
        net.store.run(_fresh_start)
        self.cast = {name: net.person(200 + n, seat) for n, (name, seat) in enumerate(SEATS.items())}
        self.cast |= {name: net.person(300 + n, seat) for n, (name, seat) in enumerate(OTHERS.items())}
        net.dao = self.cast["coordinator"]
        self.members = {name: self._member(name) for name in TABLE}
        net.member("o", "z")  # whom `other` looks after
        net.store.run(_empty_post, self.cast)

    def _member(self, name: str) -> str:
        first = {"handed_over": "f", "post_left": "l"}.get(name, "m")
        if name == "post_left":
            self.net.person(299, "l")
        them = self.net.member(first, "b")
        self.net.written(them, self.net.store.run(lambda tx: _holder(tx, first)))
        self.net.store.run(STORIES[name], them.id, self.cast)
        return them.id


def _hand_over(tx: Tx, member: str, cast: Mapping[str, str]) -> None:
    actor, enrolment = enrolments.active(tx, cast["former"], member)
    row = handing_members.hand_over(tx, actor, enrolment, "m")
    handing_members.yes(tx, cast["mentor"], row.id)


def _tie(tx: Tx, member: str, cast: Mapping[str, str]) -> None:
    found = tx.get(Enrolment, member)
    assert found is not None
    tx.save(replace(found, person_id=cast["phone"]))


def _stand(tx: Tx, member: str, cast: Mapping[str, str]) -> None:
    actor, enrolment = enrolments.active(tx, cast["mentor"], member)
    standing_in.stand_in(tx, actor, enrolment, "s", tx.now + 7 * DAYS)


def _stood(tx: Tx, member: str, cast: Mapping[str, str]) -> None:
    _stand(tx, member, cast)
    standing_in.end(tx, *enrolments.active(tx, cast["mentor"], member))


def _left(tx: Tx, member: str, cast: Mapping[str, str]) -> None:
    enrolments.leave(tx, *enrolments.active(tx, cast["mentor"], member))


def _paused(tx: Tx, member: str, cast: Mapping[str, str]) -> None:
    enrolments.pause(tx, *enrolments.active(tx, cast["mentor"], member), tx.now + 9 * DAYS)


STORIES: Mapping[str, Callable[..., None]] = {
    "active": lambda tx, member, cast: None,
    "tied": _tie,
    "standing_in": _stand,
    "stood_in": _stood,
    "handed_over": _hand_over,
    "post_left": lambda tx, member, cast: None,
    "left": _left,
    "paused": _paused,
}


def _step(page: str, step: str, **body: str) -> Callable[[Tx, str, str], object]:
    def does(tx: Tx, who: str, member: str) -> object:
        return PAGES[page].steps[step](tx, who, "", {"member": member, **body})

    return does


def _key(data_class: DataClass) -> Callable[[Tx, str, str], object]:
    """Possession alone: whatever a door says, the key opens or does not."""

    def opens(tx: Tx, who: str, member: str) -> object:
        check_in = next(c for c in tx.find(CheckIn, enrolment_id=member) if c.saved_at)
        record = check_in.record if data_class is DataClass.WELLBEING else Record("safety_plan", member)
        return tx.open_sealed(Actor(who, Role.MENTOR), record, data_class)

    return opens


def _by_code(tx: Tx, who: str, member: str) -> object:
    found = tx.get(Enrolment, member)
    assert found is not None
    return enrolments.by_code(tx, who, found.code)


def _line(tx: Tx, who: str, member: str) -> object:
    return next((line for line in caseload.of(tx, who) if line.enrolment.id == member), None)


def _come_back(tx: Tx, who: str, member: str) -> object:
    actor, enrolment = enrolments.mine(tx, who, member)
    return not enrolment.active and enrolments.come_back(tx, actor, enrolment)


def _loose(tx: Tx, who: str, member: str, own: bool = False) -> object:
    found = tx.get(Enrolment, member)
    if found is None or found.person_id is None or (not own and found.person_id == who):
        return None
    return linking.untie(tx, who, member)


TRIES: Mapping[str, Callable[[Tx, str, str], object]] = {
    "read": enrolments.mine,
    "line": _line,
    "code": _by_code,
    "key_answers": _key(DataClass.WELLBEING),
    "key_plan": _key(DataClass.SAFETY),
    "pause": lambda tx, who, member: enrolments.pause(tx, *enrolments.active(tx, who, member), None),
    "come_back": _come_back,
    "leave": lambda tx, who, member: enrolments.leave(tx, *enrolments.active(tx, who, member)),
    "who": _step("members", "who"),
    "hand_over": _step("members", "hand_over", reason="z"),
    "link_see": lambda tx, who, member: member and PAGES["link"].view(tx, who, member, {}),
    "link_make": lambda tx, who, member: PAGES["link"].steps["make"](tx, who, member, {}),
    "untie": _loose,
    "own_untie": lambda tx, who, member: _loose(tx, who, member, own=True),
    "line_up": _step("newcomer", "who"),
    "ask": _step("newcomer", "ask", reason="z"),
}


@pytest.fixture(scope="module")
def situations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Situations]:
    store = open_store(
        f"sqlite:///{tmp_path_factory.mktemp('matrix') / 'pulang.db'}", clock := SettableClock(), CATALOGUE
    )
    yield Situations(Club(store, clock))
    store.close()


class _Undo(Exception):
    def __init__(self, result: object) -> None:
        super().__init__()
        self.result = result


def _tried(tx: Tx, verb: Callable[[Tx, str, str], object], who: str, member: str) -> object:
    raise _Undo(verb(tx, who, member))


def _may(net: Club, verb: str, who: str, member: str) -> bool:
    try:
        net.store.run(_tried, TRIES[verb], who, member)
    except _Undo as done:
        return bool(done.result)
    except Refused:
        return False
    raise AssertionError("a try that neither worked nor was refused")


def test_the_table_knows_every_situation_and_every_try() -> None:
    assert set(TABLE) == set(STORIES)
    assert {word for row in TABLE.values() for word in row} == set(TRIES)


@pytest.mark.parametrize("situation", TABLE)
def test_everybody_tries_everything(situations: Situations, situation: str) -> None:
    wrong = []
    for verb, (name, person) in product(TRIES, situations.cast.items()):
        allowed = name in TABLE[situation].get(verb, "").split()
        if _may(situations.net, verb, person, situations.members[situation]) is not allowed:
            wrong.append(f"{verb}: {name} {'may not' if allowed else 'may'}")
    assert wrong == []


def _fresh_start(tx: Tx) -> None:
    for kind in (Enrolment, MentorProfile):
        for row in tx.find(kind):
            tx.remove(row)
    for seat in (*SEATS.values(), "l"):
        tx.add(Seat(seat, Role.MENTOR, None, None))


def _holder(tx: Tx, seat_id: str) -> str:
    seat = tx.get(Seat, seat_id)
    assert seat is not None
    return seat.person_id or ""


def _empty_post(tx: Tx, cast: Mapping[str, str]) -> None:
    PAGES["posts"].steps["remove"](tx, cast["steward"], "", {"seat": "l"})
