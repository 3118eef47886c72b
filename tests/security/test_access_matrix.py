"""Everybody tries everything, in every situation, on a real store: against a table written by hand.

`access_matrix.toml` says who may; whatever it does not say is refused. Each cell is tried through the page's
verb as a person reaches it, and what is refused is tried once more past the page's own check, so that the
verb's door holds alone. Each try is a turn of its own that is undone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from referrals.access import Action, allow
from referrals.casework import AppointmentState
from referrals.errors import NotAllowed, NotFound, Refused
from referrals.members import CheckIn, CheckInKind, Crisis, Danger, Enrolment
from referrals.model import Actor, Consent, DataClass, Offer, Record, Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service.alarm import alarm_numbers, crisis
from referrals.service.common import doors
from referrals.service.contact import checkins, own_checkins
from referrals.service.desk import desk_queues
from referrals.service.help import appointments
from referrals.service.matter import asked, capacity, unmet
from referrals.service.pages import PAGES
from referrals.service.pages.page import Verb
from referrals.service.people import joining
from referrals.service.stewards import network
from referrals.service.turns import after_help
from tests.support.network import CATALOGUE
from tests.support.situations import PERSONAS, Network, Situation
from tests.support.store import SettableClock, open_store

TABLE = tomllib.loads((Path(__file__).parent / "access_matrix.toml").read_text())
READING = ("see", "place", "words", "story", "contact", "thread")
KEYS = {
    "key_story": DataClass.STORY,
    "key_contact": DataClass.CONTACT,
    "key_identity": DataClass.IDENTITY,
    "key_safety": DataClass.SAFETY,
}
# The steps of the matter's page, with what a person would type.
STEPS: Mapping[str, Mapping[str, object]] = {
    "write": {"text": "hello"},
    "contacted": {},
    "report": {"outcome": "met"},
    "return": {},
    "helped": {},
    "not_helped": {},
    "withdraw": {},
    "reopen": {},
    "add": {"text": "one more thing"},
    "partly_helped": {},
    "why": {"reason": "nobody_came"},
    "afterwards": {"question": "in_time", "reason": "yes"},
    "desk_share_on": {},
    "transfer_yes": {},
    "transfer_no": {},
    "onward": {"reason": "family.letters"},
    "void": {},
    "rematch": {},
    "ask_person": {},
    "resume": {},
    "give_up": {"reason": "no_place"},
    "lost_phone": {},
    "found": {},
    "follow": {},
    "check": {"reason": "yes"},
    "course": {"reason": "sewing"},
    "desk_take": {},
    "desk_let_go": {},
    "desk_note": {"text": "a word"},
    "desk_earlier": {},
    "desk_recall": {},
    "hand": {"reason": "bua-2"},
    "reply": {"reason": "read"},
    "turn_answer": {"reason": "with_help"},
    "wait_yes": {},
    "wait_no": {},
    "reach": {},
    "new_way": {"text": "after six"},
    "tried_call": {},
    "tried_message": {},
    "tried_visit": {},
    "appoint": {"moment": "2027-01-24T14:30"},
    "call_off": {},
    "meet_kept": {},
    "meet_missed": {},
    "meet_coming": {},
    "meet_cannot": {},
    "meet_there": {},
    "meet_way": {"reason": "ill"},
    "goes_on": {},  # of a yes that holds for long it changes nothing
}
# Which appointment of the situation a step is about; every other step that needs a mark is about the offer.
ABOUT = {
    "call_off": "to come",
    "meet_coming": "to come",
    "meet_cannot": "to come",
    "meet_kept": "past",
    "meet_missed": "past",
    "meet_there": "missed",
    "meet_way": "missed",
}
OFFER = {
    "offer_accept": ("accept", {}),
    "offer_decline": ("decline", {"reason": "full"}),
    "offer_ask": ("ask", {"reason": "travel"}),
    "offer_waitlist": ("waitlist", {"day": "2027-01-24"}),
    "offer_still": ("still", {}),
}
PLAN = ("plan_see", "plan_file")
RECEIPT = ("receipt_see", "receipt_take_back")
COLUMNS = (*READING, *KEYS, "key_thread", "wishes", *STEPS, "offer_see", *OFFER, *PLAN, *RECEIPT)
# Whoever has nothing to do with a matter is told nothing of it: absent and forbidden sound alike.
UNRELATED = ("foreign", "former", "steward", "mentor", "other_family", "stranger")


class Undone(Exception):
    """It was allowed, and is undone."""

    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result


@dataclass
class Tried:
    """One try: whether it was allowed, what was shown, or how it was refused."""

    allowed: bool
    result: Any = None
    error: Refused | None = None


class Matrix:
    """Tries cells and counts them."""

    def __init__(self, net: Network, situations: Mapping[str, Situation]) -> None:
        self.net, self.situations = net, situations
        self.cells = 0
        self.wrong: list[str] = []
        self.marks: dict[tuple[str, str], tuple[str, ...]] = {}

    def try_it(self, verb: Callable[..., Any], *args: Any) -> Tried:
        def turn(tx: Tx) -> None:
            raise Undone(verb(tx, *args))

        try:
            self.net.store.run(turn)
        except Undone as undone:
            return Tried(True, undone.result)
        except Refused as refused:
            return Tried(False, error=refused)
        raise AssertionError("a turn that neither ended nor was undone")

    def reach(self, verb: Verb, person: str, subjects: list[str], body: Mapping[str, object]) -> Tried:
        """As the person reaches it, by any id there is; what is refused is refused at the verb's door too."""
        tries = [self.try_it(verb, person, subject, body) for subject in subjects]
        past = [self.try_it(verb.do, person, subject, body) for subject in subjects]
        assert [t.allowed for t in tries] == [t.allowed for t in past], f"only {verb.action} stops {person}"
        return next((t for t in tries if t.allowed), tries[0])

    def note(self, situation: str, persona: str, column: str, tried: Tried, allowed: bool) -> None:
        self.cells += 1
        expected = persona in TABLE[situation].get(column, "").split()
        if allowed is not expected:
            self.wrong.append(f"{situation} · {persona} · {column}: {'allowed' if allowed else 'refused'}")
        alike = tried.error is None or isinstance(tried.error, (NotFound, NotAllowed))
        if persona in UNRELATED and situation != "network" and not alike:
            self.wrong.append(f"{situation} · {persona} · {column}: told {type(tried.error).__name__}")

    def situation(self, it: Situation, personas: tuple[str, ...] = PERSONAS) -> None:
        offers = [o.id for o in self.net.store.run(lambda tx: tx.find(Offer, referral_id=it.matter))]
        for persona in personas:
            person = it.cast[persona]
            for column, tried, allowed in self._cells(person, it, [it.matter, *offers], offers or ["none"]):
                self.note(it.name, persona, column, tried, allowed)

    def _cells(
        self, person: str, it: Situation, ids: list[str], offers: list[str]
    ) -> Iterator[tuple[str, Tried, bool]]:
        matter, offer, plan = PAGES["matter"], PAGES["offer"], PAGES["plan"]
        page = self.reach(matter.view, person, ids, {})
        shown = {"place": "area", "words": "consent_text"}
        for column in READING:
            yield (
                column,
                page,
                page.allowed and (column == "see" or _shows(page.result, shown.get(column, column))),
            )
        for column, data_class in KEYS.items():
            tried = self.try_it(_opens, person, [Record("referral", it.matter)], data_class)
            yield column, tried, tried.allowed
        tried = self.try_it(_opens, person, [Record("thread", o) for o in offers], DataClass.STORY)
        yield "key_thread", tried, tried.allowed
        tried = self.try_it(_opens_wishes, person, it.matter)
        yield "wishes", tried, tried.allowed
        for column, body in STEPS.items():
            marks = self._marks(it.matter, ABOUT.get(column, ""))
            # Whichever mark they try: the person's chat knows one, the partner's another.
            tries = [self.reach(matter.steps[column], person, ids, {**body, "turn": m}) for m in marks]
            tried = next((t for t in tries if t.allowed), tries[0])
            yield column, tried, tried.allowed
        receipt = PAGES["receipt"]
        for column, verb in zip(RECEIPT, (receipt.view, receipt.steps["take_back"]), strict=True):
            tried = self.reach(verb, person, ids, {})
            yield column, tried, tried.allowed
        tried = self.reach(offer.view, person, offers, {})
        yield "offer_see", tried, tried.allowed
        for column, (step, body) in OFFER.items():
            tried = self.reach(offer.steps[step], person, offers, body)
            yield column, tried, tried.allowed
        tried = self.reach(plan.view, person, ids, {})
        yield "plan_see", tried, tried.allowed
        tried = self.try_it(_files, person, it.matter)
        yield "plan_file", tried, tried.allowed

    def _marks(self, matter: str, about: str) -> tuple[str, ...]:
        """The same for everybody: whatever is tried is undone."""
        if (matter, about) not in self.marks:
            self.marks[matter, about] = self.net.store.run(_marks, matter, about)
        return self.marks[matter, about]

    def network(self, it: Situation, check_in: str) -> None:
        """What hangs on no matter."""
        for persona in PERSONAS:
            person = it.cast[persona]
            for column, tried in self._network_cells(person, check_in):
                self.note("network", persona, column, tried, tried.allowed)
            for column, verb in (("number_write", _leaves_number), ("number_read", _reads_number)):
                tried = self.try_it(verb, person, it.cast["author"])
                self.note("network", persona, column, tried, tried.allowed)

    def _network_cells(self, person: str, check_in: str) -> Iterator[tuple[str, Tried]]:
        posts, me = PAGES["posts"], PAGES["me"]
        seat = {"seat": "mentor-1"}
        yield "me", self.reach(me.view, person, [""], {})
        yield "mydata", self.reach(PAGES["mydata"].view, person, [""], {})
        yield "track", self.reach(PAGES["track"].view, person, [""], {})
        yield "choose", self.reach(PAGES["choose"].view, person, [""], {})
        yield "choose_one", self.reach(PAGES["choose"].steps["choose"], person, [""], {"reason": "complaint"})
        yield "hide", self.reach(me.steps["hide"], person, [""], {})
        yield "settings", self.reach(me.steps["language"], person, [""], {"language": "th"})
        yield "posts_see", self.reach(posts.view, person, [""], {})
        yield "posts_invite", self.reach(posts.steps["invite"], person, [""], seat)
        yield "posts_remove", self.reach(posts.steps["remove"], person, [""], seat)
        yield "posts_lost_phone", self.reach(posts.steps["lost_phone"], person, [""], seat)
        yield "posts_found", self.reach(posts.steps["found"], person, [""], seat)
        yield "agreements", self.reach(PAGES["agreements"].view, person, [""], {})
        yield "desk_first", self.reach(posts.steps["desk_first_on"], person, [""], {})
        yield "desk_queue", self.try_it(desk_queues.waiting, person)
        yield "desk_page", self.reach(PAGES["desk"].view, person, [""], {})
        yield "rota_page", self.reach(PAGES["rota"].view, person, [""], {})
        yield "work_page", self.reach(PAGES["work"].view, person, [""], {})
        yield "work_duty", self.reach(PAGES["work"].steps["duty_off"], person, [""], {})
        yield "duty", self.try_it(joining.set_duty, person, False)
        well = {"means": "call", "state": "well"}
        yield "check_in_save", self.try_it(checkins.save, person, check_in, well)
        yield "check_in_read", self.try_it(_reads_check_in, person, check_in)
        yield "crisis_hold", self.try_it(_holds_crisis, person, check_in)
        yield "network_apply", self.try_it(_applies, person)
        room = PAGES["room"]
        yield "room_see", self.reach(room.view, person, [""], {})
        full = {"service": "bua-visits", "reason": "full"}
        yield "room_say", self.reach(room.steps["room"], person, [""], full)
        yield "room_say_all", self.try_it(capacity.say_all, person, "bua-house", "full")
        yield "unmet_report", self.try_it(_counts, person, unmet.counted)
        yield "closing_report", self.try_it(_counts, person, after_help.counted)


def _marks(tx: Tx, matter: str, about: str) -> tuple[str, ...]:
    """How both sides name the offer, or the appointment that a step is about."""
    offer_id = doors.referral_by_id(tx, matter).offer_id or "none"
    if not about:
        return (asked.mark(tx, offer_id),)
    past = [a for a in appointments.of(tx, offer_id) if a.at <= tx.now]
    missed = [a for a in past if a.state is AppointmentState.MISSED]
    found = {
        "to come": [a for a in appointments.of(tx, offer_id) if a.at > tx.now],
        "past": [a for a in past if a not in missed],
        "missed": missed,
    }[about]
    row = found[0].id if found else "none"
    return asked.mark(tx, row), asked.partner_mark(tx, row)


def _shows(view: object, name: str) -> bool:
    return bool(getattr(view, name))


def _actors(tx: Tx, person: str) -> list[Actor]:
    """Everybody somebody can act as: themselves, and each post they hold."""
    posts = [Actor(person, seat.role, seat.organization_id) for seat in doors.seats_of(tx, person)]
    return [doors.as_author(person), Actor(person, Role.MEMBER), *posts]


def _opens(tx: Tx, person: str, records: list[Record], data_class: DataClass) -> None:
    """Through the one door, as anybody they are, whatever pages would show. NotFound if no try opens it."""
    for record in records:
        for actor in _actors(tx, person):
            try:
                tx.open_sealed(actor, record, data_class)
            except NotFound:
                continue
            return
    raise NotFound


def _opens_wishes(tx: Tx, person: str, matter: str) -> None:
    consents = tx.find(Consent, referral_id=matter)
    _opens(tx, person, [c.record for c in consents], DataClass.STORY)


def _files(tx: Tx, person: str, matter: str) -> None:
    """Read the plan and say yes, as the page does."""
    plan, body = PAGES["plan"], {"area": "pattani-mueang", "urgency": "urgent"}
    shown = plan.steps["preview"](tx, person, matter, body)
    plan.steps["file"](tx, person, matter, {**body, "consent_digest": getattr(shown, "consent_digest", "")})


def _reads_check_in(tx: Tx, person: str, check_in: str) -> None:
    """Somebody's mentor has saved it; who opens the answers now?"""
    mentor = tx.get(Seat, "mentor-1")
    assert mentor is not None
    assert mentor.person_id is not None
    checkins.save(tx, mentor.person_id, check_in, {"means": "call", "state": "well"})
    _opens(tx, person, [Record("check_in", check_in)], DataClass.WELLBEING)


def _holds_crisis(tx: Tx, person: str, check_in: str) -> None:
    found = tx.get(CheckIn, check_in)
    enrolment = tx.get(Enrolment, found.enrolment_id or "") if found else None
    assert enrolment is not None
    raised = crisis.raise_alarm(tx, Actor("somebody", Role.MENTOR), enrolment, check_in, Danger.YES)
    crisis.hold(tx, person, raised.id)


def _leaves_number(tx: Tx, person: str, author: str) -> Crisis:
    """The author has raised an alarm about themselves; this person writes how the author can be called."""
    enrolment = own_checkins.join(tx, author)
    raised = crisis.raise_alarm(tx, Actor(author, Role.FAMILY), enrolment, None, Danger.YES)
    return alarm_numbers.leave(tx, person, raised.id, "081 555 0199")


def _reads_number(tx: Tx, person: str, author: str) -> None:
    """And this person would take the alarm and open it, as anybody they are."""
    raised = _leaves_number(tx, author, author)
    if person != author:
        crisis.hold(tx, person, raised.id)
    _opens(tx, person, [raised.record], DataClass.CONTACT)


def _counts(tx: Tx, person: str, counted: Callable[[Tx, Actor, date, date], object]) -> None:
    for actor in _actors(tx, person):
        try:
            counted(tx, actor, date(2026, 7, 1), date(2026, 9, 1))
        except NotAllowed:
            continue
        return
    raise NotAllowed


def _applies(tx: Tx, person: str) -> None:
    for actor in _actors(tx, person):
        try:
            network.apply(tx, actor, network.stored(tx), network.digest(()))
        except NotAllowed:
            continue
        return
    raise NotAllowed


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    url = f"sqlite:///{tmp_path_factory.mktemp('matrix')}/pulang.db"
    yield from _built(url)


def _built(url: str) -> Iterator[Matrix]:
    clock = SettableClock()
    store = open_store(url, clock, CATALOGUE)
    net = Network(store, clock)
    yield Matrix(net, net.build())
    store.close()


def test_the_table_speaks_only_of_what_is_tried(matrix: Matrix) -> None:
    assert set(TABLE) == {*matrix.situations, "network", "roles"}
    for situation, row in TABLE.items():
        if situation == "roles":
            continue
        if situation != "network":
            assert set(row) <= set(COLUMNS), situation
        for personas in row.values():
            assert set(personas.split()) <= set(PERSONAS)


def test_everybody_tries_everything_in_every_situation(
    matrix: Matrix, capsys: pytest.CaptureFixture[str]
) -> None:
    for it in matrix.situations.values():
        matrix.situation(it)
    check_in = _a_check_in(matrix.net)
    matrix.network(matrix.situations["accepted"], check_in)
    with capsys.disabled():
        print(f"\naccess matrix: {matrix.cells} cells, {len(matrix.wrong)} wrong")
    assert not matrix.wrong, "\n".join(matrix.wrong)
    assert matrix.cells >= 2000


def _a_check_in(net: Network) -> str:
    def due(tx: Tx) -> str:
        enrolment = next(e for e in tx.find(Enrolment) if e.mentor_seat == "mentor-1")
        tx.add(CheckIn("a-check-in", CheckInKind.MEMBER, enrolment.id, tx.now, None, "check-in", 1))
        return "a-check-in"

    return net.store.run(due)


@pytest.mark.parametrize("action", TABLE["roles"])
def test_each_role_may_do_what_the_table_says_and_nothing_else(action: str) -> None:
    for role in Role:
        expected = role.value in TABLE["roles"][action].split()
        try:
            allow(Actor("somebody", role, "bua-house"), Action(action))
            allowed = True
        except NotAllowed:
            allowed = False
        assert allowed is expected, f"{role} {action}"


def test_a_sample_on_postgresql(postgres_url: str) -> None:
    for matrix in _built(postgres_url):
        for name in ("accepted", "suspended", "withdrawn"):
            matrix.situation(
                matrix.situations[name],
                ("author", "helper", "colleague", "earlier", "foreign", "coordinator"),
            )
        assert not matrix.wrong, "\n".join(matrix.wrong)
        assert matrix.cells >= 300


def test_the_matrix_can_be_wrong(matrix: Matrix) -> None:
    """The same machine, with a table that says less, finds what is allowed beyond it."""
    other = Matrix(matrix.net, matrix.situations)
    other.note("draft", "stranger", "see", Tried(True), True)
    other.note("accepted", "helper", "story", Tried(False), False)
    assert len(other.wrong) == 2
