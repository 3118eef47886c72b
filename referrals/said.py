"""What waits and what is said: timers, buttons, notices. Frozen values; what is shown is a text key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


class Priority(StrEnum):
    """Order in the outbox; `rank` sorts."""

    CRISIS = "crisis"
    ALERT = "alert"
    REPLY = "reply"
    BULK = "bulk"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {priority: rank for rank, priority in enumerate(Priority)}


@dataclass(frozen=True, slots=True)
class Timer:
    """Whatever waits. `id` is '<kind>:<subject>', so setting a timer again moves it, never doubles it."""

    id: str
    kind: str
    subject: str
    due_at: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Button:
    """A button as data. Exactly one of `action` (callback), `page` (secure page path) is set.

    `text` is a text key; `params` may hold only what a chat may carry.
    """

    text: str
    action: str = ""
    page: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    number: int = 0  # what somebody who answers by text types to press it; 0: it cannot be typed


Keyboard = tuple[tuple[Button, ...], ...]
ABOUT = "{about}"  # in a button's action: what the notice is about


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to be said to one person, or one message to be changed or deleted.

    `slot` names the message that this notice is about ('offer:ID'): a later notice of the same slot edits
    the message that stands in the chat (quietly, no notification) unless `fresh` asks for a new one;
    `text` == '' deletes it. `dedupe` (default: none) makes a repeated notice vanish.
    """

    person_id: str
    text: str
    params: Mapping[str, str] = field(default_factory=dict)
    buttons: Keyboard = ()
    priority: Priority = Priority.REPLY
    slot: str = ""
    fresh: bool = False
    not_before: datetime | None = None
    dedupe: str = ""
    message_id: int | None = None  # delete or edit exactly this message
    expires_at: datetime | None = None  # pointless from then on: dropped instead of sent
    merge: str = ""  # the text key ({count}) under which several such notices to one person become one
    gist: Button | None = None  # how this notice looks as one line of the merged one
    quiet: bool = False  # only an edit of what stands in the chat: where nothing stands, it vanishes
    about: str = ""  # the id that ABOUT stands for in `buttons`: thousands of notices may share theirs

    def named(self) -> Notice:
        """The same with that id in buttons of its own."""
        if not self.about:
            return self
        rows = (
            tuple(replace(b, action=b.action.replace(ABOUT, self.about)) for b in row) for row in self.buttons
        )
        return replace(self, buttons=tuple(rows), about="")
