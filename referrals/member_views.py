"""What page 'member' shows: one member as their mentor sees them. Frozen values, sent as JSON by `console/`.

Days are ISO dates in the member's own zone. Nothing here is for the chat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from referrals.views import Choice, MatterLine, Step


@dataclass(frozen=True, slots=True)
class MarkLine:
    """One mark of the trend: `level` 1 (in crisis) to 4 (doing well), 0 where nobody was reached."""

    day: str
    state_key: str
    level: int


@dataclass(frozen=True, slots=True)
class NoteLine:
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ContactLine:
    """One contact. `said`: text keys of the answers; `before`: what stood there before corrections.

    `answers` are those as they stand, for a correction. All three and `notes` are empty while locked.
    """

    id: str
    day: str
    who_key: str  # 'page.member.you' | 'page.member.colleague' | 'page.member.own'
    said: tuple[str, ...]
    before: tuple[tuple[str, ...], ...]
    notes: tuple[NoteLine, ...]
    answers: Mapping[str, str]
    may_correct: bool
    may_note: bool


@dataclass(frozen=True, slots=True)
class QuestionLine:
    """One question of the form. `when`: asked only where earlier ones were answered by one of these.

    `choices`: each with its text key; bare pairs, since this travels unpacked.
    """

    id: str
    key: str
    choices: tuple[tuple[str, str], ...]
    several: bool
    required: bool
    when: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class UndertakingLine:
    """A course or a grant; `steps` of the page take `{"undertaking": id}`."""

    id: str
    item_key: str
    step_key: str  # '' at the beginning
    state_key: str
    next_by: datetime | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class MemberView:
    """Page 'member': a code and never a name; what was answered needs the PIN (`locked`).

    `days`: those of a late entry. `harder`: the last three contacts went downhill, said to the mentor alone.
    """

    id: str
    code: str
    programme_key: str
    phase_key: str
    since: datetime
    state_key: str
    next_at: datetime | None
    marks: tuple[MarkLine, ...]
    harder: bool
    contacts: tuple[ContactLine, ...]
    form: tuple[QuestionLine, ...]
    days: tuple[str, ...]
    emergency_lines: str
    milestones: tuple[Choice, ...]
    courses: tuple[UndertakingLine, ...]
    needs: tuple[MatterLine, ...]
    steps: tuple[Step, ...]
    plan_written: bool
    note_limit: int
    locked: bool = False
    wait_minutes: int = 0
