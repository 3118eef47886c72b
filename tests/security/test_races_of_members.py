"""Two who press at the same moment: one wins, and nothing is there twice. On PostgreSQL turns do overlap."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from referrals.errors import PulangError
from referrals.members import CheckIn, Crisis, Danger, Enrolment, Part, SafetyShare, Source, WordReceipt
from referrals.model import DataClass, Referral, Role, Stage
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service.alarm import crisis, safety_sharing
from referrals.service.by_word import word_consent
from referrals.service.contact import checkins
from referrals.service.members import asking, enrolments, handing_members
from referrals.service.pages import PAGES
from referrals.service.request import needs
from referrals.service.turns import offers
from tests.service.test_by_word import WISHES
from tests.service.test_members import Club

AGAIN = 2  # chances to collide


@pytest.fixture
def club(postgres_url: str) -> Iterator[Club]:
    with Club.opened(postgres_url) as found:
        found.people()
        yield found


def at_once(club: Club, *turns: tuple[Any, ...]) -> list[Any]:
    """Run these turns side by side; what came of each, refusals among them. Anything else fails."""

    async def together() -> list[Any]:
        return await asyncio.gather(*(club.store.turn(*turn) for turn in turns), return_exceptions=True)

    ends = asyncio.run(together())
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, PulangError):
            raise end
    return ends


def won(ends: list[Any]) -> int:
    return sum(not isinstance(end, PulangError) for end in ends)


def test_two_mentors_who_take_the_same_member_on(club: Club) -> None:
    """As mentor and as backup at once; keys are with whoever has them afterwards, and with nobody else."""
    club.store.run(lambda tx: tx.add(Seat("mentor-4", Role.MENTOR, None, None)))
    dee = club.person(44, "mentor-4")
    for _ in range(AGAIN):
        them = club.member()
        club.written(them, club.ann)
        one = club.store.run(_asks, club.ann, them.id, "mentor-3", "mentor")
        two = club.store.run(_asks, club.ann, them.id, "mentor-4", "backup")
        at_once(club, (handing_members.yes, club.cid, one), (handing_members.yes, dee, two))
        after = club.now(them)
        assert (after.mentor_seat, after.backup_seat) == ("mentor-3", "mentor-4")
        assert club.readers(them) == {club.cid, dee}


def test_a_yes_while_the_member_leaves_or_is_asked_back(club: Club) -> None:
    for _ in range(AGAIN):
        them = club.member()
        club.written(them, club.ann)
        row = club.store.run(_asks, club.ann, them.id, "mentor-3", "mentor")
        at_once(club, (handing_members.yes, club.cid, row), (_asks, club.ann, them.id, "mentor-2", "mentor"))
        mentor = {"mentor-1": club.ann, "mentor-3": club.cid}[club.now(them).mentor_seat or ""]
        assert club.readers(them) == {mentor, club.bea}
        live = [row.to_seat for row in club.store.run(handing_members.waiting, them)]
        assert live in ([], ["mentor-2"])


def test_two_desks_and_two_stewards(club: Club) -> None:
    eve, fay = club.person(22, "desk-2"), club.person(1, "steward-1")
    club.person(11, "bua-1")
    for _ in range(AGAIN):
        them = club.member()
        alarm = club.store.run(_raises, club.ann, them.id)
        ends = at_once(club, (crisis.hold, club.dao, alarm), (crisis.hold, eve, alarm))
        assert won(ends) == 1
        holder = club.store.run(_row, Crisis, alarm).held_by
        wish = safety_sharing.Wish("bua-house", "life", "please", with_plan=False)
        share = club.store.run(safety_sharing.ask, holder, them.id, wish).id
        at_once(club, (safety_sharing.agree, fay, share), (crisis.was_false, club.ann, alarm))
        after = club.store.run(_row, SafetyShare, share)
        assert after.ended_at is not None  # a false alarm shares nothing, whoever came first
        held = club.store.run(_holders, SafetyShare, share)
        assert not {h for h in held if h.startswith("organization")}


def test_a_check_in_by_two_mentors_and_a_need_ticked_by_both(club: Club) -> None:
    for _ in range(AGAIN):
        them = club.member()
        due = club.store.run(_due, them.id)
        answers = {"means": "call", "state": "struggling", "needs": "member.housing"}
        ends = at_once(
            club, *((checkins.save, who, due, answers) for who in (club.ann, club.bea, club.ann, club.bea))
        )
        assert 1 <= won(ends) <= 2  # the second press of the same mentor is no error
        assert len([c for c in club.store.run(_about, CheckIn, them) if c.saved_at]) == 1
        assert len(club.store.run(_about, Referral, them)) == 1


def test_a_partner_accepts_while_the_code_takes_the_yes_back(club: Club) -> None:
    worker, stranger = club.person(11, "bua-1"), club.person(99)
    for _ in range(AGAIN):
        them = club.member()
        matter = club.store.run(_files, club.ann, them.id)
        codes = at_once(club, *((_yes, who, matter) for who in (club.ann, club.ann)))
        code = next(c for c in codes if isinstance(c, str) and c)
        assert club.store.run(_receipts, matter) == 1
        club.passes(timedelta(seconds=10))
        offer = club.at_partner(matter)
        at_once(club, (offers.accept, worker, offer), (word_consent.withdraw_by_code, stranger, code))
        assert club.referral(matter).stage is Stage.WITHDRAWN
        held = club.store.run(_holders, Referral, matter)
        assert not {h for h in held if h.startswith("organization")}


def _asks(tx: Tx, who: str, member: str, seat: str, part: str) -> str:
    actor, enrolment = enrolments.active(tx, who, member)
    return handing_members.hand_over(tx, actor, enrolment, seat, Part(part)).id


def _raises(tx: Tx, who: str, member: str) -> str:
    actor, enrolment = enrolments.mine(tx, who, member)
    return crisis.raise_alarm(tx, actor, enrolment, None, Danger.YES).id


def _due(tx: Tx, member: str) -> str:
    found = tx.get(Enrolment, member)
    assert found is not None
    return asking.begin(tx, found, asked_of=None, source=Source.REMINDER, due_at=tx.now).id


def _files(tx: Tx, who: str, member: str) -> str:
    actor, enrolment = enrolments.mine(tx, who, member)
    return needs.file(tx, actor, enrolment, "member.housing")[0].id


def _yes(tx: Tx, who: str, matter: str) -> str:
    words = PAGES["words"].steps
    shown = words["preview"](tx, who, matter, WISHES)
    digest = shown.plan.consent_digest if shown.plan else ""
    receipt: str = words["yes"](tx, who, matter, {**WISHES, "consent_digest": digest}).receipt
    return receipt


def _holders(tx: Tx, kind: type[Any], row_id: str) -> set[str]:
    record = _row(tx, kind, row_id).record
    return {holder for data_class in DataClass for holder in tx.holders(record, data_class)}


def _row(tx: Tx, kind: type[Any], row_id: str) -> Any:
    found = tx.get(kind, row_id)
    assert found is not None
    return found


def _about(tx: Tx, kind: type[Any], them: Enrolment) -> list[Any]:
    return tx.find(kind, enrolment_id=them.id)


def _receipts(tx: Tx, matter: str) -> int:
    return tx.count(WordReceipt, referral_id=matter)
