"""What became of deliveries, written down in one turn: sent, later, gone or dead.

The ordinary end, 'sent', is written for all at once; the rare ones a row at a time. Telling it twice changes
nothing more: what has ended is not ended again.
"""

# ruff: noqa: S608 - statements are put together from constants of this file

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from referrals.access import Action
from referrals.model import SYSTEM, AuditEntry
from referrals.persons import SILENT
from referrals.ports import Dead, Gone, Later, Sent
from referrals.said import Priority
from storage import chat, lease
from storage.codec import instant_in
from storage.sql import Connection, Sized, Sql
from storage.tx import StoreTx

End = Sent | Later | Gone | Dead

# What is settled keeps no parameters.
BLANK = "settled_at = :now, claimed = false, params = '{}', buttons = '[]', gist = NULL"
END = Sql(f"UPDATE outbox SET state = :state, code = :code, {BLANK} WHERE id = :id AND state = 'waiting'")
_SENT = Sized(
    f"UPDATE outbox SET state = 'sent', code = NULL, {BLANK} WHERE id IN ({{id}}) AND state = 'waiting'"
)
# A human will look at it, and may have it sent again.
_DEAD = Sql(
    "UPDATE outbox SET state = 'dead', code = :code, settled_at = :now, claimed = false"
    " WHERE id = :id AND state = 'waiting'"
)
# A reply asks what comes next, and its buttons hold what was answered so far: that is not kept for anybody.
_DEAD_REPLY = Sql(
    "UPDATE outbox SET state = 'dead', code = :code, settled_at = :now, claimed = false, buttons = '[]',"
    " gist = NULL WHERE id = :id AND state = 'waiting'"
)
_WHAT = Sized(
    "SELECT o.id, o.person_id, o.text, o.slot, o.target, o.rank,"
    " (SELECT p.presence FROM person p WHERE p.id = o.person_id) FROM outbox o WHERE o.id IN ({id})"
)
_END_ALL_OF = Sql(
    f"UPDATE outbox SET state = 'gone', {BLANK} WHERE person_id = :person_id AND state = 'waiting'"
)
_LATER = Sql(
    "UPDATE outbox SET claimed = false, retrying = true, due_at = :due_at, attempts = attempts + :more"
    " WHERE id = :id AND state = 'waiting'"
)
_NO_MESSAGE = Sql("UPDATE outbox SET message_id = NULL WHERE id = :id")
_NEWER = Sql(
    "SELECT 1 FROM outbox WHERE person_id = :person_id AND slot = :slot AND id > :id"
    " AND state = 'waiting' AND due_at <= :due_at LIMIT 1"
)
_DROP_MESSAGE = Sql("DELETE FROM message WHERE person_id = :person_id AND message_id = :message_id")
_NAME_SLOT = Sql("UPDATE message SET slot = :slot WHERE person_id = :person_id AND message_id = :message_id")
_OLDER_OF_SLOT = Sql(
    "SELECT message_id FROM message WHERE person_id = :person_id AND slot = :slot"
    " AND message_id <> :message_id"
)
_UNNAME = Sql(
    "UPDATE message SET slot = '' WHERE person_id = :person_id AND slot = :slot AND message_id <> :message_id"
)
_QUEUE_DELETE = Sql(
    "INSERT INTO outbox (person_id, rank, state, due_at, claimed, retrying, attempts, queued_at, text,"
    " params, buttons, slot, fresh, quiet, message_id, merge)"
    " VALUES (:person_id, :rank, 'waiting', :now, false, false, 0, :now, '',"
    " '{}', '[]', '', false, false, :message_id, '')"
)
_BLOCKED = Sql(
    "UPDATE person SET presence = 'blocked', version = version + 1"
    " WHERE id = :person_id AND presence = 'present'"
)


class _Settled(NamedTuple):
    """What is asked of a notice that has ended."""

    person_id: str
    text: str
    slot: str
    target: int | None
    rank: int
    presence: str | None


def settle(tx: StoreTx, holder: str, ends: Sequence[End], now: datetime) -> None:
    """A turn: write down what became of deliveries.

    Whoever has lost the sender's lease may still tell what was done, and no longer what is to be done later:
    the next sender may be at it.
    """
    if lease.is_anothers(tx.connection, holder):
        ends = [end for end in ends if not isinstance(end, Later)]
    # In the order of ids, so that two senders never wait for each other's rows.
    ordered = sorted(ends, key=lambda end: end.delivery_id)
    known = _known(tx.connection, [end.delivery_id for end in ordered])
    _all_sent(tx, [end for end in ordered if isinstance(end, Sent)], known, now)
    for end in ordered:
        if not isinstance(end, Sent) and end.delivery_id in known:
            _SETTLE[type(end)](tx, end, known[end.delivery_id], now)


def _known(conn: Connection, ids: Sequence[int]) -> Mapping[int, _Settled]:
    """The notices of these ids."""
    rows = conn.rows(*_WHAT.of(id=ids)) if ids else []
    return {row[0]: _Settled(*row[1:]) for row in rows}


def _all_sent(tx: StoreTx, ends: Sequence[Sent], known: Mapping[int, _Settled], now: datetime) -> None:
    """Two statements for all, and what a slot needs."""
    conn, at = tx.connection, instant_in(now)
    sent = [(end, known[end.delivery_id]) for end in ends if end.delivery_id in known]
    if not sent:
        return
    conn.change(*_SENT.of(id=[end.delivery_id for end, _ in sent], now=at))
    notes = [
        tx.new_message(what.person_id, end.message_id, what.slot, now)
        for end, what in sent
        if end.message_id is not None
    ]
    chat.note_messages(conn, notes)
    for end, what in sent:
        _name_standing(conn, end, what, now)


def _name_standing(conn: Connection, end: Sent, what: _Settled, now: datetime) -> None:
    """Which message stands for the slot now, and which one no longer does."""
    person = {"person_id": what.person_id}
    if end.message_id is not None:
        if what.slot:
            _replace_older(conn, what, end.message_id, now)
        if what.presence in SILENT:  # they hid while it was on its way: it goes too
            _delete(conn, what, end.message_id, now)
    elif not what.text:
        conn.change(_DROP_MESSAGE, {**person, "message_id": what.target})
    elif what.slot:
        conn.change(_NAME_SLOT, {**person, "slot": what.slot, "message_id": what.target})


def _replace_older(conn: Connection, what: _Settled, message_id: int, now: datetime) -> None:
    """A slot has one standing message: whatever stood for it before is queued for deletion."""
    slot = {"person_id": what.person_id, "slot": what.slot, "message_id": message_id}
    for (older,) in conn.rows(_OLDER_OF_SLOT, slot):
        _delete(conn, what, older, now)
    conn.change(_UNNAME, slot)


def _delete(conn: Connection, what: _Settled, message_id: int, now: datetime) -> None:
    """Queue the deletion of one message."""
    rank = max(what.rank, Priority.REPLY.rank)
    deletion = {"person_id": what.person_id, "rank": rank, "message_id": message_id}
    conn.change(_QUEUE_DELETE, {**deletion, "now": instant_in(now)})


def _later(tx: StoreTx, end: Later, what: _Settled, now: datetime) -> None:
    conn, due_at = tx.connection, instant_in(end.at)
    if end.forget_message and what.target is not None:
        conn.change(_DROP_MESSAGE, {"person_id": what.person_id, "message_id": what.target})
        conn.change(_NO_MESSAGE, {"id": end.delivery_id})
    if what.slot:
        newer = {"person_id": what.person_id, "slot": what.slot, "id": end.delivery_id, "due_at": due_at}
        if conn.rows(_NEWER, newer):
            ended = {"id": end.delivery_id, "state": "superseded", "code": None, "now": instant_in(now)}
            conn.change(END, ended)
            return
    conn.change(_LATER, {"id": end.delivery_id, "due_at": due_at, "more": 1 if end.attempt else 0})


def _gone(tx: StoreTx, end: Gone, what: _Settled, now: datetime) -> None:
    conn, person = tx.connection, {"person_id": what.person_id}
    conn.change(_END_ALL_OF, {**person, "now": instant_in(now)})
    if conn.change(_BLOCKED, person):
        tx.audit(AuditEntry(SYSTEM, Action.PERSON_SETTINGS, f"person:{what.person_id}", "blocked"))
        chat.set_timer(conn, "unreachable_person", what.person_id, now)


def _dead(tx: StoreTx, end: Dead, what: _Settled, now: datetime) -> None:
    ended = {"id": end.delivery_id, "code": end.code, "now": instant_in(now)}
    if tx.connection.change(_DEAD_REPLY if what.rank == Priority.REPLY.rank else _DEAD, ended):
        chat.set_timer(tx.connection, "undelivered", "outbox", now)


_SETTLE: dict[type[Any], Callable[[StoreTx, Any, _Settled, datetime], None]] = {
    Later: _later,
    Gone: _gone,
    Dead: _dead,
}
