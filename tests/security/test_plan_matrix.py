"""Plans of several parts: everybody tries everything, against a table written by hand (plan_matrix.toml).

Each try is a turn of its own that is undone; a key is tried by itself, past whatever a page would show.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from referrals.casework import Task
from referrals.directory import Agreement
from referrals.errors import Refused
from referrals.model import Actor, DataClass, Record, Referral, Role
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.joint import plan_days, proposing, tasks
from referrals.service.lasting import ending
from referrals.service.pages import PAGES
from referrals.service.turns import closing
from referrals.service.turns import offers as partners
from tests.support.network import CATALOGUE
from tests.support.parts import Parts
from tests.support.store import SettableClock, open_store

TABLE = tomllib.loads((Path(__file__).parent / "plan_matrix.toml").read_text())
CAST = (
    "author", "coordinator", "side", "other_side", "plain", "asked", "foreign", "mentor", "steward",
    "stranger",
)  # fmt: skip
COLUMNS = (
    "see", "part", "day", "key_day", "key_story", "do_family", "do_mentor", "do_desk", "spoken", "move",
    "went", "propose",
)  # fmt: skip
PLACE = "the north gate"


class _Undone(Exception):
    pass


@dataclass
class Scene:
    """A plan in one situation, and everybody who might want something of it."""

    net: Parts
    plan: str
    people: dict[str, str]
    actors: dict[str, Actor]
    offers: dict[str, str]
    tasks: dict[str, Task]

    def may(self, who: str, column: str) -> bool:
        person, offer = self.people[who], self.offers.get(who, "no-offer")
        tries: dict[str, list[Callable[[Tx], Any]]] = {
            "see": [lambda tx: PAGES["tasks"].view(tx, person, self.plan, {})],
            "part": [lambda tx: _own_part(tx, person, offer)],
            "day": [lambda tx: _shows_day(tx, person, self.plan, offer)],
            "key_day": [lambda tx: tx.open_sealed(self.actors[who], self._record(), DataClass.SAFETY)],
            "key_story": [lambda tx: tx.open_sealed(self.actors[who], self._record(), DataClass.STORY)],
            **{
                f"do_{kind}": [lambda tx, n=name: tasks.done(tx, person, self.tasks[n].id)]  # type: ignore[misc]
                for kind, name in (("family", "family_ready"), ("mentor", "meeting"), ("desk", "look_back"))
            },
            "spoken": [lambda tx: tasks.spoken(tx, person, offer, self.tasks["handover"].id)],
            "move": [
                lambda tx: plan_days.move_day(tx, person, self.plan, date(2027, 5, 1)),
                lambda tx: plan_days.move_day(tx, person, offer, date(2027, 5, 1)),
            ],
            "went": [
                lambda tx: plan_days.went(tx, person, self.plan, True),
                lambda tx: plan_days.went(tx, person, offer, True),
            ],
            "propose": [lambda tx: proposing.propose(tx, person, "release-plan", "K7-29")],
        }
        return any(self._allowed(each) for each in tries[column])

    def _record(self) -> Record:
        return Record("referral", self.plan)

    def _allowed(self, verb: Callable[[Tx], Any]) -> bool:
        def turn(tx: Tx) -> None:
            verb(tx)
            raise _Undone

        try:
            self.net.store.run(turn)
        except _Undone:
            return True
        except Refused:
            return False
        raise AssertionError("a turn that neither ended nor was undone")


def _own_part(tx: Tx, person: str, offer: str) -> None:
    PAGES["matter"].view(tx, person, offer, {})


def _shows_day(tx: Tx, person: str, plan: str, offer: str) -> None:
    """Whether any page shows the day and the place to this person."""
    shown = ""
    for page, subject in (("tasks", plan), ("matter", plan), ("matter", offer)):
        try:
            shown += str(PAGES[page].view(tx, person, subject, {}))
        except Refused:
            continue
    if PLACE not in shown:
        raise Refused


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Scene]]:
    stores = []
    found: dict[str, Scene] = {}
    for situation in TABLE:
        clock = SettableClock()
        url = f"sqlite:///{tmp_path_factory.mktemp(situation) / 'pulang.db'}"
        stores.append(open_store(url, clock, CATALOGUE))
        found[situation] = _scene(Parts(stores[-1], clock), situation)
    yield found
    for store in stores:
        store.close()


def _scene(net: Parts, situation: str) -> Scene:
    net.settle_in()
    plan = net.plan("release-plan")
    offers = net.taken(plan, "letting_go", "taking_over", "work")
    care = net.part(plan, "care").id
    net.store.run(partners.decline, net.holds(plan, "taking_over")[0], net.at_partner(care), "full")
    net.passes(timedelta(seconds=1))
    asked = net.live_offer(care)
    assert asked is not None
    people = {
        "author": net.family,
        "coordinator": net.desk,
        "side": net.holds(plan, "letting_go")[0],
        "other_side": net.holds(plan, "taking_over")[0],
        "plain": net.holds(plan, "work")[0],
        "asked": asked.told[0],
        "foreign": net.workers["weaving-hands-1"],
        "mentor": net.person(31, "mentor-1"),
        "steward": net.person(61, "steward-1"),
        "stranger": net.person(71),
    }
    assert len(set(people.values())) == len(CAST), "each is somebody else"
    if situation != "running":
        net.store.run(plan_days.move_day, net.family, plan, date(2027, 3, 15), PLACE)
        net.passes(timedelta(seconds=1))
    if situation == "agreement_over":
        net.store.run(_agreement_ends, "border-corrections-home-2026")
    if situation == "withdrawn":
        net.store.run(closing.withdraw, net.family, plan)
    held = {"side": offers["letting_go"], "other_side": offers["taking_over"], "plain": offers["work"]}
    actors = {who: net.store.run(_actor, person, who) for who, person in people.items()}
    return Scene(net, plan, people, actors, {**held, "asked": asked.id}, net.tasks(plan))


def _actor(tx: Tx, person: str, who: str) -> Actor:
    posts = {"coordinator": Role.COORDINATOR, "mentor": Role.MENTOR, "steward": Role.STEWARD}
    if who in ("author", "stranger"):
        return doors.as_author(person)
    return doors.as_seat(tx, person, posts.get(who, Role.WORKER))


def _agreement_ends(tx: Tx, agreement_id: str) -> None:
    found = next(a for a in tx.directory.agreements if a.id == agreement_id)
    assert isinstance(found, Agreement)
    tx.save(replace(found, ends_on=tx.now.date() - timedelta(days=2)))
    ending.review(tx, found.organization_id)


@pytest.mark.parametrize("situation", TABLE)
def test_everybody_tries_everything(scenes: dict[str, Scene], situation: str) -> None:
    scene, rows = scenes[situation], TABLE[situation]
    assert set(rows) <= set(COLUMNS)
    wrong = [
        f"{situation}: {who} {'may' if may else 'may not'} {column}"
        for column in COLUMNS
        for who in CAST
        if (may := scene.may(who, column)) is not (who in rows.get(column, "").split())
    ]
    assert not wrong


def test_the_parts_of_a_plan_belong_to_it(scenes: dict[str, Scene]) -> None:
    """A part's own id leads nobody past the plan's door."""
    scene = scenes["day_known"]
    part = scene.net.part(scene.plan, "work")
    assert isinstance(part, Referral)
    for who in CAST:
        assert not scene._allowed(lambda tx, w=who: PAGES["tasks"].view(tx, scene.people[w], part.id, {}))  # type: ignore[misc]
