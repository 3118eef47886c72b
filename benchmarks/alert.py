"""From the yes to an urgent request until its first partner's alert reaches the Bot API, at fifty a second.

The whole product in a process of its own; here a Bot API that answers at once and notes when it was called.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from aiohttp import web

from benchmarks.alert_ours import A_SECOND, COLD
from benchmarks.harness import Row, percentile, progress
from benchmarks.processes import child
from benchmarks.stores import POSTGRES, SQLITE, Databases, databases

TOKEN = "7000001:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"


def measure(quick: bool) -> Iterator[Row]:
    """From the tap to the alert: p95 right after a start, then p50, p95 and p99."""
    number = A_SECOND * (5 if quick else 20)
    with databases() as made:
        for kind in (SQLITE, POSTGRES):
            progress(f"alert: {number:,} urgent requests, {A_SECOND} a second, on {kind}")
            cold, waits = asyncio.run(_alerts(made, kind, COLD + number))
            name = f"urgent alerts at {A_SECOND} requests/s, {kind}"
            yield Row(f"{name}: p95 of the first {COLD}", [percentile(cold, 0.95) * 1000], "cold", unit="ms")
            for label, share, bar in (("p50", 0.5, ""), ("p95", 0.95, "<= 1 s"), ("p99", 0.99, "")):
                value = percentile(waits, share) * 1000
                yield Row(f"{name}: {label} of {len(waits)}", [value], unit="ms", bar=bar)


async def _alerts(made: Databases, kind: str, number: int) -> tuple[list[float], list[float]]:
    heard: list[tuple[float, str]] = []

    async def answer(request: web.Request) -> web.Response:
        at, body = time.time(), await request.text()
        heard.append((at, body))
        result: object = {"message_id": len(heard), "date": int(at), "chat": {"id": 1, "type": "private"}}
        if request.match_info["method"] == "getMe":
            result = {"id": 7000001, "is_bot": True, "first_name": "Pulang", "username": "pulang_bot"}
        elif not request.match_info["method"].startswith(("send", "edit")):
            result = True
        return web.json_response({"ok": True, "result": result})

    app = web.Application()
    app.router.add_route("*", "/bot{token}/{method}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        arguments = (f"http://127.0.0.1:{port}", TOKEN, made.create(kind), str(number))
        with child("benchmarks.alert_ours", *arguments) as product:
            said = await asyncio.to_thread(product.hear)
    finally:
        await runner.cleanup()
    return _waits(said["cold"], heard), _waits(said["taps"], heard)


def _waits(taps: dict[str, float], heard: list[tuple[float, str]]) -> list[float]:
    """Seconds from each tap until its code was first heard; infinite where it never was."""
    return [
        min((at for at, body in heard if code in body), default=float("inf")) - at
        for code, at in taps.items()
    ]
