"""What the pages about members show: one of them, all of a mentor's, a new one, a link, a yes by word.

Frozen values, sent as JSON by `console/`. Days are ISO dates in the member's own zone. Nothing here is
for the chat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from referrals.views import Choice, MatterLine, PlanView, Step


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


@dataclass(frozen=True, slots=True)
class MemberLine:
    """One of a mentor's members. `part_key`: mentor, backup, stand-in. `late`: due since `at`, else next.

    `note_key`: a pause, somebody stands in …, with `until`. `phone`: their own one is connected.
    """

    id: str
    code: str
    programme_key: str
    phase_key: str
    part_key: str
    at: datetime | None
    late: bool
    note_key: str
    until: datetime | None
    phone: bool
    steps: tuple[Step, ...]  # take `{"member": id}`


@dataclass(frozen=True, slots=True)
class MembersView:
    """Page 'members': everybody whom the reader looks after. `said_key`: what the last step came to."""

    lines: tuple[MemberLine, ...]
    said_key: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class MentorLine:
    """A mentor's post: why it is proposed (keys and parameters), or the one reason why it is not."""

    seat: str
    reasons: tuple[tuple[str, dict[str, str]], ...]


@dataclass(frozen=True, slots=True)
class AloneLine:
    """A member who lacks a mentor or a backup; the desk asks one of `steps`' choices."""

    id: str
    code: str
    lacks_key: str
    asked: bool  # somebody was asked and has not answered yet
    steps: tuple[Step, ...]  # take `{"member": id}`


@dataclass(frozen=True, slots=True)
class NewcomerView:
    """Page 'newcomer': the desk enrols somebody. `places` are '<programme>/<phase>'.

    `mentors` and `left_out` once they were asked for; `code` is shown to be said aloud, after enrolling.
    """

    places: tuple[Choice, ...]
    languages: tuple[Choice, ...]
    areas: tuple[Choice, ...]
    genders: tuple[Choice, ...]
    zones: tuple[Choice, ...]
    asked: bool
    mentors: tuple[MentorLine, ...]
    left_out: tuple[MentorLine, ...]
    code: str
    alone: tuple[AloneLine, ...]


@dataclass(frozen=True, slots=True)
class TieLine:
    """A connection of the reader's own phone."""

    id: str
    programme_key: str
    steps: tuple[Step, ...]  # take `{"member": id}`


@dataclass(frozen=True, slots=True)
class LinkView:
    """Page 'link': a member's own phone, for their mentor; without a subject: what this phone is tied to.

    `link` is a start payload, shown this once; `check` the number to compare.
    """

    code: str
    state_key: str
    until: datetime | None
    check: str
    link: str
    steps: tuple[Step, ...]
    own: tuple[TieLine, ...] = ()


@dataclass(frozen=True, slots=True)
class WordsView:
    """Page 'words': a mentor reads the plan and the words out to a member, and writes down what they say.

    `member` is their case code. `to_choose` where nothing is chosen yet; else `plan`, `languages` of the
    words, `ages`, and who is `left_out` because the reader works there (names). `receipt` is the code of the
    yes, shown this once. `refused_key`: why this reader may not hear this yes.
    """

    member: str
    to_choose: tuple[Choice, ...] = ()
    plan: PlanView | None = None
    languages: tuple[Choice, ...] = ()
    ages: tuple[Choice, ...] = ()
    left_out: tuple[str, ...] = ()
    refused_key: str = ""
    stage_key: str = ""
    receipt: str = ""
    consent_text: str = ""  # of a yes that was given
    phone: bool = False  # they were asked on their own phone too
    go_on: str = ""  # after a need was chosen: the page on which it goes on
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class WordView:
    """Page 'word': whoever brings the code of a receipt takes the yes back."""

    said_key: str
    steps: tuple[Step, ...]
