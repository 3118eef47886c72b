"""Somebody with one foot in the door: a stand-in, a backup, a desk with a mentor's post, a former mentor.

Each has a right to something about a member, and tries to make more of it, or to keep it for longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from referrals.errors import CannotTakeOn, NotAllowed, Refused
from referrals.members import CheckIn, CheckInKind, Enrolment, HandOver, Linking
from referrals.model import Actor, Role
from referrals.persons import Seat
from referrals.ports import Dead, Tx
from referrals.service import pages
from referrals.service.alarm import safety_plans
from referrals.service.common import tell
from referrals.service.contact import checkins, own_checkins
from referrals.service.members import enrolments, handing_members, linking, standing_in
from storage.sql import Sql
from tests.service.test_members import Club
from tests.support.chat import Chat
from tests.support.network import CATALOGUE
from tests.support.store import SettableClock, open_store

DAYS = timedelta(days=1)
TOKEN = "a-token-of-128-bits-xx"
MEMBERS, NEWCOMER, LINK = pages.PAGES["members"], pages.PAGES["newcomer"], pages.PAGES["link"]


@pytest.fixture
def club(sqlite_url: str) -> Iterator[Club]:
    with Club.opened(sqlite_url) as found:
        found.people()
        yield found


def stands_in(club: Club, them: Enrolment, seat: str) -> None:
    def does(tx: Tx) -> None:
        actor, enrolment = enrolments.active(tx, club.ann, them.id)
        standing_in.stand_in(tx, actor, enrolment, seat, tx.now + 7 * DAYS)

    club.store.run(does)


def test_whoever_stands_in_keeps_nobody_for_good(club: Club) -> None:
    """Asked by themselves and answered by themselves, a week of standing in would have become for ever."""
    them = club.member()
    stands_in(club, them, "mentor-3")
    for seat in ("mentor-3", "mentor-2"):
        with pytest.raises(Refused):
            club.store.run(MEMBERS.steps["hand_over"], club.cid, "", {"member": them.id, "reason": seat})
    assert club.store.run(lambda tx: tx.count(HandOver)) == 0
    line = next(ln for ln in club.store.run(MEMBERS.view, club.cid, "", {}).lines if ln.id == them.id)
    assert line.steps == ()


def test_a_backup_does_not_take_a_member_away_from_their_mentor(club: Club) -> None:
    them = club.member()
    with pytest.raises(CannotTakeOn):
        club.store.run(MEMBERS.steps["hand_over"], club.bea, "", {"member": them.id, "reason": "mentor-2"})


def test_a_coordinator_who_is_a_mentor_too_gives_no_member_to_themselves(club: Club) -> None:
    them = club.member()
    club.store.run(lambda tx: tx.add(Seat("mentor-4", Role.MENTOR, None, club.dao)))
    with pytest.raises(CannotTakeOn):
        club.store.run(NEWCOMER.steps["ask"], club.dao, "", {"member": them.id, "reason": "mentor-4"})


def test_whoever_stands_in_ties_no_phone(club: Club) -> None:
    """A second phone of their own would read the plan for hard days, and say yes, long after their time."""
    them = club.member()
    club.written(them, club.ann)
    stands_in(club, them, "mentor-3")
    with pytest.raises(NotAllowed):
        club.store.run(LINK.steps["make"], club.cid, them.id, {})
    assert club.store.run(LINK.view, club.cid, them.id, {}).steps == ()
    club.store.run(linking.make, club.ann, them.id, TOKEN)
    club.store.run(linking.take, club.person(56), TOKEN)
    short = club.store.run(lambda tx: tx.find(Linking)[0].id[: linking.SHORT])
    with pytest.raises(NotAllowed):
        club.store.run(linking.confirm, club.cid, short)
    assert club.now(them).person_id is None


def test_a_list_names_nobody_any_more_from_the_moment_on_at_which_standing_in_ends(club: Club) -> None:
    them = club.member()
    stands_in(club, them, "mentor-3")
    club.clock.now += 7 * DAYS  # an outage: the timer has not fired
    assert them.id not in [e.id for e in club.store.run(enrolments.of_person, club.cid)]
    chat = Chat(club, 43)
    for word in ("/members", "danger"):
        chat.says(word)
        assert them.code not in str(chat.hears_at_last())


def test_what_a_phone_wrote_stays_its_own_after_it_was_untied(club: Club) -> None:
    them, phone = club.member(), club.person(55)
    _tied(club, them, phone)
    own = club.store.run(lambda tx: _own(tx, them.id, phone))
    assert len(club.store.run(own_checkins.said_by, phone)) == 1
    club.store.run(linking.untie, club.ann, them.id)
    assert club.store.run(own_checkins.said_by, phone) == [{"day": str(own.day), "how": "struggling"}]
    with pytest.raises(Refused):
        club.store.run(safety_plans.door, phone, them.id)


def test_a_former_mentors_chat_keeps_no_word_about_a_member(club: Club) -> None:
    them = club.member()
    club.said()
    for slot, text in (
        ("own", "mentor.own_word"),
        ("plan", "mentor.plan_review"),
        ("needs", "needs.waiting"),
    ):
        club.store.run(_told, club.ann, text, them, slot)
    club.said()
    club.store.run(_told, club.ann, "mentor.own_word", them, "own")  # and one more that waits for the morning
    row = club.store.run(lambda tx: handing_members.hand_over(tx, *_as(tx, club.ann, them), "mentor-3"))
    club.store.run(handing_members.yes, club.cid, row.id)
    heard = [text for person, text in club.said() if person == club.ann]
    assert heard == ["member.taken_mentor"]
    standing = club.store.run(lambda tx: {m.slot for m in tx.messages_of(club.ann)})
    assert not standing & {f"{slot}:{them.id}" for slot in ("own", "plan", "needs")}


async def test_what_was_refused_keeps_no_answer(sqlite_url: str) -> None:
    """Half a check-in lives in the next question's buttons; what was refused is kept for thirty days."""
    clock = SettableClock()
    store = open_store(sqlite_url, clock, CATALOGUE)
    club = await asyncio.to_thread(Club, store, clock)
    await asyncio.to_thread(club.people)
    them = await asyncio.to_thread(club.member)
    await asyncio.to_thread(club.said)
    chat, version = Chat(club, 41), CATALOGUE.forms["check-in"].version
    await asyncio.to_thread(chat.presses, f"1:check:{them.id}:{version}:2-3")
    found = await store.outbox.claim(clock.now, 100)
    asked = [d for d in found if ":2-3" in str(d.buttons)]
    assert len(asked) == 1  # 'a call, struggling', in a button's data
    await store.outbox.settle([Dead(d.id, "bad_request") for d in found], clock.now)
    kept = await store.turn(_outbox_rows)
    assert [row for row in kept if ":2-3" in row] == []
    assert len(await store.turn(lambda tx: tx.undelivered())) == len(found)  # the desk still sees them
    await store.aclose()


def _outbox_rows(tx: Tx) -> list[str]:
    rows = tx.connection.rows(Sql("SELECT params, buttons, gist FROM outbox"), {})  # type: ignore[attr-defined]
    return [str(row) for row in rows]


def _tied(club: Club, them: Enrolment, phone: str) -> None:
    club.store.run(linking.make, club.ann, them.id, TOKEN)
    club.store.run(linking.take, phone, TOKEN)
    short = club.store.run(lambda tx: tx.find(Linking)[0].id[: linking.SHORT])
    club.store.run(linking.confirm, club.ann, short)


def _own(tx: Tx, enrolment_id: str, phone: str) -> CheckIn:
    found = tx.get(Enrolment, enrolment_id)
    assert found is not None
    asked = own_checkins.ask(tx, found)
    assert asked is not None
    assert asked.kind is CheckInKind.OWN
    return checkins.save(tx, phone, asked.id, {"state": "struggling"}).check_in


def _told(tx: Tx, person: str, text: str, them: Enrolment, slot: str) -> None:
    tell.tell(tx, person, text, {"code": them.code}, slot=f"{slot}:{them.id}")


def _as(tx: Tx, person: str, them: Enrolment) -> tuple[Actor, Enrolment]:
    return enrolments.active(tx, person, them.id)
