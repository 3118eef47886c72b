"""One more programme is one more file: made up here, lived in from the first reminder to the last step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from referrals.catalogue_parsing import parse_catalogue
from referrals.members import CheckIn, Enrolment
from referrals.ports import Tx
from referrals.schedule import local
from referrals.service.members import enrolling, enrolments
from referrals.service.programme import courses, phases
from tests.rules.test_catalogue_parsing import files
from tests.support.chats import Chats
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store

FILE = """
id = "night-school"
version = 3

[[phase]]
id = "settled"
every = "FREQ=WEEKLY;BYDAY=TH"
at = "18:15"
milestones = ["own-income"]
[phase.onward]
to = "third-month"
milestones = ["own-income"]

[[phase]]
id = "third-month"
every = "FREQ=DAILY;INTERVAL=3"
at = "07:45"

[[course]]
id = "sewing"
[[course.milestone]]
id = "finished"
within_days = 5
"""


@pytest.fixture
def chats(sqlite_url: str) -> Iterator[Chats]:
    clock = SettableClock()
    catalogue = parse_catalogue({**files(), "programmes/night-school.toml": FILE})
    store = open_store(sqlite_url, clock, replace(catalogue, texts=CATALOGUE.texts))
    yield Chats(Small(store, clock))
    store.close()


def test_a_new_file_is_a_programme(chats: Chats) -> None:
    net, hasna = chats.small, chats.phone(41, "mentor-1")
    member = net.store.run(_comes, "night-school", "settled")
    assert _next_contact(chats, member) == "Thu 18:15"
    _until_asked(chats, member)
    hasna.presses(member.code)  # two others wait as well
    hasna.presses("Call")
    due = net.store.run(lambda tx: tx.find(CheckIn, enrolment_id=member.id))
    assert [c.asked_of for c in due] == [hasna.person_id]

    def reaches(tx: Tx) -> Enrolment:
        return phases.reach(tx, *enrolments.active(tx, hasna.person_id, member.id), "own-income")

    assert net.store.run(reaches).phase == "third-month"
    assert _next_contact(chats, member).endswith("07:45")
    course = net.store.run(courses.start, hasna.person_id, member.id, "sewing")
    net.passes(timedelta(days=6))
    chats.deliver()
    assert any("step forward" in text for text in hasna.said)
    assert net.store.run(courses.step, hasna.person_id, course.id, "finished").state == "done"


def _comes(tx: Tx, programme: str, phase: str) -> Enrolment:
    (known,) = tx.find(Enrolment, code="K7-29")
    new = replace(
        known, id="night-owl", code="A0-0A", programme=programme, programme_version=3, phase=phase, version=1
    )
    tx.add(new)
    enrolling.begun(tx, new)
    return new


def _next_contact(chats: Chats, member: Enrolment) -> str:
    (timer,) = [t for t in chats.small.timers() if (t.kind, t.subject) == ("check_in", member.id)]
    return f"{local(timer.due_at, member.timezone):%a %H:%M}"


def _until_asked(chats: Chats, member: Enrolment) -> None:
    (timer,) = [t for t in chats.small.timers() if (t.kind, t.subject) == ("check_in", member.id)]
    chats.small.passes(timer.due_at - chats.small.clock.now + timedelta(minutes=1))
    chats.deliver()
