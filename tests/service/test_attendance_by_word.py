"""Confirmations of attendance by word: read out, said yes to, sent, asked about, taken back with a code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import pytest

from console.page_texts import page_texts, view_texts
from referrals import consent as consents
from referrals.casework import Confirmation
from referrals.errors import BadAnswer, NotAllowed, NotFound, TooLong, WrongStage
from referrals.members import Enrolment, WordReceipt
from referrals.model import SYSTEM, DataClass, Role
from referrals.persons import Seat
from referrals.ports import Taken, Tx
from referrals.service import leaving, restoring, retention
from referrals.service.attendance import attendance, attendance_ends
from referrals.service.by_word import attendance_by_word, word_consent
from referrals.service.members import enrolments
from referrals.service.pages import PAGES, attendance_word
from referrals.service.request import word_checks
from referrals.service.request.filing import PlanChanged
from referrals.views import SectionsView
from storage.erasures import took
from tests.service.test_attendance_story import (
    BODY,
    DAYS,
    PERIOD,
    SAYS,
    Probation,
    also_on,
    said,
    tie,
)
from tests.support.network import CATALOGUE, STEWARD

PHONELESS = "M3-04"


class ByWord(Probation):
    """The same network; M3-04 has no phone of their own."""

    def settle_in(self) -> None:
        super().settle_in()
        self.backup, self.steward = self.person(32, "mentor-2"), self.person(61, "steward-1")
        found = self.store.run(lambda tx: tx.find(Enrolment, code=PHONELESS))
        self.member_id = found[0].id
        assert found[0].person_id is None

    def view(self, person: str = "", *, locked: bool = False) -> SectionsView:
        return self.page(person or self.mentor, self.member_id, locked=locked)

    def says(self, step: str, by: str = "", **body: str) -> SectionsView:
        """A step of the mentor's page; the confirmation and the digest come from its first section."""
        person = by or self.mentor
        first = next((s for s in self.view(person).sections if "confirmation" in s.body), None)
        given = {**(first.body if first else {}), **body}
        return self.store.run(PAGES["attendance"].steps[step], person, self.member_id, given)

    def begun(self) -> Confirmation:
        self.says("word_begin", organization=BODY, reason=PERIOD)
        (found,) = self.waiting()
        return found

    def agreed(self) -> str:
        """Read out and said yes to; the receipt's code."""
        self.begun()
        shown = self.says("word_said", reason="yes")
        (code,) = [
            line.params["code"] for s in shown.sections for line in s.lines if line.key.endswith(".code")
        ]
        return code

    def of_body(self) -> list[str]:
        return said(self.page(self.worker, "body"))

    def back(self, code: str, by: str = "") -> bool:
        return self.store.run(word_consent.withdraw_by_code, by or self.stranger, code)


def opened(url: str) -> Iterator[ByWord]:
    with ByWord.opened(url) as net:
        net.settle_in()
        net.came(PHONELESS, 3, 10)
        yield net


@pytest.fixture
def net(sqlite_url: str) -> Iterator[ByWord]:
    yield from opened(sqlite_url)


@pytest.fixture
def on_both(database_url: str) -> Iterator[ByWord]:
    yield from opened(database_url)


def test_it_is_read_out_said_yes_to_sent_and_taken_back_by_whoever_brings_the_code(on_both: ByWord) -> None:
    net = on_both
    assert net.begun() == net.begun(), "begun twice it is one"
    net.says("word_language", reason="th")
    net.says("word_refer", code="CASE 12/69")
    net.says("word_reach", code="At her aunt's, mornings")
    (to_read, *_) = net.view().sections
    read_out = [line.params["words"] for line in to_read.lines if line.key == "part.words"]
    assert CATALOGUE.words("part.attendance.only_this", "th") in read_out
    assert any(words in CATALOGUE.words("consent.by_word", "th") for words in read_out)
    assert {"count": "2"} in [line.params for line in to_read.lines]
    assert net.of_body() == ["part.attendance.same_for_all"], "nothing before the yes"
    net.said()
    code = net.says("word_said", reason="yes").sections[0].lines[0].params["code"]
    (_, came_in) = net.page(net.worker, "body").sections
    lines = {line.key: dict(line.params) for line in came_in.lines}
    assert lines[SAYS] == {"count": "2", "day": "24 November 2026"}
    assert lines["part.attendance.about"] == {"reference": "CASE 12/69"}
    (sent,) = net.store.run(lambda tx: tx.find(Confirmation))
    assert (sent.language, sent.witness_id, sent.agreed_at) == ("th", net.mentor, net.clock.now)
    assert [*filter(None, sent.text.splitlines())] == read_out, "the exact words"
    assert net.store.run(lambda tx: tx.holders(sent.record, attendance.SEALED)) == {f"org:{BODY}"}
    assert (net.desk, "desk.attendance_true") in net.said()
    assert net.back(code)
    assert net.back(code), "brought twice it is still true"
    assert net.of_body() == ["part.attendance.same_for_all"]
    assert (net.mentor, "mentor.attendance_back") in net.said()
    assert "part.attendance.word_why.taken_back" in said(net.view())
    assert said(net.page(net.desk, "desk")) == [], "and nothing is left to be asked"


def test_the_desk_asks_whether_it_is_true_and_a_no_takes_it_back(on_both: ByWord) -> None:
    net = on_both
    net.begun()
    net.says("word_reach", code="At her aunt's")
    net.says("word_said", reason="yes")
    net.said()
    shown = net.page(net.desk, "desk")
    (to_ask,) = [s for s in shown.sections if s.title_key == "part.attendance.true"]
    assert {"contact": "At her aunt's"} in [line.params for line in to_ask.lines]
    assert "aunt" not in str(net.page(net.desk, "desk", locked=True))
    given = {"confirmation": to_ask.body["confirmation"]}
    net.does(net.desk, "word_true", **given, reason="not_reached")
    net.passes(word_checks.AGAIN)
    assert (net.desk, "desk.attendance_true") in net.said(), "it hears so again until it has"
    net.does(net.desk, "word_true", **given, reason="no")
    assert net.of_body() == ["part.attendance.same_for_all"]
    heard = net.said()
    assert (net.steward, "steward.yes_not_true") in heard
    contact = attendance.contact_record(to_ask.body["confirmation"])
    assert not net.store.run(lambda tx: tx.sealed_exists(contact, DataClass.CONTACT))
    with pytest.raises(NotFound):
        net.does(net.desk, "word_true", **given, reason="yes")
    net.passes(9 * DAYS)
    assert "desk.attendance_true" not in [text for _, text in net.said()]


def test_whoever_heard_it_is_not_asked_whether_it_is_true(net: ByWord) -> None:
    """A mentor who sits at the desk, too; where nobody else is on call, every other coordinator hears it."""

    def sits_at_the_desk(tx: Tx) -> None:
        for seat in tx.find(Seat, role=Role.COORDINATOR):
            if seat.person_id == net.desk:
                tx.save(replace(seat, on_duty=False))
        free = next(seat for seat in tx.find(Seat, role=Role.COORDINATOR) if seat.person_id is None)
        tx.save(replace(free, person_id=net.mentor, on_duty=True))

    net.store.run(sits_at_the_desk)
    net.agreed()
    assert (net.mentor, "desk.attendance_true") not in net.said()
    assert net.store.run(attendance_by_word.to_ask, net.mentor) == []


def test_true_is_true_and_is_asked_once(net: ByWord) -> None:
    net.agreed()
    (found,) = net.store.run(attendance_by_word.to_ask, net.desk)
    net.does(net.desk, "word_true", confirmation=found.id, reason="yes")
    net.said()
    net.passes(9 * DAYS)
    assert "desk.attendance_true" not in [text for _, text in net.said()]
    assert SAYS in net.of_body()


def test_every_word_of_it_reaches_the_phone(net: ByWord) -> None:
    """What a view names comes with it, or with its page."""
    empty = net.view()
    net.begun()
    views = [empty, net.view(), net.says("word_said", reason="yes"), net.page(net.desk, "desk"), net.view()]
    words = CATALOGUE.texts["en"]
    for view in views:
        shown = json.loads(json.dumps(asdict(view), default=str))
        there = {**page_texts(words, "attendance", "open"), **view_texts(words, shown)}
        named = re.findall(r'"((?:page|part|error)\.[\w.-]+)"', json.dumps(shown))
        assert {key for key in named if key not in there} == set()
        assert named


def test_nobody_hears_that_yes_who_gains_by_it(net: ByWord) -> None:
    net.begun()
    net.store.run(also_on, net.mentor, "border-corrections-1")
    assert "error.may_not_witness" in [line.key for line in net.view().lines]
    assert net.view().sections == ()
    (waits,) = net.waiting()
    digest = consents.digest(net.store.run(attendance_by_word.words, waits))
    tried = (net.mentor, net.member_id, waits.id, digest, "yes")
    with pytest.raises(word_consent.MayNotWitness):
        net.store.run(attendance_by_word.say, *tried)
    with pytest.raises(word_consent.MayNotWitness):
        net.store.run(attendance_by_word.begin, net.mentor, net.member_id, BODY, PERIOD)
    assert SAYS not in net.of_body()


def test_nobody_but_whoever_looks_after_them_begins_or_answers(net: ByWord) -> None:
    waits = net.begun()
    given = {"confirmation": waits.id, "organization": BODY, "reason": PERIOD, "code": "x"}
    for person in (net.worker, net.desk, net.member, net.stranger, net.steward):
        with pytest.raises((NotFound, NotAllowed)):
            net.page(person, net.member_id)
        for step in attendance_word.STEPS:
            with pytest.raises((NotFound, NotAllowed)):
                net.store.run(PAGES["attendance"].steps[step], person, net.member_id, given)
    assert waits.id not in str(net.view(net.backup)), "another mentor begins one of their own"


def test_words_that_changed_are_read_out_again(net: ByWord) -> None:
    net.begun()
    with pytest.raises(PlanChanged):
        net.says("word_said", reason="yes", consent_digest="another")
    with pytest.raises(BadAnswer):
        net.says("word_said", reason="perhaps")
    with pytest.raises(BadAnswer):
        net.says("word_language", reason="xx")
    with pytest.raises(TooLong):
        net.says("word_reach", code="x" * 10_000)
    assert SAYS not in net.of_body()
    net.says("word_said", reason="no")
    assert net.store.run(lambda tx: tx.count(Confirmation)) == 0, "a no leaves nothing"


def test_pressed_twice_it_is_sent_once_and_three_codes_are_enough(net: ByWord) -> None:
    net.agreed()
    again = net.says("word_said", reason="yes")
    assert "part.attendance.code" not in said(again)
    codes = [net.says("word_code").sections[0].lines[0].params["code"] for _ in range(2)]
    with pytest.raises(WrongStage):
        net.says("word_code")
    assert net.back(codes[0], by=net.desk), "whoever brings it"
    assert SAYS not in net.of_body()


def test_the_mentor_takes_it_back_for_them(net: ByWord) -> None:
    net.agreed()
    net.says("word_stop")
    assert SAYS not in net.of_body()
    assert net.store.run(attendance_by_word.to_ask, net.desk) == []


def test_where_nothing_is_written_down_nothing_is_sent_and_there_is_no_code(sqlite_url: str) -> None:
    with ByWord.opened(sqlite_url) as net:
        net.settle_in()
        net.begun()
        shown = net.says("word_said", reason="yes")
        assert "part.attendance.code" not in said(shown)
        assert "part.attendance.word_why.not_there" in said(shown)
        assert net.store.run(lambda tx: tx.count(WordReceipt)) == 0
        assert net.of_body() == ["part.attendance.same_for_all"]


def test_a_phone_that_is_tied_later_sees_it_and_takes_it_back(net: ByWord) -> None:
    net.agreed()
    net.store.run(tie, PHONELESS, net.stranger)
    assert "part.attendance.by_word" in [s.title_key for s in net.page(net.stranger).sections]
    (found,) = net.store.run(attendance.of_member, net.stranger)
    home = net.store.run(_taken_home, net.stranger)
    assert home[0]["text"] == found.text
    net.does(net.stranger, "send_stop", confirmation=found.id)
    assert SAYS not in net.of_body()


def test_it_outlives_its_mentor_and_a_restored_backup_sends_nothing_that_was_taken_back(net: ByWord) -> None:
    net.agreed()
    (sent,) = net.store.run(lambda tx: tx.find(Confirmation))
    net.store.run(_leaves_post, "mentor-1")
    net.store.run(leaving.erase, net.mentor)
    assert SAYS in net.of_body()
    taken = took(net.clock.now, Taken.STATE, sent.record, holder="no yes")
    net.store.run(restoring.after_restore, STEWARD, net.clock.now, [taken])
    assert SAYS not in net.of_body()


def test_its_end_leaves_nothing(net: ByWord) -> None:
    net.store.run(retention.begin)
    net.agreed()
    net.begun()
    net.passes(99 * DAYS)
    assert net.store.run(lambda tx: (tx.count(Confirmation), tx.count(WordReceipt))) == (0, 0)


def test_who_left_the_programme_sends_nothing(net: ByWord) -> None:
    waits = net.begun()
    net.store.run(_leaves, net.member_id)
    with pytest.raises(WrongStage):
        net.says("word_said", reason="yes")
    assert [found.id for found in net.waiting()] == [waits.id]
    net.passes(8 * DAYS)
    assert net.waiting() == []


def test_who_left_the_programme_still_takes_back(net: ByWord) -> None:
    net.agreed()
    net.store.run(_leaves, net.member_id)
    assert [s.steps[-1].id for s in net.view().sections] == ["word_stop"]
    net.says("word_stop")
    assert SAYS not in net.of_body()


def _leaves(tx: Tx, enrolment_id: str) -> None:
    enrolment = tx.get(Enrolment, enrolment_id, lock=True)
    assert enrolment is not None
    enrolments.leave(tx, SYSTEM, enrolment)


def _leaves_post(tx: Tx, seat_id: str) -> None:
    seat = tx.get(Seat, seat_id)
    assert seat is not None
    tx.save(replace(seat, person_id=None))


def _taken_home(tx: Tx, person_id: str) -> list[dict[str, Any]]:
    _, enrolment = attendance.own(tx, person_id)
    return attendance_ends.taken_home(tx, person_id, enrolment)
