"""People with a chat: their settings, posts, devices, sessions, and what they are in the middle of.

Nothing here says who somebody is: the account is sealed, and there are no names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum

from referrals.model import AgeGroup, Record, Role


class WritingWindow(StrEnum):
    """The answer to 'may we write here, and when?'."""

    ANY_TIME = "any_time"
    DAYTIME = "daytime"  # 08:00 to 20:00 in the person's own zone
    ONLY_ANSWERS = "only_answers"  # never unless the person has just written


class Presence(StrEnum):
    """Whether the bot may write to this chat at all."""

    PRESENT = "present"
    HIDDEN = "hidden"  # /hide: silence until the person writes /start again
    LOST = "lost"  # the desk was told that this phone is lost: silence until the desk lifts it
    BLOCKED = "blocked"  # Telegram says so; it may be self-protection, so nobody calls or visits


# Nothing is said to these, and no page opens for them: whoever holds the phone sees a chat that sleeps.
SILENT = (Presence.HIDDEN, Presence.LOST)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a chat. The account id is sealed; here are only settings.

    `language` is a catalogue language id or '' until chosen; `timezone` an IANA name.
    """

    id: str
    language: str
    timezone: str
    window: WritingWindow
    presence: Presence
    age_group: AgeGroup | None
    created_at: datetime
    last_seen_at: datetime
    retain_until: datetime
    quiet_from: time | None = None  # own quiet hours, local; both or none
    quiet_to: time | None = None
    days: tuple[int, ...] = ()  # the weekdays on which reminders may come (0 = Monday); none: every day
    reminders: bool = True  # STOP and START
    by_text: bool = False  # each message lists its choices, to be answered by number or word
    version: int = 1


@dataclass(frozen=True, slots=True)
class Screen:
    """What one message asks of somebody who answers by text; `id` is '<person>:<slot>'.

    Its choices are numbered from `first` on, and no two messages that stand at the same time share a number:
    two reminders may have come together, and a '2' must never reach the wrong member. `choices` are the
    buttons' data ('page:<path>' for a page), `labels` their text keys.
    """

    id: str
    person_id: str
    slot: str
    first: int
    choices: tuple[str, ...]
    labels: tuple[str, ...]
    until: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class MentorProfile:
    """What matching needs to know of a mentor; `id` is the seat's. Kept in the network file."""

    id: str
    languages: tuple[str, ...]
    areas: tuple[str, ...]
    gender: str = ""  # '' | 'woman' | 'man'
    most: int = 12  # members at the same time
    not_with: tuple[str, ...] = ()  # case codes: relatives, old conflicts
    version: int = 1


@dataclass(frozen=True, slots=True)
class Seat:
    """A post in the network that one person fills after an invitation. A person's roles are their seats."""

    id: str  # named in the network file, e.g. "desk-1"
    role: Role
    organization_id: str | None
    person_id: str | None
    on_duty: bool = True
    since: datetime | None = None  # when this person came, or the last one left
    focal: tuple[str, ...] = ()  # the focal point for these: children
    version: int = 1


@dataclass(frozen=True, slots=True)
class Invitation:
    """`id` is the SHA-256 of the 128-bit token in the link (hex); the token itself is never stored.

    Whoever opens the link only asks for the seat (`taken_by`); a second person, who is neither the one who
    invited nor the one who asks, says that it is them (`confirmed_by`), and only then is the seat filled.
    """

    id: str
    seat_id: str
    invited_by: str
    expires_at: datetime
    used_at: datetime | None = None
    taken_by: str | None = None
    confirmed_by: str | None = None
    version: int = 1


class DeviceState(StrEnum):
    """How far a device has come. Only an ACTIVE one is asked for its PIN, and only so anything is read."""

    KNOWN = "known"  # it has proved its key, nothing more: it files and writes
    WAITING = "waiting"  # let in by a recovery code: active from `active_from`, unless it is stopped
    ASKED = "asked"  # needs the desk and a second person (roles that read others' matters)
    ACTIVE = "active"
    ENDED = "ended"  # lost, stopped, replaced, or its PIN was tried too often


@dataclass(frozen=True, slots=True)
class Device:
    """One web view of one person, known by a key that cannot leave it (WebCrypto P-256, not extractable).

    `id` is the first 32 hex digits of SHA-256(person id + public key); `public_key` the raw point (65 bytes)
    as base64url. `pin` is Argon2id with a pepper (storage/pins.py). Wrong PINs are counted here, so that
    nobody can lock another out by trying on a device of their own.
    """

    id: str
    person_id: str
    public_key: str
    state: DeviceState
    since: datetime  # when it came to this state
    last_seen_at: datetime
    pin: str = ""
    tries: int = 0  # wrong PINs in a row; a try is counted before the PIN is checked
    next_try_at: datetime | None = None
    proved_until: datetime | None = None  # the PIN was right: reading is open on this device until then
    active_from: datetime | None = None
    vouched_by: str | None = None  # the first of the two who let it in
    version: int = 1


@dataclass(frozen=True, slots=True)
class Recovery:
    """A person's recovery code, as a keyed fingerprint; shown once, used once. `id` is the person's."""

    id: str
    fingerprint: str
    made_at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class Session:
    """A secure page's session. `id` is the SHA-256 (hex) of the 256-bit token the page holds in memory.

    Bound to a person, a device and a page. Each request carries a number higher than the last one, signed by
    the device's key (docs/secure-pages.md), so that a copied token, a replay and a reordering are refused.
    """

    id: str
    person_id: str
    page: str
    expires_at: datetime
    device_id: str
    number: int = 0  # of the last request that was accepted
    version: int = 1


@dataclass(frozen=True, slots=True)
class Tally:
    """How often something was done in a stretch of time; `id` is '<what>:<who>:<start>'. For limits only."""

    id: str
    count: int
    expires_at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch of the whole network that the desk throws, e.g. `desk_first`."""

    id: str
    on: bool
    since: datetime
    by: str  # the person who threw it
    version: int = 1


@dataclass(frozen=True, slots=True)
class Download:
    """An encrypted archive that waits to be fetched once. `id` is the SHA-256 (hex) of the address' token."""

    id: str
    person_id: str
    content: str  # base64; encrypted to a passphrase that only the page has shown
    expires_at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class Conversation:
    """Where one person is in one form. Answers are sealed under Record('conversation', id)."""

    id: str
    person_id: str
    form: str
    form_version: int
    step: int
    subject: str  # what the form is about, e.g. a pathway id
    started_at: datetime
    expires_at: datetime
    version: int = 1

    @property
    def record(self) -> Record:
        return Record("conversation", self.id)


@dataclass(frozen=True, slots=True)
class Scrap:
    """Free text that somebody sent to the chat unasked; its key lives 15 minutes."""

    id: str
    person_id: str
    received_at: datetime
    version: int = 1

    @property
    def record(self) -> Record:
        return Record("scrap", self.id)
