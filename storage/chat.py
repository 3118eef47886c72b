"""What is said and what stands in the chats, seen from inside a turn: outbox rows, messages, timers.

A later notice of a slot takes the place of an earlier one that still waits: the newest is what is sent.
The sending side (claims, leases, settling) is in `outbox.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select

from referrals.ports import Message
from referrals.said import ABOUT, Keyboard, Notice, Timer
from storage.codec import instant_in, instant_out, json_codec, text_in
from storage.mapper import limited_to, mapper_of
from storage.sql import Connection, Insert, Sized, Sql
from storage.tables import TABLE_OF, message, outbox

DELETE_AFTER = timedelta(hours=24)
DELETABLE = timedelta(hours=48)  # Telegram refuses to delete older messages

encode_buttons, decode_buttons = json_codec(Keyboard)
encode_params, decode_params = json_codec(Mapping[str, str])

_QUEUE = (
    "INSERT INTO outbox (person_id, rank, state, due_at, claimed, retrying, attempts, queued_at, text,"
    " params, buttons, slot, fresh, quiet, message_id, dedupe, expires_at, merge, gist)"
    " VALUES (:person_id, :rank, 'waiting', :due_at, false, false, 0, :queued_at, :text, :params,"
    " :buttons, :slot, :fresh, :quiet, :message_id, :dedupe, :expires_at, :merge, :gist)"
    " ON CONFLICT (dedupe) DO NOTHING"
)
_SAY = Sql(f"{_QUEUE} RETURNING id")
_SAY_ONE_OF_MANY = Insert(_QUEUE, outbox)
_SUPERSEDE = Sql(
    "UPDATE outbox SET state = 'superseded', settled_at = :now, params = '{}', buttons = '[]', gist = NULL"
    " WHERE person_id = :person_id AND slot = :slot AND state = 'waiting' AND NOT claimed"
    # An urgent word that is due now is never given up for a lesser one that must wait.
    " AND id < :id AND due_at <= :due_at AND (rank >= :rank OR :due_at <= :now)"
)
_UNSENT = "DELETE FROM outbox WHERE person_id = :person_id AND state = 'waiting' AND NOT claimed"
_RECALL_ALL = Sql(_UNSENT)
_RECALL_SLOT = Sql(f"{_UNSENT} AND slot = :slot")

_NOTE_MESSAGE = Insert(
    "INSERT INTO message (id, person_id, message_id, slot, from_person, at, delete_at)"
    " VALUES (:id, :person_id, :message_id, :slot, :from_person, :at, :delete_at)"
    " ON CONFLICT (person_id, message_id) DO UPDATE SET slot = excluded.slot",
    message,
)
_FORGET = Sql("DELETE FROM message WHERE id = :id")
_ALL_COLUMNS = list(message.c)
_MESSAGES_OF = Sql(
    select(*_ALL_COLUMNS)
    .where(message.c.person_id == bindparam("person_id"), message.c.at > bindparam("since"))
    .order_by(message.c.message_id)
)
_MESSAGES_DUE = Sql(
    limited_to(
        select(*_ALL_COLUMNS)
        .where(message.c.delete_at <= bindparam("now"))
        .order_by(message.c.delete_at, message.c.id)
    )
)

_SET_TIMER = Insert(
    "INSERT INTO timer (id, kind, subject, due_at, attempts) VALUES (:id, :kind, :subject, :due_at, 0)"
    " ON CONFLICT (id) DO UPDATE SET due_at = excluded.due_at, attempts = 0",
    TABLE_OF[Timer],
)
_CLEAR_TIMER = Sql("DELETE FROM timer WHERE id = :id")
_CLEAR_TIMERS = Sql("DELETE FROM timer WHERE subject = :subject")
_TAKE_TIMER = Sql(
    "DELETE FROM timer WHERE id = :id AND due_at = :due_at AND due_at <= :now"
    " RETURNING id, kind, subject, due_at, attempts"
)
_STILL_DUE = Sized(
    "SELECT id, kind, subject, due_at, attempts FROM timer WHERE due_at <= :now AND id IN ({id}) ORDER BY id",
    postgresql="FOR UPDATE",
)
_DROP_TIMERS = Sized("DELETE FROM timer WHERE id IN ({id})")  # locked by the look before it
_POSTPONE = Sql("UPDATE timer SET due_at = :due_at, attempts = :attempts WHERE id = :id AND due_at <= :now")
_DUE_TIMERS = Sql(
    "SELECT id, kind, subject, due_at, attempts FROM timer WHERE due_at <= :now"
    " ORDER BY due_at, id LIMIT :limit"
)
_NEXT_TIMER = Sql("SELECT min(due_at) FROM timer")


def say(conn: Connection, notice: Notice, now: datetime) -> None:
    """Queue a notice; one with a known dedupe key vanishes."""
    queued = _queued(notice, instant_in(now), {})
    row = conn.rows(_SAY, queued)
    if row and notice.slot:
        named = {name: queued[name] for name in ("person_id", "slot", "due_at", "rank")}
        conn.change(_SUPERSEDE, {**named, "id": row[0][0], "now": queued["queued_at"]})


def say_many(conn: Connection, notices: Sequence[Notice], now: datetime) -> None:
    """The same for several, as long as each has a slot in which nothing waits yet (or none)."""
    if notices:
        at = instant_in(now)
        encoded: dict[int, str] = {}
        conn.change_many(_SAY_ONE_OF_MANY, [_queued(notice, at, encoded) for notice in notices])


def _buttons(notice: Notice, encoded: dict[int, str]) -> str:
    """Their JSON text. `encoded`: by identity, that of buttons which the notices of one call share."""
    shared = id(notice.buttons)
    if shared not in encoded:
        encoded[shared] = encode_buttons(notice.buttons)
    return encoded[shared].replace(ABOUT, notice.about) if notice.about else encoded[shared]


def _queued(notice: Notice, at: int, encoded: dict[int, str]) -> dict[str, Any]:
    return {
        "person_id": notice.person_id,
        "rank": notice.priority.rank,
        "due_at": at if notice.not_before is None else max(at, instant_in(notice.not_before)),
        "queued_at": at,
        "text": text_in(notice.text),
        "params": encode_params(notice.params),
        "buttons": _buttons(notice, encoded),
        "slot": text_in(notice.slot),
        "fresh": notice.fresh,
        "quiet": notice.quiet,
        "message_id": notice.message_id,
        "dedupe": text_in(notice.dedupe) or None,
        "expires_at": instant_in(notice.expires_at) if notice.expires_at else None,
        "merge": text_in(notice.merge),
        "gist": encode_buttons(((notice.gist,),)) if notice.gist else None,
    }


def recall(conn: Connection, person_id: str, slot: str | None) -> None:
    """Drop what waits and is not just being sent."""
    if slot is None:
        conn.change(_RECALL_ALL, {"person_id": person_id})
    else:
        conn.change(_RECALL_SLOT, {"person_id": person_id, "slot": slot})


def note_message(conn: Connection, note: Message) -> None:
    """Remember a message that stands in a chat; one that is known already only changes its slot."""
    conn.change(_NOTE_MESSAGE, mapper_of(Message).params(note))


def note_messages(conn: Connection, notes: Sequence[Message]) -> None:
    """The same for several at once."""
    rows = {(note.person_id, note.message_id): mapper_of(Message).params(note) for note in notes}
    if rows:
        conn.change_many(_NOTE_MESSAGE, [*rows.values()])


def forget_message(conn: Connection, row_id: str) -> None:
    conn.change(_FORGET, {"id": row_id})


def messages_of(conn: Connection, person_id: str, now: datetime) -> list[Message]:
    """What the bot may still delete in this chat, oldest first."""
    since = instant_in(now - DELETABLE)
    rows = conn.rows(_MESSAGES_OF, {"person_id": person_id, "since": since})
    return [mapper_of(Message).value(row) for row in rows]


def messages_due(conn: Connection, now: datetime, limit: int) -> list[Message]:
    """Messages whose 24 hours are over, the oldest first."""
    rows = conn.rows(_MESSAGES_DUE, {"now": instant_in(now), "limit_": limit})
    return [mapper_of(Message).value(row) for row in rows]


def set_timer(conn: Connection, kind: str, subject: str, due_at: datetime) -> None:
    timer = {"id": f"{kind}:{subject}", "kind": kind, "subject": subject}
    conn.change(_SET_TIMER, {**timer, "due_at": instant_in(due_at)})


def set_timers(conn: Connection, timers: Iterable[tuple[str, str, datetime]]) -> None:
    """The same for several (kind, subject, due) at once; the last one counts where one is set twice."""
    rows = {
        (kind, subject): {
            "id": f"{kind}:{subject}",
            "kind": kind,
            "subject": subject,
            "due_at": instant_in(due_at),
        }
        for kind, subject, due_at in timers
    }
    if rows:
        conn.change_many(_SET_TIMER, [*rows.values()])


def clear_timer(conn: Connection, kind: str, subject: str) -> None:
    conn.change(_CLEAR_TIMER, {"id": f"{kind}:{subject}"})


def clear_timers(conn: Connection, subject: str) -> None:
    conn.change(_CLEAR_TIMERS, {"subject": subject})


def take_timer(conn: Connection, timer_id: str, due_at: datetime, now: datetime) -> Timer | None:
    """Two heartbeats may find the same timer: the row's removal decides which one has it."""
    asked = {"id": timer_id, "due_at": instant_in(due_at), "now": instant_in(now)}
    rows = conn.rows(_TAKE_TIMER, asked)
    return mapper_of(Timer).value(rows[0]) if rows else None


def take_timers(conn: Connection, timers: Sequence[Timer], now: datetime) -> list[Timer]:
    """The same for several; those that were moved or taken meanwhile are left out."""
    if not timers:
        return []
    known = {timer.id: timer.due_at for timer in timers}
    found = conn.rows(*_STILL_DUE.of(id=[*known], now=instant_in(now)))
    taken = [timer for timer in map(mapper_of(Timer).value, found) if known[timer.id] == timer.due_at]
    if taken:
        conn.change(*_DROP_TIMERS.of(id=[timer.id for timer in taken]))
    return sorted(taken, key=lambda timer: (timer.due_at, timer.id))


def postpone_timer(conn: Connection, timer_id: str, due_at: datetime, attempts: int, now: datetime) -> None:
    """After a failed try: later, with its attempts counted. One that was moved meanwhile is left alone."""
    new = {"due_at": instant_in(due_at), "attempts": attempts}
    conn.change(_POSTPONE, {"id": timer_id, "now": instant_in(now), **new})


def due_timers(conn: Connection, now: datetime, limit: int) -> list[Timer]:
    """What is due, the longest overdue first."""
    rows = conn.rows(_DUE_TIMERS, {"now": instant_in(now), "limit": limit})
    return [mapper_of(Timer).value(row) for row in rows]


def next_timer(conn: Connection) -> datetime | None:
    """When the earliest timer is due."""
    due = conn.rows(_NEXT_TIMER)[0][0]
    return None if due is None else instant_out(due)
