"""Everybody tries everything with a matter that a mentor filed: against a table written by hand."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from referrals.access import Action
from referrals.errors import NotFound, Refused
from referrals.members import Enrolment
from referrals.model import Actor, DataClass, Offer, Record, Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service.by_word import word_consent
from referrals.service.common import doors
from referrals.service.members import enrolments
from referrals.service.pages import PAGES
from referrals.service.request import needs
from referrals.service.turns import offers
from tests.service.test_by_word import WISHES, Club
from tests.support.network import CATALOGUE
from tests.support.store import SettableClock, open_store

TABLE = tomllib.loads((Path(__file__).parent / "word_matrix.toml").read_text())
PERSONAS = (
    "filer",
    "backup",
    "former",
    "other",
    "phone",
    "helper",
    "foreign",
    "coordinator",
    "steward",
    "stranger",
)
STEPS: Mapping[str, Mapping[str, object]] = {
    "write": {"text": "hello"},
    "helped": {},
    "withdraw": {},
    "follow": {},
    "return": {},
    "void": {},
    "check": {"reason": "yes"},
    "course": {"reason": "sewing"},
}
COLUMNS = (
    "see", "member", "story", "key_story", "words_see", "words_yes", "words_no", "words_code",
    "plan_see", "plan_yes", "plan_no", *STEPS, "offer_see", "offer_accept",
)  # fmt: skip


@dataclass
class Situation:
    matter: str
    cast: dict[str, str]


class _Undo(Exception):
    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result


class Situations:
    """Each with members, mentors and a phone of its own, so that nothing of one touches another."""

    def __init__(self, net: Club) -> None:
        self.net, self.number = net, 0
        self.found: dict[str, Situation] = {}
        net.settle_in()
        self.worker2 = net.person(42, "two-rivers-1")

    def build(self) -> dict[str, Situation]:
        self._situation("awaiting")
        self._situation("awaiting_phone", phone=True)
        it = self._situation("by_word")
        self._taken(it)
        it = self._situation("on_their_phone", phone=True)
        self.net.store.run(_says_yes_alone, it.cast["phone"], it.matter)
        self._accepted(it)
        it = self._situation("handed_over")
        self._taken(it)
        self._passes_to_another(it)
        it = self._situation("taken_back")
        code = self._taken(it)
        self.net.store.run(word_consent.withdraw_by_code, it.cast["stranger"], code)
        it = self._situation("said_no")
        self.net.store.run(word_consent.said_no, it.cast["filer"], it.matter)
        return self.found

    def _situation(self, name: str, *, phone: bool = False) -> Situation:
        self.number += 1
        base = 1000 * self.number
        cast = {
            "filer": self.net.store.run(_mentor, f"m{base}", self.net.person(base + 1)),
            "backup": self.net.store.run(_mentor, f"b{base}", self.net.person(base + 2)),
            "former": self.net.person(base + 3),
            "other": self.net.store.run(_mentor, f"o{base}", self.net.person(base + 4)),
            "phone": self.net.person(base + 5),
            "stranger": self.net.person(base + 6),
            "helper": self.net.worker,
            "foreign": self.worker2,
            "coordinator": self.net.desk,
            "steward": self.net.steward,
        }
        own = cast["phone"] if phone else None
        matter = self.net.store.run(_enrolled, self.net.member, base, cast["filer"], own)
        self.found[name] = Situation(matter, cast)
        return self.found[name]

    def _taken(self, it: Situation) -> str:
        code = self.net.hears_yes(it.matter, by=it.cast["filer"])
        self._accepted(it)
        return code

    def _accepted(self, it: Situation) -> None:
        self.net.passes(timedelta(minutes=6))
        self.net.store.run(offers.accept, it.cast["helper"], self.net.at_partner(it.matter))

    def _passes_to_another(self, it: Situation) -> None:
        """The one who filed it was the mentor; from now on `other` is, and plays the filer's part."""
        it.cast["former"], it.cast["filer"] = it.cast["filer"], it.cast["other"]
        it.cast["other"] = it.cast["backup"] = self.net.mentor
        self.net.store.run(_handed, self.net.referral(it.matter).enrolment_id or "", it.cast["filer"])


def _mentor(tx: Tx, seat_id: str, person_id: str) -> str:
    tx.add(Seat(seat_id, Role.MENTOR, None, person_id))
    return person_id


def _enrolled(tx: Tx, like: Enrolment, base: int, mentor: str, phone: str | None) -> str:
    own = replace(like, id=f"e{base}", code=f"code-{base}", person_id=phone)
    tx.add(replace(own, mentor_seat=f"m{base}", backup_seat=f"b{base}"))
    actor, enrolment = enrolments.mine(tx, mentor, f"e{base}")
    return needs.file(tx, actor, enrolment, "member.housing")[0].id


def _handed(tx: Tx, enrolment_id: str, to: str) -> None:
    enrolment = tx.get(Enrolment, enrolment_id)
    assert enrolment is not None
    (seat,) = doors.seats_of(tx, to)
    after = replace(enrolment, mentor_seat=seat.id, backup_seat=None)
    enrolments.change(tx, Actor("system", Role.SYSTEM), after, Action.MEMBER_HAND_OVER, "tested")


def _says_yes_alone(tx: Tx, person: str, matter: str) -> None:
    plan, body = PAGES["plan"], {"area": "pattani-mueang", "urgency": "urgent", "story": "s", "contact": "c"}
    body["exclude_organizations"] = ["family-office"]  # type: ignore[assignment]
    shown = plan.steps["preview"](tx, person, matter, body)
    plan.steps["file"](tx, person, matter, {**body, "consent_digest": getattr(shown, "consent_digest", "")})


def _hears(tx: Tx, person: str, matter: str) -> None:
    words = PAGES["words"]
    shown = words.steps["preview"](tx, person, matter, WISHES)
    digest = shown.plan.consent_digest if shown.plan else ""
    words.steps["yes"](tx, person, matter, {**WISHES, "consent_digest": digest})


def _opens(tx: Tx, person: str, matter: str) -> None:
    posts = [Actor(person, seat.role, seat.organization_id) for seat in doors.seats_of(tx, person)]
    for actor in (doors.as_author(person), *posts):
        try:
            tx.open_sealed(actor, Record("referral", matter), DataClass.STORY)
        except NotFound:
            continue
        return
    raise NotFound


def _cells(tx_run: Callable[..., Any], it: Situation, person: str) -> Iterator[tuple[str, bool]]:
    offer_ids = [o.id for o in tx_run(lambda tx: tx.find(Offer, referral_id=it.matter), keep=True)]
    ids = [it.matter, *offer_ids]
    matter, words, plan, offer = (PAGES[name] for name in ("matter", "words", "plan", "offer"))
    shown = next(filter(None, (tx_run(matter.view, person, subject, {}) for subject in ids)), None)
    yield "see", shown is not None
    yield "member", bool(getattr(shown, "member", ""))
    yield "story", bool(getattr(shown, "story", ""))
    yield "key_story", tx_run(_opens, person, it.matter) is not None
    yield "words_see", tx_run(words.view, person, it.matter, {}) is not None
    yield "words_yes", tx_run(_hears, person, it.matter) is not None
    yield "words_no", tx_run(words.steps["no"], person, it.matter, {}) is not None
    yield "words_code", tx_run(words.steps["code"], person, it.matter, {}) is not None
    yield "plan_see", tx_run(plan.view, person, it.matter, {}) is not None
    yield "plan_yes", tx_run(_says_yes_alone, person, it.matter) is not None
    yield "plan_no", tx_run(plan.steps["no"], person, it.matter, {}) is not None
    for column, body in STEPS.items():
        step = matter.steps[column]
        yield column, any(tx_run(step, person, subject, body) is not None for subject in ids)
    for column, verb in (("offer_see", offer.view), ("offer_accept", offer.steps["accept"])):
        yield column, any(tx_run(verb, person, subject, {}) is not None for subject in offer_ids)


@pytest.fixture(scope="module")
def situations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Situations]:
    clock = SettableClock()
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('words')}/pulang.db", clock, CATALOGUE)
    found = Situations(Club(store, clock))
    found.build()
    yield found
    store.close()


def _tries(net: Club, verb: Callable[..., Any], *args: Any, keep: bool = False) -> Any:
    """What it came to (True where it showed nothing), always undone; None where it was refused."""

    def turn(tx: Tx) -> None:
        raise _Undo(verb(tx, *args))

    try:
        net.store.run(turn)
    except _Undo as undone:
        return undone.result if keep or undone.result is not None else True
    except Refused:
        return None


def test_everybody_tries_everything(situations: Situations, capsys: pytest.CaptureFixture[str]) -> None:
    cells, wrong = 0, []
    for name, it in situations.found.items():
        for persona in PERSONAS:

            def run(verb: Callable[..., Any], *args: Any, keep: bool = False) -> Any:
                return _tries(situations.net, verb, *args, keep=keep)

            for column, allowed in _cells(run, it, it.cast[persona]):
                cells += 1
                if allowed is not (persona in TABLE[name].get(column, "").split()):
                    wrong.append(f"{name} · {persona} · {column}: {'allowed' if allowed else 'refused'}")
    with capsys.disabled():
        print(f"\nwords matrix: {cells} cells, {len(wrong)} wrong")
    assert not wrong, "\n".join(wrong)
    assert cells >= 1000


def test_the_table_speaks_only_of_what_is_tried(situations: Situations) -> None:
    assert set(TABLE) == set(situations.found)
    for row in TABLE.values():
        assert set(row) <= set(COLUMNS)
        assert {persona for personas in row.values() for persona in personas.split()} <= set(PERSONAS)
