"""`python -m bot demo` as a child process: the product and its simulator, as a newcomer starts them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from datetime import time as hour_of
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp

from tests.support.people import World

ROOT = Path(__file__).resolve().parents[2]
READY_S = 60.0
BEGINS = (
    1,
    hour_of(10),
    ZoneInfo("Asia/Bangkok"),
)  # Tuesday at ten: stories know who is on duty and who is awake


def until_it_begins(now: datetime) -> timedelta:
    """How far a story's clock stands ahead of this machine's, so that each day of a real week is the same."""
    weekday, hour, zone = BEGINS
    here = now.astimezone(zone)
    day = here.date() + timedelta(days=(weekday - here.weekday()) % 7)
    begins = datetime.combine(day, hour, zone)
    return (begins if begins >= here else begins + timedelta(days=7)) - here


class Demo:
    """A demo in one folder; it can be killed without warning and started again with the same data."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "demo"
        self.data.mkdir()
        ahead = until_it_begins(datetime.now(UTC)).total_seconds()
        (self.data / "clock.json").write_text(json.dumps({"offset_s": ahead}))
        self.ready_file = folder / "ready.json"
        self.log = folder / "demo.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.places: dict[str, str] = {}

    async def start(self) -> None:
        self.ready_file.unlink(missing_ok=True)
        command = [
            sys.executable,
            "-m",
            "bot",
            "demo",
            "--port",
            "0",
            "--simulator-port",
            "0",
            "--no-browser",
        ]
        command += ["--data", str(self.data), "--ready-file", str(self.ready_file)]
        with self.log.open("ab") as log:
            # A group of its own, so that nothing of it can outlive a test.
            # The most talkative log: what stories search it for must not be there even then.
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "PULANG_LOG_LEVEL": "debug"},
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        end = time.monotonic() + READY_S
        while not self.ready_file.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"the demo is not ready:\n{self.log.read_text()[-3000:]}")
            await asyncio.sleep(0.05)
        self.places = json.loads(self.ready_file.read_text())

    def kill(self) -> None:
        """`kill -9`, as by a power cut: nothing can be tidied up."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Ctrl-C; returns the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=20)
        return self.process.returncode

    def sweep(self) -> None:
        """End whatever a failed test left."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                return
            self.process.wait()


@asynccontextmanager
async def a_demo(folder: Path) -> AsyncIterator[tuple[Demo, World]]:
    """A running demo and its world; everything is ended afterwards, whatever happened."""
    demo = Demo(folder)
    try:
        await demo.start()
        async with aiohttp.ClientSession() as http:
            yield demo, World(http, demo.places["simulator"], demo.places["product"])
    finally:
        demo.sweep()
