"""The secure pages as an aiohttp application, for `root.add_subapp(PREFIX, build(...))`.

One static shell, scripts and styles, and a small JSON interface over a registry of pages. A page's verb
checks access; here are only the session, the size and shape of what comes in, and the headers of what goes
out.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from aiohttp import hdrs, web

from console import bodies, sessions
from console.assets import Assets, load_assets, shell
from console.headers import secure_headers
from console.init_data import TELEGRAM_PUBLIC_KEY, Trust, check
from console.page_texts import page_texts
from referrals.errors import (
    BadAnswer,
    NotAllowed,
    NotFound,
    PulangError,
    Refused,
    SessionOver,
    StoreError,
    TooOften,
    WrongStage,
)
from referrals.ports import Away, Slow, Turns

PREFIX = "/p"
SCHEME = "Pulang "

_STATUS: Sequence[tuple[type[PulangError], int]] = (
    (SessionOver, 401),
    (NotFound, 404),
    (NotAllowed, 403),
    (WrongStage, 409),
    (TooOften, 429),
    (BadAnswer, 422),
    (Refused, 409),
    (StoreError, 503),
)
_SHOWN_PARAMS = ("limit", "length", "minutes")

Texts = Callable[[str], Mapping[str, str]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = logging.getLogger(__name__)


class Page(Protocol):
    """A row of the registry (referrals/service/pages.py): what the page shows, and its named steps."""

    @property
    def view(self) -> sessions.PageVerb: ...

    @property
    def steps(self) -> Mapping[str, sessions.PageVerb]: ...


@dataclass(frozen=True, slots=True)
class Console:
    """What every handler needs, made once by `build`."""

    turns: Turns
    pages: Mapping[str, Page]
    trust: Trust
    texts: Texts
    clock: Callable[[], datetime]
    languages: Sequence[str]
    headers: Mapping[str, str]
    assets: Assets
    document: bytes
    slow: Slow | None


def build(
    turns: Turns,
    pages: Mapping[str, Page],
    *,
    bot_token: str,
    bot_id: int,
    texts: Texts,
    clock: Callable[[], datetime],
    telegram_public_key: str = TELEGRAM_PUBLIC_KEY,
    frame_ancestor: str = "",
    languages: Sequence[str] = ("en", "th"),
    slow: Slow | None = None,
) -> web.Application:
    """The application. `clock` gives aware UTC; `languages` are those with texts, the fallback first.

    `slow` does what steps leave their turn for; pages that have such steps need it.
    """
    assets = load_assets()
    boot = {la: {k: v for k, v in texts(la).items() if k.startswith("page.boot.")} for la in languages}
    console = Console(
        turns=turns,
        pages=pages,
        trust=Trust(bot_token, bot_id, telegram_public_key),
        texts=texts,
        clock=clock,
        languages=tuple(languages),
        headers=secure_headers(frame_ancestor),
        assets=assets,
        document=shell(f"{PREFIX}/static/{assets.version}", assets, boot),
        slow=slow,
    )
    app = web.Application(middlewares=[_kindly(console)])
    app[CONSOLE] = console
    app.add_routes(_routes())
    return app


CONSOLE: web.AppKey[Console] = web.AppKey("console", Console)


def _routes() -> list[web.RouteDef]:
    page, subject, step = "{page:[a-z_]{1,32}}", f"{{subject:{bodies.SUBJECT}}}", "{step:[a-z_]{1,32}}"
    return [
        web.get("/static/{version:[0-9a-f]{16}}/{name:[a-z_]+[.](?:js|css|svg)}", _static),
        web.post("/session", _session),
        web.get(f"/api/{page}", _view),
        web.get(f"/api/{page}/{subject}", _view),
        web.post(f"/api/{page}/{step}", _step),
        web.post(f"/api/{page}/{subject}/{step}", _step),
        web.get(f"/{page}", _shell),
        web.get(f"/{page}/{subject}", _shell),
    ]


async def _shell(request: web.Request) -> web.Response:
    console = request.app[CONSOLE]
    _page(request)
    return web.Response(body=console.document, content_type="text/html", charset="utf-8")


async def _static(request: web.Request) -> web.Response:
    """Never changes under its address: another content has another version."""
    assets = request.app[CONSOLE].assets
    asset = assets.files.get(request.match_info["name"])
    if asset is None or request.match_info["version"] != assets.version:
        raise web.HTTPNotFound
    etag = f'"{assets.version}"'
    headers = {
        hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable",
        hdrs.ETAG: etag,
        hdrs.VARY: "Accept-Encoding",
    }
    if request.headers.get(hdrs.IF_NONE_MATCH) == etag:
        return web.Response(status=304, headers=headers)
    packed = "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "")
    if packed:
        headers[hdrs.CONTENT_ENCODING] = "gzip"
    body = asset.packed if packed else asset.plain
    return web.Response(body=body, content_type=asset.content_type, charset="utf-8", headers=headers)


async def _session(request: web.Request) -> web.Response:
    """A proven launch, or the session of a page that leads on, is exchanged for a session on one page."""
    console = request.app[CONSOLE]
    body = await bodies.read_body(request)
    page = bodies.page_of(body)
    if page.partition("/")[0] not in console.pages:
        raise NotFound
    token = secrets.token_urlsafe(32)
    new_id = sessions.session_id(token)
    if "init_data" in body:
        launch = check(_string(body, "init_data"), console.trust, console.clock())
        opened = await console.turns.turn(sessions.open_session, launch, new_id, page)
    else:
        opened = await console.turns.turn(sessions.onward_session, _current(request), new_id, page)
    answer = web.json_response(
        {
            "session": token,
            "language": opened.language,
            "direction": "rtl" if opened.right_to_left else "ltr",
            "timezone": opened.timezone,
            "texts": _page_texts(console, opened.language, page),
        }
    )
    # Nothing that a stranger chooses stands beside the token, so the packed size tells nothing about it.
    answer.enable_compression()
    return answer


async def _view(request: web.Request) -> web.Response:
    page = _page(request)
    return await _turn(request, page.view, {})


async def _step(request: web.Request) -> web.Response:
    page = _page(request)
    verb = page.steps.get(request.match_info["step"])
    if verb is None:
        raise NotFound
    return await _turn(request, verb, await bodies.read_body(request))


async def _turn(request: web.Request, verb: sessions.PageVerb, body: Mapping[str, object]) -> web.Response:
    name, subject = request.match_info["page"], request.match_info.get("subject", "")
    path = f"{name}/{subject}" if subject else name
    turns = request.app[CONSOLE].turns
    view = await turns.turn(sessions.in_session, _current(request), path, verb, body)
    while isinstance(view, Away):
        slow = request.app[CONSOLE].slow
        if slow is None:
            raise PulangError("this console was built without anything that does slow work")
        done = await asyncio.to_thread(view.work, slow)
        view = await turns.turn(sessions.go_on, _current(request), path, view.then, done)
    return web.json_response(bodies.as_json(view))


def _page(request: web.Request) -> Page:
    page = request.app[CONSOLE].pages.get(request.match_info["page"])
    if page is None:
        raise NotFound
    return page


def _current(request: web.Request) -> str:
    """The id of the session in the header; SessionOver when there is none."""
    header = request.headers.get(hdrs.AUTHORIZATION, "")
    if not header.startswith(SCHEME) or not 40 <= len(header) - len(SCHEME) <= 64:
        raise SessionOver
    return sessions.session_id(header.removeprefix(SCHEME))


def _string(body: Mapping[str, object], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise BadAnswer
    return value


def _page_texts(console: Console, language: str, page: str) -> dict[str, str]:
    """The page's words in a language, with the fallback's where one is missing."""
    words = {**console.texts(console.languages[0]), **console.texts(language)}
    return page_texts(words, page.partition("/")[0])


def _kindly(console: Console) -> Any:
    """A middleware: refusals become JSON in the person's language, and every answer gets the headers."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            answer = await handler(request)
        except PulangError as error:
            answer = _refusal(console, request, error, _status(error))
        except web.HTTPException as error:
            answer = _refusal(console, request, NotFound(), error.status)
        except Exception as error:  # noqa: BLE001 - a person must not be left with a broken page
            # Only the kind of error: its message could hold what somebody wrote.
            log.error("a secure page failed: %s", type(error).__name__)
            answer = _refusal(console, request, PulangError(), 500)
        for name, value in console.headers.items():
            answer.headers.setdefault(name, value)
        return answer

    return middleware


def _status(error: PulangError) -> int:
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def _refusal(console: Console, request: web.Request, error: PulangError, status: int) -> web.Response:
    """`{"error": code, "message": words}`; the page says its language in Accept-Language."""
    words = {**console.texts(console.languages[0]), **console.texts(_language(console, request))}
    message = words.get(error.code) or words.get(PulangError.code, "")
    shown: dict[str, object] = {name: error.params[name] for name in _SHOWN_PARAMS if name in error.params}
    for name, value in shown.items():
        message = message.replace("{" + name + "}", str(value))
    return web.json_response({"error": error.code, "message": message}, status=status)


def _language(console: Console, request: web.Request) -> str:
    for wanted in request.headers.get(hdrs.ACCEPT_LANGUAGE, "").split(","):
        language = wanted.partition(";")[0].strip().partition("-")[0]
        if language in console.languages:
            return language
    return console.languages[0]
