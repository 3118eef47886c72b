"""Who can look after a member: the mentors' posts as they stand now, put to the rule in `mentor_matching`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from referrals import mentor_matching
from referrals.errors import CannotTakeOn
from referrals.members import CheckIn, Enrolment, EnrolmentState
from referrals.mentor_matching import Candidate, Fit, Unfit, Wish
from referrals.model import Role
from referrals.persons import MentorProfile, Person, Presence, Seat, WritingWindow
from referrals.ports import Tx
from referrals.service.common import doors

HERE = (EnrolmentState.ACTIVE, EnrolmentState.PAUSED)


def wish_of(enrolment: Enrolment) -> Wish:
    """What a member needs of a mentor."""
    return Wish(enrolment.language, enrolment.area, enrolment.gender_wish, enrolment.code)


def candidates(tx: Tx, enrolment: Enrolment | None = None) -> list[Candidate]:
    """Every mentor's post, by id; `enrolment`: as seen for this member."""
    profiles = {profile.id: profile for profile in tx.find(MentorProfile)}
    met = _contacts(tx, enrolment) if enrolment is not None else {}
    parts = (enrolment.mentor_seat, enrolment.backup_seat) if enrolment is not None else ()
    own = enrolment.person_id if enrolment is not None else None
    return [
        Candidate(
            seat_id=seat.id,
            profile=profiles.get(seat.id),
            posted=seat.person_id is not None,
            reachable=hears(tx, seat),
            on_duty=seat.on_duty,
            load=load_of(tx, seat.id),
            met_at=met.get(seat.person_id or ""),
            part=seat.id in parts,
            related=own is not None and seat.person_id == own,
        )
        for seat in tx.find(Seat, role=Role.MENTOR)
    ]


def proposals(
    tx: Tx, wish: Wish, enrolment: Enrolment | None = None, without: Collection[str] = ()
) -> tuple[Fit, ...]:
    """The mentors who can be asked, the best first."""
    found = [c for c in candidates(tx, enrolment) if c.seat_id not in without]
    return mentor_matching.propose(wish, found, tx.directory)


def left_out(tx: Tx, wish: Wish, enrolment: Enrolment | None = None) -> tuple[Unfit, ...]:
    """The mentors who cannot, and why; of a private wish only that there is one."""
    return mentor_matching.why_not(wish, candidates(tx, enrolment), tx.directory)


def demand(
    tx: Tx, wish: Wish, seat_id: str, enrolment: Enrolment | None = None, *, full: bool = True
) -> Seat:
    """The post, if its holder can look after this member; CannotTakeOn otherwise.

    Whoever is the backup may become the mentor. `full` False: somebody stands in, however many they have.
    """
    seat = tx.get(Seat, seat_id)
    found = next((c for c in candidates(tx, enrolment) if c.seat_id == seat_id), None)
    if seat is None or found is None:
        raise CannotTakeOn
    reason = mentor_matching.unfit(wish, replace(found, part=False), tx.directory)
    if reason is not None and (full or reason != mentor_matching.FULL):
        raise CannotTakeOn
    return seat


def load_of(tx: Tx, seat_id: str) -> int:
    """How many members are looked after from this post now, those for whom it stands in among them."""
    standing = tx.count(Enrolment, stand_in_seat=seat_id, state=HERE)
    return standing + tx.count(Enrolment, mentor_seat=seat_id, state=HERE)


def hears(tx: Tx, seat: Seat) -> bool:
    """Whether whoever sits there may be written to."""
    person = tx.get(Person, seat.person_id) if seat.person_id else None
    if person is None or person.window is WritingWindow.ONLY_ANSWERS:
        return False
    return person.presence is Presence.PRESENT


def holder_of(tx: Tx, seat_id: str | None) -> str | None:
    """Who sits there."""
    seat = tx.get(Seat, seat_id) if seat_id else None
    return seat.person_id if seat else None


def mentors_seat(tx: Tx, person_id: str) -> Seat | None:
    """Somebody's own mentor's post."""
    return next((s for s in doors.seats_of(tx, person_id) if s.role is Role.MENTOR), None)


def _contacts(tx: Tx, enrolment: Enrolment) -> dict[str, datetime]:
    """Who last met this member, and when."""
    found: dict[str, datetime] = {}
    for check_in in tx.find(CheckIn, enrolment_id=enrolment.id):
        who, at = check_in.saved_by, check_in.saved_at
        if who and at is not None:
            found[who] = max(at, found.get(who, at))
    return found
