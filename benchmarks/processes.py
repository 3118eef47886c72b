"""Children of a measurement: each is a process, tells in one line that it is ready, and ends with us.

A child watches its standard input: when its parent closes it, or dies, the child ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

ROOT = Path(__file__).resolve().parent.parent
END_WITHIN_S = 20.0


class Child:
    """A running child that speaks one JSON object a line."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self._name, self._process = name, process

    def hear(self) -> dict[str, Any]:
        """The next thing it says. RuntimeError when it has ended instead."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._name} ended with status {self._process.wait()}")
        said: dict[str, Any] = json.loads(line)
        return said

    def stand_still(self) -> None:
        """Stop it until `go_on`: it keeps everything and does nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it run again."""
        self._process.send_signal(signal.SIGCONT)

    def ask(self, **question: Any) -> dict[str, Any]:
        """Say something and hear the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self.hear()


@contextmanager
def child(module: str, *arguments: str) -> Iterator[Child]:
    """`python -m MODULE ARGUMENTS`, ended at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Child(module, process)
    finally:
        process.stdin.close()
        process.send_signal(signal.SIGCONT)
        try:
            process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


# In a child.


def say(**words: Any) -> None:
    """Tell the parent."""
    print(json.dumps(words), flush=True)


async def parent_gone() -> None:
    """Return when standard input is closed."""
    loop, gone = asyncio.get_running_loop(), asyncio.Event()

    def look() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            loop.remove_reader(sys.stdin.fileno())
            gone.set()

    loop.add_reader(sys.stdin.fileno(), look)
    await gone.wait()


async def serve(app: web.Application, **words: Any) -> None:
    """Serve on a free port, say which, and go on until the parent is gone."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    say(port=runner.addresses[0][1], **words)
    await parent_gone()
    await runner.cleanup()
