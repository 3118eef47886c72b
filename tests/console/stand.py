"""A stand for the pages: the real application on a real server, over pages whose content the test lays out.

The turns here keep sessions in a dictionary; `test_store.py` runs the same application over a real database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from babel.messages.pofile import read_po

from console.app import PREFIX, build
from referrals.catalogue import Catalogue, Language
from referrals.model import Offer
from referrals.persons import Person, Presence, Session, WritingWindow
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


def words(language: str) -> Mapping[str, str]:
    """The texts of a language; none where there is no such language."""
    path = ROOT / f"locales/{language}.po"
    if not path.exists():
        return {}
    with path.open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file) if m.id and m.string}


class SmallTurns:
    """As much of a transaction as sessions need; whatever a verb raises undoes nothing but itself."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self.catalogue = CATALOGUE
        self.person = PERSON
        self.sessions: dict[str, Session] = {}
        self.seen: set[str] = set()
        self.offers: dict[str, Offer] = {}

    async def turn(self, verb: Any, *args: Any, **kwargs: Any) -> Any:
        kept, seen = dict(self.sessions), set(self.seen)
        try:
            return verb(self, *args, **kwargs)
        except Exception:
            self.sessions, self.seen = kept, seen
            raise

    def first_time(self, key: str) -> bool:
        new = key not in self.seen
        self.seen.add(key)
        return new

    def person_of_account(self, account: int) -> Person | None:
        return self.person if account == ACCOUNT else None

    def get(self, kind: type, row_id: str) -> Any:
        rows: dict[type, Mapping[str, Any]] = {Session: self.sessions, Offer: self.offers}
        return self.person if kind is Person else rows[kind].get(row_id)

    def find(self, kind: type, person_id: str) -> list[Session]:
        return [s for s in self.sessions.values() if s.person_id == person_id]

    def add(self, session: Session) -> None:
        self.sessions[session.id] = session

    def remove(self, session: Session) -> None:
        del self.sessions[session.id]


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
