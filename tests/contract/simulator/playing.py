"""Who plays: a client of the simulator, a webhook, and the simulator as a program to be killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

PEOPLE = [
    {"name": "mali", "telegram_id": 1001, "role": "family", "language": "th"},
    {"name": "somchai", "telegram_id": 1002, "role": "mentor", "language": "en"},
]
Json = dict[str, Any]
REPOSITORY = Path(__file__).resolve().parents[3]


@dataclass
class Sim:
    """What a test says to the simulator."""

    url: str
    token: str
    session: aiohttp.ClientSession
    ready: Json = field(default_factory=dict)

    async def bot(self, method: str, **params: Any) -> Json:
        """One Bot API call as JSON; the whole answer."""
        async with self.session.post(f"{self.url}/bot{self.token}/{method}", json=params) as answer:
            return await answer.json()

    async def done(self, method: str, **params: Any) -> Any:
        """A Bot API call that must work; its result."""
        answer = await self.bot(method, **params)
        assert answer["ok"], answer
        return answer["result"]

    async def refused(self, method: str, **params: Any) -> tuple[int, str]:
        """A Bot API call that must not work; its code and words."""
        answer = await self.bot(method, **params)
        assert not answer["ok"], answer
        return answer["error_code"], answer["description"]

    async def act(self, path: str, body: Json | None = None, status: int = 200) -> Any:
        """POST /sim/<path>."""
        async with self.session.post(f"{self.url}/sim/{path}", json=body or {}) as answer:
            found = await answer.json()
            assert answer.status == status, found
            return found

    async def look(self, path: str) -> Any:
        """GET /sim/<path>."""
        async with self.session.get(f"{self.url}/sim/{path}") as answer:
            return await answer.json()

    async def say(self, name: str, text: str) -> Json:
        """A person writes."""
        return await self.act(f"people/{name}/say", {"text": text})

    async def press(self, name: str, label: str, **more: Any) -> Json:
        """A person presses a button."""
        return await self.act(f"people/{name}/press", {"label": label, **more})

    async def chat(self, name: str) -> list[Json]:
        """What is on a person's screen."""
        return await self.look(f"people/{name}/chat")

    async def offer(self, chat_id: int, *labels: str) -> Json:
        """The bot sends a message with one row of buttons, whose data are their labels."""
        row = [{"text": label, "callback_data": label} for label in labels]
        return await self.done(
            "sendMessage", chat_id=chat_id, text="Choose", reply_markup={"inline_keyboard": [row]}
        )


@dataclass
class Hook:
    """A webhook that keeps what it was given and answers as the test says."""

    url: str
    got: list[Json] = field(default_factory=list)
    headers: list[Any] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    answer: Callable[[Json], Awaitable[web.Response]] | None = None

    async def receive(self, request: web.Request) -> web.Response:
        update = await request.json()
        self.got.append(update)
        self.headers.append(request.headers.copy())
        self.arrived.set()
        return await self.answer(update) if self.answer else web.Response()

    async def wait_for(self, count: int, seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            while len(self.got) < count:
                self.arrived.clear()
                await self.arrived.wait()


@dataclass
class Program:
    """`python -m simulator` with a folder of its own, to be started and killed."""

    folder: Path
    session: aiohttp.ClientSession
    process: asyncio.subprocess.Process | None = None

    async def start(self, *more: str) -> Sim:
        ready_file = self.folder / "ready.json"
        ready_file.unlink(missing_ok=True)
        people = self.folder / "people.json"
        people.write_text(json.dumps(PEOPLE))
        places = ("--people", str(people), "--state", str(self.folder / "state"))
        command = (sys.executable, "-m", "simulator", *places, "--ready-file", str(ready_file), *more)
        self.process = await asyncio.create_subprocess_exec(
            *command, cwd=REPOSITORY, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(20):
            while not ready_file.exists():
                assert self.process.returncode is None, "it ended before it was ready"
                await asyncio.sleep(0.02)
        ready = json.loads(ready_file.read_text())
        return Sim(ready["url"], ready["token"], self.session, ready)

    async def end(self, number: int = signal.SIGKILL) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            os.kill(self.process.pid, number)
        return await asyncio.wait_for(self.process.wait(), 10)
