"""Members and the contact that is kept with them: enrolments, check-ins, meetings, courses, crises.

A member is known by a case code and may have no account. All instants are aware UTC datetimes; a `day` is a
local one. A class that has a table carries `id` first; its table has the same column names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from referrals.model import Record


class EnrolmentState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"  # no reminder until it goes on; the mentor stays
    LEFT = "left"  # by their own wish or at the programme's end; may come back


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Somebody in a programme's phase: a member, or a family that wishes to be asked how it is.

    `programme_version` is pinned: who came under version 1 stays with it until somebody moves them.
    `mentor_seat` and `backup_seat` are seat ids; a family's own enrolment has none. `stand_in_seat` is who
    has taken over for a while, until `stand_in_until`. `days` (0 = Monday) and `at` are the contact's own
    wishes; empty and None mean the phase's. `milestones` are those of the phases that were reached.
    """

    id: str
    code: str
    programme: str
    programme_version: int
    phase: str
    phase_since: datetime
    mentor_seat: str | None
    backup_seat: str | None
    timezone: str
    state: EnrolmentState = EnrolmentState.ACTIVE
    area: str = ""
    language: str = ""
    gender_wish: str = ""  # '' | 'woman' | 'man': who the member would rather speak with
    person_id: str | None = None  # the member's or the family's own phone
    paused_until: datetime | None = None
    stand_in_seat: str | None = None
    stand_in_until: datetime | None = None
    days: tuple[int, ...] = ()
    at: time | None = None
    milestones: tuple[str, ...] = ()
    version: int = 1

    @property
    def active(self) -> bool:
        return self.state is EnrolmentState.ACTIVE


def held_by(enrolment: Enrolment) -> str:
    """Who looks after a member and whose phone is theirs, as one line for the ledger: what of it was taken
    away must not come back with an older backup.
    """
    seats = (enrolment.mentor_seat, enrolment.backup_seat, enrolment.stand_in_seat)
    return "|".join((enrolment.state.value, *(seat or "" for seat in seats), enrolment.person_id or ""))


class CheckInKind(StrEnum):
    MEMBER = "member"  # a mentor about a member
    OWN = "own"  # a member or a family about themselves, on their own phone
    SERVICE = "service"  # a worker about the help that a matter gets
    WELLBEING = "wellbeing"  # a mentor about themselves


class Source(StrEnum):
    """What a check-in came from."""

    REMINDER = "reminder"
    CASELOAD = "caseload"  # begun by the mentor, from the list of members
    LINE = "line"  # one typed line
    MEETING = "meeting"  # with others, after a club meeting
    LATE = "late"  # written down a day or more after it was


# The step of a check-in that nobody is asked for any more: 'not this week', or a pause …
LET_GO = 9
# … or another contact, with which it comes back when that one is taken back.
ELSEWHERE = 10


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One contact: due, or made. Answers are sealed (wellbeing), a note too (story), under `record`.

    Exactly one of `enrolment_id` (MEMBER, OWN), `offer_id` (SERVICE) and `seat_id` (WELLBEING) is set.
    `form`, `form_version`: those with which it was asked; a form that changes meanwhile changes nothing.
    """

    id: str
    kind: CheckInKind
    enrolment_id: str | None
    due_at: datetime
    asked_of: str | None  # the person who was reminded first
    form: str
    form_version: int
    source: Source = Source.REMINDER
    seat_id: str | None = None
    offer_id: str | None = None
    saved_at: datetime | None = None
    saved_by: str | None = None
    day: date | None = None  # the local day of the contact, once saved
    corrected: int = 0  # how often it was corrected; what stood before is sealed beside it
    missed: bool = False  # its ladder has ended and nobody answered
    step: int = 0  # how many rungs of that ladder were climbed; from LET_GO on it is not asked for any more
    version: int = 1

    @property
    def record(self) -> Record:
        return Record("check_in", self.id)

    @property
    def waits(self) -> bool:
        """Nobody has answered yet, and somebody is still asked."""
        return self.saved_at is None and not self.missed and self.step < LET_GO


@dataclass(frozen=True, slots=True)
class Meeting:
    """A club meeting that was held. How it was is sealed (wellbeing)."""

    id: str
    programme: str
    meeting: str  # the programme's own id of it
    day: date
    kept_by: str  # the person who wrote it down
    kept_at: datetime
    version: int = 1

    @property
    def record(self) -> Record:
        return Record("meeting", self.id)


@dataclass(frozen=True, slots=True)
class Attendance:
    """One member at one meeting; whether they came is sealed (wellbeing) under `record`."""

    id: str
    meeting_id: str
    enrolment_id: str
    version: int = 1

    @property
    def record(self) -> Record:
        return Record("attendance", self.id)


class UndertakingState(StrEnum):
    WAITING = "waiting"  # no place is free yet
    OPEN = "open"
    DONE = "done"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Undertaking:
    """A course or a start-up grant of one member, followed step by step to its end (a grant: to its use)."""

    id: str
    enrolment_id: str
    programme: str
    programme_version: int
    item: str  # the programme's id of the course or grant
    step: str  # the last milestone that was reached; '' at the beginning
    since: datetime
    next_by: datetime | None  # by when the next one is expected
    state: UndertakingState
    referral_id: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class KeptProgramme:
    """The exact text of a programme's version, kept while anybody is in it; `id` '<programme>@<version>'."""

    id: str
    source: str
    kept_at: datetime
    version: int = 1


class Danger(StrEnum):
    """The answer to 'is anybody in danger now?'."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Crisis:
    """An alarm, from the tap to its end. `step` counts the rungs of the ladder that were climbed.

    `told`: the person ids of everybody who was alerted, so that all of them hear how it ended.
    """

    id: str
    enrolment_id: str
    check_in_id: str | None
    raised_by: str
    raised_at: datetime
    danger: Danger
    step: int = 0
    told: tuple[str, ...] = ()
    held_by: str | None = None
    held_at: datetime | None = None
    ended_at: datetime | None = None
    ended_as: str = ""  # 'handled' | 'false_alarm'
    number_at: datetime | None = None  # when the way to be called that stands now was left with it
    version: int = 1

    @property
    def record(self) -> Record:
        """How whoever raised it about themselves can be called, as long as it is open."""
        return Record("crisis", self.id)


@dataclass(frozen=True, slots=True)
class SafetyPlan:
    """Written beforehand with the member; `id` is the enrolment's. Its texts are sealed (safety)."""

    id: str
    written_by: str
    written_at: datetime  # or looked through, with nothing to change
    version: int = 1

    @property
    def record(self) -> Record:
        return Record("safety_plan", self.id)


@dataclass(frozen=True, slots=True)
class SafetyShare:
    """Two people let one organisation read what keeps somebody safe: a coordinator asks, a steward agrees.

    `tell_person` False needs a coded reason: the person is told unless that endangers somebody.
    """

    id: str
    crisis_id: str
    enrolment_id: str
    organization_id: str
    asked_by: str
    asked_at: datetime
    reason: str  # a code
    tell_person: bool
    silence_reason: str = ""  # a code: why the person is not told
    with_plan: bool = False  # the safety plan is read as well
    agreed_by: str | None = None
    agreed_at: datetime | None = None
    refused_at: datetime | None = None
    until: datetime | None = None
    ended_at: datetime | None = None
    version: int = 1

    @property
    def record(self) -> Record:
        """What was written down for the organisation, sealed (safety)."""
        return Record("safety_share", self.id)


@dataclass(frozen=True, slots=True)
class WordReceipt:
    """The receipt of a consent by word: `id` is the keyed fingerprint (hex) of its code.

    `consent_id`: the yes; for a confirmation of attendance that itself, and `referral_id` is None.

    The code is read out to the member, shown once, and withdraws the consent whoever brings it. The desk
    asks a sample of people whether it is true (`asked_at`, `answer`: 'yes' | 'no' | 'not_reached').
    """

    id: str
    referral_id: str | None
    consent_id: str
    witness_id: str  # the mentor who read the words out
    made_at: datetime
    sampled: bool = False
    asked_at: datetime | None = None
    asked_by: str | None = None
    answer: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class Linking:
    """A one-time link that ties a phone to an enrolment; `id` is the SHA-256 (hex) of its token."""

    id: str
    enrolment_id: str
    made_by: str
    expires_at: datetime
    used_at: datetime | None = None
    taken_by: str | None = None  # whoever opened it and pressed; tied only once the number was compared
    version: int = 1


class Part(StrEnum):
    """What somebody is asked to be for a member."""

    MENTOR = "mentor"
    BACKUP = "backup"


@dataclass(frozen=True, slots=True)
class HandOver:
    """A member on the way to another mentor: asked, taken with a yes, and warm once they have met.

    `from_seat`: whose part it was, None where nobody had it. A no ends it (`refused_at`).
    """

    id: str
    enrolment_id: str
    part: Part
    from_seat: str | None
    to_seat: str
    asked_by: str
    asked_at: datetime
    taken_at: datetime | None = None
    met_at: datetime | None = None
    refused_at: datetime | None = None
    version: int = 1
