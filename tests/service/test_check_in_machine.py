"""A check-in in the hands of two mentors who press anything, in any order, twice and too late.

What is sealed is always what was last saved, for the right readers; what was taken back is gone; nothing is
kept under a form that has changed; each change has its audit row (the store watches).
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from referrals import forms
from referrals.errors import PulangError
from referrals.members import CheckIn, Crisis, Enrolment, Source
from referrals.model import DESK, Actor, DataClass, Referral, Role, person_holder
from referrals.ports import Tx
from referrals.service.contact import checkins, trends
from referrals.service.members import asking
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store

FORM = CATALOGUE.forms["check-in"]
WHOLE = [
    {"means": "not_reached"},
    {"means": "call", "state": "well"},
    {"means": "message", "state": "struggling", "needs": ""},
    {"means": "call", "state": "struggling", "needs": "member.housing,work.job"},
    {"means": "in_person", "state": "crisis", "danger": "yes"},
    {"means": "in_person", "state": "crisis", "danger": "no"},
]
BROKEN = [
    {"means": "call"},
    {"means": "not_reached", "state": "well"},
    {"state": "well"},
    {"means": "pigeon"},
]
ANSWERS = st.sampled_from([*WHOLE, *WHOLE, *BROKEN])
MENTORS = st.sampled_from(["first", "second"])


class CheckInMachine(RuleBasedStateMachine):
    """Two mentors of one member, and one check-in that is due."""

    @initialize()
    def begins(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = SettableClock()
        self.store = open_store(f"sqlite:///{Path(self.folder.name) / 'pulang.db'}", self.clock, CATALOGUE)
        self.net = Small(self.store, self.clock)
        self.people = {"first": self.net.person(21, "mentor-1"), "second": self.net.person(22, "mentor-2")}
        self.check_in = self.store.run(self._begin)
        self.kept: dict[str, str] | None = None
        self.by = ""
        self.before: list[dict[str, str]] = []
        self.saved_at = self.clock.now

    def _begin(self, tx: Tx) -> str:
        member = tx.find(Enrolment, mentor_seat="mentor-1")[0]
        member = tx.save(replace(member, backup_seat="mentor-2"))
        due = tx.now - timedelta(hours=1)
        first = self.people["first"]
        return asking.begin(tx, member, asked_of=first, source=Source.REMINDER, due_at=due).id

    @rule(who=MENTORS, answers=ANSWERS)
    def saves(self, who: str, answers: dict[str, str]) -> None:
        try:
            self.store.run(checkins.save, self.people[who], self.check_in, answers)
        except PulangError:
            assert answers in BROKEN or self.kept is not None
            return
        if self.kept is None:
            assert answers in WHOLE, "nothing half is kept"
            self.kept, self.by, self.before, self.saved_at = answers, who, [], self.clock.now
        else:
            assert self.by == who, "saved twice is one"

    @rule(who=MENTORS)
    def takes_back(self, who: str) -> None:
        young = self.clock.now - self.saved_at <= asking.UNDO
        try:
            self.store.run(checkins.undo, self.people[who], self.check_in)
        except PulangError:
            assert self.kept is not None
            assert self.by != who or not young or self.before
            return
        if self.kept is not None:
            assert self.by == who
            assert young
        self.kept, self.before = None, []

    @rule(who=MENTORS, answers=ANSWERS)
    def corrects(self, who: str, answers: dict[str, str]) -> None:
        try:
            self.store.run(checkins.correct, self.people[who], self.check_in, answers)
        except PulangError:
            return
        assert self.kept is not None
        assert answers in WHOLE
        if _written(answers) != _written(self.kept):
            self.before.append(self.kept)
            self.kept = answers

    @rule(minutes=st.sampled_from([0.2, 0.9, 2, 60, 60 * 30]))
    def time_passes(self, minutes: float) -> None:
        self.clock.advance(minutes=minutes)

    @rule()
    def the_minute_ends(self) -> None:
        with suppress(PulangError):
            self.store.run(checkins.undo_over, self.check_in)

    @invariant()
    def what_is_sealed_is_what_was_saved(self) -> None:
        if hasattr(self, "check_in"):
            self.store.run(self._looks)

    def _looks(self, tx: Tx) -> None:
        row = tx.get(CheckIn, self.check_in)
        assert row is not None
        assert (row.saved_at is not None) is (self.kept is not None)
        sealed = tx.sealed_exists(row.record, DataClass.WELLBEING)
        assert sealed is (self.kept is not None), "what was taken back is gone"
        needs = {r.category for r in tx.find(Referral) if r.enrolment_id == row.enrolment_id}
        alarms = [c for c in tx.find(Crisis, check_in_id=row.id) if c.ended_at is None]
        if self.kept is None:
            assert not needs
            assert not alarms
            return
        for who in self.people.values():
            columns = tx.open_sealed(Actor(who, Role.MENTOR), row.record, DataClass.WELLBEING)
            assert trends.answers_of(columns) == _written(self.kept)
            old = [
                trends.answers_of({"answers": columns[f"answers.{n + 1}"]}) for n in range(len(self.before))
            ]
            assert old == [_written(each) for each in self.before]
        holders = tx.holders(row.record, DataClass.WELLBEING)
        ever = [self.kept, *self.before]
        danger = any(each.get("danger") for each in ever)
        assert holders == {*map(person_holder, self.people.values()), *([DESK] if danger else [])}
        assert needs == {n for each in ever for n in each.get("needs", "").split(",") if n}
        assert bool(alarms) is danger
        assert row.corrected == len(self.before)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()


def _written(answers: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in answers.items() if value}


@pytest.mark.timeout(3600)
def test_two_mentors_and_one_check_in(long_run: bool) -> None:
    run_state_machine_as_test(
        CheckInMachine,
        settings=settings(
            max_examples=300 if long_run else 6,
            stateful_step_count=40 if long_run else 14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_every_whole_answer_fits_its_form() -> None:
    for answers in WHOLE:
        assert forms.whole(FORM, answers) == answers
