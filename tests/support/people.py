"""People as tests speak of them: they say, press and see things, through the simulator alone.

`await mali.presses("Visits and what they cost")`, `await worker.sees("a new request")`. A secure page is
driven by the same HTTP calls that the page's own script makes; a browser is used where looks matter.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp

from tests.support.device import Device, DeviceSession

PATIENCE_S = 15.0
PIN = "739154"  # everybody's, in tests


@dataclass
class World:
    """A simulator and a product that talk to each other."""

    http: aiohttp.ClientSession
    simulator: str
    product: str
    people: dict[str, Person] = field(default_factory=dict)

    def person(self, name: str) -> Person:
        return self.people.setdefault(name, Person(self, name))

    async def newcomer(self, name: str, language: str = "en") -> Person:
        """Somebody whom nobody knows yet."""
        await self.call("POST", "/sim/people", {"name": name, "language": language})
        return self.person(name)

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        async with self.http.request(method, self.simulator + path, json=body) as answer:
            assert answer.status < 400, f"{path}: {answer.status} {await answer.text()}"
            return await answer.json()

    async def traffic(self, since: int = 0) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.call("GET", f"/sim/traffic?since={since}")
        return found

    async def passes(self, seconds: float) -> None:
        """Time passes, in the simulator and in the product; everything due is done when this returns."""
        async with self.http.post(self.product + "/demo/clock", json={"advance_s": seconds}) as answer:
            assert answer.status == 200, await answer.text()


@dataclass
class Person:
    """One person with a phone."""

    world: World
    name: str
    device: Device = field(default_factory=Device)  # the phone that pages open on

    async def says(self, text: str) -> None:
        await self.world.call("POST", f"/sim/people/{self.name}/say", {"text": text})

    async def opens_link(self, payload: str) -> None:
        await self.world.call("POST", f"/sim/people/{self.name}/open", {"payload": payload})

    async def sends(self, kind: str, **more: Any) -> None:
        await self.world.call("POST", f"/sim/people/{self.name}/send", {"kind": kind, **more})

    async def presses(self, label: str, message_id: int | None = None) -> None:
        """Press a button, waiting for it to appear first."""
        await self.sees_button(label)
        body: dict[str, Any] = {"label": label}
        if message_id is not None:
            body["message_id"] = message_id
        await self.world.call("POST", f"/sim/people/{self.name}/press", body)

    async def blocks(self) -> None:
        await self.world.call("POST", f"/sim/people/{self.name}/block")

    async def unblocks(self) -> None:
        await self.world.call("POST", f"/sim/people/{self.name}/unblock")

    async def chat(self) -> list[dict[str, Any]]:
        """What stands in the chat, oldest first, deleted messages left out."""
        found = await self.world.call("GET", f"/sim/people/{self.name}/chat")
        return [message for message in found if not message["deleted"]]

    async def sees(self, words: str) -> dict[str, Any]:
        """Wait until a message of the bot with these words stands in the chat, and return the newest one."""
        return await self._until(lambda m: m["from"] == "bot" and words in m["text"], f"words {words!r}")

    async def sees_button(self, label: str) -> dict[str, Any]:
        def has(message: dict[str, Any]) -> bool:
            return any(b["text"] == label for row in message.get("buttons") or [] for b in row)

        return await self._until(has, f"button {label!r}")

    async def sees_button_in(self, message_id: int, label: str) -> dict[str, Any]:
        """Wait until this very message has that button."""

        def has(message: dict[str, Any]) -> bool:
            words = [b["text"] for row in message.get("buttons") or [] for b in row]
            return message["message_id"] == message_id and label in words

        return await self._until(has, f"button {label!r} in {message_id}")

    async def sees_in(self, message_id: int, words: str) -> dict[str, Any]:
        """Wait until this very message says so."""
        return await self._until(
            lambda m: m["message_id"] == message_id and words in m["text"], f"{words!r} in {message_id}"
        )

    async def sees_no_more(self, words: str) -> None:
        """Wait until nothing in the chat says so."""
        end = time.monotonic() + PATIENCE_S
        while any(words in m["text"] for m in await self.chat()):
            assert time.monotonic() < end, f"{self.name} still sees {words!r}"
            await asyncio.sleep(0.03)

    async def never_sees(self, words: str) -> None:
        """True of what stands now: call it after something that must have come later."""
        assert not [m for m in await self.chat() if words in m["text"]], f"{self.name} sees {words!r}"

    async def opens(self, label: str, message_id: int | None = None) -> SecurePage:
        """Press a Mini App button, the newest or that of one message; returns the page with a session."""
        await self.sees_button(label)
        body: dict[str, Any] = {"label": label}
        if message_id is not None:
            body["message_id"] = message_id
        answer = await self.world.call("POST", f"/sim/people/{self.name}/webapp", body)
        return await SecurePage.open(self.world.http, self.device, answer["url"])

    async def reads(self, label: str, message_id: int | None = None) -> SecurePage:
        """The same, with the PIN typed where it is asked, so that everything can be read."""
        page = await self.opens(label, message_id)
        await page.proves()
        return page

    async def _until(self, wanted: Any, what: str) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE_S
        while True:
            chat = await self.chat()
            found = [message for message in chat if wanted(message)]
            if found:
                return found[-1]
            if time.monotonic() > end:
                shown = "\n".join(f"  {m['from']}: {m['text']!r} {m.get('buttons')}" for m in chat)
                raise AssertionError(f"{self.name} waits for {what}; the chat:\n{shown}")
            await asyncio.sleep(0.03)


@dataclass
class SecurePage:
    """A secure page opened from a chat: its view, and its steps."""

    session: DeviceSession
    view: dict[str, Any]
    texts: dict[str, str]

    @property
    def page(self) -> str:
        return self.session.page

    @property
    def origin(self) -> str:
        return self.session.origin

    @property
    def reading(self) -> str:
        """How far reading is open on this device: the state of the last answer."""
        return str(self.view["reading"]["state"])

    @classmethod
    async def open(cls, http: aiohttp.ClientSession, device: Device, url: str) -> SecurePage:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        page = parts.path.removeprefix("/p/")
        init_data = parse_qs(parts.fragment)["tgWebAppData"][0]
        status, session = await DeviceSession.open(http, origin, device, page, init_data)
        assert status == 200, f"session: {status} {session.opened}"
        self = cls(session, {}, session.opened["texts"])
        await self.look()
        return self

    async def proves(self, pin: str = PIN) -> dict[str, Any]:
        """Choose a PIN on a first device, type it on one that is let in; then look again."""
        step = {"enrol": "enrol", "pin": "prove"}.get(self.reading)
        if step is not None:
            status, answer = await self.session.device_does(step, pin=pin)
            assert status == 200, f"{step}: {status} {answer}"
        return await self.look()

    async def onward(self, page: str) -> SecurePage:
        """Another page from this one, as its links go."""
        status, session = await self.session.onward(page)
        assert status == 200, f"{page}: {status} {session.opened}"
        there = SecurePage(session, {}, session.opened["texts"])
        await there.look()
        return there

    async def look(self) -> dict[str, Any]:
        self.view = await self._call("GET", "")
        return self.view

    async def does(self, step: str, **body: Any) -> dict[str, Any]:
        self.view = await self._call("POST", f"/{step}", body)
        return self.view

    async def refused(self, step: str, **body: Any) -> dict[str, Any]:
        """A step that must be refused; returns the error."""
        status, answer = await self._ask("POST", f"/{step}", body)
        assert 400 <= status < 500, f"{step} was not refused: {status} {answer}"
        return answer

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        status, answer = await self._ask(method, path, body)
        assert status == 200, f"{self.page}{path}: {status} {answer}"
        return answer

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
        return await self.session.call(method, f"/p/api/{self.page}{path}", body)
