"""The people side over HTTP (`/sim/...`): say what people do, and look at what the bot did."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from aiohttp import web

from simulator import oddities, people
from simulator.botside import BotSide
from simulator.errors import NotPossible
from simulator.journal import encode
from simulator.model import Json, Person
from simulator.world import World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PeopleSide:
    """Handlers of `/sim/`, one for each line of simulator.md's table."""

    def __init__(self, world: World, bot: BotSide, clock_url: str | None = None) -> None:
        self.world = world
        self.bot = bot
        self.clock_url = clock_url

    def routes(self) -> list[web.RouteDef]:
        """The whole people side at a glance."""
        person = "/sim/people/{name}"
        acts: dict[str, Callable[[Person, Json], Json]] = {
            "say": lambda who, body: people.say(self.world, who, body.get("text")),
            "open": lambda who, body: people.open_link(self.world, who, body.get("payload")),
            "press": self._press,
            "share-contact": lambda who, body: people.share_contact(
                self.world, who, body.get("user_id"), body.get("phone_number")
            ),
            "block": lambda who, body: people.set_blocked(self.world, who, True),
            "unblock": lambda who, body: people.set_blocked(self.world, who, False),
            "deactivate": lambda who, body: people.deactivate(self.world, who),
            "webapp": lambda who, body: people.open_webapp(
                self.world, who, body.get("label"), body.get("message_id")
            ),
            "send": lambda who, body: oddities.send(self.world, who, body),
            "read": self._read,
            "role": self._role,
        }
        return [
            web.get("/sim/people", self.list_people),
            web.post("/sim/people", self.add_person),
            *(web.post(f"{person}/{verb}", self._acting(act)) for verb, act in acts.items()),
            web.get(f"{person}/chat", self.chat),
            web.post("/sim/updates", self._changing(lambda body: oddities.inject(self.world, body))),
            web.get("/sim/traffic", self.traffic),
            web.get("/sim/faults", self.list_faults),
            web.post("/sim/faults", self._changing(self._fault)),
            web.post("/sim/limits", self._changing(self._limits)),
            web.get("/sim/clock", self.clock),
            web.post("/sim/clock", self._changing(self._advance)),
            web.post("/sim/advance", self.advance),
            web.post("/sim/reset", self._changing(self._reset)),
        ]

    # -- wrapping --

    def _acting(self, act: Callable[[Person, Json], Json]) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            body = await read_object(request)
            return self._answer(act(self.world.person(request.match_info["name"]), body))

        return handler

    def _changing(self, change: Callable[[Json], Json]) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            return self._answer(change(await read_object(request)))

        return handler

    def _answer(self, body: Any, status: int = 200) -> web.Response:
        self.world.commit()
        return answer(body, status)

    # -- people --

    async def list_people(self, request: web.Request) -> web.Response:
        """GET /sim/people."""
        return answer([person.public() for person in self.world.people.values()])

    async def add_person(self, request: web.Request) -> web.Response:
        """POST /sim/people: a stranger whose chat does not exist for the bot before the first word."""
        body = await read_object(request)
        name, language = body.get("name"), body.get("language", "en")
        if not isinstance(name, str) or not name.strip() or len(name) > 64 or "/" in name:
            raise NotPossible(400, '{"name"} is a text of 1-64 characters without "/"')
        if not isinstance(language, str) or len(language) > 16:
            raise NotPossible(400, '{"language"} is a code such as en or th')
        if name.strip() in self.world.people:
            raise NotPossible(409, f"{name.strip()} is here already")
        return self._answer(self.world.add_person(name.strip(), language).public())

    def _press(self, who: Person, body: Json) -> Json:
        label, number = body.get("label"), body.get("message_id")
        return people.press(self.world, who, label, number, inaccessible=bool(body.get("inaccessible")))

    def _role(self, who: Person, body: Json) -> Json:
        if not isinstance(body.get("role"), str):
            raise NotPossible(400, '{"role"} is a text; the page shows it, nothing else depends on it')
        return self.world.change_role(who, body["role"]).public()

    def _read(self, who: Person, body: Json) -> Json:
        self.world.mark_read(self.world.chat_of(who))
        return {"ok": True}

    async def chat(self, request: web.Request) -> web.Response:
        """GET /sim/people/{name}/chat."""
        chat = self.world.chat_of(self.world.person(request.match_info["name"]))
        return answer(people.chat_rows(chat, whole_number(request, "last") or None))

    # -- the simulation itself --

    async def traffic(self, request: web.Request) -> web.Response:
        """GET /sim/traffic?since=N[&limit=M]."""
        since, limit = whole_number(request, "since"), whole_number(request, "limit")
        text = self.world.traffic.since(since, limit or None)
        return web.Response(body=text.encode("utf-8", "replace"), content_type="application/json")

    async def list_faults(self, request: web.Request) -> web.Response:
        """GET /sim/faults."""
        return answer(self.bot.faults.listed())

    def _fault(self, body: Json) -> Json:
        self.bot.faults.add(body)
        return {"ok": True}

    def _limits(self, body: Json) -> Json:
        self.bot.limits.change(body)
        return {"ok": True}

    async def clock(self, request: web.Request) -> web.Response:
        """GET /sim/clock."""
        return answer(self._clock())

    def _clock(self) -> Json:
        return {"ok": True, "now": self.world.clock.now(), "offset_s": self.world.clock.offset}

    def _advance(self, body: Json) -> Json:
        self.world.advance(seconds_of(body))
        self.bot.delivery.hurry()
        return self._clock()

    async def advance(self, request: web.Request) -> web.Response:
        """POST /sim/advance: a product that minds the clock (--clock-url) moves both; else as /sim/clock."""
        body = await read_object(request)
        seconds = seconds_of(body)
        if self.clock_url is None:
            return self._answer(self._advance(body))
        timeout = aiohttp.ClientTimeout(total=120)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(self.clock_url, json={"advance_s": seconds}) as reply,
            ):
                await reply.read()
                if reply.status >= 300:
                    raise NotPossible(
                        409, f"the product would not move its clock: it answered {reply.status}"
                    )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotPossible(
                409, f"the product does not answer at its clock: {type(error).__name__}"
            ) from error
        return answer(self._clock())

    def _reset(self, body: Json) -> Json:
        self.world.reset()
        self.bot.faults.clear()
        self.bot.delivery.forget()
        return {"ok": True}


def answer(body: Any, status: int = 200) -> web.Response:
    """JSON."""
    return web.Response(
        body=encode(body).encode("utf-8", "replace"), status=status, content_type="application/json"
    )


async def read_object(request: web.Request) -> Json:
    """The JSON object in the body; an empty body is an empty object. NotPossible (400) on anything else."""
    raw = await request.read()
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise NotPossible(400, "the body is not JSON") from error
    if not isinstance(body, dict):
        raise NotPossible(400, "the body must be a JSON object")
    return body


def whole_number(request: web.Request, name: str) -> int:
    """A number in the address, 0 when absent."""
    text = request.query.get(name, "0")
    if not text.isdecimal():
        raise NotPossible(400, f"{name} must be a whole number")
    return int(text)


def seconds_of(body: Json) -> float:
    """`{"advance_s"}`; negative seconds set the clock back."""
    seconds = body.get("advance_s")
    good = isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and math.isfinite(seconds)
    if not good or abs(float(seconds or 0)) > 10 * 366 * 86_400:
        raise NotPossible(400, '{"advance_s"} is a number of seconds, at most ten years')
    return float(seconds or 0)
