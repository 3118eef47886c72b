"""The stand-in for Telegram as a program of its own, met over HTTP only."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 15.0


@dataclass
class Telegram:
    """A running simulator. `token` and `public_key` are what a bot is told."""

    url: str
    token: str
    public_key: str
    http: aiohttp.ClientSession

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One call of the people side."""
        async with self.http.request(method, self.url + path, json=body) as answer:
            assert answer.status < 400, f"{path}: {answer.status} {await answer.text()}"
            return await answer.json()

    async def newcomer(self, name: str, language: str = "en") -> int:
        """Somebody new who has pressed Start; returns the account."""
        person = await self.call("POST", "/sim/people", {"name": name, "language": language})
        await self.open(name)
        return int(person["telegram_id"])

    async def open(self, name: str, payload: str = "") -> None:
        await self.call("POST", f"/sim/people/{name}/open", {"payload": payload})

    async def say(self, name: str, text: str) -> None:
        await self.call("POST", f"/sim/people/{name}/say", {"text": text})

    async def press(self, name: str, label: str) -> None:
        await self.call("POST", f"/sim/people/{name}/press", {"label": label})

    async def fault(self, kind: str, **more: Any) -> None:
        await self.call("POST", "/sim/faults", {"kind": kind, **more})

    async def said(self, name: str) -> list[str]:
        """What the bot has said to somebody and has not deleted, oldest first."""
        chat = await self.call("GET", f"/sim/people/{name}/chat")
        return [m["text"] for m in chat if m["from"] == "bot" and not m["deleted"]]

    async def calls(self, method: str) -> list[dict[str, Any]]:
        """Every call of a method so far."""
        return [one for one in await self.call("GET", "/sim/traffic?since=0") if one["method"] == method]

    async def until_said(self, name: str, wanted: Callable[[list[str]], bool]) -> list[str]:
        """Wait until what somebody was told fits."""
        end = time.monotonic() + PATIENCE_S
        while True:
            said = await self.said(name)
            if wanted(said):
                return said
            assert time.monotonic() < end, f"{name} was told {said}"
            await asyncio.sleep(0.05)

    async def until_called(
        self, method: str, wanted: Callable[[list[dict[str, Any]]], bool] = bool
    ) -> list[dict[str, Any]]:
        """Wait until the calls of a method fit."""
        end = time.monotonic() + PATIENCE_S
        while True:
            found = await self.calls(method)
            if wanted(found):
                return found
            assert time.monotonic() < end, f"{method}: {found}"
            await asyncio.sleep(0.05)


@asynccontextmanager
async def a_simulator(folder: Path) -> AsyncIterator[Telegram]:
    """Start one on a free port; it ends with its standard input, whatever happens to the test."""
    ready = folder / "simulator-ready.json"
    command = [sys.executable, "-m", "simulator", "--watch-stdin", "--port", "0", "--ready-file", str(ready)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + PATIENCE_S
        while not ready.exists():
            assert process.poll() is None, "the simulator did not start"
            assert time.monotonic() < end, "the simulator is not ready"
            await asyncio.sleep(0.02)
        place = json.loads(ready.read_text())
        async with aiohttp.ClientSession() as http:
            yield Telegram(place["url"], place["token"], place["public_key"], http)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
