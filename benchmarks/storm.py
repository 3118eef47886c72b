"""A storm: 100,000 messages wait, and alerts and alarms come among them, while Telegram's limits are on.

The whole product against the simulator, each a process of its own. Measured at the simulator: how much of the
permitted rate is used, what is refused, how long alerts (from the beginning of their turn) and alarms (from
the tap at the webhook to a coordinator's chat) take, and whether anything is lost or doubled.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.harness import Row, percentile, progress
from benchmarks.load import press
from benchmarks.processes import ROOT, child
from benchmarks.stores import POSTGRES, SQLITE, Databases, databases
from benchmarks.storm_ours import accounts
from storage.connection import connect, parse_url
from storage.sql import Sql

BELIEVED = 30.0  # messages a second, the product's own setting
SETTLES_S = 10.0  # what is measured begins then
ALARM_EVERY_S = 2.0
FAULTS = (("429", 0.017), ("500", 0.017), ("timeout", 0.008), ("drop-reply", 0.008))
ALERT = 10**12  # a larger number in a text is an instant
_NUMBER = re.compile(r"\d{1,16}")
_SENT = Sql("SELECT dedupe, state FROM outbox WHERE dedupe LIKE 'storm%'")


@dataclass(frozen=True, slots=True)
class Storm:
    """One kind of weather."""

    name: str
    permitted: float = BELIEVED
    faults: tuple[tuple[str, float], ...] = ()


@dataclass(slots=True)
class Seen:
    """What came of it. Instants in Unix seconds."""

    begin: float
    end: float
    calls: list[dict[str, Any]]
    taps: dict[str, float]  # case code to instant
    states: dict[str, str] = field(default_factory=dict)  # number to state

    @property
    def window(self) -> list[dict[str, Any]]:
        return [c for c in self.calls if self.begin <= c["at"] < self.end]


CALM, LESS, FAULTY = Storm("storm"), Storm("20/s permitted", 20.0), Storm("5 % faults", faults=FAULTS)


def measure(quick: bool) -> Iterator[Row]:
    """The storm on both databases; on SQLite with a stricter provider and with faults besides."""
    bulk, window_s = (5_000, 15.0) if quick else (100_000, 60.0)
    with databases() as made:
        for kind, storm in ((SQLITE, CALM), (POSTGRES, CALM), (SQLITE, LESS), (SQLITE, FAULTY)):
            progress(f"storm: {storm.name}, {bulk:,} messages on {kind}")
            seen = go_through(made, kind, storm, bulk, window_s)
            yield from rows(f"{storm.name}, {kind}", storm, seen)


def go_through(made: Databases, kind: str, storm: Storm, bulk: int, window_s: float) -> Seen:
    """One storm, from the queueing to the last look into the database."""
    url, secret = made.create(kind), secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory(prefix="pulang-bench-") as folder, ExitStack() as stack:
        telegram = stack.enter_context(_simulator(Path(folder)))
        target = Path(folder) / "presses.json"
        arguments = (telegram["url"], telegram["token"], secret, url, str(bulk), str(target))
        with child("benchmarks.storm_ours", *arguments) as product:
            asyncio.run(_set_up(telegram["url"], storm))
            said = product.hear()
            presses = json.loads(target.read_text(encoding="utf-8"))
            webhook = f"http://127.0.0.1:{said['port']}{said['path']}"
            seen = asyncio.run(_observe(webhook, secret, presses, window_s))
        seen.calls = asyncio.run(_calls(telegram["url"]))
        conn = connect(parse_url(url))
        seen.states = {key.partition(":")[2]: state for key, state in conn.rows(_SENT)}
        conn.close()
    return seen


def rows(name: str, storm: Storm, seen: Seen) -> Iterator[Row]:
    """What was promised, as figures."""
    window = seen.window
    asked = [c for c in window if c["method"] == "sendMessage"]
    done = [c for c in asked if c["ok"]]
    permitted = storm.permitted * (seen.end - seen.begin)
    other = sum(not _is_bulk(c) for c in window)
    bulk = sum(map(_is_bulk, done))
    bar = ">= 99 %" if storm is CALM else ""
    yield Row(f"{name}: bulk, of what others leave", [100 * bulk / (permitted - other)], unit="%", bar=bar)
    refused = sum(c.get("error_code") == 429 and c.get("fault") is None for c in window)
    bar = "0" if storm is CALM else "< 1 %" if storm is LESS else ""
    yield Row(f"{name}: refused with 429", [100 * refused / len(asked)], str(refused), unit="%", bar=bar)
    alerts = [c["at"] - n / 1e6 for c in done if (n := _number(c)) >= ALERT]
    bar = "<= 250 ms" if storm is CALM else "<= 1 s" if storm is LESS else ""
    yield from _waits(f"{name}: alerts", alerts, bar)
    bar = "<= 1 s" if storm is not FAULTY else ""
    yield from _waits(f"{name}: alarms, from the tap", _alarm_waits(seen), bar)
    yield from _whole(name, storm, seen)


def _whole(name: str, storm: Storm, seen: Seen) -> Iterator[Row]:
    """Nothing lost, nothing doubled: over the whole storm, its end included."""
    done = Counter(_number(c) for c in seen.calls if c["method"] == "sendMessage" and c["ok"])
    unanswered = {_number(c) for c in seen.calls if c.get("fault") == "drop-reply"}
    sent = {int(number) for number, state in seen.states.items() if state == "sent"}
    doubled = {number for number, times in done.items() if times > 1 and number >= 0}
    lost = len(sent - set(done)) + sum(state == "dead" for state in seen.states.values())
    yield Row(f"{name}: lost", [lost], f"of {len(sent):,}", bar="0")
    why = doubled & unanswered
    shown = f"and {len(why)} whose answer was lost" if storm.faults else ""
    yield Row(f"{name}: doubled", [len(doubled - why)], shown, bar="0")


def _alarm_waits(seen: Seen) -> list[float]:
    """From each tap to the first coordinator who was called for it."""
    desk, waits = set(accounts("desk")), []
    for code, tapped in seen.taps.items():
        heard = [
            c["at"] for c in seen.calls
            if c["method"] == "sendMessage" and c["ok"]
            and c["params"]["chat_id"] in desk and code in c["params"]["text"]
        ]  # fmt: skip
        waits.append(min(heard, default=float("inf")) - tapped)
    return waits


def _waits(name: str, waits: list[float], bar: str) -> Iterator[Row]:
    for label, share in (("p50", 0.5), ("p99", 0.99)):
        value = percentile(waits, share) * 1000
        yield Row(f"{name}: {label} of {len(waits)}", [value], unit="ms", bar=bar if label == "p99" else "")


def _number(call: dict[str, Any]) -> int:
    """The number in a text of the storm; -1 for another."""
    text = str(call["params"].get("text", ""))
    found = _NUMBER.match(text)
    return int(found[0]) if found and call["method"] == "sendMessage" else -1


def _is_bulk(call: dict[str, Any]) -> bool:
    return 0 <= _number(call) < ALERT


async def _set_up(url: str, storm: Storm) -> None:
    limits = {"overall_per_s": storm.permitted, "per_chat_per_s": 1, "per_chat_burst": 3}
    async with aiohttp.ClientSession() as http:
        await _post(http, f"{url}/sim/limits", limits)
        for kind, rate in storm.faults:
            await _post(http, f"{url}/sim/faults", {"kind": kind, "rate": rate, "method": "sendMessage"})


async def _observe(webhook: str, secret: str, presses: list[Any], window_s: float) -> Seen:
    """Let it settle, then tap alarms as long as the window is open; a little more, until all is heard."""
    taps: dict[str, float] = {}
    await asyncio.sleep(SETTLES_S)
    begin = time.time()
    async with aiohttp.ClientSession(headers={"X-Telegram-Bot-Api-Secret-Token": secret}) as http:
        for n, (account, data, code) in enumerate(presses):
            if time.time() >= begin + window_s:
                break
            taps[code] = time.time()
            await _post(http, webhook, press(100_000_000 + n, account, data))
            await asyncio.sleep(max(0.0, ALARM_EVERY_S - (time.time() - taps[code])))
    end = time.time()
    await asyncio.sleep(2)
    return Seen(begin, end, [], taps)


async def _calls(url: str) -> list[dict[str, Any]]:
    async with aiohttp.ClientSession() as http, http.get(f"{url}/sim/traffic?since=0") as answer:
        found: list[dict[str, Any]] = await answer.json()
        return found


async def _post(http: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> None:
    async with http.post(url, json=body) as answer:
        if answer.status >= 400:
            raise RuntimeError(f"{url}: {answer.status} {await answer.text()}")


@contextmanager
def _simulator(folder: Path) -> Iterator[dict[str, str]]:
    """The simulator with everybody in it; it ends with us."""
    ready, known = folder / "ready.json", folder / "people.json"
    everybody = [account for kind in ("hear", "alert", "mentor", "desk") for account in accounts(kind)]
    people = [{"name": f"phone{n}", "telegram_id": n, "language": "en", "role": ""} for n in everybody]
    known.write_text(json.dumps(people), encoding="utf-8")
    options = ("--watch-stdin", "--ready-file", str(ready), "--people", str(known))
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", *options],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    try:
        while not ready.exists():
            if process.poll() is not None:
                raise RuntimeError("the simulator did not start")
            time.sleep(0.05)
        yield json.loads(ready.read_text(encoding="utf-8"))
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(20)
