"""The secure pages as an aiohttp application, for `root.add_subapp(PREFIX, build(...))`.

One static shell, scripts and styles, and a small JSON interface over a registry of pages. A page's verb
checks access; here are only the session, the size and shape of what comes in, and the headers of what goes
out.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from aiohttp import hdrs, web

from console import bodies, proofs, sessions
from console.assets import Assets, load_assets, shell
from console.calls import Calls
from console.headers import secure_headers
from console.init_data import TELEGRAM_PUBLIC_KEY, Trust, check
from console.kindly import Texts, kindly, language_of
from console.page_texts import page_texts, view_texts
from referrals.errors import BadAnswer, NotFound, PulangError, Refused
from referrals.ports import Away, Slow, Turns
from referrals.service import mydata
from referrals.service.pages.device_steps import DEVICE_STEPS

PREFIX = "/p"
AT_ONCE = 2  # pieces of slow work: Argon2id takes a core and 32 MiB each


class Page(Protocol):
    """A row of the registry (referrals/service/pages/): what the page shows, and its named steps."""

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
    calls: Calls
    bot_name: Callable[[], str]
    working: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))


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
    bot_name: Callable[[], str] = str,
) -> web.Application:
    """The application. `clock` gives aware UTC; `languages` are those with texts, the fallback first.

    `slow` does what steps leave their turn for; pages that have such steps need it. `bot_name` is for links
    into the chat, '' until it is known.
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
        calls=Calls(turns),
        bot_name=bot_name,
    )
    app = web.Application(middlewares=[kindly(texts, console.languages, console.headers)])
    app[CONSOLE] = console
    app.add_routes(_routes())
    return app


CONSOLE: web.AppKey[Console] = web.AppKey("console", Console)


def _routes() -> list[web.RouteDef]:
    page, subject, step = "{page:[a-z_]{1,32}}", f"{{subject:{bodies.SUBJECT}}}", "{step:[a-z_]{1,32}}"
    return [
        web.get("/static/{version:[0-9a-f]{16}}/{name:[a-z_]+[.](?:js|css|svg)}", _static),
        web.get("/download/{token:[A-Za-z0-9_-]{43}}", _download, allow_head=False),
        web.post("/session", _session),
        web.post("/device/{step:[a-z_]{1,32}}", _device),
        web.get(f"/api/{page}", _view),
        web.get(f"/api/{page}/{subject}", _view),
        web.post(f"/api/{page}/{step}", _step),
        web.post(f"/api/{page}/{subject}/{step}", _step),
        web.get(f"/{page}", _shell),
        web.get(f"/{page}/{subject}", _shell),
    ]


async def _shell(request: web.Request) -> web.Response:
    """The same for everybody and without a secret, so it may be packed."""
    console = request.app[CONSOLE]
    _page(request)
    answer = web.Response(body=console.document, content_type="text/html", charset="utf-8")
    answer.enable_compression()
    return answer


async def _download(request: web.Request) -> web.Response:
    """An encrypted archive, fetched by the app or a browser itself, which can send no header of ours."""
    archive = await request.app[CONSOLE].turns.turn(mydata.fetch, request.match_info["token"])
    name = {hdrs.CONTENT_DISPOSITION: 'attachment; filename="my-things.zip"'}
    return web.Response(body=archive, content_type="application/zip", headers=name)


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
    raw = await bodies.read_raw(request)
    body = bodies.parse_body(raw)
    page = bodies.page_of(body)
    if page.partition("/")[0] not in console.pages:
        raise NotFound
    token = secrets.token_urlsafe(32)
    new_id = sessions.session_id(token)
    if "init_data" in body:
        opened = await _launch(console, body, new_id, page)
    else:
        asked = await console.calls.asked(request, raw)
        opened = await _spending(console, asked, sessions.onward_session, new_id, page)
    console.calls.remember(new_id, proofs.read_key(opened.public_key))
    words = _words(console, opened.language)
    answer = bodies.small_json(
        {
            "session": token,
            "language": opened.language,
            "direction": "rtl" if opened.right_to_left else "ltr",
            "timezone": opened.timezone,
            "bot": console.bot_name(),
            "texts": page_texts(words, page.partition("/")[0], opened.reading.state),
            "reading": bodies.plain(opened.reading),
        }
    )
    # Nothing that a stranger chooses stands beside the token, so the packed size tells nothing about it.
    answer.enable_compression()
    return answer


async def _launch(console: Console, body: Mapping[str, object], new_id: str, page: str) -> sessions.Opened:
    """The launch is Telegram's, and the device that opens the page holds the key that it names."""
    init_data, device = _string(body, "init_data"), _string(body, "device")
    launch = check(init_data, console.trust, console.clock())
    proofs.check_opening(proofs.read_key(device), _string(body, "proof"), page, init_data)
    return await console.turns.turn(sessions.open_session, launch, device, new_id, page)


async def _view(request: web.Request) -> web.Response:
    page = _page(request)
    asked = await request.app[CONSOLE].calls.asked(request, b"")
    return await _turn(request, asked, sessions.in_session, _path(request), page.view, {})


async def _step(request: web.Request) -> web.Response:
    verb = _page(request).steps.get(request.match_info["step"])
    if verb is None:
        raise NotFound
    raw = await bodies.read_raw(request)
    asked = await request.app[CONSOLE].calls.asked(request, raw)
    return await _turn(request, asked, sessions.in_session, _path(request), verb, bodies.parse_body(raw))


async def _device(request: web.Request) -> web.Response:
    """PIN and devices, from any page's session."""
    verb = DEVICE_STEPS.get(request.match_info["step"])
    if verb is None:
        raise NotFound
    raw = await bodies.read_raw(request)
    asked = await request.app[CONSOLE].calls.asked(request, raw)
    return await _turn(request, asked, sessions.on_device, verb, bodies.parse_body(raw))


async def _turn(request: web.Request, asked: sessions.Asked, turn: Any, *args: Any) -> web.Response:
    """One request as one turn, or several with slow work in between, and its answer."""
    console = request.app[CONSOLE]
    shown: sessions.Shown = await _spending(console, asked, turn, *args)
    while isinstance(shown.what, Away):
        if console.slow is None:
            raise PulangError("this console was built without anything that does slow work")
        async with console.working:
            done = await asyncio.to_thread(shown.what.work, console.slow)
        shown = await console.turns.turn(sessions.go_on, asked.session_id, shown.what.then, done)
    if isinstance(shown.what, PulangError):
        raise shown.what
    view = shown.what if turn is sessions.on_device else bodies.as_json(shown.what)
    words = view_texts(_words(console, language_of(console.languages, request)), view)
    return bodies.answer(request, words, {**view, "reading": bodies.plain(shown.reading)})


async def _spending(console: Console, asked: sessions.Asked, turn: Any, *args: Any) -> Any:
    """Run the turn of a request; where it is refused, at least the request's number is used up."""
    try:
        return await console.turns.turn(turn, asked, *args)
    except Refused:
        await console.turns.turn(sessions.spend, asked)
        raise


def _path(request: web.Request) -> str:
    name, subject = request.match_info["page"], request.match_info.get("subject", "")
    return f"{name}/{subject}" if subject else name


def _page(request: web.Request) -> Page:
    page = request.app[CONSOLE].pages.get(request.match_info["page"])
    if page is None:
        raise NotFound
    return page


def _string(body: Mapping[str, object], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise BadAnswer
    return value


def _words(console: Console, language: str) -> Mapping[str, str]:
    """All words in a language, with the fallback's where one is missing."""
    return {**console.texts(console.languages[0]), **console.texts(language)}
