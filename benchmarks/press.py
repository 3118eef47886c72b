"""A sealed check-in press, from the update to its acknowledgement, on both databases.

Ours: secret, dedupe, access, sealing, audit, timers, outbox, commit (fsync on), then the answer. The floor:
python-telegram-bot behind an aiohttp webhook with a handler that does nothing. The same generator, in a
process of its own, posts to both with the same number in flight. Whoever is not measured stands still: the
product goes on sending what its presses have queued, and would slow down whoever comes next.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.harness import Row, in_turns, milliseconds, progress, rate, ratios
from benchmarks.processes import Child, child
from benchmarks.stores import POSTGRES, SQLITE, Databases, databases

IN_FLIGHT = 32
BARS = {SQLITE: ">= 0.25", POSTGRES: ">= 0.10"}
FLOOR = "floor"


@dataclass
class Presser:
    """Presses the buttons of one file at one server, each once; update ids never repeat."""

    server: Child
    load: Child
    port: int
    path: str
    secret: str
    each: int
    took: list[dict[str, float]] = field(default_factory=list)
    _first: Iterator[int] = field(default_factory=itertools.count)

    def __call__(self) -> float:
        """Presses a second, of one round. RuntimeError when one was not acknowledged."""
        first = next(self._first) * self.each
        self.server.go_on()
        answer = self.load.ask(
            port=self.port,
            path=self.path,
            secret=self.secret,
            first=first,
            count=self.each,
            in_flight=IN_FLIGHT,
            update=100_000_000 + first,
        )
        self.server.stand_still()
        if answer["statuses"] != {"200": self.each}:
            raise RuntimeError(f"not every press was acknowledged: {answer['statuses']}")
        self.took.append(answer)
        return float(self.each / answer["seconds"])


def measure(quick: bool) -> Iterator[Row]:
    """Presses acknowledged a second, ours to the floor."""
    rounds, each = (3, 600) if quick else (7, 2_400)
    secret = secrets.token_urlsafe(24)
    with databases() as made, ExitStack() as stack:
        stub = stack.enter_context(child("benchmarks.stub")).hear()["port"]

        def start(presses: Path, module: str, *arguments: str) -> Presser:
            server = stack.enter_context(child(module, str(stub), secret, *arguments))
            said: dict[str, Any] = server.hear()
            load = stack.enter_context(child("benchmarks.load", str(presses)))
            load.hear()
            server.stand_still()
            return Presser(server, load, said["port"], said["path"], secret, each)

        ways = {kind: _ours(made, kind, (rounds + 1) * each, start) for kind in BARS}
        ways[FLOOR] = start(made.folder / f"{SQLITE}.json", "benchmarks.press_floor")
        found = in_turns(ways, rounds)
    for kind, bar in BARS.items():
        ours, floor = found[kind], found[FLOOR]
        yield Row(f"press, {kind}", ratios(ours, floor), rate(ours), rate(floor), "", bar)
        for which in ("p50", "p99"):
            waits, bare = ([answer[which] for answer in ways[k].took[1:]] for k in (kind, FLOOR))
            in_ms = [wait * 1000 for wait in waits]
            yield Row(
                f"press, {kind}: {which}, {IN_FLIGHT} in flight",
                in_ms,
                milliseconds(waits),
                milliseconds(bare),
                "ms",
            )


def _ours(made: Databases, kind: str, presses: int, start: Callable[..., Presser]) -> Presser:
    progress(f"press: {presses:,} contacts that are due, on {kind}")
    url, file = made.create(kind), made.folder / f"{kind}.json"
    return start(file, "benchmarks.press_ours", url, str(presses), str(file))
