"""One turn's transaction: what a service verb sees of the store (referrals/ports.py, `Tx`).

After a database error nothing more can be done in the turn, even where a verb swallows the error: PostgreSQL
works so by itself, and SQLite is held to the same.
"""

# ruff: noqa: S608 - statements are put together from constants of this file

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, TypeVar, cast

from referrals.access import Action
from referrals.catalogue import Catalogue
from referrals.directory import Directory
from referrals.errors import PinNeeded, StoreError
from referrals.model import NETWORK, Actor, AuditEntry, DataClass, Record, Role
from referrals.persons import Person, Seat
from referrals.ports import Erasure, Message, Reading, Taken, Undelivered
from referrals.said import Notice, Timer
from storage import audit, chat, erasures, undelivered
from storage.codec import columns_of, instant_in, text_in
from storage.connection import DRIVER_ERRORS
from storage.mapper import mapper_of
from storage.sealing import Seals
from storage.shared import Shared, cached_directory, read_directory
from storage.sql import Connection, Sql
from storage.tables import DIRECTORY_KINDS

T = TypeVar("T")

_FIRST_TIME = Sql("INSERT INTO seen (key, at) VALUES (:key, :at) ON CONFLICT (key) DO NOTHING")
_TALLY = Sql(
    "INSERT INTO tally (id, count, expires_at, version) VALUES (:id, 1, :expires_at, 1)"
    " ON CONFLICT (id) DO UPDATE SET count = tally.count + 1, version = tally.version + 1 RETURNING count"
)
_PERSON_COLUMNS = ", ".join(f'p."{c.name}"' for c in columns_of(Person))
_BY_ACCOUNT = Sql(
    f"SELECT {_PERSON_COLUMNS} FROM account a JOIN person p ON p.id = a.person_id WHERE a.lookup = :lookup"
)
_BIND = Sql(
    "INSERT INTO account (person_id, lookup) VALUES (:person_id, :lookup)"
    " ON CONFLICT (person_id) DO UPDATE SET lookup = excluded.lookup"
)
_UNBIND = Sql("DELETE FROM account WHERE person_id = :person_id")
_DIRECTORY_CHANGED = Sql(
    "INSERT INTO meta (key, value) VALUES ('directory', :token)"
    " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)

ACCOUNT_COLUMN = "account"


class StoreTx:
    """Fulfils ports.Tx on one connection. `lane` is the audit lane of the thread that runs the turn."""

    def __init__(self, conn: Connection, shared: Shared, lane: str) -> None:
        self.connection, self._shared, self._lane = conn, shared, lane
        self._now = shared.clock().astimezone(UTC)
        self._at = instant_in(self._now)
        self._seals = Seals(shared.keyring, conn, self._at)
        self._entries: list[AuditEntry] = []
        self._directory: Directory | None = None
        self._directory_changed = False
        self._posts: dict[str, list[Seat]] = {}  # person to posts
        self._failed: Exception | None = None
        self._reading_locked = False

    @property
    def now(self) -> datetime:
        return self._now

    @property
    def catalogue(self) -> Catalogue:
        return self._shared.catalogue

    @property
    def directory(self) -> Directory:
        if self._directory is None:
            with self._database() as conn:
                self._directory = (
                    read_directory(conn) if self._directory_changed else cached_directory(conn, self._shared)
                )
        return self._directory

    def new_id(self) -> str:
        if self._shared.seeded:
            return base64.urlsafe_b64encode(self._shared.chance.randbytes(12)).decode()
        return secrets.token_urlsafe(12)

    def draw(self, low: float, high: float) -> float:
        return self._shared.chance.uniform(low, high)

    def secret(self, size: int) -> bytes:
        return secrets.token_bytes(size)

    # Rows.

    def get(self, kind: type[T], row_id: str, *, lock: bool = False) -> T | None:
        if lock:
            self._posts.clear()  # whoever waited for it must see what became of a post meanwhile
        with self._database() as conn:
            return mapper_of(kind).get(conn, row_id, lock)

    def find(self, kind: type[T], *, limit: int | None = None, **equal: Any) -> list[T]:
        whose = equal.get("person_id")
        if kind is Seat and len(equal) == 1 and limit is None and isinstance(whose, str):
            return cast("list[T]", self._posts_of(whose))
        with self._database() as conn:
            return mapper_of(kind).find(conn, limit, equal)

    def count(self, kind: type[Any], **equal: Any) -> int:
        with self._database() as conn:
            return mapper_of(kind).count(conn, equal)

    def overdue(self, kind: type[T], column: str, before: datetime, limit: int, **equal: Any) -> list[T]:
        with self._database() as conn:
            return mapper_of(kind).overdue(conn, column, before, limit, equal)

    def since(self, kind: type[T], column: str, start: datetime, limit: int, **equal: Any) -> list[T]:
        with self._database() as conn:
            return mapper_of(kind).since(conn, column, start, limit, equal)

    def add(self, *rows: Any) -> None:
        with self._database() as conn:
            for kind, same in groupby(rows, key=type):
                mapper_of(kind).add(conn, list(same))
                self._note_change(conn, kind)

    def save(self, row: T) -> T:
        with self._database() as conn:
            saved = mapper_of(type(row)).save(conn, row)
            self._note_change(conn, type(row))
            self._took(erasures.of_save(row, self._now))
            return saved

    def remove(self, row: Any) -> None:
        with self._database() as conn:
            mapper_of(type(row)).remove(conn, row)
            self._note_change(conn, type(row))
            self._took(erasures.of_remove(row, self._now))

    # Once and only once.

    def first_time(self, key: str) -> bool:
        with self._database() as conn:
            return conn.change(_FIRST_TIME, {"key": text_in(key), "at": self._at}) == 1

    def tally(self, key: str, until: datetime) -> int:
        asked = {"id": text_in(key), "expires_at": instant_in(until)}
        with self._database() as conn:
            return int(conn.rows(_TALLY, asked)[0][0])

    # Accounts.

    def person_of_account(self, account: int) -> Person | None:
        with self._database() as conn:
            rows = conn.rows(_BY_ACCOUNT, {"lookup": self._shared.keyring.account_lookup(account)})
            return mapper_of(Person).value(rows[0]) if rows else None

    def bind_account(self, person_id: str, account: int) -> None:
        lookup = self._shared.keyring.account_lookup(account)
        with self._database() as conn:
            conn.change(_BIND, {"person_id": person_id, "lookup": lookup})
        self.seal(Record("person", person_id), DataClass.CONTACT, ACCOUNT_COLUMN, str(account), (NETWORK,))

    def unbind_account(self, person_id: str) -> None:
        with self._database() as conn:
            conn.change(_UNBIND, {"person_id": person_id})
            self._took(erasures.took(self._now, Taken.UNBOUND, Record("person", person_id)))

    # What waits and what is said.

    def set_timer(self, kind: str, subject: str, due_at: datetime) -> None:
        with self._database() as conn:
            chat.set_timer(conn, kind, subject, due_at)

    def set_timers(self, timers: Iterable[tuple[str, str, datetime]]) -> None:
        with self._database() as conn:
            chat.set_timers(conn, timers)

    def clear_timer(self, kind: str, subject: str) -> None:
        with self._database() as conn:
            chat.clear_timer(conn, kind, subject)

    def clear_timers(self, subject: str) -> None:
        with self._database() as conn:
            chat.clear_timers(conn, subject)

    def timers_of(self, subject: str) -> list[Timer]:
        return self.find(Timer, subject=subject)

    def take_timer(self, timer_id: str, due_at: datetime) -> Timer | None:
        with self._database() as conn:
            return chat.take_timer(conn, timer_id, due_at, self._now)

    def take_timers(self, timers: Sequence[Timer]) -> list[Timer]:
        with self._database() as conn:
            return chat.take_timers(conn, timers, self._now)

    def postpone_timer(self, timer_id: str, due_at: datetime, attempts: int) -> None:
        with self._database() as conn:
            chat.postpone_timer(conn, timer_id, due_at, attempts, self._now)

    def say(self, notice: Notice) -> None:
        with self._database() as conn:
            chat.say(conn, notice, self._now)

    def say_many(self, notices: Sequence[Notice]) -> None:
        with self._database() as conn:
            chat.say_many(conn, notices, self._now)

    def recall_notices(self, person_id: str, slot: str | None = None) -> None:
        with self._database() as conn:
            chat.recall(conn, person_id, slot)

    def undelivered(self) -> list[Undelivered]:
        with self._database() as conn:
            return undelivered.listed(conn)

    def send_again(self, notice_id: int) -> bool:
        with self._database() as conn:
            return undelivered.again(conn, notice_id, self._now)

    def drop_undelivered(self, notice_id: int) -> bool:
        with self._database() as conn:
            return undelivered.drop(conn, notice_id, self._now)

    # Messages that stand in chats.

    def heard(self, person_id: str, message_id: int) -> None:
        with self._database() as conn:
            note = self.new_message(person_id, message_id, "", self._now, from_person=True)
            chat.note_message(conn, note)

    def new_message(
        self, person_id: str, message_id: int, slot: str, at: datetime, *, from_person: bool = False
    ) -> Message:
        """The note of a message that has just come to stand in a chat."""
        delete_at = at + chat.DELETE_AFTER
        return Message(self.new_id(), person_id, message_id, slot, from_person, at, delete_at)

    def messages_of(self, person_id: str) -> list[Message]:
        with self._database() as conn:
            return chat.messages_of(conn, person_id, self._now)

    def messages_due(self, now: datetime, limit: int) -> list[Message]:
        with self._database() as conn:
            return chat.messages_due(conn, now, limit)

    def forget_message(self, message_row_id: str) -> None:
        with self._database() as conn:
            chat.forget_message(conn, message_row_id)

    # The audit, and the one door to everything sealed.

    def audit(self, entry: AuditEntry) -> None:
        for text in (entry.actor.person_id, entry.action, entry.subject, entry.detail):
            text_in(text)
        self._entries.append(entry)

    def seal(
        self, record: Record, data_class: DataClass, column: str, text: str, holders: Iterable[str]
    ) -> None:
        with self._database():
            self._seals.seal(record, data_class, column, text, holders)

    def open_sealed(self, actor: Actor, record: Record, data_class: DataClass) -> Mapping[str, str]:
        if self._reading_locked and actor.role is not Role.SYSTEM:
            raise PinNeeded
        with self._database():
            texts = self._seals.open(actor, record, data_class)
        if actor.role is not Role.SYSTEM:
            subject = f"{record.table}:{record.row}"
            self.audit(AuditEntry(actor, Action.SEALED_READ, subject, data_class.value))
        return texts

    def sealed_exists(self, record: Record, data_class: DataClass) -> bool:
        with self._database():
            return self._seals.exists(record, data_class)

    def share(self, record: Record, data_class: DataClass, holder: str) -> None:
        with self._database():
            self._seals.share(record, data_class, holder)

    def unshare(self, record: Record, holder: str, data_class: DataClass | None = None) -> None:
        with self._database():
            self._seals.unshare(record, holder, data_class)
            name = "" if data_class is None else data_class.value
            self._took(erasures.took(self._now, Taken.UNSHARED, record, name, holder))

    def holders(self, record: Record, data_class: DataClass) -> frozenset[str]:
        with self._database():
            return self._seals.holders(record, data_class)

    @property
    def reading_locked(self) -> bool:
        return self._reading_locked

    def lock_reading(self) -> None:
        self._reading_locked = True

    def readings(self, *records: Record) -> list[Reading]:
        with self._database() as conn:
            found = [r for record in records for r in audit.readings(conn, f"{record.table}:{record.row}")]
        return sorted(found, key=lambda reading: reading.at)

    def checkpoint(self, number: int) -> str:
        with self._database() as conn:
            heads = audit.heads(conn)
        return str(self._shared.keyring.checkpoint(number, self._now, heads))

    def fingerprint(self, purpose: str, text: str) -> str:
        return self._shared.keyring.fingerprint(purpose, text_in(text))  # typed words: BadAnswer for odd ones

    def destroy(self, record: Record) -> None:
        with self._database():
            self._seals.destroy(record)
            self._took(erasures.took(self._now, Taken.DESTROYED, record))

    def rotate_holder(self, holder: str, data_class: DataClass | None = None) -> int:
        with self._database():
            return self._seals.keys.rotate_holder(holder, data_class.value if data_class else None)

    def forget_holder(self, holder: str) -> None:
        with self._database():
            self._seals.keys.forget_holder(holder)

    def sweep_keys(self, limit: int) -> int:
        """Move up to `limit` wraps of retiring keys; empty keys come one state further. How many of both."""
        with self._database():
            return self._seals.keys.sweep(limit)

    # For the threads that run turns, and for nobody else.

    def finish(self) -> None:
        """The last thing before the commit: the audit, whose lane stays locked from here on."""
        if self._failed is not None:
            raise StoreError("the database failed in this turn") from self._failed
        if self._entries:
            audit.append(self.connection, self._lane, self._entries, self._at, self._shared.heads)

    @contextmanager
    def _database(self) -> Iterator[Connection]:
        """The connection, unless it has failed before in this turn or its transaction is no more.

        Without its transaction SQLite would commit each further statement singly.
        """
        if self._failed is None and not self.connection.in_transaction:
            self._failed = StoreError("the transaction has gone")
        if self._failed is not None:
            raise StoreError("the database failed in this turn") from self._failed
        try:
            yield self.connection
        except DRIVER_ERRORS as error:
            self._failed = error
            raise
        except StoreError as error:
            self._failed = error
            raise

    def _took(self, erasure: Erasure | None) -> None:
        """What this turn takes back for good; the ledger outside the database gets it after the commit."""
        if erasure is not None:
            erasures.note(self.connection, [erasure])

    def _posts_of(self, person_id: str) -> list[Seat]:
        """A door asks for somebody's posts, and the verb behind it asks again: read once in between locks."""
        with self._database() as conn:
            if person_id not in self._posts:
                self._posts[person_id] = mapper_of(Seat).find(conn, None, {"person_id": person_id})
        return [*self._posts[person_id]]

    def _note_change(self, conn: Connection, kind: type[Any]) -> None:
        """What this turn remembers of such rows is read anew.

        The directory gets a new token with the first change; random: one rolled back is never met again.
        """
        if kind is Seat:
            self._posts.clear()
        if kind not in DIRECTORY_KINDS:
            return
        self._directory = None
        if not self._directory_changed:
            self._directory_changed = True
            conn.change(_DIRECTORY_CHANGED, {"token": secrets.token_urlsafe(12)})
