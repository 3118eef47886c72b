"""Memory of a sender over many messages: `PULANG_LONG=1` sends a million, otherwise 200,000 (quick: 20,000).

Everything is sent through the outbox to the stub; what was sent is swept away between the rounds, as upkeep
does. Told: the largest RSS of the last half to that after the first tenth.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from benchmarks.harness import Row, progress
from benchmarks.processes import ROOT, child
from benchmarks.sends import Ours
from benchmarks.stores import SQLITE, databases
from bot.texts import Texts, read_locales

PEOPLE = 2_000
A_MB = 1024 * 1024
BAR = "<= 1.10"


def measure(quick: bool) -> Iterator[Row]:
    """Send, look, send on."""
    long_run = os.environ.get("PULANG_LONG", "") not in ("", "0")
    total = 20_000 if quick else 1_000_000 if long_run else 200_000
    texts, curve = Texts(read_locales(ROOT / "locales")), list[float]()
    with ExitStack() as stack:
        port = stack.enter_context(child("benchmarks.stub")).hear()["port"]
        runner = stack.enter_context(asyncio.Runner())
        made = stack.enter_context(databases())
        ours = Ours(made, SQLITE, f"http://127.0.0.1:{port}/bot", texts, PEOPLE, runner)
        for sent in range(PEOPLE, total + 1, PEOPLE):
            ours.send_all()
            if sent % (total // 10) == 0:
                ours.sweep(timedelta(days=8))
                gc.collect()
                curve.append(_rss_mb())
                progress(f"memory: {sent:,} sent, {curve[-1]:.1f} MB")
        ours.close()
    shown = " ".join(f"{value:.0f}" for value in curve)
    yield Row(f"memory, {total:,} messages: to the first tenth", [max(curve[5:]) / curve[0]], shown, bar=BAR)


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / A_MB
