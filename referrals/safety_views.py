"""What the pages 'safety' and 'share' show: a plan, and what is shared for safety. Rules as in `views.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from referrals.views import Choice, Step


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a plan. `text` None: the PIN comes first."""

    id: str
    label_key: str
    text: str | None
    limit: int


@dataclass(frozen=True, slots=True)
class SharedLine:
    """One sharing for safety, in codes: to which organisation, why, how long; never what was told.

    `silent_key`: why the person is not told, '' where they are. `steps` take `{"share": id}`.
    """

    id: str
    organization: str
    reason_key: str
    state_key: str  # 'page.share.state.<waits|open|over|refused>'
    silent_key: str
    with_plan: bool
    asked_at: datetime
    until: datetime | None
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class AskView:
    """What the holder of an alarm may ask for: which organisations may be told, and the coded reasons."""

    organizations: tuple[Choice, ...]
    reasons: tuple[Choice, ...]
    silences: tuple[Choice, ...]
    may_plan: bool
    limit: int


@dataclass(frozen=True, slots=True)
class SafetyView:
    """Page 'safety': one member's plan, for whoever wrote it, whom it is about, or who holds an alarm."""

    code: str
    role_key: str  # 'page.safety.for.<mentor|member|coordinator>'
    written_at: datetime | None  # None: nothing was written yet
    sections: tuple[Section, ...]
    may_write: bool
    emergency_lines: tuple[str, ...]
    shared: tuple[SharedLine, ...]
    steps: tuple[Step, ...]
    ask: AskView | None = None
    locked: bool = False
    wait_minutes: int = 0
    mentors: tuple[str, ...] = ()  # posts, for whoever holds an alarm: whom to call, in this order
    number: str = ""  # how the person themselves can be called, for whoever holds their alarm


@dataclass(frozen=True, slots=True)
class ShareView:
    """Page 'share': for an organisation's workers what they may read, for stewards what waits and is open.

    `told` None: this reader reads nothing (a steward), or has yet to prove the device (`locked`).
    """

    lines: tuple[SharedLine, ...]
    told: str | None = None
    sections: tuple[Section, ...] = ()
    until: datetime | None = None
    reads: bool = False
    locked: bool = False
    wait_minutes: int = 0
