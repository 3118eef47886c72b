"""The Bot API over HTTP: reads a call in any of Telegram's encodings, checks it, does it, keeps it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any

from aiohttp import hdrs, web

from simulator import botsettings, facts, messages
from simulator.delivery import Delivery
from simulator.errors import Refused, bad_request, too_many
from simulator.faults import Fault, Faults
from simulator.journal import encode
from simulator.limits import Limits
from simulator.messages import Files
from simulator.model import Json
from simulator.world import World

CALLS = {**messages.CALLS, **botsettings.CALLS}
HOLD_SECONDS = 30.0
MODES = ("setWebhook", "deleteWebhook")
UNAUTHORIZED = Refused(401, "Unauthorized")


class BotSide:
    """Everything behind `/bot<TOKEN>/`."""

    def __init__(self, world: World, faults: Faults, limits: Limits) -> None:
        self.world = world
        self.faults = faults
        self.limits = limits
        self.delivery = Delivery(world, faults, self.call)

    # -- one call --

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """`/bot<TOKEN>/<method>`, GET or POST, JSON, form or multipart."""
        if request.match_info["token"] != self.world.identity.token:
            return _json(UNAUTHORIZED.body(), 401)
        name = request.match_info["method"]
        files: Files = {}
        try:
            raw, files = await read_params(request)
            method = facts.find(name)
            params = facts.decode(method, raw)
        except Refused as refusal:
            return self._answer(name, {}, refusal.body(), files)
        fault = self.faults.for_call(method.name)
        if fault is not None:
            return await self._misbehave(request, method, params, files, fault)
        return self._answer(method.name, params, await self._outcome(method, params, files), files)

    async def _outcome(self, method: facts.Method, params: Json, files: Files) -> Json:
        if method.name != "getUpdates":
            return self._done(method, params, files)
        try:
            facts.check(method, params)
            return {"ok": True, "result": await self.delivery.get_updates(params)}
        except Refused as refusal:
            return refusal.body()

    def _done(self, method: facts.Method, params: Json, files: Files) -> Json:
        """Check and do one call: `{"ok": true, "result"}` or the refusal."""
        try:
            # An uploaded file stands for its parameter.
            named = (
                {**{f: f"attach://{f}" for f in files if f in method.fields}, **params} if files else params
            )
            facts.check(method, named)
            if method.counts_as_message:
                wait = self.limits.take(named.get("chat_id"), self.world.clock.now())
                if wait:
                    raise too_many(wait)
            result = CALLS[method.name](self.world, named, files)
        except Refused as refusal:
            return refusal.body()
        if method.name in MODES:
            self.delivery.webhook_changed()
        return {"ok": True, "result": result}

    def call(self, name: str, raw: Json) -> None:
        """A call in the answer to a webhook: done like any other, its result seen by nobody."""
        try:
            method = facts.find(name)
            params = facts.decode(method, raw)
        except Refused as refusal:
            self._keep(name, raw, refusal.body(), {})
            return
        if method.name != "getUpdates":
            self._keep(method.name, params, self._done(method, params, {}), {})

    # -- keeping and answering --

    def _keep(self, name: str, params: Json, body: Json, files: Files, fault: str | None = None) -> None:
        call: Json = {"at": self.world.clock.now(), "method": name, "params": params, "ok": body["ok"]}
        if "error_code" in body:
            call["error_code"] = body["error_code"]
            call["description"] = body["description"]
        if fault:
            call["fault"] = fault
        if files:
            call["files"] = [
                {
                    "field": field,
                    "name": name,
                    "size": len(content),
                    "sha256": hashlib.sha256(content).hexdigest(),
                }
                for field, (name, _, content) in files.items()
            ]
            call["params"] = {
                **{field: f"attach://{field}" for field in files if field in _wanted(name)},
                **params,
            }
        self.world.traffic.add(call)
        self.world.commit()
        self.world.changed(-1)

    def _answer(
        self, name: str, params: Json, body: Json, files: Files, fault: str | None = None
    ) -> web.Response:
        self._keep(name, params, body, files, fault)
        return _json(body, 200 if body["ok"] else body["error_code"])

    # -- misbehaving on request --

    async def _misbehave(
        self, request: web.Request, method: facts.Method, params: Json, files: Files, fault: Fault
    ) -> web.StreamResponse:
        if fault.latency_ms:
            await asyncio.sleep(fault.latency_ms / 1000)
        if fault.kind == "429":
            return self._answer(method.name, params, too_many(fault.retry_after).body(), files, "429")
        if fault.kind == "500":
            body = Refused(500, "Internal Server Error").body()
            return self._answer(method.name, params, body, files, "500")
        if fault.kind == "timeout" and fault.latency_ms:
            return self._answer(
                method.name, params, await self._outcome(method, params, files), files, "timeout"
            )
        if fault.kind == "timeout":
            self._keep(method.name, params, {"ok": False}, files, "timeout")
            await asyncio.sleep(HOLD_SECONDS)
        else:
            self._keep(method.name, params, await self._outcome(method, params, files), files, "drop-reply")
        return _hang_up(request)

    async def download(self, request: web.Request) -> web.Response:
        """`/file/bot<TOKEN>/<file_path>`."""
        if request.match_info["token"] != self.world.identity.token:
            return _json(UNAUTHORIZED.body(), 401)
        upload = self.world.files.get(request.match_info["path"].rpartition("/")[2])
        if upload is None:
            return _json(Refused(404, "Not Found: file not found").body(), 404)
        return web.Response(body=upload.content, content_type="application/octet-stream")


def _wanted(method: str) -> Any:
    known = facts.load().methods.get(method.lower())
    return known.fields if known else ()


def _hang_up(request: web.Request) -> web.Response:
    """Close the connection without a word."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=504)


def _json(body: Json, status: int = 200) -> web.Response:
    return web.Response(
        body=encode(body).encode("utf-8", "replace"), status=status, content_type="application/json"
    )


# -- reading --


async def read_params(request: web.Request) -> tuple[Json, Files]:
    """Parameters from the address and the body, whatever the encoding, and uploaded files by field."""
    params: Json = dict(request.query) if request.query_string else {}
    if request.method == hdrs.METH_GET or not request.body_exists:
        return params, {}
    kind = request.content_type
    if kind == "application/json":
        params.update(_object(await request.read()))
        return params, {}
    if kind.startswith("multipart/") or kind == "application/x-www-form-urlencoded":
        return await _form(request, params)
    return params, {}


def _object(body: bytes) -> Json:
    try:
        params = json.loads(body) if body else {}
    except (ValueError, RecursionError) as error:
        raise bad_request("can't parse JSON object") from error
    if not isinstance(params, dict):
        raise bad_request("object expected as the request's body")
    return params


async def _form(request: web.Request, params: Json) -> tuple[Json, Files]:
    files: Files = {}
    try:
        form = await request.post()
    except ValueError as error:
        raise bad_request("can't parse the form") from error
    for field, value in form.items():
        if isinstance(value, web.FileField):
            files[field] = (value.filename, value.content_type, value.file.read())
        elif isinstance(value, str):
            params[field] = value
        else:
            files[field] = (field, "application/octet-stream", bytes(value))
    return params, files
