"""The values that the domain speaks of. All are frozen; all instants are aware UTC datetimes.

A class that has a table carries `id` first; its table in `storage/tables.py` has the same column names.
Directory values (who can help, where, under which agreement) live in `directory.py`, members in `members.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Role(StrEnum):
    FAMILY = "family"
    MEMBER = "member"
    MENTOR = "mentor"
    WORKER = "worker"
    COORDINATOR = "coordinator"
    STEWARD = "steward"
    SYSTEM = "system"  # timers and the outbox; never a person


class DataClass(StrEnum):
    """security.md, 'Data classes'. Everything but `routing` and `aggregate` is sealed."""

    ROUTING = "routing"
    CONTACT = "contact"
    IDENTITY = "identity"
    STORY = "story"
    WELLBEING = "wellbeing"
    SAFETY = "safety"
    AGGREGATE = "aggregate"


class Urgency(StrEnum):
    EMERGENCY = "emergency"
    URGENT = "urgent"
    NORMAL = "normal"


class AgeGroup(StrEnum):
    CHILD = "child"  # under 18
    YOUNG = "young"  # 18 to 24
    ADULT = "adult"  # 25 to 59
    OLDER = "older"  # 60 and more


class Stage(StrEnum):
    """The stages of a referral (domain.md). Transitions stand in `lifecycle.py` and nowhere else."""

    DRAFT = "draft"
    AWAITING_CONSENT = "awaiting_consent"
    MATCHING = "matching"
    OFFERED = "offered"
    WAITLISTED = "waitlisted"
    UNMATCHED = "unmatched"
    ACCEPTED = "accepted"
    UNREACHABLE = "unreachable"
    IN_SERVICE = "in_service"
    REPORTED = "reported"
    DISPUTED = "disputed"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    VOID = "void"


class OfferStage(StrEnum):
    SENT = "sent"
    SEEN = "seen"
    QUESTION = "question"
    WAITLISTED = "waitlisted"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"
    RECALLED = "recalled"


class Outcome(StrEnum):
    MET = "met"
    PARTLY_MET = "partly_met"
    UNMET = "unmet"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is doing something, in which role: access is decided by this and nothing else."""

    person_id: str
    role: Role
    organization_id: str | None = None


SYSTEM = Actor("system", Role.SYSTEM)


@dataclass(frozen=True, slots=True)
class Record:
    """What a sealed field belongs to: (table, row). Its keys are made, shared and destroyed as one."""

    table: str
    row: str


# Who can hold a wrap of a record's key. Strings, so that they are also the name of a key-encryption key.
NETWORK = "network"  # the running process itself: account ids for sending, private wishes for matching
DESK = "desk"


def organization_holder(organization_id: str) -> str:
    """The holder of an organisation's wraps."""
    return f"org:{organization_id}"


def person_holder(person_id: str) -> str:
    """The holder of a person's own copy."""
    return f"person:{person_id}"


@dataclass(frozen=True, slots=True)
class Referral:
    """One need of one person. Stories, names and phones are sealed under Record('referral', id).

    `plan` is the consented order of service ids; `position` the index of the next one to be asked.
    """

    id: str
    code: str  # shown to people, tells nothing by itself; not a case code
    pathway: str
    pathway_version: int
    author_id: str
    category: str
    language: str
    urgency: Urgency
    area: str  # '' while a draft
    age_group: AgeGroup
    stage: Stage
    stage_since: datetime
    created_at: datetime
    plan: tuple[str, ...] = ()
    position: int = 0
    hops: int = 0  # offers made since the desk (or the person) last decided
    offer_id: str | None = None  # the live or accepted offer
    organization_id: str | None = None  # who accepted
    accepted_by: str | None = None  # the worker's person id
    escalated: bool = False
    outcome: Outcome | None = None
    outcome_reason: str | None = None
    confirmed: bool | None = None
    retain_until: datetime | None = None
    enrolment_id: str | None = None  # the member whom it is for, when a mentor files it
    referrer_id: str | None = None  # who filed it for somebody who now decides on their own phone
    gender: str = ""  # '', woman or man: only where it was said
    parent_id: str | None = None  # it is one task of that matter
    task: str = ""  # which one: a task of the parent's pathway
    onward_from: str | None = None  # the matter from which a partner referred it onward
    desk_id: str | None = None  # the coordinator (person id) who has taken it up
    behalf: str = ""  # filed for somebody who cannot decide: a coded reason of the pathway
    behalf_agreed: str = ""  # who agreed to that: a code
    behalf_until: datetime | None = None  # from when on it must be agreed to anew
    next_offer_id: str | None = None  # a transfer on its way: its offer, while the first partner goes on
    asked_with: str = ""  # several needs of one conversation carry the id of the first of them
    why: str = ""  # why the person disputed, reopened or refused it: a code; no partner sees it
    version: int = 1

    @property
    def record(self) -> Record:
        return Record("referral", self.id)

    @property
    def told(self) -> Record:
        """Where its story and contact are sealed: what is told for a plan is told once, for all its parts."""
        return Record("referral", self.parent_id or self.id)

    @property
    def by_word(self) -> bool:
        """Its author is a mentor who speaks for a member; else whoever it is about is its author."""
        return self.enrolment_id is not None and self.referrer_id is None


@dataclass(frozen=True, slots=True)
class Offer:
    """One partner's turn at a referral."""

    id: str
    referral_id: str
    service_id: str
    organization_id: str
    stage: OfferStage
    sent_at: datetime
    acknowledge_by: datetime
    decide_by: datetime
    seen_at: datetime | None = None
    seen_by: str | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str | None = None  # a coded decline reason of the pathway
    question_used: bool = False  # its clock is paused once, for at most 48 h, never in an emergency
    question: str = ""  # what the partner asks before it decides: a code of the pathway
    answer: str = ""  # one of that question's choices
    asked_at: datetime | None = None
    starts_on: date | None = None  # on a waitlist: when the partner expects to have room
    wait_yes_at: datetime | None = None  # when the person said yes to waiting
    told: tuple[str, ...] = ()  # person ids of the workers who were alerted
    code: str = ""  # the partner's own code of the matter: its chats share no word with the family's
    version: int = 1

    @property
    def thread(self) -> Record:
        """Each partner's thread has keys of its own, so that a next partner never reads an earlier one."""
        return Record("thread", self.id)

    @property
    def last_word(self) -> Record:
        """What the person says after the end: the thread's own keys have gone by then."""
        return Record(LAST_WORD, self.id)


@dataclass(frozen=True, slots=True)
class Consent:
    """The person's yes to one plan, with the exact words that were shown. One in force per referral."""

    id: str
    referral_id: str
    plan: tuple[str, ...]
    classes: tuple[DataClass, ...]
    text: str
    language: str
    given_at: datetime
    until: datetime
    withdrawn_at: datetime | None = None
    witness_id: str | None = None  # consent by word: who read the text out and heard the yes
    category: str = ""  # the need that it was given for; '' where that was not written down
    pathway_version: int = 0
    assent: str = ""  # somebody under 18: own | heard | too_small
    version: int = 1

    @property
    def record(self) -> Record:
        """Exclusions are private wishes: sealed here for the person and the matching process."""
        return Record("consent", self.id)


LAST_WORD = "last_word"


@dataclass(frozen=True, slots=True)
class ThreadEntry:
    """One message between person and partner; its text is sealed under the offer's thread record.

    `part`: sealed with keys of its own instead: what was written while the desk reads along (the id of that
    DeskShare), or a last word after the end (LAST_WORD).
    """

    id: str
    offer_id: str
    referral_id: str
    from_partner: bool
    author_id: str
    written_at: datetime
    read: bool = False  # the other side has opened it; by whom and when is nobody's business
    part: str = ""
    from_desk: bool = False
    version: int = 1

    @property
    def record(self) -> Record:
        """What its text is sealed under."""
        if self.part == LAST_WORD:
            return Record(LAST_WORD, self.offer_id)
        return Record("thread_part", self.part) if self.part else Record("thread", self.offer_id)


@dataclass(frozen=True, slots=True)
class Tracking:
    """A tracking code: `id` is its keyed fingerprint (hex). It shows stage and next date, nothing else."""

    id: str
    referral_id: str
    made_at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class Move:
    """A matter on its way to another phone; `id` is the referral's. It happens at `due_at` unless stopped."""

    id: str
    from_person: str
    to_person: str
    asked_at: datetime
    due_at: datetime | None  # None: it waits for the desk
    allowed_by: str = ""  # 'pin', or the coordinator's person id
    version: int = 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The audit's heads at one moment, as a signed note (C2SP); `id` is its number, written with 8 digits.

    `kept_by`: the witnesses (organisation ids) that have said 'we have put it away'.
    """

    id: str
    at: datetime
    note: str
    kept_by: tuple[str, ...] = ()
    version: int = 1


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change or one read of a sealed class: codes, never content."""

    actor: Actor
    action: str  # an access.Action value
    subject: str  # '<table>:<row>'
    detail: str = ""  # a code: a step, a data class, a reason
