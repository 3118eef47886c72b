"""The values of the simulated world, and nothing that happens to them."""

from __future__ import annotations

import re
import time
from dataclasses import asdict, dataclass, field
from typing import Any

Json = dict[str, Any]

DAY = 86_400.0
UPDATE_LIFE = DAY  # unacknowledged updates are kept 24 h (Bot API, "Getting updates")
CALLBACK_LIFE = 150.0  # ... and callback queries 150 s
DELETABLE = 2 * DAY  # only private messages younger than 48 h can be deleted (deleteMessage)
NEVER_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


@dataclass
class Clock:
    """Real time plus an offset that `POST /sim/clock` moves."""

    offset: float = 0.0

    def now(self) -> float:
        """Unix seconds of the simulation."""
        return time.time() + self.offset


@dataclass(frozen=True)
class Person:
    """Somebody with a phone; `known` people have talked to the bot before the simulation starts."""

    name: str
    telegram_id: int
    role: str
    language: str
    slug: str
    known: bool = False

    def public(self) -> Json:
        """`{"name", "telegram_id", "role", "language"}`."""
        return {key: getattr(self, key) for key in ("name", "telegram_id", "role", "language")}

    def user(self) -> Json:
        """The person as Telegram's User."""
        return {
            "id": self.telegram_id,
            "is_bot": False,
            "first_name": self.name,
            "username": f"{self.slug.replace('-', '_')}_{self.telegram_id % 10_000}",
            **({"language_code": self.language} if self.language else {}),
        }

    def row(self) -> Json:
        """As kept in the journal."""
        return asdict(self)


def slug_of(name: str, telegram_id: int) -> str:
    """A host label for the person's phone: lower-case ASCII letters, digits and hyphens."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-")
    return plain or f"phone-{telegram_id}"


@dataclass(frozen=True, slots=True)
class Shown:
    """One message in a chat: Telegram's Message, and what has become of it."""

    message: Json
    by_bot: bool
    edited: bool = False
    deleted: bool = False
    silent: bool = False
    toast: str | None = None
    alert: bool = False

    @property
    def id(self) -> int:
        """message_id."""
        number: int = self.message["message_id"]
        return number

    @property
    def buttons(self) -> list[list[Json]]:
        """Rows of inline buttons; none once the message is deleted."""
        markup = self.message.get("reply_markup")
        return [] if self.deleted or not markup else markup["inline_keyboard"]

    def row(self) -> Json:
        """As kept in the journal."""
        return {name: getattr(self, name) for name in self.__slots__ if getattr(self, name)}


def shown_from(row: Json) -> Shown:
    """The message as it was kept."""
    return Shown(**{"by_bot": False, **row})


@dataclass
class Chat:
    """A private chat with a person, or a group: `standing` is 'member', 'kicked' (blocked) or 'left'."""

    id: int
    kind: str = "private"
    title: str = ""
    standing: str = "member"
    started: bool = False
    deactivated: bool = False
    migrated_to: int | None = None
    read_upto: int = 0
    keyboard: list[list[Json]] | None = None
    menu: Json | None = None
    messages: dict[int, Shown] = field(default_factory=dict, repr=False)
    typing_until: float = 0.0

    def row(self) -> Json:
        """As kept in the journal; its messages are rows of their own."""
        return {k: v for k, v in self.__dict__.items() if k not in ("messages", "typing_until")}

    @property
    def newest(self) -> int:
        """The newest message's id, 0 in an empty chat."""
        return next(reversed(self.messages), 0)

    def unread(self) -> list[Shown]:
        """Messages from the bot since the person last looked, newest first."""
        found: list[Shown] = []
        for shown in reversed(self.messages.values()):
            if shown.id <= self.read_upto or len(found) >= 99:
                break
            if shown.by_bot and not shown.deleted:
                found.append(shown)
        return found


@dataclass(frozen=True, slots=True)
class Pending:
    """An update that nobody has acknowledged: `kind` its field, `key` its queue, `at` its simulated birth."""

    seq: int
    update: Json
    kind: str
    key: str
    at: float

    @property
    def update_id(self) -> int:
        """Its public number."""
        number: int = self.update["update_id"]
        return number

    def expired(self, now: float) -> bool:
        """Whether Telegram would have dropped it."""
        return now - self.at > (CALLBACK_LIFE if self.kind == "callback_query" else UPDATE_LIFE)


@dataclass(frozen=True, slots=True)
class Query:
    """A press or an opened Mini App that may be answered once: where it came from, and when."""

    chat_id: int
    message_id: int
    at: float


@dataclass(frozen=True)
class Webhook:
    """Where updates go; an empty url means polling."""

    url: str = ""
    secret_token: str = ""
    max_connections: int = 40
    ip_address: str = ""
    last_error_at: float = 0.0
    last_error: str = ""


@dataclass(frozen=True)
class Upload:
    """A file on the simulated cloud."""

    file_id: str
    name: str
    kind: str
    content: bytes


def update_kind(update: Json) -> str:
    """The one field of an update that says what happened."""
    return next((name for name in update if name != "update_id"), "")


def queue_key(kind: str, update: Json) -> str:
    """Order holds per key only; a tap and a text of one person have different keys, as on Telegram."""
    inner = update.get(kind)
    if not isinstance(inner, dict):
        return kind
    chat = inner.get("chat") if kind != "callback_query" else inner.get("from")
    return f"{kind}/{chat.get('id') if isinstance(chat, dict) else ''}"
