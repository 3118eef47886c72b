"""The one place where the simulator's parts meet."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from simulator.botside import BotSide
from simulator.errors import NotPossible
from simulator.faults import Faults
from simulator.limits import Limits
from simulator.markup import is_loopback
from simulator.page import Page
from simulator.peopleside import PeopleSide, answer
from simulator.world import World

LARGEST_BODY = 50 * 1024 * 1024  # Telegram's limit for uploads
WORLD: web.AppKey[World] = web.AppKey("world", World)


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    host: str = "127.0.0.1"
    port: int = 0
    token: str | None = None
    people: Path | None = None
    state: Path | None = None
    ready_file: Path | None = None
    watch_stdin: bool = False
    clock_url: str | None = None
    traffic_limit: int = 200_000


def build(options: Options) -> web.Application:
    """The application with its world, which lives until the server is closed."""
    world = World(options.state, options.token, options.traffic_limit)
    if options.people is not None:
        add_people(world, json.loads(options.people.read_text(encoding="utf-8")))
    bot = BotSide(world, Faults(), Limits())
    side = PeopleSide(world, bot, options.clock_url)
    app = web.Application(middlewares=[guard], client_max_size=LARGEST_BODY)
    app[WORLD] = world
    app.router.add_route("*", "/bot{token:[^/]+}/{method}", bot.handle)
    app.router.add_get("/file/bot{token:[^/]+}/{path:.+}", bot.download)
    app.router.add_routes([*Page(side).routes(), *side.routes()])

    async def lifetime(_: web.Application) -> AsyncIterator[None]:
        await bot.delivery.start()
        yield
        await bot.delivery.stop()
        world.journal.close()

    app.cleanup_ctx.append(lifetime)
    return app


def add_people(world: World, people: Any) -> None:
    """The demo network's people; who is there already keeps the chat, and gets the new role and language."""
    for row in people:
        name, number = row["name"], int(row["telegram_id"])
        old = world.people.get(name)
        if (old is not None and old.telegram_id != number) or world.by_id.get(number, old) is not old:
            raise ValueError(f"people: {name} or {number} is already here as somebody else")
        world.add_person(name, row.get("language", "en"), row.get("role", ""), number)
    world.commit()


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers on loopback names only, to pages of its own only, and turns refusals into JSON."""
    host = request.headers.get("Host", "")
    if not is_loopback(urlsplit(f"//{host}").hostname):
        return answer({"error": "this simulator answers to 127.0.0.1, localhost and *.localhost only"}, 403)
    origin = request.headers.get("Origin")
    if origin is not None and request.path.startswith("/sim/") and origin != f"http://{host}":
        return answer({"error": "only the simulator's own page may do this"}, 403)
    try:
        return await handler(request)
    except NotPossible as refusal:
        return answer({"error": refusal.words}, refusal.status)
    except web.HTTPException as problem:
        if problem.status >= 400 and request.path.startswith("/sim/"):
            return answer({"error": problem.reason}, problem.status)
        raise
