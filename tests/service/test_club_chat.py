"""A club evening, a course and a new rhythm as they look on a mentor's phone: few presses, small screens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from referrals import case_codes
from referrals.members import Attendance, Enrolment, Undertaking
from referrals.model import DataClass, Role
from referrals.ports import Tx
from referrals.service import taken_home
from referrals.service.common import doors
from referrals.service.people import export_page
from referrals.service.programme import courses, meetings
from tests.support.chats import LONGEST_SCREEN, Chats, Phone
from tests.support.network import CATALOGUE, Small

MOST_BUTTON = 64  # bytes of callback data


@pytest.fixture
def chats(sqlite_url: str) -> Iterator[Chats]:
    with Small.opened(sqlite_url) as net:
        yield Chats(net)


def test_a_club_evening_with_fourteen_members_in_one_screen(chats: Chats) -> None:
    hasna, _ = chats.phone(41, "mentor-1"), chats.phone(42, "mentor-2")
    codes = more_members(chats, 12)
    evening(chats)
    asked = hasna.newest
    assert asked.text.startswith("Who was there")
    assert not any(code in asked.text for code in codes), "nothing of anybody on a lock screen"
    hasna.presses("Write it down")
    assert len([label for label in hasna.newest.buttons if "-" in label]) == 14
    for code in codes[:3]:
        hasna.presses(code)
    hasna.presses(f"✓ {codes[1]}")  # a slip of the thumb
    for screen in hasna.heard:
        assert screen.weight <= LONGEST_SCREEN + 1024, "text and labels and data"
        assert len(screen.text.encode()) <= LONGEST_SCREEN
        assert all(len(data.encode()) <= MOST_BUTTON for data in screen.buttons.values())
    assert hasna.presses("Next").startswith("Yours who were there: 2.")
    assert hasna.presses("Good").startswith("Done")
    assert came(chats) == {codes[0], codes[2]}
    assert len(hasna.standing) == 1, "one message from the first press to the last"
    hasna.presses("Undo")
    assert came(chats) == set()
    hasna.presses("Next")
    hasna.presses("Heavy")
    chats.small.passes(timedelta(seconds=61))
    chats.deliver()
    assert hasna.newest.buttons == {}, "the minute is over"


def test_a_list_that_changes_under_the_thumb_is_shown_anew(chats: Chats) -> None:
    hasna = chats.phone(41, "mentor-1")
    evening(chats)
    hasna.presses("Write it down")
    hasna.presses("K7-29")
    stale = replace(hasna.newest, buttons=dict(hasna.newest.buttons))
    more_members(chats, 1)
    hasna.presses("Next")
    assert hasna.toasts[-1] == "toast.list_changed"
    assert hasna.newest.text.startswith("Who was there")
    assert "✓ K7-29" not in hasna.newest.buttons
    hasna.presses("K7-29")
    assert hasna.newest.buttons["Next"] != stale.buttons["Next"]


def test_by_text_a_club_evening_is_numbers(chats: Chats) -> None:
    hasna = chats.phone(41, "mentor-1", by_text=True)
    evening(chats)
    hasna.answers("Write it down")
    hasna.answers("M3-04")
    assert "✓ M3-04" in hasna.newest.text
    hasna.answers("Next")
    hasna.answers("All right")
    assert came(chats) == {"M3-04"}
    assert all(len(text.encode()) <= LONGEST_SCREEN for text in hasna.said)


def test_a_mentor_writes_down_an_evening_that_nobody_asked_about(chats: Chats) -> None:
    hasna = chats.phone(41, "mentor-1")
    hasna.says("meet")  # the Saturday before
    hasna.presses("Write it down")
    hasna.presses("Next")
    hasna.presses("All right")
    assert "nobody to write down" in hasna.says("meet")
    evening(chats)
    assert hasna.presses("It did not take place").startswith("All right")
    assert came(chats) == set()


def test_a_course_is_asked_about_without_naming_it_first(chats: Chats) -> None:
    hasna = chats.phone(41, "mentor-1")
    found = begun(chats, hasna, "sewing")
    chats.small.passes(timedelta(days=22))
    chats.deliver()
    (due,) = [shown for shown in hasna.standing.values() if "step forward" in shown.text]
    assert "ewing" not in due.text
    assert "Sewing: Begun" in hasna.presses("Look", due)
    assert hasna.presses("Reached").startswith("Noted. I ask")
    assert "Sewing: Begun" in hasna.presses("Undo")
    assert "two weeks" in hasna.presses("Not yet: ask in two weeks")
    chats.small.passes(timedelta(days=15))
    chats.deliver()
    hasna.presses("Look", [s for s in hasna.standing.values() if "step forward" in s.text][-1])
    assert "do not ask" in hasna.presses("Given up")
    assert chats.small.store.run(courses.mine, hasna.person_id, found.id)[1].state == "given_up"


def test_members_take_their_courses_and_evenings_home(chats: Chats) -> None:
    hasna = chats.phone(41, "mentor-1")
    evening(chats)
    for label in ("Write it down", "K7-29", "Next", "Good"):
        hasna.presses(label)
    begun(chats, hasna, "start-up-grant")
    member = chats.phone(61)

    def tied(tx: Tx) -> None:
        (known,) = tx.find(Enrolment, code="K7-29")
        tx.save(replace(known, person_id=member.person_id))

    chats.small.store.run(tied)
    person = chats.small.store.run(doors.person_by_id, member.person_id)
    held = chats.small.store.run(taken_home.about, person)
    (membership,) = held["membership"]
    assert [(c["course"], c["state"]) for c in membership["courses"]] == [("start-up-grant", "open")]
    assert len(membership["evenings"]) == 1
    page = export_page.render(held, "en", lambda key: CATALOGUE.words(key, "en"), str)
    for words in (
        "Start-up grant",
        "Days at the club or in class",
        membership["evenings"][0],
        "First 90 days",
    ):
        assert words in page
    assert "export." not in page, "no key without its words"


def test_a_class_says_which_one_only_after_a_tap(chats: Chats) -> None:
    hasna = chats.phone(41, "mentor-1")
    begun(chats, hasna, "sewing")
    evening(chats, "sewing-class")
    assert "Sewing" not in hasna.newest.text
    assert hasna.presses("Write it down").startswith("Sewing: who was there?")
    assert [label for label in hasna.newest.buttons if "-" in label] == ["K7-29"], "whoever is in that course"
    hasna.presses("K7-29")
    hasna.presses("Next")
    assert hasna.presses("Good").startswith("Done")
    assert came(chats) == {"K7-29"}


# -- shared ------------------------------------------------------------------------------------------


def evening(chats: Chats, meeting: str = "club-evening") -> None:
    """Time passes until a club evening (or a class) is over."""
    (timer,) = [t for t in chats.small.timers() if t.kind == "meeting" and f"/{meeting}/" in t.subject]
    chats.small.passes(timer.due_at - chats.small.clock.now - timedelta(minutes=1))
    chats.deliver()
    for phone in chats.phones.values():
        phone.standing.clear()
        phone.heard.clear()
    chats.small.passes(timedelta(minutes=2))
    chats.deliver()


def more_members(chats: Chats, count: int) -> list[str]:
    """New members of the first mentor; all of hers by the order in which they are listed."""

    def add(tx: Tx) -> list[str]:
        (known,) = tx.find(Enrolment, code="K7-29")
        there = tx.count(Enrolment)
        for number in range(count):
            code = case_codes.numbered(1000 + there + number)
            tx.add(replace(known, id=f"extra{there + number:011}", code=code, version=1))
        return [e.code for e in tx.find(Enrolment, mentor_seat="mentor-1")]

    return chats.small.store.run(add)


def begun(chats: Chats, phone: Phone, item: str) -> Undertaking:
    (member,) = chats.small.store.run(lambda tx: tx.find(Enrolment, code="K7-29"))
    return chats.small.store.run(courses.start, phone.person_id, member.id, item)


def came(chats: Chats) -> set[str]:
    """The codes of those who were there, as a mentor who may read it sees them."""

    def read(tx: Tx) -> set[str]:
        found: set[str] = set()
        for attendance in tx.find(Attendance):
            enrolment = tx.get(Enrolment, attendance.enrolment_id)
            assert enrolment is not None
            mentor = doors.as_seat(tx, next(iter(chats.phones)), Role.MENTOR)
            opened = tx.open_sealed(mentor, attendance.record, DataClass.WELLBEING)
            found |= {enrolment.code} if opened["came"] == "yes" else set()
        assert all(
            meetings.came_to(tx, a.enrolment_id, tx.now.date()) is not None for a in tx.find(Attendance)
        )
        return found

    return chats.small.store.run(read)
