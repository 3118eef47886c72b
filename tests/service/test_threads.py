"""Threads to the end: the desk with the person's yes, marks that disclose nothing, and the last word."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals import thread_rules
from referrals.access import Action
from referrals.errors import NotFound, NoThread, WrongStage
from referrals.model import DataClass, Offer, Stage, ThreadEntry
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.help import thread_share, threads, working
from referrals.service.pages import PAGES
from referrals.service.people import people
from referrals.service.request import same_need
from referrals.service.turns import closing, offers
from referrals.thread_rules import Side
from referrals.views import MatterView
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store

DAY = timedelta(days=1)


class Talk:
    """A family whom Bua House helps, and a desk."""

    def __init__(self, net: Small) -> None:
        self.net = net
        self.family, self.worker = net.person(1), net.person(11, "bua-1")
        self.desk = net.person(14, "desk-1")
        self.matter = net.filed(self.family)
        net.passes(timedelta(seconds=5))
        self.offer = net.at_partner(self.matter)
        net.store.run(offers.accept, self.worker, self.offer)

    def writes(self, who: str, text: str) -> None:
        self.net.clock.advance(seconds=1)
        self.net.store.run(threads.write, who, self.offer if who == self.worker else self.matter, text)

    def page(self, who: str) -> MatterView:
        subject = self.offer if who == self.worker else self.matter
        view = self.net.store.run(PAGES["matter"].view, who, subject, {})
        assert isinstance(view, MatterView)
        return view

    def reads(self, who: str) -> list[str]:
        return [line.text for line in self.page(who).thread]

    def shares(self, on: bool = True) -> None:
        self.net.store.run(thread_share.begin if on else thread_share.end, self.family, self.matter)

    def ends(self) -> None:
        self.net.store.run(working.contacted, self.worker, self.offer)
        self.net.store.run(working.report, self.worker, self.offer, "met")
        self.net.store.run(closing.helped, self.family, self.matter, True)


@pytest.fixture
def talk(sqlite_url: str) -> Iterator[Talk]:
    yield from _talk(sqlite_url)


@pytest.fixture
def on_either(database_url: str) -> Iterator[Talk]:
    yield from _talk(database_url)


def _talk(url: str) -> Iterator[Talk]:
    with Small.opened(url) as net:
        yield Talk(net)


def test_the_desk_reads_from_the_yes_on_and_not_before(on_either: Talk) -> None:
    """Two yeses with a no between them: each opens what is written while it stands, and nothing else."""
    talk = on_either
    talk.writes(talk.family, "before the yes")
    assert talk.reads(talk.desk) == []
    with pytest.raises(NotFound):
        talk.writes(talk.desk, "the desk was not asked")
    talk.shares()
    talk.writes(talk.family, "with the desk")
    talk.writes(talk.worker, "an answer")
    talk.writes(talk.desk, "the desk's word")
    assert talk.reads(talk.desk) == ["with the desk", "an answer", "the desk's word"]
    everything = ["before the yes", "with the desk", "an answer", "the desk's word"]
    assert talk.reads(talk.family) == talk.reads(talk.worker) == everything
    lines = [line.key for section in talk.page(talk.worker).sections for line in section.lines]
    assert "part.desk_reads.partner" in lines, "both sides see it"
    talk.shares(on=False)
    talk.writes(talk.family, "after the no")
    assert talk.reads(talk.desk) == []
    with pytest.raises(NotFound):
        talk.writes(talk.desk, "too late")
    talk.shares()
    talk.writes(talk.family, "the second yes")
    assert talk.reads(talk.desk) == ["the second yes"]
    assert talk.reads(talk.worker) == [*everything, "after the no", "the second yes"]


def test_without_the_yes_the_desk_holds_no_key_to_a_single_word(talk: Talk) -> None:
    talk.writes(talk.family, "before")
    talk.shares()
    talk.writes(talk.family, "meanwhile")
    talk.shares(on=False)
    talk.writes(talk.family, "after")

    def keys(tx: Tx) -> set[str]:
        written = tx.find(ThreadEntry, referral_id=talk.matter)
        return {h for entry in written for h in tx.holders(entry.record, DataClass.STORY)}

    assert talk.net.store.run(keys) == {f"person:{talk.family}", "org:bua-house"}


def test_nobody_but_the_person_lets_the_desk_in(talk: Talk) -> None:
    for who in (talk.worker, talk.desk, talk.net.person(99)):
        with pytest.raises(NotFound):
            talk.net.store.run(thread_share.begin, who, talk.matter)


def test_with_the_partner_goes_the_desks_share(talk: Talk) -> None:
    talk.shares()
    talk.writes(talk.family, "for these two")
    talk.net.store.run(working.give_back, talk.worker, talk.offer)
    assert talk.reads(talk.desk) == []


def test_a_mark_shows_hours_later_and_says_nothing_of_whom_or_when(talk: Talk) -> None:
    talk.writes(talk.family, "are you there?")
    talk.reads(talk.worker)
    talk.net.passes(timedelta(minutes=50))
    assert not talk.page(talk.family).thread[0].opened
    talk.reads(talk.worker)  # to look again moves nothing
    talk.net.passes(thread_rules.MARKS_EVERY + thread_rules.NOT_BEFORE)
    talk.writes(talk.family, "and now?")
    assert [line.opened for line in talk.page(talk.family).thread] == [True, False]
    assert [line.opened for line in talk.page(talk.worker).thread] == [False, False], "a mark of their own?"


def test_whoever_hides_after_reading_leaves_no_mark(talk: Talk) -> None:
    talk.writes(talk.worker, "a word for you")
    talk.reads(talk.family)
    talk.net.store.run(people.hide, talk.family)
    talk.net.passes(DAY)
    assert not talk.page(talk.worker).thread[0].opened


def test_after_the_end_the_person_has_one_last_word(talk: Talk) -> None:
    talk.writes(talk.worker, "good bye")
    talk.ends()
    with pytest.raises(WrongStage):
        talk.writes(talk.worker, "one more thing")
    assert talk.page(talk.family).can_write
    talk.writes(talk.family, "thank you")
    assert talk.reads(talk.family) == ["good bye", "thank you"], "read-only, and still there"
    assert talk.reads(talk.worker) == ["thank you"], "its own key, since the thread's has gone"
    with pytest.raises(WrongStage):
        talk.writes(talk.family, "and another")
    assert not talk.page(talk.family).can_write
    talk.net.passes((CATALOGUE.pathways["family-support"].retention_days + 1) * DAY)
    with pytest.raises(NotFound):
        talk.page(talk.family)
    gone = talk.net.store.run(lambda tx: tx.get(Offer, talk.offer))
    assert gone is not None
    assert not talk.net.store.run(lambda tx: tx.sealed_exists(gone.last_word, DataClass.STORY))


def test_a_yes_that_is_taken_back_after_the_end_takes_the_last_word_too(talk: Talk) -> None:
    talk.ends()
    talk.writes(talk.family, "thank you")
    actor = doors.as_author(talk.family)
    talk.net.store.run(
        lambda tx: closing.cut(tx, actor, doors.referral_by_id(tx, talk.matter), Action.REFERRAL_WITHDRAW)
    )
    assert talk.reads(talk.worker) == []
    with pytest.raises((NoThread, WrongStage)):
        talk.writes(talk.family, "and this")


@pytest.mark.parametrize("stage", Stage)
def test_who_writes_when_stands_in_a_table(stage: Stage) -> None:
    helped = (Stage.ACCEPTED, Stage.UNREACHABLE, Stage.IN_SERVICE, Stage.REPORTED, Stage.DISPUTED)
    writes = {side for side in Side if thread_rules.may_write(stage, side)}
    assert writes == (set(Side) if stage in helped else {Side.PERSON} if stage is Stage.CLOSED else set())


@given(st.integers(0, 3 * 10**8))
def test_marks_show_at_four_moments_of_a_day_only(seconds: int) -> None:
    opened = datetime(2021, 3, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    shown = thread_rules.shows_at(opened)
    assert shown.hour in (0, 6, 12, 18)
    assert (shown.minute, shown.second) == (0, 0)
    assert thread_rules.NOT_BEFORE <= shown - opened <= thread_rules.NOT_BEFORE + thread_rules.MARKS_EVERY


def test_no_word_of_a_shared_thread_stands_in_the_file(tmp_path: Path) -> None:
    """Canaries: in what the desk reads, in a last word, in what is added; not even in the log."""
    clock = SettableClock()
    store = open_store(f"sqlite:///{tmp_path / 'pulang.db'}", clock, CATALOGUE)
    talk = Talk(Small(store, clock))
    talk.writes(talk.family, "CANARY-BEFORE")
    talk.shares()
    talk.writes(talk.family, "CANARY-SHARED")
    talk.writes(talk.desk, "CANARY-DESK")
    store.run(same_need.add, talk.family, talk.matter, "CANARY-ADDED")
    talk.ends()
    talk.writes(talk.family, "CANARY-LAST")
    assert "CANARY-LAST" in talk.reads(talk.worker)
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    store.close()
    held += b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert len(held) > 100_000
    assert b"CANARY" not in held
