"""Filing and writing never ask for a PIN: every step of every page, on a device that has not proved itself.

A table, written independently of the code, says what is tried. Each step is tried by everybody on everything
that stands in a network with a matter at every stage, and each try is undone. A step that is in no row fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from referrals import routing
from referrals.errors import PinNeeded, PulangError
from referrals.members import Enrolment
from referrals.model import Actor, Role, Urgency
from referrals.ports import Tx
from referrals.service.contact import checkins
from referrals.service.help import working
from referrals.service.members import enrolments
from referrals.service.pages import PAGES
from referrals.service.people import joining, letting_in
from referrals.service.request import needs, plans
from referrals.service.turns import closing, offers
from tests.service.test_letting_in import NEW_PIN, PIN, Phones
from tests.support.network import CATALOGUE
from tests.support.store import SettableClock, open_store

WORKS = "works"  # somebody's try of it succeeds without a PIN
FREE = "free"  # nobody is asked for a PIN (what it takes to succeed is not laid out here)
PIN_FIRST = "pin"  # what opens a door for somebody, and what is nothing but reading
ABOUT_SOMETHING = ("plan", "receipt", "offer", "matter", "witness", "words", "member")  # pages with a subject

TABLE = {
    ("plan", "preview"): WORKS,
    ("plan", "file"): WORKS,
    ("plan", "no"): WORKS,
    ("plan", "anew"): WORKS,
    ("plan", "also"): WORKS,
    ("plan", "add_there"): FREE,
    ("matter", "add"): WORKS,
    ("choose", "choose"): WORKS,
    ("words", "choose"): WORKS,
    ("words", "preview"): WORKS,
    ("words", "yes"): WORKS,
    ("words", "no"): WORKS,
    ("words", "code"): FREE,
    ("word", "take_back"): WORKS,
    ("offer", "accept"): WORKS,
    ("offer", "decline"): WORKS,
    ("offer", "ask"): WORKS,
    ("offer", "waitlist"): WORKS,
    ("offer", "still"): FREE,
    ("matter", "write"): WORKS,
    ("matter", "turn_answer"): FREE,
    ("matter", "wait_yes"): FREE,
    ("matter", "wait_no"): FREE,
    ("matter", "reach"): WORKS,
    ("matter", "new_way"): WORKS,
    ("matter", "tried_call"): WORKS,
    ("matter", "tried_message"): WORKS,
    ("matter", "tried_visit"): WORKS,
    ("matter", "appoint"): WORKS,
    ("matter", "call_off"): FREE,
    ("matter", "meet_kept"): FREE,
    ("matter", "meet_missed"): FREE,
    ("matter", "meet_coming"): FREE,
    ("matter", "meet_cannot"): FREE,
    ("matter", "meet_there"): FREE,
    ("matter", "meet_way"): FREE,
    ("matter", "contacted"): WORKS,
    ("matter", "report"): WORKS,
    ("matter", "return"): WORKS,
    ("matter", "helped"): WORKS,
    ("matter", "not_helped"): WORKS,
    ("matter", "withdraw"): WORKS,
    ("matter", "reopen"): WORKS,
    ("matter", "follow"): FREE,
    ("matter", "partly_helped"): WORKS,
    ("matter", "why"): FREE,
    ("matter", "afterwards"): FREE,
    ("matter", "transfer"): FREE,  # to whom it could go is not laid out here (test_transfers.py)
    ("matter", "transfer_yes"): FREE,  # an answer to a question that is not laid out here
    ("matter", "transfer_no"): FREE,
    ("matter", "onward"): WORKS,
    ("matter", "desk_share_on"): WORKS,
    ("matter", "desk_share_off"): WORKS,
    ("matter", "move_stop"): FREE,
    ("matter", "move_allow"): PIN_FIRST,
    ("matter", "move_refuse"): FREE,
    ("matter", "void"): FREE,
    ("matter", "lost_phone"): WORKS,
    ("matter", "found"): PIN_FIRST,
    ("matter", "rematch"): WORKS,
    ("matter", "ask_person"): WORKS,
    ("matter", "check"): FREE,
    ("matter", "course"): FREE,
    ("matter", "resume"): WORKS,
    ("matter", "give_up"): WORKS,
    ("matter", "behalf_again"): FREE,
    ("matter", "own_no"): FREE,
    ("matter", "goes_on"): FREE,  # a yes that ends is not laid out here (test_going_on.py)
    ("receipt", "take_back"): WORKS,
    ("matter", "desk_take"): WORKS,
    ("matter", "desk_let_go"): WORKS,
    ("matter", "desk_assign"): FREE,
    ("matter", "desk_note"): WORKS,
    ("matter", "desk_earlier"): FREE,  # older notes are not laid out here (test_desk.py)
    ("matter", "desk_recall"): WORKS,
    ("matter", "hand"): FREE,
    ("matter", "hand_to_me"): FREE,
    ("matter", "reply"): FREE,
    ("work", "duty_off"): WORKS,
    ("work", "duty_on"): WORKS,
    ("rota", "swap_ask"): FREE,
    ("rota", "turn_give"): FREE,
    ("rota", "swap_yes"): FREE,
    ("rota", "swap_no"): FREE,
    ("rota", "swap_back"): FREE,
    ("room", "room"): FREE,  # a worker says whether there is room; nothing is read
    ("me", "language"): WORKS,
    ("me", "window"): WORKS,
    ("me", "reminders"): WORKS,
    ("me", "hide"): WORKS,
    ("devices", "end"): WORKS,  # of a device that does not read yet
    ("devices", "vouch"): PIN_FIRST,
    ("devices", "refuse"): WORKS,
    ("posts", "invite"): PIN_FIRST,
    ("posts", "remove"): PIN_FIRST,
    ("posts", "confirm"): WORKS,  # as the button in the chat, where there is no PIN
    ("posts", "refuse"): WORKS,
    ("posts", "lost_phone"): WORKS,
    ("posts", "found"): PIN_FIRST,
    ("posts", "resend"): FREE,  # neutral words, once more; nobody is let in
    ("posts", "drop"): FREE,
    ("posts", "desk_first_on"): WORKS,
    ("posts", "desk_first_off"): FREE,
    ("track", "look"): WORKS,
    ("track", "move"): FREE,
    ("track", "ask_desk"): FREE,
    ("mydata", "export"): PIN_FIRST,
    ("mydata", "delete"): FREE,
    ("mydata", "keep"): FREE,
    ("witness", "kept"): FREE,
    ("member", "late"): WORKS,
    ("member", "correct"): PIN_FIRST,  # it begins with what stood there
    ("member", "note"): WORKS,
    ("member", "reach"): WORKS,
    ("member", "unreach"): WORKS,
    ("member", "phase"): WORKS,
    ("member", "pause"): WORKS,
    ("member", "come_back"): WORKS,
    ("member", "leave"): WORKS,
    ("member", "course"): WORKS,
    ("member", "course_step"): FREE,
    ("member", "course_end"): FREE,
    ("members", "who"): FREE,
    ("members", "hand_over"): FREE,  # whoever is asked says yes or no, on a phone of theirs
    ("members", "away"): FREE,
    ("members", "back"): FREE,
    ("newcomer", "propose"): FREE,
    ("newcomer", "enrol"): FREE,
    ("newcomer", "who"): FREE,
    ("newcomer", "ask"): FREE,
    ("link", "make"): PIN_FIRST,
    ("link", "confirm"): FREE,  # as the button in the chat, where there is no PIN
    ("link", "refuse"): FREE,
    ("link", "untie"): FREE,
    ("safety", "save"): FREE,  # the first plan; what stands is not written over unread (test_safety.py)
    ("safety", "same"): FREE,
    ("safety", "ask"): FREE,
    ("safety", "stop"): FREE,
    ("matter", "task_done"): FREE,
    ("matter", "task_spoken"): FREE,
    ("matter", "task_still"): FREE,
    ("matter", "task_again"): FREE,
    ("matter", "plan_day"): FREE,
    ("matter", "plan_place"): FREE,
    ("tasks", "task_done"): FREE,
    ("tasks", "task_spoken"): FREE,
    ("tasks", "task_still"): FREE,
    ("tasks", "task_again"): FREE,
    ("tasks", "plan_day"): FREE,
    ("tasks", "plan_place"): FREE,
    ("tasks", "propose"): FREE,
    ("matter", "circle_begin"): FREE,
    ("matter", "circle_prepared"): FREE,
    ("matter", "circle_held"): FREE,
    ("matter", "circle_followed"): FREE,
    ("matter", "circle_end"): FREE,
    ("matter", "circle_yes"): FREE,
    ("matter", "circle_yes_again"): FREE,
    ("matter", "circle_unsay"): FREE,
    ("matter", "circle_stop"): FREE,
    ("circle", "circle_begin"): FREE,
    ("circle", "circle_prepared"): FREE,
    ("circle", "circle_held"): FREE,
    ("circle", "circle_followed"): FREE,
    ("circle", "circle_end"): FREE,
    ("circle", "circle_yes"): FREE,
    ("circle", "circle_yes_again"): FREE,
    ("circle", "circle_unsay"): FREE,
    ("circle", "circle_stop"): FREE,
    ("circle", "circle_invite"): FREE,
    ("invited", "invited_yes"): FREE,
    ("invited", "invited_for"): FREE,
    ("invited", "invited_no"): FREE,
    ("attendance", "send_begin"): FREE,
    ("attendance", "send_refer"): FREE,
    ("attendance", "send_agree"): FREE,
    ("attendance", "send_stop"): FREE,
    ("attendance", "afterwards"): FREE,
    ("attendance", "body_ask"): FREE,
    ("attendance", "word_begin"): FREE,
    ("attendance", "word_said"): FREE,
    ("attendance", "word_language"): FREE,
    ("attendance", "word_refer"): FREE,
    ("attendance", "word_reach"): FREE,
    ("attendance", "word_code"): FREE,
    ("attendance", "word_stop"): FREE,
    ("attendance", "word_true"): FREE,
    ("number", "leave_number"): FREE,  # of an alarm that is not laid out here (test_alarm_numbers.py)
    ("number", "number_back"): FREE,
    ("share", "agree"): PIN_FIRST,
    ("share", "refuse"): FREE,
    ("share", "stop"): FREE,
}


@dataclass
class Everything:
    """A network in which each step can be taken by somebody."""

    net: Phones
    people: list[str] = field(default_factory=list)
    subjects: list[str] = field(default_factory=lambda: [""])
    bodies: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


class _Undo(Exception):
    pass


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everything]:
    clock = SettableClock()
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('locked') / 'pulang.db'}", clock, CATALOGUE)
    yield _laid_out(Phones(store, clock))
    store.close()


def _laid_out(net: Phones) -> Everything:
    family, worker = net.person(1), net.person(11, "bua-1")
    dao, steward = net.person(21, "desk-1"), net.person(31, "steward-1")
    found = Everything(net, [family, worker, dao, steward])
    draft = net.draft(family)
    wishes = plans.Wishes("pattani-mueang", Urgency.URGENT, routing.Exclusions())
    digest = net.store.run(plans.plan_view, family, draft, wishes).consent_digest
    found.subjects.append(draft)
    stages: dict[str, tuple[Any, ...]] = {
        "offered": (),
        "accepted": (_accepts,),
        "in_service": (_accepts, _contacts),
        "reported": (_accepts, _contacts, _reports),
        "disputed": (_accepts, _contacts, _reports, _says_no),
        "closed": (_accepts, _contacts, _reports, _says_yes),
    }
    for number, way in enumerate(stages.values()):
        family = net.person(100 + number)  # strangers file only so much a day
        found.people.append(family)
        referral_id = net.filed(family)
        net.passes(timedelta(seconds=10))
        offer = net.live_offer(referral_id)
        assert offer is not None
        found.subjects += [referral_id, offer.id]
        for step in way:
            net.store.run(step, family, worker, referral_id, offer.id)
    family = found.people[0]
    unmatched = net.filed(family, without=frozenset({"bua-house"}))
    net.passes(timedelta(seconds=10))
    found.subjects.append(unmatched)
    _, code = net.enrolled(family, "old")
    net.enrolled(worker, "worker-old")
    asking, waiting, asked = [net.phone(family, key) for key in ("a", "b", "c")]
    net.does(letting_in.recover, family, waiting, code, NEW_PIN)
    net.does(letting_in.ask, family, asked, NEW_PIN)
    body = {
        "text": "a word", "outcome": "met", "yes": True, "language": "th", "window": "daytime", "pin": PIN,
        "days": ["0", "1"],
        "area": "pattani-mueang", "urgency": "urgent", "consent_digest": digest, "story": "s", "contact": "c",
        "code": "lusab-babad-gutih-tugad", "moment": "2026-12-24T14:30",
    }  # fmt: skip
    by = Actor(steward, Role.STEWARD)
    net.store.run(joining.invite, by, "two-rivers-1", "a token of the invitation")
    net.store.run(joining.ask, net.person(200), "a token of the invitation")
    mentor = net.person(401, "mentor-1")
    member, waiting = net.store.run(_waits_for_a_yes, mentor, found.people[-1])
    words = {**body, "read_out": True, "said_yes": True, "category": "member.housing"}
    shown = net.store.run(PAGES["words"].view, mentor, waiting, words).plan
    found.people.append(mentor)
    found.subjects += [member, waiting]
    contact = net.store.run(checkins.save, mentor, member, {"means": "call", "state": "well"}).check_in
    net.clock.advance(minutes=2)
    today = net.clock.now.date()
    about = {
        **body, "check_in": contact.id, "means": "call", "state": "all_right", "milestone": "first-talk",
        "day": (today - timedelta(days=1)).isoformat(),
    }  # fmt: skip
    found.bodies = {
        "choose": [{"reason": "faith-dialogue"}],
        "matter/reopen": [{"reason": "came_back"}],
        "matter/onward": [{"reason": "family.income"}],
        "plan/also": [{"chosen": ["family.talk"]}],
        "words": [{**words, "consent_digest": shown.consent_digest}],
        "member": [{**about, "reason": reason} for reason in ("2", "settled", "sewing")],
        "devices": [{**body, "device": device} for device in (asking, asked)],
        "posts": [{**body, "seat": seat} for seat in ("bua-1", "bua-2", "two-rivers-1")],
        "": [{**body, "reason": reason} for reason in ("full", "no_place")],
        "offer": [
            {**body, "reason": reason, "day": (today + timedelta(days=9)).isoformat()}
            for reason in ("full", "travel")
        ],
    }
    return found


def _waits_for_a_yes(tx: Tx, mentor: str, phone: str) -> tuple[str, str]:
    """One of the mentor's members, and what was ticked for them; they have a phone of their own."""
    member = tx.save(replace(tx.find(Enrolment, mentor_seat="mentor-1")[0], person_id=phone))
    actor, enrolment = enrolments.mine(tx, mentor, member.id)
    return member.id, needs.file(tx, actor, enrolment, "member.housing")[0].id


def _accepts(tx: Tx, family: str, worker: str, referral_id: str, offer_id: str) -> None:
    offers.accept(tx, worker, offer_id)


def _contacts(tx: Tx, family: str, worker: str, referral_id: str, offer_id: str) -> None:
    working.contacted(tx, worker, offer_id)


def _reports(tx: Tx, family: str, worker: str, referral_id: str, offer_id: str) -> None:
    working.report(tx, worker, offer_id, "met", "")


def _says_no(tx: Tx, family: str, worker: str, referral_id: str, offer_id: str) -> None:
    closing.helped(tx, family, referral_id, False)


def _says_yes(tx: Tx, family: str, worker: str, referral_id: str, offer_id: str) -> None:
    closing.helped(tx, family, referral_id, True)


def _try(tx: Tx, verb: Any, person_id: str, subject: str, body: dict[str, Any]) -> str:
    tx.lock_reading()
    try:
        verb(tx, person_id, subject, body)
    except PinNeeded:
        raise _Undo(PIN_FIRST) from None
    except PulangError:
        raise _Undo(FREE) from None
    raise _Undo(WORKS)


def _tries(everything: Everything, page: str, step: str, verb: Any) -> set[str]:
    about = everything.subjects if page in ABOUT_SOMETHING else [""]
    bodies = everything.bodies.get(f"{page}/{step}") or everything.bodies.get(page, everything.bodies[""])
    ends = set()
    for who, subject, body in product(everything.people, about, bodies):
        try:
            everything.net.store.run(_try, verb, who, subject, body)
        except _Undo as end:
            ends.add(str(end))
    return ends


def test_the_table_names_every_step() -> None:
    assert set(TABLE) == {(name, step) for name, page in PAGES.items() for step in page.steps}


@pytest.mark.parametrize(("page", "step"), TABLE)
def test_a_step_without_a_pin(everything: Everything, page: str, step: str) -> None:
    ends = _tries(everything, page, step, PAGES[page].steps[step])
    match TABLE[page, step]:
        case "works":
            assert WORKS in ends
            assert PIN_FIRST not in ends or (page, step) == ("devices", "end")
        case "free":
            assert PIN_FIRST not in ends
        case _:
            assert PIN_FIRST in ends
            assert WORKS not in ends


@pytest.mark.parametrize("page", PAGES)
def test_every_page_can_be_looked_at_without_a_pin(everything: Everything, page: str) -> None:
    assert PIN_FIRST not in _tries(everything, page, "", PAGES[page].view)
