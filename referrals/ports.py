"""What the domain needs from the outside, as Protocols. `storage/` fulfils them; nothing here does I/O.

A service verb is a plain function of a transaction: `verb(tx, actor, …)`. Everything it reads, changes,
seals, audits, schedules and says goes through this one `Tx`, and commits or vanishes as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from referrals.catalogue import Catalogue
from referrals.directory import Directory
from referrals.model import Actor, AuditEntry, DataClass, Record, Role
from referrals.persons import Person
from referrals.said import Keyboard, Notice, Timer

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Message:
    """A message that stands in a chat: what to edit or delete, and when at the latest."""

    id: str
    person_id: str
    message_id: int
    slot: str
    from_person: bool
    at: datetime
    delete_at: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """One opening of a sealed class, as the person it is about may see it."""

    at: datetime
    role: Role
    organization_id: str | None
    data_class: DataClass


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A notice that Telegram refused for good; what is in it, a chat may carry. `code` says why."""

    id: int
    person_id: str
    text: str
    params: Mapping[str, str]
    code: str
    attempts: int
    queued_at: datetime
    refused_at: datetime


class Taken(StrEnum):
    """What was taken back for good, so that a restored backup must not give it again."""

    DESTROYED = "destroyed"  # a record's keys and ciphertexts
    UNSHARED = "unshared"  # one holder's wraps
    UNBOUND = "unbound"  # a person's account
    REMOVED = "removed"  # a row
    STATE = "state"  # a row came to a state that ends something; `holder` names it


@dataclass(frozen=True, slots=True)
class Erasure:
    """One line of the ledger of erasures: ids and codes, never content. `name` is its own, unique and random.

    `data_class` '' means every class. `holder`: whose wrap (UNSHARED), or the new state (STATE).
    """

    name: str
    at: datetime
    kind: Taken
    record: Record
    data_class: str = ""
    holder: str = ""


class Tx(Protocol):
    """One turn's transaction. A turn can be run again from its start, so it keeps no state outside."""

    @property
    def now(self) -> datetime:
        """The turn's instant, aware UTC; the same for the whole turn."""

    @property
    def catalogue(self) -> Catalogue: ...

    @property
    def directory(self) -> Directory: ...

    def new_id(self) -> str:
        """A fresh opaque id: 16 characters of [A-Za-z0-9_-], 96 random bits."""

    def draw(self, low: float, high: float) -> float:
        """A random number between two (seeded in tests)."""

    def secret(self, size: int) -> bytes:
        """Random bytes for a code that opens something; never seeded, in tests neither."""

    # Rows. A kind is a frozen dataclass with a table; filters are equality (a tuple or list means 'one of').
    def get(self, kind: type[T], row_id: str, *, lock: bool = False) -> T | None:
        """The row of that id; `lock` holds it until the turn ends (PostgreSQL: FOR UPDATE)."""

    def find(self, kind: type[T], *, limit: int | None = None, **equal: Any) -> list[T]:
        """Rows whose columns equal the given values, ordered by id (ThreadEntry: by written_at)."""

    def count(self, kind: type[Any], **equal: Any) -> int: ...

    def overdue(self, kind: type[T], column: str, before: datetime, limit: int, **equal: Any) -> list[T]:
        """Rows whose instant in `column` is before that moment, the oldest first: for sweeps."""

    def since(self, kind: type[T], column: str, start: datetime, limit: int, **equal: Any) -> list[T]:
        """Rows whose instant in `column` is that moment or later, the newest first."""

    def add(self, *rows: Any) -> None: ...

    def save(self, row: T) -> T:
        """Write a changed row back and return it with version + 1; StaleRow if another turn changed it."""

    def remove(self, row: Any) -> None: ...

    # Once and only once.
    def first_time(self, key: str) -> bool:
        """Remember a key ('update:123', 'init:…'); False when it was already there. Kept for 48 h or more."""

    def tally(self, key: str, until: datetime) -> int:
        """Count one more under a key (a row of `Tally`, swept after `until`); how many that makes.

        One statement, so that people who come at once neither miscount nor fail.
        """

    # Accounts: the chat id of a person is sealed; found by a network-wide HMAC index.
    def person_of_account(self, account: int) -> Person | None: ...

    def bind_account(self, person_id: str, account: int) -> None: ...

    def unbind_account(self, person_id: str) -> None:
        """Forget the index of an account; the account itself goes with destroy(Record("person", …))."""

    # What waits and what is said.
    def set_timer(self, kind: str, subject: str, due_at: datetime) -> None:
        """Set or move the timer '<kind>:<subject>'."""

    def set_timers(self, timers: Iterable[tuple[str, str, datetime]]) -> None:
        """The same for several (kind, subject, due) at once, in one statement."""

    def clear_timer(self, kind: str, subject: str) -> None: ...

    def clear_timers(self, subject: str) -> None:
        """Drop every timer of this subject."""

    def timers_of(self, subject: str) -> list[Timer]: ...

    def take_timer(self, timer_id: str, due_at: datetime) -> Timer | None:
        """Remove and return a timer that is due and was not moved meanwhile; None otherwise."""

    def take_timers(self, timers: Sequence[Timer]) -> list[Timer]:
        """The same for several at once, in few statements: those that are still due as they were found."""

    def postpone_timer(self, timer_id: str, due_at: datetime, attempts: int) -> None:
        """After a turn that failed: due again later, with its tries counted; nothing if it was moved."""

    def say(self, notice: Notice) -> None:
        """Queue a notice in the outbox. Nothing is sent before the commit."""

    def say_many(self, notices: Sequence[Notice]) -> None:
        """Queue several at once; each slot must be one in which nothing waits yet."""

    def recall_notices(self, person_id: str, slot: str | None = None) -> None:
        """Drop what is queued for a person and not yet sent (of one slot, or everything)."""

    def undelivered(self) -> list[Undelivered]:
        """What was refused for good and nobody has looked after yet, the oldest first."""

    def send_again(self, notice_id: int) -> bool:
        """One of these is due now; False when it is none of them."""

    def drop_undelivered(self, notice_id: int) -> bool:
        """One of these is given up; False when it is none of them."""

    # Messages that stand in chats.
    def heard(self, person_id: str, message_id: int) -> None:
        """Note an incoming message, so that it is deleted in time."""

    def messages_of(self, person_id: str) -> list[Message]:
        """Messages younger than 48 h that the bot may still delete."""

    def messages_due(self, now: datetime, limit: int) -> list[Message]:
        """Messages whose 24 hours are over, the oldest first."""

    def forget_message(self, message_row_id: str) -> None:
        """Drop the note of a message (its `id`, not Telegram's): there is nothing to delete any more."""

    # The audit, and the one door to everything sealed.
    def audit(self, entry: AuditEntry) -> None: ...

    def seal(
        self, record: Record, data_class: DataClass, column: str, text: str, holders: Iterable[str]
    ) -> None:
        """Encrypt one field under the record's key of that class; a fresh key is wrapped for `holders`.

        A record that has a key for the class keeps it, and gets wraps for holders that have none yet.
        """

    def open_sealed(self, actor: Actor, record: Record, data_class: DataClass) -> Mapping[str, str]:
        """Column to text, for an actor who holds a wrap; writes the audit row. Raises NotSealedFor.

        Possession: a worker opens through 'org:<organisation>', anybody through 'person:<their id>',
        a coordinator through 'desk', the SYSTEM actor through 'network' (that last one leaves no audit row:
        nobody reads it). Raises PinNeeded after `lock_reading`.
        """

    def sealed_exists(self, record: Record, data_class: DataClass) -> bool: ...

    def share(self, record: Record, data_class: DataClass, holder: str) -> None:
        """Wrap the record's key of that class for one more holder; nothing if there is no such key."""

    def unshare(self, record: Record, holder: str, data_class: DataClass | None = None) -> None:
        """Destroy a holder's wraps (of one class, or all): from this commit on it cannot open the record."""

    def holders(self, record: Record, data_class: DataClass) -> frozenset[str]:
        """Who holds a wrap of the record's key of that class now."""

    @property
    def reading_locked(self) -> bool:
        """True in a page's turn whose device has not proved itself by PIN."""

    def lock_reading(self) -> None:
        """From here on in this turn `open_sealed` raises PinNeeded for everybody but the SYSTEM actor."""

    def readings(self, *records: Record) -> Sequence[Reading]:
        """Who opened these records, oldest first, from the audit; the SYSTEM actor never appears."""

    def checkpoint(self, number: int) -> str:
        """The audit's heads as they stood before this turn, as a note signed by the network (C2SP)."""

    def fingerprint(self, purpose: str, text: str) -> str:
        """A keyed HMAC-SHA256 (hex) for looking something secret up; another purpose gives another one."""

    def destroy(self, record: Record) -> None:
        """Destroy all wraps and ciphertexts of a record."""

    def rotate_holder(self, holder: str, data_class: DataClass | None = None) -> int:
        """New key-encryption keys for all that this holder holds (or one class); how many. Nothing stops.

        To be done when somebody leaves who could read through this holder (a worker: 'org:<id>').
        """

    def forget_holder(self, holder: str) -> None:
        """This holder is no more: its key-encryption keys are destroyed once nothing is wrapped by them.

        Upkeep does it, in its two next sweeps; a wrap that is still there goes on opening, by a newer key.
        """


class Pins(Protocol):
    """The slow half of a PIN: Argon2id with a pepper. Never inside a turn, never on the event loop."""

    def conceal(self, pin: str) -> str:
        """What is stored of a PIN."""

    def fits(self, pin: str, stored: str) -> bool:
        """Whether it is the PIN; takes as long when `stored` is '' (nobody's) and then says no."""


@dataclass(frozen=True, slots=True)
class Slow:
    """What takes too long for a turn, and is done in a thread between two of them."""

    pins: Pins
    pack: Callable[[Mapping[str, str], str], bytes]  # file name to text, passphrase: an encrypted archive


@dataclass(frozen=True, slots=True)
class Away:
    """What a page's step returns to leave its turn: `work` in a thread, then `then` in a turn of its own.

    The first turn is committed before the work begins, so that a try is counted whatever comes of it. What
    the work returns goes from hand to hand on the server; nothing that a client sends can take its place.
    """

    work: Callable[[Slow], Any]
    then: Callable[[Tx, Any], Any]  # returns the view, or goes away again


class Turns(Protocol):
    """What the edges need of the store: run one verb as one transaction, and get its answer after commit."""

    async def turn(self, verb: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed notice, ready to be rendered and sent. `message_id` set: edit (or delete, if text is '')."""

    id: int
    person_id: str
    account: int
    language: str
    text: str
    params: Mapping[str, str]
    buttons: Keyboard
    rank: int
    slot: str
    message_id: int | None
    attempts: int
    queued_at: datetime
    timezone: str = ""  # the reader's, for the times in the text; '' where it is not known
    by_text: bool = False  # the reader answers by text: choices are listed in the message


@dataclass(frozen=True, slots=True)
class Sent:
    """Done. `message_id` is the new message's id (None after an edit or a delete)."""

    delivery_id: int
    message_id: int | None


@dataclass(frozen=True, slots=True)
class Later:
    """Try again at `at`; `attempt` False when it was not the message's fault (429)."""

    delivery_id: int
    at: datetime
    attempt: bool = True
    forget_message: bool = False  # the message to edit is gone: send a new one next time


@dataclass(frozen=True, slots=True)
class Gone:
    """The person blocked the bot or left Telegram: stop writing to them."""

    delivery_id: int


@dataclass(frozen=True, slots=True)
class Dead:
    """Telegram refused it for good; kept for a human to see, as a code without content."""

    delivery_id: int
    code: str


class Outbox(Protocol):
    """The sending side of the outbox."""

    async def hold(self, now: datetime) -> bool:
        """Become or stay the one sender, for some seconds; False while another one is.

        What another had claimed before is due again.
        """

    async def let_go(self) -> None:
        """A clean stop: another may send at once."""

    async def claim(self, now: datetime, limit: int, spare: int = 0) -> Sequence[Delivery]:
        """Due notices, best rank first, at most one per person at a time, leased to this sender.

        The last `spare` of the `limit` are kept for crisis and alert. Nothing while another is the sender.
        A notice whose slot has a standing message becomes an edit of it; a delete without one vanishes.
        """

    async def settle(self, ends: Sequence[Sent | Later | Gone | Dead], now: datetime) -> None:
        """Write down what became of deliveries, all in one transaction."""

    async def next_due(self, now: datetime) -> datetime | None:
        """When the earliest unclaimed notice is due; None when nothing waits."""
