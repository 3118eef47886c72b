"""A mentor's post changes hands or becomes empty: nobody's members are left without anybody unnoticed.

Whoever comes to the post gets its members, with their keys; when it becomes empty the backup has them from
that turn on. Where there is none, the desk hears so and proposes somebody (page 'newcomer').
"""

from __future__ import annotations

from dataclasses import replace

from referrals.access import Action
from referrals.members import Enrolment, EnrolmentState
from referrals.model import SYSTEM, Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service.common import tell
from referrals.service.members import enrolments, handing_members, mentoring


def departed(tx: Tx, before: Seat) -> None:
    """Whoever held this post until this turn holds it no more; `before` is the post as it was."""
    if before.role is not Role.MENTOR or before.person_id is None:
        return
    now_there = mentoring.holder_of(tx, before.id)
    passed: dict[str, int] = {}
    for found in enrolments.of_seats(tx, [before.id]):
        enrolment = tx.get(Enrolment, found.id, lock=True)
        if enrolment is None:
            continue
        after = enrolment if now_there else _without(tx, enrolment, before.id)
        saved = enrolments.change(tx, SYSTEM, after, Action.MEMBER_HAND_OVER, "post left")
        if before.person_id not in enrolments.people_of(tx, saved):
            enrolments.leave_chat(tx, before.person_id, saved)
        if saved.state is not EnrolmentState.LEFT and not now_there:
            _tell(tx, before, enrolment, saved, passed)
    for person_id, count in sorted(passed.items()):
        page = ((tell.page_button("button.members", "members"),),)
        tell.tell(tx, person_id, "member.with_you_now", {"count": str(count)}, buttons=page, slot="members")


def arrived(tx: Tx, seat: Seat) -> None:
    """Somebody has come to an empty post: they get the keys of its members, and what is due."""
    if seat.role is not Role.MENTOR:
        return
    for found in enrolments.of_seats(tx, [seat.id]):
        enrolment = tx.get(Enrolment, found.id, lock=True)
        if enrolment is not None:
            enrolments.change(tx, SYSTEM, enrolment, Action.MEMBER_HAND_OVER, "post filled")


def _without(tx: Tx, enrolment: Enrolment, seat_id: str) -> Enrolment:
    """The backup moves up; a post that is still there keeps its members as long as nobody else has them."""
    if enrolment.stand_in_seat == seat_id:
        enrolment = replace(enrolment, stand_in_seat=None, stand_in_until=None)
    gone = tx.get(Seat, seat_id) is None
    if enrolment.backup_seat == seat_id:
        return replace(enrolment, backup_seat=None)
    if enrolment.mentor_seat != seat_id:
        return enrolment
    if mentoring.holder_of(tx, enrolment.backup_seat):
        return replace(enrolment, mentor_seat=enrolment.backup_seat, backup_seat=None)
    return replace(enrolment, mentor_seat=None) if gone else enrolment


def _tell(tx: Tx, before: Seat, was: Enrolment, now: Enrolment, passed: dict[str, int]) -> None:
    """The new mentor is told once for all; a backup is sought; the desk hears of who has nobody."""
    if was.mentor_seat == before.id:
        mentor = mentoring.holder_of(tx, now.mentor_seat)
        if mentor is None:
            handing_members.tell_desk(tx, "desk.nobody_looks_after", now.code)
            return
        passed[mentor] = passed.get(mentor, 0) + 1
    if now.backup_seat is None:
        handing_members.propose_backup(tx, now)
