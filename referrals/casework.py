"""What a matter brings with it: tries, appointments, tasks, circles, confirmations, notes, and needs unmet.

All frozen; instants are aware UTC. A class that has a table carries `id` first, with the same columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from referrals.model import AgeGroup, Record


@dataclass(frozen=True, slots=True)
class Attempt:
    """A partner tried to reach the person. `how`: call | message | visit."""

    id: str
    referral_id: str
    offer_id: str
    at: datetime
    by: str  # the worker's person id
    how: str
    version: int = 1


class AppointmentState(StrEnum):
    SET = "set"
    KEPT = "kept"
    MISSED = "missed"  # the person did not come, or could not
    CALLED_OFF = "called_off"


@dataclass(frozen=True, slots=True)
class Appointment:
    """When partner and person meet. Where, is written in the thread."""

    id: str
    referral_id: str
    offer_id: str
    at: datetime
    made_by: str
    made_at: datetime
    state: AppointmentState = AppointmentState.SET
    said: str = ""  # by the person: coming | cannot | there | absent; what was in the way is in the thread
    version: int = 1


class TaskState(StrEnum):
    WAITING = "waiting"  # another task comes first
    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Task:
    """One part of a plan in which several take part (release-plan, custody-programme).

    `by`: partner | family | mentor | desk | both (`catalogue.TaskKind`). A partner's task is a matter of its
    own (`child_id`), with its own offers. The plan's day and place are sealed as `safety` under the parent's
    record; a due date is counted from it when somebody may see it, and never stored in plain.
    """

    id: str
    referral_id: str
    kind: str
    by: str
    state: TaskState
    since: datetime
    child_id: str | None = None
    done_by: str | None = None
    plan: tuple[str, ...] = ()  # of a partner's: the services to be asked, as they were agreed to
    spoken: tuple[str, ...] = ()  # of a handover: the sides (tasks) that say they have spoken with the other
    still_asked: bool = False  # it was done, the date has moved since: does it still stand?
    version: int = 1


class CircleState(StrEnum):
    ONE_SIDE = "one_side"  # the other side has not been asked, or has not said yes yet
    PREPARING = "preparing"
    READY = "ready"  # both sides have said yes twice
    HELD = "held"
    FOLLOWED = "followed"
    STOPPED = "stopped"  # by whom, stands nowhere but in the sealed words of the one who did


@dataclass(frozen=True, slots=True)
class Circle:
    """Two matters (one for each side) with the same facilitator. `organization_id`: who prepares it."""

    id: str
    organization_id: str
    state: CircleState
    since: datetime
    version: int = 1

    @property
    def record(self) -> Record:
        return Record("circle", self.id)


@dataclass(frozen=True, slots=True)
class CircleSide:
    """One side of a circle: `id` is its referral's. Two yeses, each with its day; steps are codes."""

    id: str
    circle_id: str
    harmed: bool  # the side of somebody who was harmed
    first_yes_at: datetime | None = None
    steps: tuple[str, ...] = ()  # prepared so far
    second_yes_at: datetime | None = None
    invited: bool = False  # it was asked; the other side is the one that began
    # Once it has stopped: from when on this side sees that, and the state that it sees until then.
    over_at: datetime | None = None
    shown: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class CircleInvitation:
    """The other side of a circle is asked. `token`: the SHA-256 (hex) of what its link holds."""

    id: str
    circle_id: str
    token: str
    made_by: str
    expires_at: datetime
    taken_by: str | None = None  # whoever opened it and wished to look
    version: int = 1


class ConfirmationState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    NONE = "none"  # the same words for everybody, whatever the reason


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Attendance only. `asked_by`: who began it; `by_body`: a supervising body asked on its own.

    `enrolment_id` None: nobody is known by what was typed. Whatever is sent is sealed under its own record.
    The answer leaves at `answer_at`, whether it says something or not. `language`: of a yes by word, the one
    in which `text` was read out; `witness_id` heard it.
    """

    id: str
    organization_id: str
    enrolment_id: str | None
    asked_by: str
    by_body: bool
    first_on: date
    last_on: date
    asked_at: datetime
    answer_at: datetime
    state: ConfirmationState = ConfirmationState.WAITING
    agreed_at: datetime | None = None  # the member's yes
    code: str = ""  # the body's own reference of its question
    why: str = ""  # why nothing was sent (`confirmations.Why`): for the person and the desk alone
    language: str = ""
    text: str = ""
    witness_id: str | None = None
    version: int = 1

    @property
    def record(self) -> Record:
        return Record("confirmation", self.id)

    @property
    def by_word(self) -> bool:
        """Begun by whoever looks after the member, who reads it out to them."""
        return bool(self.language)


@dataclass(frozen=True, slots=True)
class DeskNote:
    """What coordinators note for each other about a matter: sealed for the desk under its own record."""

    id: str
    referral_id: str
    by: str
    at: datetime
    version: int = 1

    @property
    def record(self) -> Record:
        return Record("desk_note", self.id)


@dataclass(frozen=True, slots=True)
class DeskShare:
    """The person lets the desk read along in one thread, from `since` on and not before, by its own keys."""

    id: str
    referral_id: str
    offer_id: str
    since: datetime
    ended_at: datetime | None = None
    version: int = 1

    @property
    def record(self) -> Record:
        return Record("thread_part", self.id)


@dataclass(frozen=True, slots=True)
class Transfer:
    """A partner would hand a matter over to another one, and the person is asked. Gone once that is settled.

    `offer_id`: that of the partner who asks; `service_id`: who would take it over.
    """

    id: str
    referral_id: str
    offer_id: str
    service_id: str
    by: str  # the worker's person id
    asked_at: datetime
    agreed_at: datetime | None = None  # the person's yes
    version: int = 1


@dataclass(frozen=True, slots=True)
class ClosingAnswer:
    """What somebody said at the end about a partner's help: a coded fact that leads to nobody.

    `organization_id`: '' for a plan in which several helped.
    """

    id: str
    pathway: str
    category: str
    organization_id: str
    question: str
    answer: str
    month: date
    version: int = 1


@dataclass(frozen=True, slots=True)
class UnmetNeed:
    """What nobody could help with, as coded facts that lead to nobody. `month` is its first day."""

    id: str
    category: str
    area: str
    reason: str
    month: date
    age_group: AgeGroup
    gender: str = ""
    version: int = 1
