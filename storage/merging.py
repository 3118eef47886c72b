"""Several notices to one person become one message with a line for each.

Rules: they become one at the moment of sending (`Notice.merge`, `gist`); each ends as 'merged' and keeps its
line while the message stands. A slot stands in a message of its own or as one line, never as both: the next
notice about it takes its line out, and the list is written anew, or deleted with its last line.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from referrals.said import Button, Keyboard, Notice, Priority
from storage import chat
from storage.codec import instant_in
from storage.sql import Connection, Sized, Sql

LINES = 8  # more are counted, and stand on the page
MORE = Button("button.all_members", page="members")

_TOGETHER = Sized(
    "SELECT o.person_id, o.merge, o.id, o.rank, o.slot, o.expires_at, o.gist,"
    " (SELECT e.id FROM outbox e WHERE e.person_id = o.person_id AND e.state = 'merged' AND e.slot = o.slot"
    "  AND o.slot <> '' ORDER BY e.id DESC LIMIT 1)"
    " FROM outbox o WHERE o.person_id IN ({person}) AND o.state = 'waiting' AND NOT o.claimed"
    " AND o.merge <> '' AND o.gist IS NOT NULL AND o.due_at <= :now"
    " AND (o.expires_at IS NULL OR o.expires_at > :now)"
    " AND (o.fresh OR NOT EXISTS (SELECT 1 FROM message m WHERE m.person_id = o.person_id"
    "  AND m.slot = o.slot AND o.slot <> ''))"
    " ORDER BY o.person_id, o.merge, o.id"
)
_QUEUE = Sql(
    "INSERT INTO outbox (person_id, rank, state, due_at, claimed, retrying, attempts, queued_at, text,"
    " params, buttons, slot, fresh, quiet, expires_at, merge)"
    " VALUES (:person_id, :rank, 'waiting', :now, false, false, 0, :now, :text,"
    " :params, :buttons, :slot, true, false, :expires_at, '') RETURNING id"
)
_MERGED = Sql(
    "UPDATE outbox SET state = 'merged', merged_into = :list, settled_at = :now, params = '{}',"
    " buttons = '[]' WHERE id = :id AND state = 'waiting'"
)
_STANDING = Sql("SELECT message_id FROM message WHERE person_id = :person_id AND slot = :slot")
_TAKE_OUT = Sql(
    "UPDATE outbox SET state = 'sent', gist = NULL WHERE id = :id AND state = 'merged' RETURNING merged_into"
)
_LINES = Sql(
    "SELECT gist FROM outbox WHERE person_id = :person_id AND state = 'merged'"
    " AND merged_into = :list ORDER BY id"
)
_LIST = Sql("SELECT person_id, text, slot, state, claimed FROM outbox WHERE id = :list")
_REWRITE = Sql("UPDATE outbox SET params = :params, buttons = :buttons WHERE id = :list")
_GIVE_UP = Sql(
    "UPDATE outbox SET state = 'superseded', settled_at = :now, params = '{}', buttons = '[]'"
    " WHERE id = :list"
)


class _Line(NamedTuple):
    """A notice that could be a line."""

    person_id: str
    merge: str
    id: int
    rank: int
    slot: str
    expires_at: int | None
    gist: str
    listed: int | None


def merge(conn: Connection, people: Collection[str], now: datetime) -> frozenset[int]:
    """Make one of what is due together for each of these people; the ids of the rows that are no more."""
    rows = map(_Line._make, conn.rows(*_TOGETHER.of(person=sorted(people), now=instant_in(now))))
    gone: set[int] = set()
    for _, same in groupby(rows, key=lambda line: (line.person_id, line.merge)):
        lines = list(same)
        if len(lines) > 1:
            _make_list(conn, lines, now)
            gone |= {line.id for line in lines}
    return frozenset(gone)


def _make_list(conn: Connection, lines: Sequence[_Line], now: datetime) -> None:
    """The one row that stands for all of these."""
    first, at = lines[0], instant_in(now)
    # What stands for these slots now is replaced by their new lines.
    leave(conn, [line.listed for line in lines if line.listed is not None], now)
    for line in lines:
        _delete_standing(conn, line, now)
    ends = [line.expires_at for line in lines]
    row = {
        "person_id": first.person_id,
        "rank": min(line.rank for line in lines),
        "now": at,
        "text": first.merge,
        "slot": f"list:{first.id}",
        # As long as one of them has a point, so has the list.
        "expires_at": None if None in ends else max(end for end in ends if end is not None),
        **_shown([line.gist for line in lines]),
    }
    ((list_id,),) = conn.rows(_QUEUE, row)
    conn.change_many(_MERGED, [{"id": line.id, "list": list_id, "now": at} for line in lines])


def _delete_standing(conn: Connection, line: _Line, now: datetime) -> None:
    """The message of its own that a slot had until now."""
    if not line.slot:
        return
    for (message_id,) in conn.rows(_STANDING, {"person_id": line.person_id, "slot": line.slot}):
        chat.say(conn, Notice(line.person_id, "", priority=Priority.BULK, message_id=message_id), now)


def leave(conn: Connection, rows: Sequence[int], now: datetime) -> None:
    """Take these lines out of the messages that they stand in."""
    taken = [conn.rows(_TAKE_OUT, {"id": row}) for row in rows]
    for list_id in sorted({found[0][0] for found in taken if found}):
        _write_anew(conn, list_id, now)


def _write_anew(conn: Connection, list_id: int, now: datetime) -> None:
    """A list that lost lines: rewritten where it waits, edited where it stands, and with none left gone."""
    for person_id, text, slot, state, claimed in conn.rows(_LIST, {"list": list_id}):
        gists = [gist for (gist,) in conn.rows(_LINES, {"person_id": person_id, "list": list_id})]
        if state == "waiting" and not claimed:
            if gists:
                conn.change(_REWRITE, {"list": list_id, **_shown(gists)})
            else:
                conn.change(_GIVE_UP, {"list": list_id, "now": instant_in(now)})
        elif claimed or conn.rows(_STANDING, {"person_id": person_id, "slot": slot}):
            anew = Notice(person_id, "", slot=slot)
            if gists:
                anew = Notice(person_id, text, {"count": str(len(gists))}, _keyboard(gists), slot=slot)
            chat.say(conn, anew, now)


def _shown(gists: Sequence[str]) -> dict[str, str]:
    """The two columns of a list that change with its lines."""
    return {
        "params": chat.encode_params({"count": str(len(gists))}),
        "buttons": chat.encode_buttons(_keyboard(gists)),
    }


def _keyboard(gists: Sequence[str]) -> Keyboard:
    rows = tuple(row for gist in gists[:LINES] for row in chat.decode_buttons(gist))
    return (*rows, (MORE,)) if len(gists) > LINES else rows
