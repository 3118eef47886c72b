"""Everybody tries everything along the pathways that no chat names, and where a matter goes over to another.

`pathway_matrix.toml` says who may, written by hand; whatever it does not say is refused. Each story is lived
in a store of its own; at each situation on its way everybody tries everything, and every try is undone.
Whatever the pages would show, `key_*` asks the door to the key itself.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from referrals import consent
from referrals.access import Action
from referrals.casework import Confirmation
from referrals.circles import PREPARED
from referrals.errors import NotAllowed, NotFound, Refused
from referrals.members import Enrolment
from referrals.model import Actor, Consent, DataClass, Offer, Record, Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service.attendance import attendance
from referrals.service.by_word import attendance_by_word
from referrals.service.common import doors
from referrals.service.desk import desk_queues
from referrals.service.help import threads
from referrals.service.joint import transfers
from referrals.service.members import enrolments
from referrals.service.pages import PAGES
from referrals.service.request import needs
from referrals.service.turns import closing, offers
from tests.service.test_attendance_story import came_to
from tests.service.test_circle_story import Round
from tests.support.network import CATALOGUE
from tests.support.private import PLACE, Private
from tests.support.store import SettableClock, open_store

TABLE = tomllib.loads((Path(__file__).parent / "pathway_matrix.toml").read_text())
CAST = (
    "author", "other_side", "mentor", "other_mentor", "helper", "concerned", "foreign", "body", "prison",
    "coordinator", "steward", "stranger",
)  # fmt: skip
# Whoever has nothing to do with a matter is told nothing of it: absent and forbidden sound alike.
UNRELATED = ("other_mentor", "foreign", "body", "prison", "steward", "stranger")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
CLASSES = {
    "key_story": DataClass.STORY,
    "key_contact": DataClass.CONTACT,
    "key_safety": DataClass.SAFETY,
    "key_identity": DataClass.IDENTITY,
}
# Steps of the matter's page, with what a person would type.
MATTER: Mapping[str, Mapping[str, object]] = {
    "write": {"text": "hello"},
    "add": {"text": "one more thing"},
    "contacted": {},
    "report": {"outcome": "met"},
    "return": {},
    "helped": {},
    "withdraw": {},
    "own_no": {},
    "behalf_again": {"reason": "days_30"},
    "desk_share_on": {},
    "transfer_no": {},
    "follow": {},
    "void": {},
    "rematch": {},
    "give_up": {"reason": "no_place"},
    "resume": {},
    "desk_take": {},
    "desk_note": {"text": "a word"},
    "desk_recall": {},
    "lost_phone": {},
    "reply": {"reason": "read"},
    "tried_call": {},
    "circle_begin": {},
}
OFFER: Mapping[str, Mapping[str, object]] = {
    "accept": {},
    "decline": {"reason": "full"},
    "ask": {},  # one of its pathway's questions
    "waitlist": {"day": "2027-01-24"},
}
CIRCLE: Mapping[str, Mapping[str, object]] = {
    "circle_prepared": {"chosen": [PREPARED[0]]},
    "circle_invite": {},
    "circle_held": {"yes": True},
    "circle_followed": {},
    "circle_end": {},
    "circle_yes": {"yes": True},
    "circle_yes_again": {"yes": True},
    "circle_unsay": {},
    "circle_stop": {},
}
OWN: Mapping[str, Mapping[str, object]] = {
    "send_begin": {"organization": "border-probation", "reason": "month"},
    "send_refer": {"code": "12-34"},
    "send_agree": {},
    "send_stop": {},
    "afterwards": {"question": "own_choice", "reason": "partly"},
}
# The same by word, on the page of the member K7-29.
BY_WORD: Mapping[str, Mapping[str, object]] = {
    "word_begin": {"organization": "border-probation", "reason": "month"},
    "word_language": {"reason": "th"},
    "word_refer": {"code": "12-34"},
    "word_reach": {"code": "a number"},
    "word_said": {"reason": "yes"},
    "word_code": {},
    "word_stop": {},
}
A_MATTER = (
    "see", "story", "thread", *CLASSES, "key_words", "wishes", "plan_see", "plan_file", "words_see",
    "receipt", "take_back", "queue", "onward", "transfer", "transfer_yes", "offer_see", *OFFER, *MATTER,
)  # fmt: skip
A_SIDE = ("circle_see", "circle_said", "key_story", "key_contact", *CIRCLE)
ATTENDANCE = (
    "own_see", "body_see", "body_reads", "desk_see", "body_ask", "key_identity", *OWN, "word_see", *BY_WORD,
    "word_true",
)  # fmt: skip
COLUMNS = {"matter": A_MATTER, "side": A_SIDE, "attendance": ATTENDANCE}


class Undone(Exception):
    """It was allowed, and is undone."""

    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result


@dataclass
class Stand:
    """A place where everybody tries everything: who is there, and what cells came of it."""

    store: Any
    cells: int = 0
    wrong: list[str] = field(default_factory=list)

    def tries(self, verb: Callable[..., Any], *args: Any) -> tuple[bool, Any]:
        def turn(tx: Tx) -> None:
            raise Undone(verb(tx, *args))

        try:
            self.store.run(turn)
        except Undone as undone:
            return True, undone.result
        except Refused as refused:
            return False, refused
        raise AssertionError("a turn that neither ended nor was undone")

    def any_of(self, subjects: Sequence[str], verb: Callable[..., Any], person: str, body: Any) -> Any:
        """By any id there is; the result of the first that lets them in, else how the first refused."""
        ends = [self.tries(verb, person, subject, dict(body)) for subject in subjects]
        return next((end for end in ends if end[0]), ends[0])

    def situation(self, name: str, cast: Mapping[str, str], kind: str, ids: Sequence[str]) -> None:
        """Every cell of one situation. `ids`: of the matter, side or confirmation."""
        row = TABLE[name]
        assert set(row) <= set(COLUMNS[kind]), name
        cells = {"matter": self._matter, "side": self._side, "attendance": self._attendance}[kind]
        for persona in CAST:
            for column, (allowed, end) in cells(cast[persona], ids):
                self.cells += 1
                if allowed is not (persona in row.get(column, "").split()):
                    self.wrong.append(f"{name} · {persona} · {column}: {'may' if allowed else 'may not'}")
                alike = allowed or isinstance(end, (NotFound, NotAllowed))
                if persona in UNRELATED and kind != "attendance" and not alike:
                    self.wrong.append(f"{name} · {persona} · {column}: told {type(end).__name__}")

    def _matter(self, person: str, ids: Sequence[str]) -> Iterator[tuple[str, tuple[bool, Any]]]:
        matter, offer_ids = PAGES["matter"], self.store.run(_offers, ids[0]) or ["none"]
        known = [ids[0], *offer_ids]
        page = self.any_of(known, matter.view, person, {})
        yield "see", page
        yield "story", (page[0] and bool(page[1].story), page[1])
        yield "thread", (page[0] and bool(page[1].thread), page[1])
        for column, data_class in CLASSES.items():
            yield column, self.tries(opens, person, [Record("referral", ids[0])], data_class)
        yield (
            "key_words",
            self.tries(opens, person, [Record("thread", o) for o in offer_ids], DataClass.STORY),
        )
        yield "wishes", self.tries(_wishes, person, ids[0])
        plan = PAGES["plan"]
        yield "plan_see", self.any_of(ids[:1], plan.view, person, {})
        yield "plan_file", self.tries(_files, person, ids[0])
        yield "words_see", self.any_of(ids[:1], PAGES["words"].view, person, {})
        yield "receipt", self.any_of(ids[:1], PAGES["receipt"].view, person, {})
        yield "take_back", self.any_of(ids[:1], PAGES["receipt"].steps["take_back"], person, {})
        queue = self.tries(desk_queues.waiting, person)
        yield "queue", (queue[0] and any(w.referral.id == ids[0] for w in queue[1]), queue[1])
        yield "onward", self.tries(_proposes_onward, person, offer_ids)
        yield "transfer", self.tries(_proposes_transfer, person, offer_ids)
        yield "transfer_yes", self.tries(_agrees_to_transfer, person, ids[0])
        offer = PAGES["offer"]
        yield "offer_see", self.any_of(offer_ids, offer.view, person, {})
        question = {"reason": self.store.run(_question, ids[0])}
        for column, body in OFFER.items():
            yield column, self.any_of(offer_ids, offer.steps[column], person, {**question, **body})
        for column, body in MATTER.items():
            yield column, self.any_of(known, matter.steps[column], person, body)

    def _side(self, person: str, ids: Sequence[str]) -> Iterator[tuple[str, tuple[bool, Any]]]:
        circle = PAGES["circle"]
        known = [ids[0], *self.store.run(_offers, ids[0])]
        page = self.any_of(known, circle.view, person, {})
        yield "circle_see", page
        yield "circle_said", (page[0] and bool(page[1].sections), page[1])
        for column in ("key_story", "key_contact"):
            yield column, self.tries(opens, person, [Record("referral", ids[0])], CLASSES[column])
        for column, body in CIRCLE.items():
            yield column, self.any_of(known, circle.steps[column], person, body)

    def _attendance(self, person: str, ids: Sequence[str]) -> Iterator[tuple[str, tuple[bool, Any]]]:
        page = PAGES["attendance"]
        yield "own_see", self.tries(page.view, person, "", {})
        body = self.tries(page.view, person, "body", {})
        yield "body_see", body
        yield "body_reads", (body[0] and "part.attendance.says" in repr(body[1]), body[1])
        seen = self.tries(page.view, person, "desk", {})
        yield "desk_see", (seen[0] and bool(seen[1].sections), seen[1])
        yield "body_ask", self.tries(page.steps["body_ask"], person, "body", {"code": "x", "reason": "month"})
        yield "key_identity", self.tries(opens, person, [Record("confirmation", ids[0])], DataClass.IDENTITY)
        for column, typed in OWN.items():
            yield column, self.tries(page.steps[column], person, "", {"confirmation": ids[0], **typed})
        member, digest = self.store.run(_read_out, ids[0])
        given = {"confirmation": ids[0], "consent_digest": digest}
        yield "word_see", self.tries(page.view, person, member, {})
        for column, typed in BY_WORD.items():
            yield column, self.tries(page.steps[column], person, member, {**given, **typed})
        yield "word_true", self.tries(page.steps["word_true"], person, "desk", {**given, "reason": "yes"})


def _read_out(tx: Tx, confirmation: str) -> tuple[str, str]:
    """The member K7-29, and the digest of what is read out to them."""
    (member,) = tx.find(Enrolment, code="K7-29")
    found = tx.get(Confirmation, confirmation)
    by_word = found is not None and found.by_word
    return member.id, consent.digest(attendance_by_word.words(tx, found)) if by_word and found else ""


def opens(tx: Tx, person: str, records: Sequence[Record], data_class: DataClass) -> None:
    """Through the one door, as anybody they are. NotFound if no try opens it."""
    posts = [Actor(person, seat.role, seat.organization_id) for seat in doors.seats_of(tx, person)]
    for actor in (doors.as_author(person), Actor(person, Role.MEMBER), *posts):
        for record in records:
            try:
                tx.open_sealed(actor, record, data_class)
            except NotFound:
                continue
            return
    raise NotFound


def _offers(tx: Tx, matter: str) -> list[str]:
    return [offer.id for offer in tx.find(Offer, referral_id=matter)]


def _question(tx: Tx, matter: str) -> str:
    referral = doors.referral_by_id(tx, matter)
    return tx.catalogue.pathways[referral.pathway].questions[0].id


def _wishes(tx: Tx, person: str, matter: str) -> None:
    given = tx.find(Consent, referral_id=matter)
    opens(tx, person, [c.record for c in given], DataClass.STORY)


def _files(tx: Tx, person: str, matter: str) -> None:
    plan, body = PAGES["plan"], {"area": PLACE, "urgency": "urgent"}
    shown: Any = plan.steps["preview"](tx, person, matter, body)
    plan.steps["file"](tx, person, matter, {**body, "consent_digest": getattr(shown, "consent_digest", "")})


def _proposes_onward(tx: Tx, person: str, offer_ids: Sequence[str]) -> None:
    _first_that_works(
        lambda offer: PAGES["matter"].steps["onward"](tx, person, offer, {"reason": "stigma.press"}),
        offer_ids,
    )


def _proposes_transfer(tx: Tx, person: str, offer_ids: Sequence[str]) -> None:
    def one(offer_id: str) -> None:
        _, _, referral = doors.served_referral(tx, person, offer_id, Action.REFERRAL_READ)
        lines = transfers.offered(tx, referral)
        if not lines:
            raise NotFound
        PAGES["matter"].steps["transfer"](tx, person, offer_id, {"reason": lines[0].service_id})

    _first_that_works(one, offer_ids)


def _agrees_to_transfer(tx: Tx, person: str, matter: str) -> None:
    """With the right words in hand, wherever they were seen."""
    referral = doors.referral_by_id(tx, matter)
    author: Any = PAGES["matter"].view(tx, referral.author_id, matter, {})
    body: Any = next((s.body for s in author.sections if s.title_key == "part.transfer.title"), {})
    PAGES["matter"].steps["transfer_yes"](tx, person, matter, dict(body))


def _first_that_works(do: Callable[[str], Any], subjects: Sequence[str]) -> None:
    for subject in subjects[:-1]:
        try:
            do(subject)
        except NotFound:
            continue
        return
    do(subjects[-1])


# -- the stories ---------------------------------------------------------------------------------------


class Lived(Private):
    """Everybody at their posts, and whoever has nothing to do with it."""

    def begin(self) -> None:
        self.settle_in()
        self.stand = Stand(self.store)
        at = self.at
        self.cast = {
            "author": self.mali, "other_side": self.person(7), "mentor": at["mentor-1"],
            "other_mentor": self.store.run(_another_mentor, self.person(9)), "helper": self.person(8),
            "concerned": at["tamarind-works-1"], "foreign": at["craft-school-1"],
            "body": at["border-probation-1"], "prison": at["border-corrections-1"],
            "coordinator": at["desk-1"], "steward": at["steward-1"],
            "stranger": self.person(6),
        }  # fmt: skip

    def stands(self, name: str, matter: str, **who: str) -> None:
        """Everybody tries everything, now."""
        self.stand.situation(name, {**self.cast, **who}, "matter", [matter])

    def helper(self, matter: str) -> str:
        return self.works[self.asked(matter)]

    def takes(self, matter: str) -> str:
        """Whoever is asked takes it, and each writes a word; the worker."""
        worker, offer = self.helper(matter), self.at_partner(matter)
        self.does(offers.accept, worker, offer)
        self.does(threads.write, self.referral(matter).author_id, matter, "are you there?")
        self.does(threads.write, worker, offer, "we are")
        return worker


def faith(net: Lived) -> None:
    """A mentor proposes; the member says yes on their own phone, and a scholar takes it."""
    member = net.does(_tied, net.aree)
    matter = net.does(_proposed, net.at["mentor-1"], member, "faith.guidance")
    net.stands("faith_proposed", matter, author=net.aree)
    shown = net.plan(net.aree, matter)
    written = {"story": "a story", "contact": "a number"}
    net.steps(net.aree, "plan", matter, "file", area=PLACE, consent_digest=shown.consent_digest, **written)
    net.passes(6 * MINUTE)
    net.stands("faith_taken", matter, author=net.aree, helper=net.takes(matter))


def safety(net: Lived) -> None:
    """Somebody is afraid; a designated contact is asked, and takes it."""
    said = {"category": "safety.threat", "urgency": "urgent", "story": "a story", "contact": "a number"}
    matter = net.asks(net.mali, "safety-concern", **said)
    net.passes(MINUTE)
    net.stands("safety_offered", matter, helper=net.helper(matter))
    net.stands("safety_taken", matter, helper=net.takes(matter))


def complaint(net: Lived) -> None:
    """About a partner and the desk; a focal point is asked, and takes it."""
    about = {"about": ["partner", "desk"], "about_organizations": ["bua-house"]}
    said = {"category": "complaint.conduct", "urgency": "urgent", "story": "a story", "contact": "a number"}
    matter = net.asks(net.mali, "complaint", **said, **about)
    net.passes(MINUTE)
    concerned = net.at["bua-1"]
    net.stands("complaint_offered", matter, helper=net.helper(matter), concerned=concerned)
    net.stands("complaint_taken", matter, helper=net.takes(matter), concerned=concerned)


def stigma(net: Lived) -> None:
    """Somebody is talked about; blind until it is taken, and nobody's when it was taken back."""
    said = {"category": "stigma.press", "urgency": "urgent", "story": "a story", "contact": "a number"}
    matter = net.asks(net.mali, "stigma-and-media", **said)
    net.passes(MINUTE)
    net.stands("stigma_offered", matter, helper=net.helper(matter))
    helper = net.takes(matter)
    net.does(closing.withdraw, net.mali, matter)
    net.stands("stigma_withdrawn", matter, helper=helper)


def handed_over(net: Lived) -> None:
    """A partner asks whether another may take it over, the person says yes, and the other one does."""
    matter = net.filed(net.mali)
    net.passes(MINUTE)
    first = net.takes(matter)
    offer = net.at_partner(matter)
    lines = net.does(lambda tx: transfers.offered(tx, doors.referral_by_id(tx, matter)))
    other = net.works[lines[0].organization_id]
    net.does(transfers.propose, first, offer, lines[0].service_id)
    net.stands("transfer_asked", matter, helper=first, other_side=other)
    net.does(_agrees_to_transfer, net.mali, matter)
    net.passes(6 * MINUTE)
    net.stands("transfer_offered", matter, helper=first, other_side=other)
    net.does(offers.accept, other, net.referral(matter).next_offer_id)
    net.stands("transfer_done", matter, helper=first, other_side=other)


def on_behalf(net: Lived) -> None:
    """For somebody who cannot decide: the desk looks first."""
    for_them = {"behalf": "very_ill", "agreed": "doctor", "span": "days_30"}
    said = {"category": "family.talk", "story": "a story", "contact": "a number", **for_them}
    matter = net.asks(net.mali, "family-support", **said)
    net.passes(6 * MINUTE)
    net.stands("behalf_held", matter)


def confirmed(net: Lived) -> None:
    """A member sends a confirmation; a body asks on its own, and nobody says yes."""
    net.does(_tied, net.aree)
    page = PAGES["attendance"].steps

    def stands(name: str, confirmation: str) -> None:
        net.stand.situation(name, {**net.cast, "author": net.aree}, "attendance", [confirmation])

    net.does(page["send_begin"], net.aree, "", OWN["send_begin"])
    (begun,) = net.does(lambda tx: tx.find(Confirmation))
    net.does(_came_often, net.at["mentor-1"])
    stands("confirmation_begun", begun.id)
    net.does(attendance.agree, net.aree, begun.id)
    stands("confirmation_sent", begun.id)
    net.does(attendance.take_back, net.aree, begun.id)
    net.does(page["body_ask"], net.at["border-probation-1"], "body", {"code": "K7-29", "reason": "month"})
    (asked,) = net.does(lambda tx: tx.find(Confirmation))
    net.passes(2 * MINUTE)
    stands("body_asked", asked.id)
    net.passes(12 * DAY)
    stands("body_answered", asked.id)


def confirmed_by_word(net: Lived) -> None:
    """The same member without a phone: their mentor reads it out, and takes it back for them."""
    net.does(_came_often, net.at["mentor-1"])
    page = PAGES["attendance"].steps
    member, _ = net.does(_read_out, "-")

    def stands(name: str, confirmation: str) -> None:
        net.stand.situation(name, {**net.cast, "author": net.aree}, "attendance", [confirmation])

    net.does(page["word_begin"], net.at["mentor-1"], member, BY_WORD["word_begin"])
    (begun,) = net.does(lambda tx: tx.find(Confirmation))
    stands("read_out", begun.id)
    _, digest = net.does(_read_out, begun.id)
    yes = {"confirmation": begun.id, "consent_digest": digest, "reason": "yes"}
    net.does(page["word_said"], net.at["mentor-1"], member, yes)
    stands("sent_by_word", begun.id)
    net.does(page["word_stop"], net.at["mentor-1"], member, {"confirmation": begun.id})
    stands("taken_back_by_word", begun.id)


# Nothing that stands in the table is left untried: each situation is one of these, or of the circle's.
STORIES = (faith, safety, complaint, stigma, handed_over, on_behalf, confirmed, confirmed_by_word)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_everybody_tries_everything_along_the_way(sqlite_url: str, story: Callable[[Lived], None]) -> None:
    net = Lived(open_store(sqlite_url, clock := SettableClock(), CATALOGUE), clock)
    net.begin()
    story(net)
    net.store.close()
    print(f"\n{story.__name__}: {net.stand.cells} cells, {len(net.stand.wrong)} wrong")
    assert not net.stand.wrong, "\n".join(net.stand.wrong)


def test_everybody_tries_everything_at_a_circle(sqlite_url: str) -> None:
    net = Round(open_store(sqlite_url, clock := SettableClock(), CATALOGUE), clock)
    net.settle_in()
    stand = Stand(net.store)
    seats = {
        "concerned": "open-door-1", "foreign": "two-rivers-1", "body": "border-probation-1",
        "prison": "border-corrections-1", "steward": "steward-1", "other_mentor": "mentor-2",
    }  # fmt: skip
    others = {persona: net.person(300 + n, seat) for n, (persona, seat) in enumerate(seats.items())}
    cast = {
        **others, "mentor": net.mentor, "helper": net.worker, "coordinator": net.desk,
        "stranger": net.person(400), "author": net.one, "other_side": net.other,
    }  # fmt: skip
    swapped = {**cast, "author": net.other, "other_side": net.one}
    one, _, other, _ = net.both()
    stand.situation("circle_joined", cast, "side", [one])
    stand.situation("circle_joined", swapped, "side", [other])
    for matter in (one, other):
        net.does(net.worker, net.at_partner(matter), "circle_prepared", chosen=list(PREPARED))
    net.passes(DAY)
    net.does(net.one, one, "circle_yes_again", yes=True)
    net.does(net.other, other, "circle_yes_again", yes=True)
    stand.situation("circle_ready", cast, "side", [one])
    stand.situation("circle_ready", swapped, "side", [other])
    net.does(net.one, one, "circle_stop")
    stand.situation("circle_stopped", swapped, "side", [other])
    net.passes(9 * timedelta(hours=1))
    stand.situation("circle_over", swapped, "side", [other])
    net.store.close()
    print(f"\ncircle: {stand.cells} cells, {len(stand.wrong)} wrong")
    assert not stand.wrong, "\n".join(stand.wrong)


def test_every_situation_of_the_table_is_lived() -> None:
    source = Path(__file__).read_text()
    assert [name for name in TABLE if f'"{name}"' not in source] == []
    assert {who for row in TABLE.values() for whoever in row.values() for who in whoever.split()} <= set(CAST)


def test_this_matrix_can_be_wrong(sqlite_url: str) -> None:
    """The same machine finds what is allowed beyond the table, and what the table says too much."""
    net = Lived(open_store(sqlite_url, clock := SettableClock(), CATALOGUE), clock)
    net.begin()
    matter = net.filed(net.mali)
    net.stands("complaint_taken", matter)
    wrong = set(net.stand.wrong)
    assert "complaint_taken · coordinator · see: may" in wrong
    assert "complaint_taken · helper · see: may not" in wrong
    net.store.close()


def _another_mentor(tx: Tx, person_id: str) -> str:
    """Somebody who looks after nobody here."""
    tx.add(Seat("mentor-9", Role.MENTOR, None, person_id))
    return person_id


def _tied(tx: Tx, person_id: str) -> str:
    """The member whom the first mentor looks after; their own phone."""
    (member,) = tx.find(Enrolment, code="K7-29")
    tx.save(replace(member, person_id=person_id))
    return member.id


def _proposed(tx: Tx, mentor: str, enrolment_id: str, category: str) -> str:
    actor, enrolment = enrolments.mine(tx, mentor, enrolment_id)
    return needs.file(tx, actor, enrolment, category)[0].id


def _came_often(tx: Tx, mentor: str) -> None:
    came_to(tx, "K7-29", mentor, [tx.now.date() - 3 * DAY])
