"""From exec to ready, and what the idle product weighs; the floor only imports the libraries.

The product is `python -m bot run` on a network made by `python -m bot init`, polling a simulator. It is ready
when `/health/ready` says so: store opened, Telegram told who the bot is.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.harness import Row, in_turns, ratios
from benchmarks.processes import ROOT

TOKEN = "7000000001:" + "a" * 35
READY_WITHIN_S = 60.0
IDLE_S = 2.0  # its first beats and polls are over by then
MEGABYTE = 1_000_000
LIBRARIES = (
    "aiohttp.web apscheduler.schedulers.asyncio babel.dates babel.messages.pofile"
    " cryptography.hazmat.primitives.ciphers.aead psycopg pydantic_settings sqlalchemy structlog telegram"
)
FLOOR = f"import {', '.join(LIBRARIES.split())}; print('ready', flush=True); import time; time.sleep(60)"


def measure(quick: bool) -> Iterator[Row]:
    """Seconds and megabytes, ours beside the floor's."""
    with tempfile.TemporaryDirectory(prefix="pulang-bench-") as place, _simulator(Path(place)) as api:
        folder, memory = Path(place), {"ours": list[float](), "floor": list[float]()}
        environment = _network(folder, api)

        def ours() -> float:
            seconds, megabytes = _product(environment)
            memory["ours"].append(megabytes)
            return seconds

        def floor() -> float:
            seconds, megabytes = _libraries()
            memory["floor"].append(megabytes)
            return seconds

        found = in_turns({"ours": ours, "floor": floor}, 3 if quick else 7)
    seconds = {side: f"{sorted(values)[len(values) // 2]:.2f} s" for side, values in found.items()}
    weights = {side: f"{sorted(values)[len(values) // 2]:.0f} MB" for side, values in memory.items()}
    yield Row("start: from exec to ready", found["ours"], seconds["ours"], seconds["floor"], "s", "<= 2.5 s")
    yield Row("start: time to that of the imports", ratios(found["ours"], found["floor"]))
    yield Row("idle memory (RSS)", memory["ours"][1:], weights["ours"], weights["floor"], "MB", "<= 130 MB")


def _product(environment: dict[str, str]) -> tuple[float, float]:
    """Seconds until ready and megabytes when idle, of one fresh `bot run`."""
    address = f"http://127.0.0.1:{environment['PULANG_LISTEN_PORT']}/health/ready"
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "run"], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
    )
    try:
        while not _says_ready(address):
            if process.poll() is not None or time.perf_counter() - begin > READY_WITHIN_S:
                raise RuntimeError("the product does not become ready")
            time.sleep(0.005)
        seconds = time.perf_counter() - begin
        time.sleep(IDLE_S)
        return seconds, _weight(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _libraries() -> tuple[float, float]:
    """The same of a process that only imports."""
    begin = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", FLOOR], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        seconds = time.perf_counter() - begin
        weight = _weight(process.pid)
        process.kill()
    return seconds, weight


def _weight(pid: int) -> float:
    """Resident megabytes, as the kernel counts them."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE


def _says_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def _simulator(folder: Path) -> Iterator[str]:
    """A simulator with nobody in it; its address."""
    ready = folder / "simulator.json"
    arguments = ["--token", TOKEN, "--ready-file", str(ready), "--watch-stdin"]
    with subprocess.Popen(
        [sys.executable, "-m", "simulator", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            while not ready.exists():
                if process.poll() is not None:
                    raise RuntimeError("the simulator does not start")
                time.sleep(0.02)
            told: dict[str, Any] = json.loads(ready.read_text(encoding="utf-8"))
            yield str(told["url"])
        finally:
            process.terminate()


def _network(folder: Path, api: str) -> dict[str, str]:
    """A new network, made as an operator makes it; the environment that the product is started with."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    given = {name: value for name, value in os.environ.items() if not name.startswith("PULANG_")}
    environment = {
        **given,
        "PULANG_BOT_TOKEN": TOKEN,
        "PULANG_TELEGRAM_API": api,
        "PULANG_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PULANG_DATA": str(folder / "data"),
        "PULANG_ROOT_KEY_FILE": str(folder / "keys" / "root.key"),
        "PULANG_LISTEN_PORT": str(port),
    }
    command = [sys.executable, "-m", "bot", "init"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    return environment
