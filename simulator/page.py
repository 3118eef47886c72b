"""The page of phones: its files, the state that it draws, and the stream that tells it what has changed."""

from __future__ import annotations

import asyncio
from itertools import islice
from pathlib import Path

from aiohttp import web

from simulator import people
from simulator.botsettings import commands_for, menu_of
from simulator.journal import encode
from simulator.model import Json, Person
from simulator.peopleside import PeopleSide, answer

STATIC = Path(__file__).with_name("static")
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-src http://*.localhost:* http://localhost:* http://127.0.0.1:* https:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
SHOWN_MESSAGES = 80
TRAFFIC_ROWS = 60
BREATH = 0.06  # seconds in which changes gather before the page is told
HEARTBEAT = 15.0


class Page:
    """`GET /` and what it reads."""

    def __init__(self, side: PeopleSide) -> None:
        self.side = side
        self.world = side.world
        self._readers: set[Reader] = set()
        self.world.on_change.append(self._changed)

    def routes(self) -> list[web.RouteDef]:
        """The page's own addresses."""
        return [
            web.get("/", self.index),
            web.get("/static/{name}", self.static),
            web.get("/sim/page", self.state),
            web.get("/sim/page/traffic", self.traffic),
            web.get("/sim/page/{name}", self.phone),
            web.get("/sim/file/{file_id}", self.file),
            web.get("/sim/events", self.events),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """The page of phones."""
        return _static("index.html")

    async def static(self, request: web.Request) -> web.Response:
        """Its styles and scripts."""
        return _static(request.match_info["name"])

    async def state(self, request: web.Request) -> web.Response:
        """Everything but the chats: `{"bot", "clock", "faults", "people": [...]}`."""
        now = self.world.clock.now()
        identity = self.world.identity
        name = self.world.settings.get("name/") or identity.first_name
        return answer(
            {
                "bot": {"name": name, "username": identity.username},
                "clock": {"now": now, "offset_s": self.world.clock.offset},
                "faults": self.side.bot.faults.listed(),
                "people": [self._person(person) for person in self.world.people.values()],
            }
        )

    def _person(self, person: Person) -> Json:
        chat = self.world.chat_of(person)
        return {
            **person.public(),
            "slug": person.slug,
            "blocked": chat.standing == "kicked",
            "gone": chat.deactivated,
            "typing": chat.typing_until > self.world.clock.now(),
            "unread": len(chat.unread()),
            "newest": chat.newest,
        }

    async def phone(self, request: web.Request) -> web.Response:
        """One phone: the person's line and the newest messages, keyboard, menu button and commands."""
        person = self.world.person(request.match_info["name"])
        chat = self.world.chat_of(person)
        unread = chat.unread()
        loud = next((shown for shown in unread if not shown.silent), None)
        return answer(
            {
                **self._person(person),
                "chat": people.chat_rows(chat, SHOWN_MESSAGES),
                "earlier": max(0, len(chat.messages) - SHOWN_MESSAGES),
                "read_upto": chat.read_upto,
                "alerts": [s.id for s in islice(reversed(chat.messages.values()), SHOWN_MESSAGES) if s.alert],
                "preview": people.chat_row(loud)["text"] if loud else "",
                "keyboard": chat.keyboard or [],
                "description": self._description(person.language),
                "menu": menu_of(self.world, chat.id),
                "commands": commands_for(self.world, chat.id, person.language),
            }
        )

    def _description(self, language: str) -> str:
        said = self.world.settings
        words: str = said.get(f"description/{language}") or said.get("description/") or ""
        return words

    async def traffic(self, request: web.Request) -> web.Response:
        """The newest calls, newest first."""
        return answer(self.world.traffic.newest(TRAFFIC_ROWS))

    async def file(self, request: web.Request) -> web.Response:
        """A picture or document in a chat. Never shown as a page, whatever it holds."""
        upload = self.world.files.get(request.match_info["file_id"])
        if upload is None:
            raise web.HTTPNotFound(headers=HEADERS)
        picture = upload.kind in ("image/png", "image/jpeg", "image/webp", "image/gif")
        headers = dict(HEADERS) if picture else {**HEADERS, "Content-Disposition": "attachment"}
        kind = upload.kind if picture else "application/octet-stream"
        return web.Response(body=upload.content, content_type=kind, headers=headers)

    # -- what has changed --

    def _changed(self, chat_id: int) -> None:
        for reader in self._readers:
            reader.dirty.add(chat_id)
            reader.woken.set()

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: `{"all": bool, "traffic": bool, "people": [NAME, ...]}`, some 16 a second."""
        stream = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await stream.prepare(request)
        reader = Reader()
        self._readers.add(reader)
        try:
            await stream.write(b": here\n\n")
            while True:
                await stream.write(await self._next(reader))
        except (ConnectionResetError, asyncio.CancelledError):
            return stream
        finally:
            self._readers.discard(reader)

    async def _next(self, reader: Reader) -> bytes:
        try:
            await asyncio.wait_for(reader.woken.wait(), HEARTBEAT)
        except TimeoutError:
            return b": still here\n\n"
        await asyncio.sleep(BREATH)
        dirty, reader.dirty = reader.dirty, set()
        reader.woken.clear()
        names = [self.world.by_id[number].name for number in dirty if number in self.world.by_id]
        event = {"all": 0 in dirty, "traffic": -1 in dirty, "people": names}
        return f"data: {encode(event)}\n\n".encode()


class Reader:
    """One open page."""

    def __init__(self) -> None:
        self.dirty: set[int] = set()
        self.woken = asyncio.Event()


def _static(name: str) -> web.Response:
    path = STATIC / name
    if path.suffix not in KINDS or path.parent != STATIC or not path.is_file():
        raise web.HTTPNotFound(headers=HEADERS)
    return web.Response(
        body=path.read_bytes(), content_type=KINDS[path.suffix], charset="utf-8", headers=HEADERS
    )
