"""The one place where the parts meet: store, texts, bot, receiver, outbox, heartbeat, secure pages, health.

`run` starts everything in an order in which nothing can be lost, and stops it in the reverse order: first
nothing new comes in, then what runs is finished, what is queued is sent if that is quick, and all is closed.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

import structlog
from aiohttp import web
from telegram import Bot

from bot.checkpoints import CheckpointFolder
from bot.clock import Clock, Fire, FireTogether, Heartbeat
from bot.health import Health
from bot.introduction import introduce, speak_in_menu
from bot.keeping import Keeper
from bot.logs import watch_loop
from bot.outbox import Deliverer
from bot.pace import Pace
from bot.passphrase import root_key_of
from bot.polling import Polling
from bot.request import AiohttpRequest, LeanBot
from bot.settings import Mode, Settings
from bot.telegram_out import Messenger
from bot.texts import Texts, read_locales
from bot.turns import Handle, Receiver, Refuse
from bot.webhook import Webhook
from referrals.errors import ConfigurationError
from referrals.ports import Slow, Turns, Tx
from storage import archive
from storage.catalogue_files import read_catalogue
from storage.secret import RootKey
from storage.store import Store

T = TypeVar("T")
P = ParamSpec("P")

FLUSH_S = 3.0
FINISH_S = 10.0
DEMO_MARK = "DEMO"

log = structlog.get_logger("bot.app")


@dataclass(frozen=True, slots=True)
class Doors:
    """Where the product's words and rules are entered: what a chat, a timer and a page call."""

    handle: Handle
    refuse: Refuse
    fire: Fire
    pages: Mapping[str, Any]
    begin: Callable[[Tx], None] = lambda _: None  # a turn at each start: timers that every network has
    together: FireTogether = field(default_factory=FireTogether)


def product_doors() -> Doors:
    """The real ones."""
    from handlers.router import handle, refuse
    from referrals.service.pages import PAGES
    from referrals.service.timers import TOGETHER, begin, fire, fire_many

    return Doors(handle, refuse, fire, PAGES, begin, FireTogether(TOGETHER, fire_many))


@dataclass(slots=True)
class Parts:
    """Everything that runs, made once by `assemble`."""

    settings: Settings
    clock: Clock
    store: Store
    texts: Texts
    bot: Bot
    deliverer: Deliverer
    receiver: Receiver
    heartbeat: Heartbeat
    committed: Callable[[], None]  # a turn has been committed: what it queued or made due goes on at once
    checkpoints: CheckpointFolder
    keeper: Keeper
    webhook: Webhook
    polling: Polling
    health: Health


@dataclass(frozen=True, slots=True)
class Extras:
    """What only the demo and tests ask for; `bot run` has none of it."""

    clock: Clock = field(default_factory=Clock)
    demo: bool = False
    frame_ancestor: str = ""
    listen: socket.socket | None = None
    prepare: Callable[[Parts, web.Application], Awaitable[None]] | None = None
    ready: Callable[[str], None] | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)


def open_store(
    settings: Settings,
    clock: Clock,
    *,
    demo: bool = False,
    worker: str = "main",
    root_key: RootKey | None = None,
) -> tuple[Store, Texts]:
    """Catalogue, texts, key and database, each checked; ConfigurationError names what is broken.

    `root_key`: one that was read before, so that nobody types its passphrase again.
    """
    if (settings.data / DEMO_MARK).exists() and not demo:
        mend = "name another folder; what was a demo stays one"
        raise ConfigurationError(str(settings.data), "holds a demo, and not a network", mend)
    words = read_locales(settings.locales)
    catalogue = replace(read_catalogue(settings.catalogue), texts=words)
    root_key = root_key or root_key_of(settings)
    threads = settings.database_threads
    store = Store.open(
        settings.database, root_key, catalogue, clock.now, demo=demo, threads=threads, worker=worker
    )
    return store, Texts(words)


def make_bot(settings: Settings) -> LeanBot:
    """telegram.Bot on our own transport; one pool for calls, one connection for long polling."""
    return LeanBot(
        settings.token,
        base_url=f"{settings.telegram_api}/bot",
        base_file_url=f"{settings.telegram_api}/file/bot",
        request=AiohttpRequest(),
        get_updates_request=AiohttpRequest(connections=1),
    )


def assemble(settings: Settings, doors: Doors, clock: Clock, store: Store, texts: Texts) -> Parts:
    """Tie the parts together; nothing runs yet."""
    bot = make_bot(settings)
    pace = Pace(settings.overall_per_s, settings.per_chat_per_s)
    messenger = Messenger(bot, texts, settings.public_url)
    deliverer = Deliverer(store.outbox, messenger, pace, clock.now)
    menu = partial(speak_in_menu, bot, settings, texts)
    heartbeat = Heartbeat(store, doors.fire, clock, deliverer.wake, doors.together)

    def committed() -> None:
        deliverer.wake()
        heartbeat.look()

    receiver = Receiver(store, bot, texts, doors.handle, doors.refuse, committed, menu)
    return Parts(
        settings=settings,
        clock=clock,
        store=store,
        texts=texts,
        bot=bot,
        deliverer=deliverer,
        receiver=receiver,
        heartbeat=heartbeat,
        committed=committed,
        checkpoints=CheckpointFolder(store, settings.checkpoints),
        keeper=Keeper.of(store, settings.root_key_file, clock),
        webhook=Webhook(receiver, settings.secret_token),
        polling=Polling(receiver, bot),
        health=Health(store),
    )


class WakingTurns:
    """The store as pages use it: what a page's step queues is sent at once, not at the outbox's next look."""

    def __init__(self, store: Turns, wake: Callable[[], None]) -> None:
        self._store = store
        self._wake = wake

    async def turn(self, verb: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As ports.Turns."""
        result = await self._store.turn(verb, *args, **kwargs)
        self._wake()
        return result


def build_web(parts: Parts, doors: Doors, frame_ancestor: str = "") -> web.Application:
    """Health, the webhook where it is used, and the secure pages."""
    from console import app as console

    settings = parts.settings
    app = web.Application()
    app.on_response_prepare.append(_say_nothing_of_ourselves)
    parts.health.add_to(app)
    if settings.mode is Mode.WEBHOOK:
        parts.webhook.add_to(app)
    pages = console.build(
        WakingTurns(parts.store, parts.committed),
        doors.pages,
        bot_token=settings.token,
        bot_id=int(settings.token.partition(":")[0]),
        texts=parts.texts.of,
        clock=parts.clock.now,
        telegram_public_key=settings.telegram_public_key,
        frame_ancestor=frame_ancestor,
        languages=parts.texts.languages,
        slow=Slow(parts.store.pins, archive.pack),
        bot_name=lambda: _bot_name(parts.bot),
    )
    app.add_subapp(console.PREFIX, pages)
    return app


def _bot_name(bot: Bot) -> str:
    """The name in this bot's links; '' until Telegram has told it."""
    try:
        return bot.username
    except RuntimeError:
        return ""


async def _say_nothing_of_ourselves(_: web.Request, response: web.StreamResponse) -> None:
    """No server version, and no guessing of content types."""
    response.headers["Server"] = "pulang"
    response.headers.setdefault("X-Content-Type-Options", "nosniff")


async def run(settings: Settings, doors: Doors, extras: Extras | None = None) -> None:
    """Run the product until SIGTERM or SIGINT (or `extras.ended`)."""
    extras = extras or Extras()
    loop = asyncio.get_running_loop()
    watch_loop(loop)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, extras.ended.set)
    store, texts = open_store(settings, extras.clock, demo=extras.demo)
    try:
        await _serve(assemble(settings, doors, extras.clock, store, texts), doors, extras)
    finally:
        await store.aclose()
        log.info("stopped")


async def _serve(parts: Parts, doors: Doors, extras: Extras) -> None:
    """Everything between an opened and a closed store."""
    running: list[asyncio.Task[None]] = []
    app = build_web(parts, doors, extras.frame_ancestor)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=FINISH_S, handler_cancellation=False)
    try:
        if extras.prepare is not None:
            await extras.prepare(parts, app)
        address = await _listen(runner, parts.settings, extras.listen)
        # Listening comes first: a second product by mistake has ended by now, and takes nothing over.
        await parts.store.outbox.take_over(parts.clock.now())
        await parts.store.turn(doors.begin)
        await asyncio.to_thread(parts.keeper.check)
        running.append(asyncio.create_task(parts.deliverer.run(), name="outbox"))
        running.append(asyncio.create_task(parts.keeper.run(), name="ledger"))
        # What stands now stays until the end. Looking through all of it again and again held the event loop
        # up for 70 to 130 ms whenever thousands of reminders were queued (benchmarks/due.py).
        gc.collect()
        gc.freeze()
        parts.heartbeat.start()
        running.append(asyncio.create_task(parts.checkpoints.run(), name="checkpoints"))
        running.append(asyncio.create_task(_receive(parts, extras.ready, address), name="receive"))
        await _until(extras.ended, running)
    finally:
        await _stop(parts, runner, running)


async def _receive(parts: Parts, ready: Callable[[str], None] | None, address: str) -> None:
    """Once Telegram knows us, updates may come."""
    await introduce(parts.bot, parts.settings, parts.texts)
    parts.health.telegram = True
    log.info("ready", mode=parts.settings.mode.value)
    if ready is not None:
        ready(address)
    if parts.settings.mode is Mode.POLLING:
        await parts.polling.run()
    else:
        await asyncio.Event().wait()


async def _listen(runner: web.AppRunner, settings: Settings, listen: socket.socket | None) -> str:
    """Open the door; returns the address inside this machine."""
    await runner.setup()
    if listen is not None:
        await web.SockSite(runner, listen).start()
    else:
        try:
            await web.TCPSite(runner, settings.listen_host, settings.listen_port).start()
        except OSError as error:
            where, mend = "PULANG_LISTEN_PORT", "end what listens there, or set PULANG_LISTEN_HOST and _PORT"
            what = f"{settings.listen_host}:{settings.listen_port} cannot be listened on"
            raise ConfigurationError(where, f"{what} ({os.strerror(error.errno or 0)})", mend) from None
    host, port = runner.addresses[0][:2]
    log.info("listening", port=port)
    return f"http://{host}:{port}"


async def _until(ended: asyncio.Event, running: list[asyncio.Task[None]]) -> None:
    """Wait for the end; a part that dies ends all, so that a service manager starts us anew."""
    waiting = asyncio.create_task(ended.wait())
    done, _ = await asyncio.wait([waiting, *running], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in done - {waiting}:
        task.result()


async def _stop(parts: Parts, runner: web.AppRunner, running: list[asyncio.Task[None]]) -> None:
    """Nothing new comes in; what runs is finished; what is queued is sent if that is quick."""
    parts.health.stopping = True
    parts.webhook.closed = True
    parts.polling.stop()
    await runner.cleanup()
    await parts.heartbeat.stop()
    await parts.receiver.settle()
    outbox = [task for task in running if task.get_name() == "outbox" and not task.done()]
    if outbox:
        try:
            await asyncio.wait_for(parts.deliverer.drain(), FLUSH_S)
        except TimeoutError:
            log.info("flush_cut_short")
    parts.deliverer.stop()
    if outbox:
        await asyncio.wait(outbox, timeout=FINISH_S)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await parts.keeper.finish()
    await parts.bot.shutdown()
    await parts.bot.request.shutdown()
