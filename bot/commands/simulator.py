"""The demo's simulator as a child process: it ends when we do, however we end."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.settings import HOME
from referrals.errors import ConfigurationError

if TYPE_CHECKING:
    from bot.clock import Clock

PATIENCE_S = 30.0


class Simulator:
    """Started at once; `ready` waits for it."""

    def __init__(self, state: Path, port: int, people: Path, clock_url: str) -> None:
        self._ready_file = state / "ready.json"
        self._ready_file.unlink(missing_ok=True)
        self.url = ""
        command = [sys.executable, "-m", "simulator", "--watch-stdin", "--port", str(port)]
        command += ["--state", str(state), "--people", str(people), "--clock-url", clock_url]
        command += ["--ready-file", str(self._ready_file)]
        # Our end of its standard input is closed by the system even when we are killed: then it ends itself.
        # A group of its own, so that Ctrl-C reaches it through us and it hears our last calls.
        self._process = subprocess.Popen(  # noqa: S603 - our own program, our own words
            command, cwd=HOME, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
        )

    def ready(self) -> dict[str, Any]:
        """Its address, token and public key, when it listens."""
        end = time.monotonic() + PATIENCE_S
        while not self._ready_file.exists():
            if self._process.poll() is not None or time.monotonic() > end:
                mend = "see what it wrote above; a taken port is avoided by --simulator-port 0"
                raise ConfigurationError("simulator", "did not start", mend)
            time.sleep(0.01)
        place: dict[str, Any] = json.loads(self._ready_file.read_text())
        self.url = str(place["url"])
        return place

    async def advance(self, seconds: float) -> None:
        """Move its clock."""
        import aiohttp

        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.url}/sim/clock", json={"advance_s": seconds}) as answer,
        ):
            answer.raise_for_status()

    async def catch_up(self, clock: Clock) -> None:
        """After a start both clocks should say the same; a moved clock is moved by what it lags behind."""
        import aiohttp

        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/sim/clock") as answer:
            theirs = float((await answer.json())["now"])
        behind = clock.now().timestamp() - theirs
        if behind > 1:
            await self.advance(behind)
        elif behind < -1:
            from datetime import timedelta

            clock.advance(timedelta(seconds=-behind))
            clock.keep()

    async def watch(self, ended: asyncio.Event) -> None:
        """A demo without its Telegram is over."""
        while self._process.poll() is None:  # noqa: ASYNC110 - a thread that waits would hold up our own end
            await asyncio.sleep(0.5)
        ended.set()

    def end(self) -> None:
        """Ask it to end, and make sure."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
