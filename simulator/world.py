"""The simulated world: people, chats, messages, updates, settings. Every change goes through here.

Each change is noted in the journal; whoever answers the outside calls `commit()` first. Nothing scans all
chats.
"""

from __future__ import annotations

import base64
import itertools
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from simulator.errors import NotPossible
from simulator.identity import Identity
from simulator.journal import Journal, Op
from simulator.model import (
    CALLBACK_LIFE,
    NEVER_BY_DEFAULT,
    Chat,
    Clock,
    Json,
    Pending,
    Person,
    Query,
    Shown,
    Upload,
    Webhook,
    queue_key,
    shown_from,
    slug_of,
    update_kind,
)  # fmt: skip
from simulator.traffic import Traffic

FIRST_STRANGER = 7_000_000_001


class World:
    """All state in plain dictionaries by id."""

    def __init__(self, state: Path | None, token: str | None = None, traffic_limit: int = 200_000) -> None:
        self.clock = Clock()
        self.journal = Journal(state)
        self.traffic = Traffic(self.journal, traffic_limit)
        self.people: dict[str, Person] = {}
        self.by_id: dict[int, Person] = {}
        self.by_slug: dict[str, Person] = {}
        self.chats: dict[int, Chat] = {}
        self.pending: dict[int, Pending] = {}
        self.queries: dict[str, Query] = {}
        self.webapp_queries: dict[str, Query] = {}
        self.files: dict[str, Upload] = {}
        self.settings: dict[str, Any] = {}
        self.webhook = Webhook()
        self.message_id = self.seq = 0
        self._forged = False
        self.update_id = 100_000_000 + secrets.randbelow(400_000_000)
        self.on_update: list[Callable[[Pending], None]] = []
        self.on_change: list[Callable[[int], None]] = []
        for table, key, row in self.journal.read():
            self._restore(table, key, row)
        self.identity = Identity.from_row(self.settings.get("identity"), token)
        self.set("identity", self.identity.row())
        self.journal.restart(self._everything())

    # -- keeping and restoring --

    def _everything(self) -> Iterator[Op]:
        """The whole world as the shortest list of changes."""
        for name, value in self.settings.items():
            yield "setting", name, value
        counters = {"message_id": self.message_id, "update_id": self.update_id, "seq": self.seq}
        yield "counters", 0, {**counters, "traffic": self.traffic.n}
        yield from (("person", person.name, person.row()) for person in self.people.values())
        for chat in self.chats.values():
            yield "chat", chat.id, chat.row()
            yield from (("message", [chat.id, shown.id], shown.row()) for shown in chat.messages.values())
        yield from (("pending", seq, self._pending_row(pending)) for seq, pending in self.pending.items())
        yield from (("query", key, asdict(query)) for key, query in self.queries.items())
        yield from (("webapp", key, asdict(query)) for key, query in self.webapp_queries.items())
        yield from (("file", key, _file_row(upload)) for key, upload in self.files.items())
        yield from self.traffic.everything()

    def _restore(self, table: str, key: Any, row: Any) -> None:
        """Apply one line of the journal."""
        restore: Callable[[Any, Any], None] = getattr(self, f"_restore_{table}")
        restore(key, row)

    def _restore_setting(self, name: str, value: Any) -> None:
        self.settings[name] = value
        if name == "webhook":
            self.webhook = Webhook(**value)
        elif name == "clock":
            self.clock.offset = value

    def _restore_counters(self, _: int, row: Json) -> None:
        self.message_id, self.update_id, self.seq = row["message_id"], row["update_id"], row["seq"]
        self.traffic.n = row["traffic"]

    def _restore_person(self, _: str, row: Json) -> None:
        self._hold_person(Person(**row))

    def _restore_chat(self, key: int, row: Json | None) -> None:
        if row is None:
            self.chats.pop(key, None)
            return
        old = self.chats.get(key)
        self.chats[key] = Chat(**row, messages=old.messages if old else {})

    def _restore_message(self, key: list[int], row: Json) -> None:
        self.chats[key[0]].messages[key[1]] = shown_from(row)
        self.message_id = max(self.message_id, key[1])

    def _restore_pending(self, seq: int, row: Json | None) -> None:
        self.seq = max(self.seq, seq)
        if row is None:
            self.pending.pop(seq, None)
            return
        self.pending[seq] = Pending(seq, **row)
        self._forged = self._forged or row["update"]["update_id"] <= self.update_id
        self.update_id = max(self.update_id, row["update"]["update_id"])

    def _restore_query(self, key: str, row: Json | None) -> None:
        _restore_row(self.queries, key, Query(**row) if row else None)

    def _restore_webapp(self, key: str, row: Json | None) -> None:
        _restore_row(self.webapp_queries, key, Query(**row) if row else None)

    def _restore_file(self, key: str, row: Json) -> None:
        self.files[key] = Upload(key, row["name"], row["kind"], base64.b64decode(row["content"]))

    def _restore_traffic(self, key: int, row: Any) -> None:
        self.traffic.restore(key, row)

    @staticmethod
    def _pending_row(pending: Pending) -> Json:
        return {"update": pending.update, "kind": pending.kind, "key": pending.key, "at": pending.at}

    def commit(self) -> None:
        """Write what has changed, before anybody is told."""
        self.journal.commit()

    def set(self, name: str, value: Any) -> None:
        """One of the bot's or the simulator's settings."""
        self.settings[name] = value
        self.journal.note("setting", name, value)

    def advance(self, seconds: float) -> None:
        """Move the simulated clock."""
        self.clock.offset += seconds
        self.set("clock", self.clock.offset)
        self.changed(0)

    def changed(self, chat_id: int) -> None:
        """Tell the page that a chat (0: everything) looks different."""
        for listener in self.on_change:
            listener(chat_id)

    # -- people --

    def _hold_person(self, person: Person) -> None:
        self.people[person.name] = self.by_id[person.telegram_id] = self.by_slug[person.slug] = person

    def add_person(self, name: str, language: str, role: str = "", telegram_id: int | None = None) -> Person:
        """A new phone. People of the demo network come with their id and have talked to the bot before."""
        known = telegram_id is not None
        number = telegram_id or max([FIRST_STRANGER - 1, *self.by_id]) + 1
        slug = slug_of(name, number)
        if slug in self.by_slug and self.by_slug[slug].name != name:
            slug = f"{slug}-{number}"
        person = Person(name, number, role, language, slug, known)
        self._hold_person(person)
        self.journal.note("person", name, person.row())
        if number not in self.chats:
            self.save_chat(Chat(number, started=known))
        self.changed(0)
        return person

    def change_role(self, person: Person, role: str) -> Person:
        """What the demo network has made of somebody, for the page to show."""
        changed = replace(person, role=role)
        self._hold_person(changed)
        self.journal.note("person", person.name, changed.row())
        self.changed(0)
        return changed

    def person(self, name: str) -> Person:
        """By name or by host label; NotPossible (404) when there is none."""
        person = self.people.get(name) or self.by_slug.get(name)
        if person is None:
            raise NotPossible(404, f"nobody here is called {name}; GET /sim/people lists everybody")
        return person

    def chat_of(self, person: Person) -> Chat:
        """The private chat on that person's phone."""
        return self.chats[person.telegram_id]

    # -- chats and messages --

    def save_chat(self, chat: Chat) -> None:
        """Keep a chat's own fields."""
        self.chats[chat.id] = chat
        self.journal.note("chat", chat.id, chat.row())
        self.changed(chat.id)

    def chat_json(self, chat: Chat) -> Json:
        """The chat as Telegram's Chat."""
        if chat.kind != "private":
            return {"id": chat.id, "type": chat.kind, "title": chat.title}
        user = self.by_id[chat.id].user()
        return {
            "id": chat.id,
            "type": "private",
            "first_name": user["first_name"],
            "username": user["username"],
        }

    def new_message(
        self, chat: Chat, sender: Json, content: Json, *, by_bot: bool, silent: bool = False
    ) -> Shown:
        """Add a message to a chat; its id is larger than every one before."""
        self.message_id += 1
        message = {
            "message_id": self.message_id,
            "from": sender,
            "chat": self.chat_json(chat),
            "date": int(self.clock.now()),
            **content,
        }
        shown = Shown(message, by_bot, silent=silent)
        if by_bot:
            chat.typing_until = 0.0
        self.save_message(chat, shown)
        return shown

    def save_message(self, chat: Chat, shown: Shown) -> None:
        """Keep a message, new or changed."""
        chat.messages[shown.id] = shown
        if self.journal.keeps:
            self.journal.note("message", [chat.id, shown.id], shown.row())
        self.changed(chat.id)

    def mark_read(self, chat: Chat) -> None:
        """The person has looked at everything."""
        if chat.read_upto != chat.newest:
            chat.read_upto = chat.newest
            self.save_chat(chat)

    def add_file(self, name: str, kind: str, content: bytes) -> Upload:
        """Put a file on the simulated cloud; the same content twice is two files, as on Telegram."""
        upload = Upload(secrets.token_urlsafe(24), name, kind, content)
        self.files[upload.file_id] = upload
        self.journal.note("file", upload.file_id, _file_row(upload))
        return upload

    # -- queries that may be answered once --

    def ask(self, table: str, chat_id: int, message_id: int) -> str:
        """A new callback ('query') or Mini App ('webapp') query; returns its id."""
        queries = self.queries if table == "query" else self.webapp_queries
        now = self.clock.now()
        life = CALLBACK_LIFE if table == "query" else 24 * 3600
        for old in list(itertools.takewhile(lambda k: now - queries[k].at > life, queries)):
            del queries[old]
            self.journal.note(table, old, None)
        key = str(secrets.randbits(62)) if table == "query" else "AA" + secrets.token_urlsafe(16)
        queries[key] = Query(chat_id, message_id, now)
        self.journal.note(table, key, asdict(queries[key]))
        return key

    def answered(self, table: str, key: str) -> Query | None:
        """Take a query that is still open; None when it is unknown, too old or answered."""
        queries = self.queries if table == "query" else self.webapp_queries
        query = queries.pop(key, None)
        if query is None:
            return None
        self.journal.note(table, key, None)
        life = CALLBACK_LIFE if table == "query" else 24 * 3600
        return query if self.clock.now() - query.at <= life else None

    # -- updates --

    def wants(self, kind: str) -> bool:
        """Whether the bot asked for that kind of update."""
        allowed = self.settings.get("allowed_updates")
        return kind in allowed if allowed else kind not in NEVER_BY_DEFAULT

    def emit(self, kind: str, inner: Json) -> int:
        """Something happened: queue an update for the bot. Returns its update_id."""
        self.update_id += 1
        if self.wants(kind):
            self.queue({"update_id": self.update_id, kind: inner})
        return self.update_id

    def queue(self, update: Json) -> Pending:
        """Queue a whole update, forged ones included."""
        self.seq += 1
        self._forged = self._forged or update["update_id"] != self.update_id
        kind = update_kind(update)
        pending = Pending(self.seq, update, kind, queue_key(kind, update), self.clock.now())
        self.pending[pending.seq] = pending
        if self.journal.keeps:
            self.journal.note("pending", pending.seq, self._pending_row(pending))
        for listener in self.on_update:
            listener(pending)
        return pending

    def forget_update(self, seq: int) -> None:
        """Acknowledged or dropped."""
        if self.pending.pop(seq, None) is not None:
            self.journal.note("pending", seq, None)

    def in_order(self) -> Iterable[Pending]:
        """Undelivered updates by update_id; only forged ones may have come out of order."""
        waiting = self.pending.values()
        return sorted(waiting, key=lambda p: (p.update_id, p.seq)) if self._forged else waiting

    def drop_expired(self) -> None:
        """Drop what Telegram would no longer deliver."""
        now = self.clock.now()
        for pending in [p for p in self.pending.values() if p.expired(now)]:
            self.forget_update(pending.seq)

    def set_webhook(self, webhook: Webhook) -> None:
        """Where updates go from now on."""
        self.webhook = webhook
        self.set("webhook", asdict(webhook))

    def webhook_failed(self, words: str) -> None:
        """Remember the last error for getWebhookInfo."""
        self.set_webhook(replace(self.webhook, last_error_at=self.clock.now(), last_error=words))

    # -- starting again --

    def reset(self) -> None:
        """Forget chats, their updates and traffic. People, bot settings, clock and counters stay."""
        self.chats = {p.telegram_id: Chat(p.telegram_id, started=p.known) for p in self.people.values()}
        self.pending.clear()
        self.queries.clear()
        self.webapp_queries.clear()
        self.files.clear()
        self.traffic.clear()
        self.journal.restart(self._everything())
        self.changed(0)


def _file_row(upload: Upload) -> Json:
    return {"name": upload.name, "kind": upload.kind, "content": base64.b64encode(upload.content).decode()}


def _restore_row(table: dict[str, Query], key: str, row: Query | None) -> None:
    if row is None:
        table.pop(key, None)
    else:
        table[key] = row
