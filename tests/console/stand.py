"""A stand for the pages: the real application on a real server, over pages whose content the test lays out.

The turns here keep their rows in a dictionary; `test_store.py` runs the same over a real database.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from babel.messages.pofile import read_po

from console.app import PREFIX, build
from referrals.catalogue import Catalogue, Language
from referrals.model import Offer
from referrals.persons import Device, Person, Presence, Session, WritingWindow
from referrals.ports import Slow
from tests.security.test_init_data import KEY, TOKEN, TRUST, query, signed

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = 4711
PERSON = Person(
    id="mali",
    language="en",
    timezone="Asia/Bangkok",
    window=WritingWindow.ANY_TIME,
    presence=Presence.PRESENT,
    age_group=None,
    created_at=datetime(2026, 11, 1, tzinfo=UTC),
    last_seen_at=datetime(2026, 11, 1, tzinfo=UTC),
    retain_until=datetime(2027, 11, 1, tzinfo=UTC),
)
CATALOGUE = Catalogue(
    languages={
        "en": Language("en", "English"),
        "th": Language("th", "ไทย"),
        "ar": Language("ar", "العربية", right_to_left=True),
    }
)


@cache  # reading a catalogue takes 20 ms, and the server asks at every session
def words(language: str) -> Mapping[str, str]:
    """The texts of a language; none where there is no such language."""
    path = ROOT / f"locales/{language}.po"
    if not path.exists():
        return {}
    with path.open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file) if m.id and m.string}


class QuickPins:
    """Fulfils ports.Pins without Argon2id's hundred milliseconds."""

    def conceal(self, pin: str) -> str:
        return f"concealed {pin}"

    def fits(self, pin: str, stored: str) -> bool:
        return stored == f"concealed {pin}"


class SmallTurns:
    """As much of a transaction as sessions and devices need; a verb that raises undoes its rows."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self.catalogue = CATALOGUE
        self.person = PERSON
        self.rows: dict[tuple[type, str], Any] = {}
        self.seen: set[str] = set()
        self.offers: dict[str, Offer] = {}
        self.reading_locked = False
        self.locks = False  # whether the sample pages withhold what the PIN protects

    async def turn(self, verb: Any, *args: Any, **kwargs: Any) -> Any:
        kept, seen = dict(self.rows), set(self.seen)
        self.reading_locked = False
        try:
            return verb(self, *args, **kwargs)
        except Exception:
            self.rows, self.seen = kept, seen
            raise

    @property
    def sessions(self) -> list[Session]:
        return self.find(Session)

    @property
    def devices(self) -> list[Device]:
        return self.find(Device)

    def end_sessions(self) -> None:
        for session in self.sessions:
            self.remove(session)

    def first_time(self, key: str) -> bool:
        new = key not in self.seen
        self.seen.add(key)
        return new

    def person_of_account(self, account: int) -> Person | None:
        known = {ACCOUNT: self.person, ACCOUNT + 1: replace(self.person, id="farid")}
        return known.get(account)

    def get(self, kind: type, row_id: str, *, lock: bool = False) -> Any:
        if kind is Person:
            return replace(self.person, id=row_id)
        return self.offers.get(row_id) if kind is Offer else self.rows.get((kind, row_id))

    def find(self, kind: type, *, limit: int | None = None, **equal: Any) -> list[Any]:
        found = [row for (of, _), row in sorted(self.rows.items(), key=lambda r: r[0][1]) if of is kind]
        return [row for row in found if all(getattr(row, name) == value for name, value in equal.items())]

    def count(self, kind: type, **equal: Any) -> int:
        return len(self.find(kind, **equal))

    def add(self, *rows: Any) -> None:
        self.rows.update({(type(row), row.id): row for row in rows})

    def save(self, row: Any) -> Any:
        self.add(saved := replace(row, version=row.version + 1))
        return saved

    def remove(self, row: Any) -> None:
        del self.rows[type(row), row.id]

    def lock_reading(self) -> None:
        self.reading_locked = True

    def fingerprint(self, purpose: str, text: str) -> str:
        return hashlib.sha256(f"{purpose}:{text}".encode()).hexdigest()

    def new_id(self) -> str:
        return secrets.token_urlsafe(12)

    def secret(self, octets: int) -> bytes:
        return secrets.token_bytes(octets)

    def tally(self, *args: Any, **kwargs: Any) -> int:
        return 1

    def nothing(self, *args: Any, **kwargs: Any) -> None:
        """Audit, timers and notices: nobody looks at them here."""

    audit = say = set_timer = clear_timer = clear_timers = recall_notices = nothing


@dataclass(frozen=True)
class FixedPage:
    """A row of the registry."""

    view: Any
    steps: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Stand:
    """A running server and what it remembers."""

    origin: str
    turns: SmallTurns
    launches: int = 0

    def fields(self, account: int = ACCOUNT, language: str = "en") -> dict[str, str]:
        """A launch that was not used before."""
        self.launches += 1
        user = f'{{"id":{account},"first_name":"Mali","language_code":"{language}"}}'
        date = str(int(self.turns.now.timestamp()))
        return signed({"query_id": f"AAE{self.launches}", "user": user, "auth_date": date}, key=KEY)

    def url(self, page: str, theme: str = "{}", **launch: Any) -> str:
        """The page's address as Telegram opens it."""
        fragment = urlencode(
            {
                "tgWebAppData": query(self.fields(**launch)),
                "tgWebAppVersion": "9.1",
                "tgWebAppPlatform": "android",
                "tgWebAppThemeParams": theme,
            }
        )
        return f"{self.origin}{PREFIX}/{page}#{fragment}"

    def passes(self, **span: float) -> None:
        self.turns.now += timedelta(**span)


@asynccontextmanager
async def a_stand(
    pages: Mapping[str, Any], frame_ancestor: str = "", texts: Any = words
) -> AsyncIterator[Stand]:
    """The application on a free loopback port."""
    turns = SmallTurns()
    app = build(
        turns,
        pages,
        bot_token=TOKEN,
        bot_id=TRUST.bot_id,
        telegram_public_key=TRUST.public_key,
        texts=texts,
        clock=lambda: turns.now,
        frame_ancestor=frame_ancestor,
        slow=Slow(QuickPins(), lambda files, passphrase: b""),
    )
    root = web.Application()
    root.add_subapp(PREFIX, app)
    runner = web.AppRunner(root)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield Stand(f"http://{host}:{port}", turns)
    finally:
        await runner.cleanup()
